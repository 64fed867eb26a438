#include "app/ui/scale.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <span>

namespace lab::plot {

namespace {

constexpr int min_ticks = 3, max_ticks = 9;

std::string format(const char* pattern, int digits, double value) {
    std::array<char, 48> text;
    std::snprintf(text.data(), text.size(), pattern, digits, value);
    return text.data();
}

// Text of a multiple of `step`: as many decimals as the step has.
std::string tick_label(double value, double step) {
    if (std::abs(value) < step * 1e-6) return "0";
    const double largest = std::max(std::abs(value), step);
    double unit = 1;
    const char* suffix = "";
    if (step >= 1e5 && largest >= 1e6) {
        unit = 1e6, suffix = "M";
    } else if (step >= 100 && largest >= 1e4) {
        unit = 1e3, suffix = "k";
    }
    if (largest >= 1e9 || step < 1e-5) {
        const int digits =
            static_cast<int>(std::floor(std::log10(largest)) - std::floor(std::log10(step))) + 1;
        return format("%.*g", std::clamp(digits, 1, 15), value);
    }
    const double scaled = step / unit;
    int decimals = 0;
    for (double power = 1; decimals < 7; ++decimals, power *= 10)
        if (std::abs(scaled * power - std::round(scaled * power)) < 1e-6 * scaled * power) break;
    return format("%.*f", decimals, value / unit) + suffix;
}

std::vector<Tick> linear_ticks(const Range& range, int wanted) {
    const double magnitude = std::floor(std::log10(range.length()));
    double best_step = 0;
    int best_count = 0;
    for (double exponent = magnitude - 2; exponent <= magnitude + 1; ++exponent)
        for (const double digit : {1.0, 2.0, 5.0}) {
            const double step = digit * std::pow(10, exponent);
            const int count = static_cast<int>(std::min(
                1000.0, std::floor(range.high / step + 1e-9) - std::ceil(range.low / step - 1e-9) + 1));
            if (count < min_ticks || count > max_ticks) continue;
            if (best_count == 0 || std::abs(count - wanted) < std::abs(best_count - wanted))
                best_count = count, best_step = step;
        }
    std::vector<Tick> result;
    const double first = std::ceil(range.low / best_step - 1e-9);
    for (int i = 0; i < best_count; ++i) {
        const double value = (first + i) * best_step;
        result.push_back({std::clamp(value, range.low, range.high), tick_label(value, best_step)});
    }
    return result;
}

std::vector<Tick> log_ticks(const Range& range, int wanted) {
    const double slack = 1e-9;
    const double first = std::ceil(std::log10(range.low) - slack),
                 last = std::floor(std::log10(range.high) + slack);
    std::vector<Tick> result;
    const auto add = [&](double value) {
        if (value < range.low * (1 - slack) || value > range.high * (1 + slack)) return;
        result.push_back({std::clamp(value, range.low, range.high), short_number(value)});
    };
    const int decades = static_cast<int>(last - first) + 1;
    if (decades >= min_ticks) {
        const int limit = std::clamp(wanted, min_ticks, max_ticks);
        int every = decades / limit + (decades % limit != 0);
        while (every > 1 && (decades + every - 1) / every < min_ticks) --every;
        for (double exponent = first; exponent <= last; exponent += every) add(std::pow(10, exponent));
        return result;
    }
    static constexpr std::array<double, 2> coarse = {1, 3};
    static constexpr std::array<double, 3> fine = {1, 2, 5};
    for (const std::span<const double> digits :
         {std::span<const double>(coarse), std::span<const double>(fine)}) {
        result.clear();
        for (double exponent = first - 1; exponent <= last; ++exponent)
            for (const double digit : digits) add(digit * std::pow(10, exponent));
        if (result.size() >= min_ticks) return result;
    }
    return linear_ticks(range, wanted);
}

}  // namespace

double to_unit(const Range& range, Scale scale, double value) {
    if (scale == Scale::linear) return (value - range.low) / range.length();
    if (!(value > 0)) return -std::numeric_limits<double>::infinity();
    return std::log(value / range.low) / std::log(range.high / range.low);
}

double from_unit(const Range& range, Scale scale, double unit) {
    if (scale == Scale::linear) return range.low + unit * range.length();
    return range.low * std::pow(range.high / range.low, unit);
}

Range sane(Range range, Scale scale) {
    if (!std::isfinite(range.low) || !std::isfinite(range.high))
        return scale == Scale::log ? Range{0.1, 10} : Range{};
    if (range.low > range.high) std::swap(range.low, range.high);
    if (scale == Scale::log) {
        range.low = std::clamp(range.low, 1e-30, 1e30);
        range.high = std::clamp(range.high, 1e-30, 1e30);
        const double middle = std::sqrt(range.low * range.high);
        if (range.high < range.low * 1.05) range = {middle / 1.05, middle * 1.05};
        return range;
    }
    const double middle = (range.low + range.high) / 2;
    const double least = std::max(std::abs(middle) * 1e-6, 1e-12);
    if (range.length() < least) range = {middle - least / 2, middle + least / 2};
    return range;
}

std::vector<Tick> ticks(const Range& range, Scale scale, int wanted) {
    return scale == Scale::log ? log_ticks(range, wanted) : linear_ticks(range, wanted);
}

std::vector<double> minor_ticks(const Range& range) {
    const double decades = std::log10(range.high / range.low);
    std::vector<double> result;
    if (!(decades >= 1) || decades > 6) return result;
    for (double exponent = std::floor(std::log10(range.low)); exponent <= std::log10(range.high); ++exponent)
        for (int digit = 2; digit <= 9; ++digit) {
            const double value = digit * std::pow(10, exponent);
            if (value > range.low && value < range.high) result.push_back(value);
        }
    return result;
}

std::string whole_number(double value) {
    return format("%.*f", 0, value);
}

std::string short_number(double value) {
    if (!std::isfinite(value)) return std::isnan(value) ? "n/a" : value < 0 ? "-inf" : "inf";
    const double size = std::abs(value);
    if (size >= 1e9) return format("%.*g", 4, value);
    if (size >= 1e6) return format("%.*g", 4, value / 1e6) + "M";
    if (size >= 1e4) return format("%.*g", 4, value / 1e3) + "k";
    return format("%.*g", 4, value);
}

}  // namespace lab::plot
