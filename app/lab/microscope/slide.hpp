// What the parts of the microscope draw from in one frame: the values of one set on their way through a norm
// and back, in ten steps.
#pragma once

#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "app/experiment/microscope.hpp"
#include "app/ui/ink.hpp"

namespace lab {

/// z, -mean, /deviation, *gamma+beta, activation; then back: dy, dbeta, dgamma, dx^, dx.
inline constexpr size_t lens_steps = 10, lens_forward_steps = 5;

/// Which step is looked at; what moves is on its way there.
class Stepper {
  public:
    void go_to(size_t step);
    void go_on(int steps);
    void play_or_pause();
    bool playing() const { return playing_; }
    /// Whether something moves, or will.
    bool moves() const;
    /// By the time since the previous frame.
    void advance(float seconds);

    size_t step() const { return step_; }
    /// Near step() where things move, else equal to it.
    float place() const { return place_; }
    /// From 0, before the way to `step`, to 1, there and after it.
    float reached(size_t step) const;

  private:
    size_t step_ = 3;
    float place_ = 3, rested_ = 0;  // rested: seconds on the step
    bool playing_ = false;
};

/// Mean and standard deviation, biased.
struct Spread {
    double mean = 0, deviation = 0;
};
template <class Value>
Spread spread_of(const std::vector<size_t>& values, Value value) {
    const auto m = static_cast<double>(values.size());
    Spread spread;
    for (const size_t i : values) spread.mean += value(i) / m;
    double squares = 0;
    for (const size_t i : values) squares += (value(i) - spread.mean) * (value(i) - spread.mean) / m;
    spread.deviation = std::sqrt(squares);
    return spread;
}
/// "mean ± deviation"; a mean that is nothing but rounding is 0.
std::string text_of(const Spread& spread);

struct Slide {
    const Look& look;
    const Specimen& specimen;
    const Examination& exact;
    const Stepper& stepper;
    size_t chosen;               ///< the value that is followed, as it stands in the tensor
    std::vector<size_t> values;  ///< of its set, by z; of a large set some, with the chosen one
    std::vector<size_t> whole;   ///< all of them
    std::array<Spread, lens_forward_steps> spreads{};  ///< of the whole set, of each line

    uint32_t set() const { return exact.set[chosen]; }
    /// Whether the values of the set are different units of an example, rather than examples of a unit.
    bool across_units() const;
    /// "example 16" or "unit 3": what one value of the set is.
    std::string value_name(size_t element) const;
    Color class_color(size_t element) const;
    /// Of line `line` of the forward steps.
    double forward(size_t line, size_t element) const;
};

/// What is shown of the chosen value's set.
Slide make_slide(const Look& look, const Specimen& specimen, const Examination& exact, const Stepper& stepper,
                 size_t chosen);
inline constexpr size_t most_dots = 240;

// The parts, each in its frame. Those with values return the one under the pointer.
void draw_formula(const Slide& slide, const plot::Rect& frame, const std::string& subtitle);
void draw_steps(const Look& look, const plot::Rect& frame, Stepper& stepper);
std::optional<size_t> draw_forward(const Slide& slide, const plot::Rect& frame);
std::optional<size_t> draw_backward(const Slide& slide, const plot::Rect& frame);
/// Examinations in the order of norm_modes. Returns the mode that was chosen.
std::optional<NormMode> draw_modes(const Slide& slide, const plot::Rect& frame,
                                   const std::array<Examination, 3>& modes, bool updates_running);
void draw_checked(const Slide& slide, const plot::Rect& frame, double worst_of_layer);
/// The tensor, with the set on it and what it means in words, from the cursor downwards, in a column.
void draw_tensor(const Slide& slide, float width);
/// Little tensors for the norms there are, of which one may be chosen.
std::optional<vknorm::Norm> draw_norm_thumbnails(const Look& look, float width, vknorm::Norm now);

}  // namespace lab
