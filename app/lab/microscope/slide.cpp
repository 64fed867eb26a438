#include "app/lab/microscope/slide.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "app/lab/microscope/symbols.hpp"

namespace lab {

namespace {
constexpr float seconds_per_step = 0.4f, seconds_of_rest = 0.6f;  // of a slide, and between two while playing
}

void Stepper::go_to(size_t step) {
    step_ = std::min(step, lens_steps - 1);
    rested_ = 0;
}

void Stepper::go_on(int steps) {
    playing_ = false;
    const auto wanted = static_cast<ptrdiff_t>(step_) + steps;
    go_to(static_cast<size_t>(std::clamp<ptrdiff_t>(wanted, 0, lens_steps - 1)));
}

void Stepper::play_or_pause() {
    playing_ = !playing_;
    if (playing_ && step_ + 1 == lens_steps) go_to(0);
}

bool Stepper::moves() const {
    return playing_ || place_ != static_cast<float>(step_);
}

void Stepper::advance(float seconds) {
    const auto goal = static_cast<float>(step_);
    const float apart = goal - place_;
    // A jump over many steps takes no longer than two.
    const float speed = std::max(1.0f, std::abs(apart) / 2) / seconds_per_step;
    place_ += std::clamp(apart, -seconds * speed, seconds * speed);
    if (!playing_ || place_ != goal) return;
    rested_ += seconds;
    if (rested_ < seconds_of_rest) return;
    if (step_ + 1 == lens_steps)
        playing_ = false;
    else
        go_to(step_ + 1);
}

float Stepper::reached(size_t step) const {
    return std::clamp(place_ - static_cast<float>(step) + 1, 0.0f, 1.0f);
}

bool Slide::across_units() const {
    using vknorm::Norm;
    const Norm kind = specimen.kind;
    return kind == Norm::layer || kind == Norm::rms || kind == Norm::group;
}

std::string Slide::value_name(size_t element) const {
    if (across_units()) return "unit " + std::to_string(specimen.channel_of(element));
    std::string name = "example " + std::to_string(specimen.row_of(element));
    if (specimen.positions > 1) name += ", place " + std::to_string(element % specimen.positions);
    return name;
}

Color Slide::class_color(size_t element) const {
    const auto& colors = look.theme.classes;
    return colors[specimen.labels.at(specimen.row_of(element)) % colors.size()];
}

double Slide::forward(size_t line, size_t element) const {
    switch (line) {
        case 0:
            return double{specimen.device.x[element]};
        case 1:
            return exact.centred[element];
        case 2:
            return exact.normalized[element];
        case 3:
            return exact.y[element];
        default:
            return exact.activated[element];
    }
}

namespace {

std::vector<size_t> shown_of(std::vector<size_t> values, const Specimen& specimen, size_t chosen) {
    std::stable_sort(values.begin(), values.end(),
                     [&](size_t a, size_t b) { return specimen.device.x[a] < specimen.device.x[b]; });
    if (values.size() <= most_dots) return values;
    std::vector<size_t> some;
    for (size_t i = 0; i < most_dots; ++i) some.push_back(values[i * (values.size() - 1) / (most_dots - 1)]);
    if (std::find(some.begin(), some.end(), chosen) == some.end()) {
        const auto place = std::lower_bound(some.begin(), some.end(), chosen, [&](size_t a, size_t b) {
            return specimen.device.x[a] < specimen.device.x[b];
        });
        some.insert(place, chosen);
    }
    return some;
}

}  // namespace

std::string text_of(const Spread& spread) {
    const bool is_rounding = std::abs(spread.mean) < 1e-12 * spread.deviation;
    return figure(is_rounding ? 0 : spread.mean) + " \u00B1 " + figure(spread.deviation);
}

Slide make_slide(const Look& look, const Specimen& specimen, const Examination& exact, const Stepper& stepper,
                 size_t chosen) {
    std::vector<size_t> whole = exact.values_of(exact.set[chosen]);
    std::vector<size_t> shown = shown_of(whole, specimen, chosen);
    Slide slide{look, specimen, exact, stepper, chosen, std::move(shown), std::move(whole)};
    for (size_t line = 0; line < slide.spreads.size(); ++line)
        slide.spreads[line] = spread_of(slide.whole, [&](size_t i) { return slide.forward(line, i); });
    return slide;
}

}  // namespace lab
