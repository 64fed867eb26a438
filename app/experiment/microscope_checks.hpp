// The numbers that the device's kernels gave for a norm, in float32, beside those of the equations in
// float64, and how far apart the design allows them to be.
#pragma once

#include <optional>
#include <vector>

#include "app/experiment/microscope.hpp"

namespace lab {

enum class Quantity { mean, variance, inv_std, r, d, normalized, y, dbeta, dgamma, dx };

struct CheckedNumber {
    Quantity quantity;
    std::optional<double> device{};         ///< none: the step had no need of it, or was of another mode
    double reference = 0;                   ///< of the equations
    double bound = 0;                       ///< how far apart they may be
    std::optional<double> by_difference{};  ///< of gradients: a central difference, in float64

    /// How much of the bound the difference takes; 0 without a number of the device.
    double ratio() const;
};
/// Whether kernels do not write it, so that it follows from what they do write.
bool is_derived(Quantity quantity);

/// Those of one value, of its set and of its parameters, in the order of the steps.
std::vector<CheckedNumber> checked_numbers(const Specimen& specimen, const Examination& exact,
                                           size_t element);
/// The largest ratio among all numbers of the layer, finite differences left out.
double worst_ratio(const Specimen& specimen, const Examination& exact);

}  // namespace lab
