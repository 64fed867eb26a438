// Optimizers against their formulas in float64 over several steps and against numbers of PyTorch, and the two
// fates of a step: committed or refused.
//
// Bound: every step rounds each stored value and a handful of intermediate ones. With |p|, |g| and |v| at
// most 1 or so and u = 2^-24, SGD is off by at most (1 + lr / (1 - momentum)) * 4 u per step; for Adam the
// quotient of moments is within 12 u of 1 where they are computed without cancellation: gradients here keep
// their sign.
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <type_traits>

#include <vknorm/optimizer.hpp>

#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"
#include "vulkan/device_state.hpp"

namespace vknorm::testing {
namespace {

constexpr int steps = 7;

/// Flat buffers of `size` floats with some padding behind, and two copies of running statistics.
struct Problem {
    Problem() = default;
    explicit Problem(std::mt19937_64& random, size_t size, size_t padding)
        : padded(size + padding), values(random_floats(random, size)), gradients(steps) {
        values.resize(padded);
        for (std::vector<float>& gradient : gradients) {
            gradient = random_floats(random, size, 0.1f, 1);
            for (size_t i = 0; i < size; i += 2) gradient[i] = -gradient[i];
            gradient.resize(padded);
        }
    }

    size_t padded = 0;
    std::vector<float> values;
    std::vector<std::vector<float>> gradients;
};

struct Outcome {
    std::vector<float> parameters, working, committed;
};

Outcome run(const Problem& problem, const Optimizer& optimizer, const StepVerdict& verdict = {}) {
    const std::vector<float> zeros(problem.padded), working(10, 2.f), committed(10, 1.f);
    const GuardedBuffer parameters(problem.values, "parameters", true), gradient(zeros, "gradient", true),
        first(zeros, "first moment", true), second(zeros, "second moment", true);
    const GuardedBuffer new_running(working, "working", true), old_running(committed, "committed", true);
    const GuardedBuffer words(std::vector<StepVerdict>{verdict}, "verdict", true);
    Stream stream(test_device());
    for (size_t step = 0; step < problem.gradients.size(); ++step) {
        stream.upload(gradient, problem.gradients[step]);
        optimizer_step(stream.record(), optimizer, step + 1,
                       {.parameters = parameters,
                        .gradient = gradient,
                        .first_moment = first,
                        .second_moment = second,
                        .verdict = words,
                        .working = new_running,
                        .committed = old_running});
    }
    stream.wait(stream.submit());
    return {parameters.download(), new_running.download(), old_running.download()};
}

std::vector<double> reference(const Problem& problem, const Sgd& sgd) {
    std::vector<double> p(problem.values.begin(), problem.values.end()), v(problem.padded);
    for (int step = 0; step < steps; ++step) {
        for (size_t i = 0; i < problem.padded; ++i) {
            const double g = problem.gradients[step][i] + sgd.weight_decay * p[i];
            v[i] = sgd.momentum * v[i] + g;
            p[i] -= sgd.learning_rate * (sgd.nesterov ? g + sgd.momentum * v[i] : v[i]);
        }
    }
    return p;
}

/// Of Adam and AdamW.
template <class AnyAdam>
std::vector<double> reference(const Problem& problem, const AnyAdam& adam) {
    constexpr bool decoupled = std::is_same_v<AnyAdam, AdamW>;
    std::vector<double> p(problem.values.begin(), problem.values.end()), m(problem.padded), v(problem.padded);
    for (int step = 0; step < steps; ++step) {
        const double correction1 = 1 - std::pow(double{adam.beta1}, step + 1),
                     correction2 = 1 - std::pow(double{adam.beta2}, step + 1);
        for (size_t i = 0; i < problem.padded; ++i) {
            const double g = problem.gradients[step][i] + (decoupled ? 0 : adam.weight_decay * p[i]);
            if (decoupled) p[i] -= double{adam.learning_rate} * adam.weight_decay * p[i];
            m[i] = adam.beta1 * m[i] + (1 - double{adam.beta1}) * g;
            v[i] = adam.beta2 * v[i] + (1 - double{adam.beta2}) * g * g;
            p[i] -=
                adam.learning_rate * (m[i] / correction1) / (std::sqrt(v[i] / correction2) + adam.epsilon);
        }
    }
    return p;
}

constexpr size_t sizes[][2] = {{1, 3}, {4, 0}, {64, 64}, {1000, 24}, {12345, 55}};
const double u = std::ldexp(1.0, -24);

TEST(Optimizer, SgdFollowsItsFormula) {
    std::mt19937_64 random = random_generator();
    for (const auto& [size, padding] : sizes) {
        const Problem problem(random, size, padding);
        for (const Sgd& sgd :
             {Sgd{.learning_rate = 0.3f}, Sgd{.learning_rate = 0.1f, .momentum = 0.9f},
              Sgd{.learning_rate = 0.05f, .momentum = 0.5f, .weight_decay = 0.01f},
              Sgd{.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.01f, .nesterov = true}}) {
            const double reach = 1 + (sgd.nesterov ? 2 : 1) / (1 - double{sgd.momentum});
            expect_near("SGD", run(problem, sgd).parameters, reference(problem, sgd),
                        steps * 4 * u * (1 + sgd.learning_rate * reach));
        }
    }
}

TEST(Optimizer, AdamFollowsItsFormula) {
    std::mt19937_64 random = random_generator();
    for (const auto& [size, padding] : sizes) {
        const Problem problem(random, size, padding);
        for (const Adam& adam :
             {Adam{.learning_rate = 0.01f}, Adam{.learning_rate = 0.1f, .weight_decay = 0.01f},
              Adam{.learning_rate = 0.1f, .beta1 = 0, .beta2 = 0.5f, .epsilon = 1e-3f}}) {
            const double quotient = 2 * adam.learning_rate;
            expect_near("Adam", run(problem, adam).parameters, reference(problem, adam),
                        steps * (2 * u + 12 * u * quotient));
        }
    }
}

TEST(Optimizer, AdamWFollowsItsFormula) {
    std::mt19937_64 random = random_generator();
    for (const auto& [size, padding] : sizes) {
        const Problem problem(random, size, padding);
        for (const AdamW& adam :
             {AdamW{.learning_rate = 0.01f}, AdamW{.learning_rate = 0.1f, .weight_decay = 0.3f},
              AdamW{.learning_rate = 0.1f, .beta1 = 0, .beta2 = 0.5f, .epsilon = 1e-3f}}) {
            const double quotient = 2 * adam.learning_rate;
            expect_near("AdamW", run(problem, adam).parameters, reference(problem, adam),
                        steps * (3 * u + 12 * u * quotient));
        }
    }
}

// Four steps by PyTorch 1.13 in float64. Bound: the larger one of the tests above.
TEST(Optimizer, GivesTheNumbersOfPytorch) {
    Problem problem;
    problem.padded = 4;
    problem.values = {1, -0.5f, 0.25f, 0};
    for (int step = 0; step < 4; ++step) {
        const auto number = static_cast<float>(step);
        problem.gradients.push_back({0.5f, -0.25f * (number + 1), 1.5f - number, 0});
    }
    const struct {
        Optimizer optimizer;
        std::vector<double> expected;
    } cases[] = {
        {Sgd{.learning_rate = 0.125f, .momentum = 0.5f, .weight_decay = 0.0625f, .nesterov = true},
         {0.5122450201306492, 0.05009730614256114, 0.1606505690724589, 0}},
        {Adam{.learning_rate = 0.125f,
              .beta1 = 0.5f,
              .beta2 = 0.75f,
              .epsilon = 0x1p-10f,
              .weight_decay = 0.0625f},
         {0.5022257024876216, 0.014974991961669126, 0.09868951230790249, 0}},
        {AdamW{.learning_rate = 0.125f,
               .beta1 = 0.5f,
               .beta2 = 0.75f,
               .epsilon = 0x1p-10f,
               .weight_decay = 0.0625f},
         {0.4759065207987152, 0.024010917876033613, 0.09689101633302283, 0}},
    };
    for (const auto& each : cases)
        expect_near("PyTorch's optimizers", run(problem, each.optimizer).parameters, each.expected, 32 * u);
}

TEST(Optimizer, ScalesTheGradientAsTheVerdictSays) {
    std::mt19937_64 random = random_generator();
    const Problem problem(random, 1000, 24);
    Problem scaled = problem;
    for (std::vector<float>& gradient : scaled.gradients)
        for (float& g : gradient) g *= 0.375f;
    for (const Optimizer& optimizer :
         {Optimizer(Sgd{.weight_decay = 0.1f}), Optimizer(Sgd{.momentum = 0.9f, .nesterov = true}),
          Optimizer(AdamW{})})
        EXPECT_EQ(run(problem, optimizer, {.gradient_scale = 0.375f}).parameters,
                  run(scaled, optimizer).parameters);
}

TEST(Optimizer, PaddingStaysZero) {
    std::mt19937_64 random = random_generator();
    const Problem problem(random, 33, 31);
    for (const Optimizer& optimizer : {Optimizer(Sgd{.momentum = 0.9f, .weight_decay = 0.1f}),
                                       Optimizer(Adam{.weight_decay = 0.1f}), Optimizer(AdamW{})}) {
        const Outcome outcome = run(problem, optimizer);
        for (size_t i = 33; i < problem.padded; ++i) EXPECT_EQ(outcome.parameters[i], 0) << i;
    }
}

TEST(Optimizer, SoundStepsCommitRunningStatistics) {
    std::mt19937_64 random = random_generator();
    const Outcome outcome = run(Problem(random, 8, 0), Sgd{});
    EXPECT_EQ(outcome.committed, std::vector<float>(10, 2.f));
    EXPECT_EQ(outcome.working, std::vector<float>(10, 2.f));
}

TEST(Optimizer, RefusedStatisticsGoBack) {
    std::mt19937_64 random = random_generator();
    const Problem problem(random, 8, 0);
    const Outcome outcome = run(problem, Sgd{}, {.refused = 1});
    EXPECT_EQ(outcome.committed, std::vector<float>(10, 1.f));
    EXPECT_EQ(outcome.working, std::vector<float>(10, 1.f));
    EXPECT_EQ(outcome.parameters, run(problem, Sgd{}).parameters);
}

TEST(Optimizer, DivergedStepsChangeNothing) {
    std::mt19937_64 random = random_generator();
    Problem problem(random, 1000, 24);
    for (std::vector<float>& gradient : problem.gradients) gradient[3] = std::nanf("");
    for (const Optimizer& optimizer : {Optimizer(Sgd{}), Optimizer(Adam{}), Optimizer(AdamW{})}) {
        const Outcome outcome = run(problem, optimizer, {.diverged = 1, .gradient_scale = std::nanf("")});
        EXPECT_EQ(outcome.parameters, problem.values);
        EXPECT_EQ(outcome.committed, std::vector<float>(10, 1.f));
        EXPECT_EQ(outcome.working, std::vector<float>(10, 1.f));
    }
}

TEST(Optimizer, HugeStepsSaturate) {
    std::mt19937_64 random = random_generator();
    Problem problem(random, 4, 0);
    for (std::vector<float>& gradient : problem.gradients) gradient = {3e38f, -3e38f, 1e38f, 0};
    for (const Optimizer& optimizer : {Optimizer(Sgd{.learning_rate = 1e6f, .momentum = 0.9f}),
                                       Optimizer(Adam{.learning_rate = 1e38f, .weight_decay = 10}),
                                       Optimizer(AdamW{.learning_rate = 1e38f, .weight_decay = 1})})
        for (const float parameter : run(problem, optimizer).parameters)
            EXPECT_TRUE(std::isfinite(parameter));
}

TEST(Optimizer, TexelsGiveTheSameBits) {
    if (!test_device().capabilities().texel_blocks) GTEST_SKIP() << "needs texel buffers";
    std::mt19937_64 random = random_generator();
    const Problem problem(random, 1000, 24);
    Tuning& tuning = test_device().state().tuning;
    const Tuning usual = tuning;
    for (const Optimizer& optimizer :
         {Optimizer(Sgd{}), Optimizer(Sgd{.momentum = 0.5f}), Optimizer(Adam{}), Optimizer(AdamW{})}) {
        tuning.loads = BlockLoads::buffers;
        const std::vector<float> expected = run(problem, optimizer).parameters;
        tuning.loads = BlockLoads::texels;
        EXPECT_EQ(run(problem, optimizer).parameters, expected);
    }
    tuning = usual;
}

TEST(Optimizer, RefusesNumbersOutOfRange) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    for (const Optimizer& bad :
         {Optimizer(Sgd{.learning_rate = -1}), Optimizer(Sgd{.learning_rate = nan}),
          Optimizer(Sgd{.momentum = 1}), Optimizer(Sgd{.weight_decay = -1}), Optimizer(Adam{.beta1 = 1}),
          Optimizer(Adam{.beta2 = nan}), Optimizer(Adam{.epsilon = 0}), Optimizer(Sgd{.nesterov = true}),
          Optimizer(AdamW{.beta1 = -1}), Optimizer(AdamW{.weight_decay = nan})})
        EXPECT_THROW(check_optimizer(bad), std::invalid_argument);
}

TEST(Optimizer, NeedsNeitherAVerdictNorRunningStatistics) {
    std::mt19937_64 random = random_generator();
    const Problem problem(random, 1000, 24);
    for (const Optimizer& optimizer :
         {Optimizer(Sgd{}), Optimizer(Sgd{.momentum = 0.5f}), Optimizer(Adam{})}) {
        const GuardedBuffer parameters(problem.values, "parameters", true),
            gradient(problem.gradients[0], "gradient", true);
        const std::vector<float> zeros(problem.padded);
        const GuardedBuffer first(zeros, "first moment", true), second(zeros, "second moment", true);
        OptimizerStep arguments{.parameters = parameters, .gradient = gradient};
        if (moment_count(optimizer) > 0) arguments.first_moment = first;
        if (moment_count(optimizer) > 1) arguments.second_moment = second;
        Stream stream(test_device());
        for (int step = 0; step < steps; ++step) {
            stream.upload(gradient, problem.gradients[step]);
            optimizer_step(stream.record(), optimizer, step + 1, arguments);
        }
        stream.wait(stream.submit());
        EXPECT_EQ(parameters.download(), run(problem, optimizer).parameters);
    }
}

TEST(Optimizer, Arguments) {
    EXPECT_EQ(moment_count(Sgd{}), 0u);
    EXPECT_EQ(moment_count(Sgd{.momentum = 0.1f}), 1u);
    EXPECT_EQ(moment_count(Adam{}), 2u);

    const Buffer all(test_device(), 4096, "all");
    const auto view = [&](int place, uint32_t bytes) { return all.view(256 * place, bytes); };
    const auto message = [&](const std::function<void(OptimizerStep&)>& change, uint64_t step = 1,
                             const Optimizer& optimizer = Adam{}) {
        OptimizerStep arguments{.parameters = view(0, 48),
                                .gradient = view(1, 48),
                                .first_moment = view(2, 48),
                                .second_moment = view(3, 48),
                                .verdict = all.view(1028, 12),
                                .working = view(5, 12),
                                .committed = view(6, 12)};
        change(arguments);
        return refusal(all,
                       [&](Recorder& recorder) { optimizer_step(recorder, optimizer, step, arguments); });
    };
    EXPECT_EQ(message([](auto&) {}), "no error");
    EXPECT_EQ(message([](auto&) {}, 0), "optimizer_step: step: got 0, needs a number from 1 on");
    EXPECT_EQ(message([](auto&) {}, 1, Adam{.beta1 = 1}),
              "optimizer: beta1: got 1.000000, needs 0 to less than 1");
    EXPECT_EQ(
        message([](auto& a) { a.parameters = {}; }),
        "optimizer_step: parameters: got 0 bytes, needs whole vectors of four numbers: a multiple of 16");
    EXPECT_EQ(message([](auto& a) { a.parameters.bytes = 40; }),
              "optimizer_step: parameters: got 40 bytes, needs whole vectors of four numbers: a multiple of "
              "16");
    EXPECT_EQ(message([](auto& a) { a.gradient.bytes = 32; }),
              "optimizer_step: gradient: got 32 bytes, needs 48");
    EXPECT_EQ(message([](auto& a) { a.second_moment = {}; }),
              "optimizer_step: second_moment: got no buffer, needs 48 bytes");
    EXPECT_EQ(message([](auto& a) { a.first_moment = a.second_moment = {}; }, 1, Sgd{}), "no error");
    EXPECT_EQ(
        message([](auto& a) { a.first_moment = a.second_moment; }),
        "optimizer_step: first_moment: got memory that overlaps second_moment, needs memory of its own");
    EXPECT_EQ(message([](auto& a) { a.gradient.offset = 272; }),
              "optimizer_step: gradient: got offset 272, needs a multiple of 256");
    EXPECT_EQ(message([](auto& a) { a.verdict.bytes = 4; }),
              "optimizer_step: verdict: got 4 bytes, needs 12");
    EXPECT_EQ(message([](auto& a) { a.working = {}; }),
              "optimizer_step: committed: got a buffer, needs one together with working");
    EXPECT_EQ(message([](auto& a) { a.committed.bytes = 8; }),
              "optimizer_step: committed: got 8 bytes, needs 12");
}

}  // namespace
}  // namespace vknorm::testing
