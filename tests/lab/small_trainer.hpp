// Small runs for tests of Trainer.
#pragma once

#include <gtest/gtest.h>
#include <stdexcept>
#include <string>

#include "app/experiment/lockstep.hpp"
#include "support/device_fixture.hpp"

namespace lab::testing {

using vknorm::testing::test_device;

inline Settings small() {
    Settings settings;
    settings.hidden = {16, 8};
    return settings;
}

inline Trainer make_trainer(const Settings& settings) {
    return Trainer(test_device(), settings, make_run_data(settings));
}

inline void train(Trainer& trainer, int steps) {
    for (int i = 0; i < steps; ++i) trainer.step();
}

/// Every number of two training histories, bit for bit.
inline void expect_same_training(const TwinView& a, const TwinView& b) {
    ASSERT_EQ(a.training.size(), b.training.size());
    for (size_t i = 0; i < a.training.size(); ++i) {
        const TrainingRow &left = a.training[i].value, &right = b.training[i].value;
        EXPECT_EQ(left.loss, right.loss) << "step " << i + 1;
        EXPECT_EQ(left.gradient_norm, right.gradient_norm) << "step " << i + 1;
        EXPECT_EQ(left.strongly_smoothed_loss, right.strongly_smoothed_loss) << "step " << i + 1;
    }
}

/// Why the trainer refuses a step; empty: it makes it.
inline std::string refusal_of(Trainer& trainer) {
    try {
        trainer.step();
    } catch (const std::invalid_argument& refused) {
        return refused.what();
    }
    return "";
}

}  // namespace lab::testing
