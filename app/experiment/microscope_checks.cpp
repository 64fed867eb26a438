#include "app/experiment/microscope_checks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lab {

namespace {

using vknorm::Norm;

constexpr double forward_bound = 4e-6, gradient_bound = 5e-6, statistic_bound = 1e-6;
constexpr double unit_roundoff = 0x1p-24, smallest_normal = 0x1p-126;  // of float32

/// Of gradients: a part of the largest one, and the rounding of single terms, where those are larger than
/// what is left of them.
struct Largest {
    double value = 0, terms = 0;

    void add(double one, double its_terms) {
        value = std::max(value, std::abs(one));
        terms = std::max(terms, its_terms);
    }
    double bound() const { return gradient_bound * value + 4 * unit_roundoff * terms + smallest_normal; }
};

struct GradientBounds {
    Largest dx, dgamma, dbeta;

    GradientBounds(const Specimen& s, const Examination& exact) {
        if (s.device.dy.empty()) return;
        std::vector<double> gamma_terms(exact.dgamma.size()), beta_terms(exact.dbeta.size());
        for (size_t i = 0; i < exact.dx.size(); ++i) {
            dx.add(exact.dx[i],
                   std::abs(exact.own[i]) + std::abs(exact.from_mean[i]) + std::abs(exact.from_variance[i]));
            const double dy = std::abs(double{s.device.dy[i]});
            const size_t p = parameter_of(s, i), set = exact.set[i];
            gamma_terms[p] += dy * (exact.r[set] * std::abs(exact.normalized[i]) + std::abs(exact.d[set]));
            beta_terms[p] += dy;
        }
        for (size_t p = 0; p < exact.dgamma.size(); ++p) {
            dgamma.add(exact.dgamma[p], gamma_terms[p]);
            dbeta.add(exact.dbeta[p], beta_terms[p]);
        }
    }
};

/// Where the statistics of a set stand in what the operation saved.
struct Saved {
    double mean = 0, inv_std = 0;
};
Saved saved(const Specimen& s, const Examination& exact, size_t set) {
    const vknorm::NormCapture& device = s.device;
    Saved saved{0, device.inv_std[set]};
    if (device.mean.empty()) return saved;
    // Two numbers for each mean: all of the first kind, then all of the second; of ghosts one by one.
    const size_t together = s.kind == Norm::ghost ? s.channels : exact.mean.size();
    const size_t first = set / together * 2 * together + set % together;
    saved.mean = double{device.mean[first]} + double{device.mean[first + together]};
    return saved;
}

double bound_of_y(const Specimen& s, const Examination& exact, size_t i) {
    const size_t set = exact.set[i];
    const double correction =
        s.kind == Norm::batch_renorm ? std::max(1.0, exact.r[set]) + std::abs(exact.d[set]) : 1;
    return forward_bound * std::max({1.0, std::abs(gamma_of(s, i)) * correction,
                                     std::abs(exact.y[i] - beta_of(s, i)) / 8}) +
           std::abs(exact.y[i]) * unit_roundoff;
}

std::optional<double> at(const std::vector<float>& values, size_t i) {
    return i < values.size() ? std::optional<double>(values[i]) : std::nullopt;
}

/// What is checked of a set.
void add_statistics(std::vector<CheckedNumber>& all, const Specimen& s, const Examination& exact,
                    size_t set) {
    const bool has_saved = was_made(s, exact.mode) && set < s.device.inv_std.size();
    const Saved given = has_saved ? saved(s, exact, set) : Saved{};
    const double variance = exact.variance[set], inv_std = exact.inv_std[set];
    const auto of_device = [&](double value) {
        return has_saved ? std::optional<double>(value) : std::nullopt;
    };
    if (s.kind != Norm::rms)
        all.push_back({.quantity = Quantity::mean,
                       .device = of_device(given.mean),
                       .reference = exact.mean[set],
                       .bound = std::abs(exact.mean[set]) * unit_roundoff +
                                statistic_bound * std::sqrt(variance) + smallest_normal});
    const double epsilon = s.epsilon;
    all.push_back(
        {.quantity = Quantity::variance,
         .device = of_device(given.inv_std == 0 ? 0 : 1 / (given.inv_std * given.inv_std) - epsilon),
         .reference = variance,
         .bound = 4 * statistic_bound * (variance + epsilon) + smallest_normal});
    all.push_back({.quantity = Quantity::inv_std,
                   .device = of_device(given.inv_std),
                   .reference = inv_std,
                   .bound = 2 * statistic_bound * inv_std + smallest_normal});
    if (s.kind != Norm::batch_renorm || by_running(s, exact.mode)) return;
    all.push_back({.quantity = Quantity::r,
                   .device = has_saved ? at(s.device.r, set) : std::nullopt,
                   .reference = exact.r[set],
                   .bound = forward_bound * exact.r[set]});
    const double moving = std::sqrt(double{s.device.running_variance[set]} + epsilon);
    all.push_back({.quantity = Quantity::d,
                   .device = has_saved ? at(s.device.d, set) : std::nullopt,
                   .reference = exact.d[set],
                   .bound = forward_bound * std::max(1.0, std::abs(exact.d[set])) +
                            2 * statistic_bound * std::sqrt(variance + epsilon) / moving});
}

void add_forward(std::vector<CheckedNumber>& all, const Specimen& s, const Examination& exact, size_t i) {
    const bool made = was_made(s, exact.mode);
    const size_t set = exact.set[i];
    std::optional<double> normalized;
    if (made && set < s.device.inv_std.size()) {
        const Saved given = saved(s, exact, set);
        normalized = (double{s.device.x[i]} - given.mean) * given.inv_std;
    }
    all.push_back({.quantity = Quantity::normalized,
                   .device = normalized,
                   .reference = exact.normalized[i],
                   .bound = statistic_bound * (1 + 2 * std::abs(exact.normalized[i])) + smallest_normal});
    all.push_back({.quantity = Quantity::y,
                   .device = made ? at(s.device.y, i) : std::nullopt,
                   .reference = exact.y[i],
                   .bound = bound_of_y(s, exact, i)});
}

void add_backward(std::vector<CheckedNumber>& all, const Specimen& s, const Examination& exact, size_t i,
                  const GradientBounds& bounds) {
    if (s.device.dy.empty() || exact.mode == NormMode::eval) return;
    const bool made = was_made(s, exact.mode);
    const size_t parameter = parameter_of(s, i);
    const auto add = [&](Quantity quantity, const std::vector<float>& device, size_t place, double reference,
                         const Largest& largest) {
        all.push_back({.quantity = quantity,
                       .device = made ? at(device, place) : std::nullopt,
                       .reference = reference,
                       .bound = largest.bound()});
    };
    if (s.kind != Norm::rms)
        add(Quantity::dbeta, s.device.dbeta, parameter, exact.dbeta[parameter], bounds.dbeta);
    add(Quantity::dgamma, s.device.dgamma, parameter, exact.dgamma[parameter], bounds.dgamma);
    add(Quantity::dx, s.device.dx, i, exact.dx[i], bounds.dx);
}

std::vector<CheckedNumber> numbers(const Specimen& s, const Examination& exact, size_t element,
                                   const GradientBounds& bounds) {
    std::vector<CheckedNumber> all;
    add_statistics(all, s, exact, exact.set[element]);
    add_forward(all, s, exact, element);
    add_backward(all, s, exact, element, bounds);
    return all;
}

}  // namespace

double CheckedNumber::ratio() const {
    if (!device) return 0;
    const double apart = std::abs(*device - reference);
    if (!std::isfinite(apart)) return std::numeric_limits<double>::infinity();
    return apart == 0 ? 0 : apart / bound;
}

bool is_derived(Quantity quantity) {
    return quantity == Quantity::variance || quantity == Quantity::normalized;
}

std::vector<CheckedNumber> checked_numbers(const Specimen& s, const Examination& exact, size_t element) {
    std::vector<CheckedNumber> all = numbers(s, exact, element, GradientBounds(s, exact));
    for (CheckedNumber& number : all) {
        if (number.quantity == Quantity::dx) number.by_difference = dx_by_difference(s, exact, element);
        if (number.quantity == Quantity::dgamma)
            number.by_difference = dgamma_by_difference(s, exact, parameter_of(s, element));
        if (number.quantity == Quantity::dbeta)
            number.by_difference = dbeta_by_difference(s, exact, parameter_of(s, element));
    }
    return all;
}

double worst_ratio(const Specimen& s, const Examination& exact) {
    const GradientBounds bounds(s, exact);
    double worst = 0;
    for (size_t i = 0; i < exact.set.size(); ++i)
        for (const CheckedNumber& number : numbers(s, exact, i, bounds))
            worst = std::max(worst, number.ratio());
    return worst;
}

}  // namespace lab
