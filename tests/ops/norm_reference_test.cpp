// The float64 references of the whole family against finite differences: every gradient, and every gradient
// of a gradient. This is what makes them worth comparing with.
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <string>

#include "reference/batch_norm.hpp"

namespace vknorm::reference {
namespace {

using Inputs = std::map<std::string, Values>;

/// A function of several tensors, and its gradient in each of them.
struct Differentiable {
    std::string name;
    Inputs at;
    std::function<double(const Inputs&)> loss;
    std::function<Inputs(const Inputs&)> gradients;
};

Values random_values(size_t count, uint32_t seed, double mean = 0) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal(mean, 1);
    Values values(count);
    for (double& value : values) value = normal(generator);
    return values;
}

double dot(const Values& a, const Values& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

/// By differences of fourth order.
double slope(const Differentiable& function, const std::string& tensor, size_t index) {
    constexpr double step = 1e-3;
    const auto at = [&](double offset) {
        Inputs moved = function.at;
        moved[tensor][index] += offset;
        return function.loss(moved);
    };
    return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
}

/// Every operation of the family: sum dy * forward(x), in x, gamma, beta and residual.
Differentiable of_norm(std::string name, Sets sets, const std::function<void(Norm&)>& change = {}) {
    Norm norm{.sets = std::move(sets), .epsilon = 0.125};
    norm.dy = random_values(norm.sets.elements(), 1, 0.25);
    if (change) change(norm);
    const bool residual = !norm.residual.empty();
    Inputs at{{"x", random_values(norm.sets.elements(), 2, 1.5)},
              {"gamma", random_values(norm.sets.parameters, 3, 1)},
              {"beta", random_values(norm.sets.parameters, 4)}};
    if (residual) at["residual"] = norm.residual;
    const auto with = [norm](const Inputs& inputs) {
        Norm result = norm;
        result.x = inputs.at("x");
        result.gamma = inputs.at("gamma");
        result.beta = inputs.at("beta");
        if (inputs.contains("residual")) result.residual = inputs.at("residual");
        return result;
    };
    return {std::move(name), std::move(at),
            [with](const Inputs& inputs) {
                const Norm moved = with(inputs);
                return dot(moved.dy, forward(moved).y);
            },
            [with, residual](const Inputs& inputs) {
                const Norm moved = with(inputs);
                const NormGradients gradients = backward(moved, forward(moved));
                Inputs result{{"x", gradients.dx}, {"gamma", gradients.dgamma}, {"beta", gradients.dbeta}};
                if (residual) result["residual"] = gradients.dresidual;
                return result;
            }};
}

/// sum ddx * dx + sum ddgamma * dgamma + sum ddbeta * dbeta, in dy, x and gamma.
Differentiable of_backward(const Sets& sets) {
    const Values ddx = random_values(sets.elements(), 5, 0.5), ddgamma = random_values(sets.parameters, 6);
    const Values ddbeta = random_values(sets.parameters, 7);
    struct Saved {
        Values mean, inv_std;
    };
    const auto saved = [sets](const Inputs& inputs) {
        const Moments batch = moments(sets, inputs.at("x"));
        return Saved{batch.mean, inv_std(sets, batch.variance, 0.125)};
    };
    return {"double backward",
            {{"x", random_values(sets.elements(), 2, 1.5)},
             {"dy", random_values(sets.elements(), 1, 0.25)},
             {"gamma", random_values(sets.parameters, 3, 1)}},
            [=](const Inputs& inputs) {
                const Saved its = saved(inputs);
                const Gradients gradients = backward(sets, inputs.at("x"), inputs.at("dy"), its.mean,
                                                     its.inv_std, inputs.at("gamma"));
                return dot(ddx, gradients.dx) + dot(ddgamma, gradients.dgamma) + dot(ddbeta, gradients.dbeta);
            },
            [=](const Inputs& inputs) {
                const Saved its = saved(inputs);
                DoubleGradients gradients =
                    double_backward(sets, inputs.at("x"), inputs.at("dy"), its.mean, its.inv_std,
                                    inputs.at("gamma"), ddx, ddgamma, ddbeta);
                return Inputs{{"dy", std::move(gradients.dy)},
                              {"x", std::move(gradients.x)},
                              {"gamma", std::move(gradients.gamma)}};
            }};
}

std::vector<Differentiable> family() {
    const Geometry first({3, 4, 5}, Layout::channels_first), last({3, 5, 4}, Layout::channels_last);
    Sets masked(first);
    masked.leave_out(first, {1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1});
    const auto relu = [](Norm& norm) { norm.relu = true; };
    const auto residual = [](Norm& norm) {
        norm.relu = true;
        norm.residual = random_values(norm.sets.elements(), 8);
    };
    const auto frozen = [](Norm& norm) {
        norm.statistics = Statistics::constant;
        norm.constants = {{1, 2, -1, 0}, {4, 0.5, 1, 2}};
    };
    const auto corrected = [](Norm& norm) {
        norm.r = {1.5, 0.5, 1, 3};
        norm.d = {0.25, -2, 0, 5};
    };
    const auto about_zero = [](Norm& norm) { norm.statistics = Statistics::about_zero; };
    return {
        of_norm("batch norm", first),
        of_norm("batch norm, channels last", last),
        of_norm("batch norm, relu", first, relu),
        of_norm("batch norm, residual and relu", last, residual),
        of_norm("batch norm, masked", masked),
        of_norm("batch norm, masked, residual and relu", masked, residual),
        of_norm("batch norm, frozen", first, frozen),
        of_norm("batch norm, frozen, residual and relu", first,
                [=](Norm& norm) { frozen(norm), residual(norm); }),
        of_norm("batch norm per activation", Geometry({5, 12}, Layout::channels_first)),
        of_norm("batch renorm", last, corrected),
        of_norm("ghost batch norm", Sets(Geometry({5, 2, 3}, Layout::channels_first), 2, 1)),
        of_norm("ghost batch norm, channels last", Sets(Geometry({5, 3, 2}, Layout::channels_last), 3, 1)),
        of_norm("group norm", group_sets(first, 2)),
        of_norm("group norm, channels last", group_sets(last, 2)),
        of_norm("group norm, one group", group_sets(first, 1)),
        of_norm("instance norm", group_sets(last, 4)),
        of_norm("layer norm", row_sets({2, 3, 5}, 1)),
        of_norm("layer norm of two dimensions", row_sets({4, 2, 3}, 2)),
        of_norm("rms norm", row_sets({2, 3, 5}, 1), about_zero),
        of_backward(first),
        of_backward(last)};
}

TEST(NormReference, GradientsMatchFiniteDifferences) {
    double worst = 0;
    for (const Differentiable& function : family()) {
        SCOPED_TRACE(function.name);
        const Inputs gradients = function.gradients(function.at);
        EXPECT_EQ(gradients.size(), function.at.size());
        for (const auto& [tensor, gradient] : gradients) {
            ASSERT_EQ(gradient.size(), function.at.at(tensor).size()) << tensor;
            for (size_t i = 0; i < gradient.size(); ++i) {
                const double error = std::abs(gradient[i] - slope(function, tensor, i));
                worst = std::max(worst, error / 1e-10);
                EXPECT_LE(error, 1e-10) << tensor << ' ' << i << ": " << gradient[i];
            }
        }
    }
    std::printf("worst error/bound  %-40s %.2f\n", "references against finite differences", worst);
}

/// What is left out has no part in anything.
TEST(NormReference, MaskedValuesAreNotRead) {
    const Geometry geometry({2, 1, 3}, Layout::channels_first), alone({1, 1, 3}, Layout::channels_first);
    Norm norm{.sets = geometry, .x = {1, 2, 1e30, 4, 1e30, NAN}, .dy = {1, 2, NAN, 3, 1e30, 5}, .epsilon = 0};
    norm.sets.leave_out(geometry, {1, 1, 0, 1, 0, 0});
    const Norm same{.sets = alone, .x = {1, 2, 4}, .dy = {1, 2, 3}, .epsilon = 0};
    const NormForward got = forward(norm), expected = forward(same);
    EXPECT_EQ(got.moments.mean, expected.moments.mean);
    EXPECT_EQ(got.y, (Values{expected.y[0], expected.y[1], 0, expected.y[2], 0, 0}));
    const NormGradients gradients = backward(norm, got), wanted = backward(same, expected);
    EXPECT_EQ(gradients.dx, (Values{wanted.dx[0], wanted.dx[1], 0, wanted.dx[2], 0, 0}));
    EXPECT_EQ(gradients.dgamma, wanted.dgamma);
}

TEST(NormReference, RenormFactorsAreClamped) {
    const Renorm got = renorm({1, 10, -10, 0}, {2, 9, 0.1, 1}, {0.5, 0, 0, 0}, {1, 1, 1, 1}, {3, 5});
    EXPECT_EQ(got.r, (Values{2, 3, 1.0 / 3, 1}));
    EXPECT_EQ(got.d, (Values{0.5, 5, -5, 0}));
    const Renorm plain = renorm({1}, {2}, {0.5}, {1}, {1, 0});
    EXPECT_EQ(plain.r, Values{1});
    EXPECT_EQ(plain.d, Values{0});
}

TEST(NormReference, FoldingIsWhatBothLayersDid) {
    const Values weight{1, -2, 3, 0.5}, bias{0.25, -1}, gamma{2, -1}, beta{1, 0.5}, mean{0.5, 3};
    const Values variance{4, 0.25}, input{1.5, -0.75};
    const Folded folded = fold(weight, bias, gamma, beta, mean, variance, 0.125);
    for (size_t c = 0; c < 2; ++c) {
        const double linear = weight[2 * c] * input[0] + weight[2 * c + 1] * input[1] + bias[c];
        const double both = gamma[c] * (linear - mean[c]) / std::sqrt(variance[c] + 0.125) + beta[c];
        EXPECT_NEAR(folded.weight[2 * c] * input[0] + folded.weight[2 * c + 1] * input[1] + folded.bias[c],
                    both, 1e-14);
    }
}

}  // namespace
}  // namespace vknorm::reference
