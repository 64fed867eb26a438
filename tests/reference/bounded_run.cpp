#include "reference/bounded_run.hpp"

#include <algorithm>
#include <cmath>

namespace vknorm::reference {

namespace {

struct Curve {
    Values losses, gradient_norms;
    Tensors tensors;  // at the end
};

Curve run(NetworkReference network, const std::vector<Labelled>& batches, const StepOptions& options) {
    Curve curve;
    for (const Labelled& batch : batches) {
        const Step step = network.train(batch, options);
        curve.losses.push_back(step.loss);
        curve.gradient_norms.push_back(step.gradient_norm);
    }
    curve.tensors = network.tensors;
    return curve;
}

void widen(testing::Expected& expected, const Values& stray) {
    for (size_t t = 0; t < stray.size(); ++t)
        expected.bounds[t] = std::max(expected.bounds[t], safety * std::abs(stray[t] - expected.values[t]));
}

/// A stray may be small by chance at one step, not at all that came before; the number itself is a float32,
/// of a sum of like signs.
void finish(testing::Expected& expected) {
    for (size_t t = 1; t < expected.bounds.size(); ++t)
        expected.bounds[t] = std::max(expected.bounds[t], expected.bounds[t - 1]);
    for (size_t t = 0; t < expected.bounds.size(); ++t)
        expected.bounds[t] += 8 * unit_roundoff * expected.values[t];
}

}  // namespace

double largest_difference(const Values& a, const Values& b) {
    double largest = 0;
    for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
    return largest;
}

BoundedRun bounded_run(const NetworkReference& start, const std::vector<Labelled>& batches,
                       const StepOptions& options) {
    const Curve exact = run(start, batches, options);
    BoundedRun bounded{.losses = {exact.losses, Values(batches.size())},
                       .gradient_norms = {exact.gradient_norms, Values(batches.size())},
                       .tensors = {}};
    for (const auto& [name, values] : exact.tensors) bounded.tensors[name] = {values, Values(values.size())};
    for (int i = 0; i < noisy_runs; ++i) {
        NetworkReference noisy = start;
        noisy.make_errors(unit_roundoff, static_cast<uint64_t>(i));
        const Curve curve = run(noisy, batches, options);
        widen(bounded.losses, curve.losses);
        widen(bounded.gradient_norms, curve.gradient_norms);
        for (auto& [name, expected] : bounded.tensors) {
            const double stray = safety * largest_difference(curve.tensors.at(name), expected.values);
            for (double& bound : expected.bounds) bound = std::max(bound, stray);
        }
    }
    finish(bounded.losses);
    finish(bounded.gradient_norms);
    // What a step makes of a tensor, two products and their sum, is rounded to the float32 that is kept.
    const double roundings = 3 * unit_roundoff * static_cast<double>(batches.size());
    for (auto& [name, expected] : bounded.tensors)
        for (size_t i = 0; i < expected.values.size(); ++i)
            expected.bounds[i] += roundings * std::abs(expected.values[i]);
    return bounded;
}

}  // namespace vknorm::reference
