// Learning-rate factors against the recursions and closed forms of torch.optim.lr_scheduler, and against
// numbers that PyTorch 1.13 gave.
#include <cmath>
#include <gtest/gtest.h>
#include <numbers>
#include <stdexcept>
#include <string>
#include <vector>

#include <vknorm/learning_rate.hpp>

namespace vknorm {
namespace {

constexpr double bound = 1.0 / (1 << 23);  // float32 of a factor of at most 1

template <class Factor>
void expect_factors(const char* name, const Factor& factor, const std::vector<double>& expected) {
    for (size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(factor(i + 1), expected[i], bound) << name << ", step " << i + 1;
}

TEST(LearningRate, FollowsPytorch) {
    // StepLR(step_size=3, gamma=0.5)
    expect_factors("step", [](uint64_t step) { return step_decay(step, {.every = 3, .factor = 0.5f}); },
                   {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125});
    // CosineAnnealingLR(T_max=5, eta_min=0.1), of the rate 1
    expect_factors(
        "cosine", [](uint64_t step) { return cosine_decay(step, {.steps = 5, .lowest = 0.1f}); },
        {1, 0.9140576474687263, 0.6890576474687263, 0.4109423525312737, 0.1859423525312737, 0.1, 0.1});
    // LinearLR(start_factor=0.25, total_iters=3)
    expect_factors("warm-up", [](uint64_t step) { return warm_up(step, {.steps = 3, .first = 0.25f}); },
                   {0.25, 0.5, 0.75, 1, 1});
    // OneCycleLR(max_lr=1, total_steps=10, pct_start=0.3)
    expect_factors("one cycle", [](uint64_t step) { return one_cycle(step, {.steps = 10}); },
                   {0.04, 0.52, 1, 0.9504846320134737, 0.8117456539497631, 0.6112620219362893,
                    0.38874197806371075, 0.18825834605023694, 0.049519367986526286, 4e-06, 4e-06});
}

// CosineAnnealingLR is defined step from step: eta += (eta - eta_min) * ((1 + cos(pi t / T)) / (1 + cos(pi (t
// - 1) / T)) - 1).
TEST(LearningRate, CosineIsTheClosedFormOfItsRecursion) {
    constexpr uint64_t steps = 400;
    double rate = 1;
    for (uint64_t t = 0; t < steps; ++t) {
        EXPECT_NEAR(cosine_decay(t + 1, {.steps = steps}), rate, bound) << t;
        const auto shape = [](uint64_t at) {
            return 1 + std::cos(std::numbers::pi * static_cast<double>(at) / steps);
        };
        rate *= shape(t + 1) / shape(t);
    }
}

TEST(LearningRate, CyclesOfFewStepsHaveNoWayUp) {
    EXPECT_EQ(one_cycle(1, {.steps = 4, .rising = 0.25f}), 1);
    EXPECT_NEAR(one_cycle(4, {.steps = 4, .rising = 0.25f, .end = 0}), 0, bound);
    EXPECT_LT(one_cycle(1, {.steps = 2}), 1);
}

template <class Call>
std::string message(const Call& call) {
    try {
        call();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "no error";
}

TEST(LearningRate, RefusesWhatCannotBe) {
    EXPECT_EQ(message([] { cosine_decay(0, {.steps = 5}); }), "cosine_decay: step: got 0, needs at least 1");
    EXPECT_EQ(message([] { cosine_decay(1, {}); }), "cosine_decay: steps: got 0, needs at least 1");
    EXPECT_EQ(message([] { cosine_decay(1, {.steps = 1, .lowest = 2}); }),
              "cosine_decay: lowest: got 2.000000, needs 0 to 1");
    EXPECT_EQ(message([] { step_decay(1, {}); }), "step_decay: every: got 0, needs at least 1");
    EXPECT_EQ(message([] { step_decay(1, {.every = 1, .factor = 0}); }),
              "step_decay: factor: got 0.000000, needs a finite number above 0");
    EXPECT_EQ(message([] { warm_up(1, {.steps = 1, .first = 0}); }),
              "warm_up: first: got 0.000000, needs above 0, at most 1");
    EXPECT_EQ(message([] { one_cycle(1, {.steps = 1}); }), "one_cycle: steps: got 1, needs at least 2");
    EXPECT_EQ(message([] { one_cycle(1, {.steps = 9, .rising = 1}); }),
              "one_cycle: rising: got 1.000000, needs above 0, below 1");
}

}  // namespace
}  // namespace vknorm
