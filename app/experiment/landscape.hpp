// What lies ahead of a network along its gradient: how its loss and its gradient change on the way, as
// S. Santurkar, D. Tsipras, A. Ilyas, A. Madry, "How Does Batch Normalization Help Optimization?", NeurIPS
// 2018, section 3.2, look at it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "app/experiment/history.hpp"

namespace lab {

class Replicas;

/// What was found on one batch, from the parameters w with the gradient g on.
struct LookAhead {
    double loss = 0;              ///< at w
    double gradient_norm = 0;     ///< of g, L2 over all parameters that are trained
    std::vector<double> rates{};  ///< of the steps, in the order in which they were asked for
    // Where each step leads, to w - rate * g; NaN where the network meets NaN or an infinity there.
    std::vector<double> losses{};
    std::vector<double> changes{};  ///< distance of the gradient there from g, L2

    /// Effective beta-smoothness: the largest change, each divided by the length of its step.
    double smoothness() const;
};

/// The same in a few numbers.
struct LandscapeRow {
    float loss_low = not_measured, loss_high = not_measured;      ///< where the steps lead
    float change_low = not_measured, change_high = not_measured;  ///< of the gradient, there
    float smoothness = not_measured;

    static constexpr std::array numbers = {&LandscapeRow::loss_low, &LandscapeRow::loss_high,
                                           &LandscapeRow::change_low, &LandscapeRow::change_high,
                                           &LandscapeRow::smoothness};
};
LandscapeRow row_of(const LookAhead& ahead);

/// Looks there with all replicas, which come back to what they were but for their optimizer and clipping,
/// which are to be set again.
LookAhead look_ahead(Replicas& replicas, std::span<const float> inputs, std::span<const uint32_t> labels,
                     std::span<const double> rates);

}  // namespace lab
