// The linter of the Lab: it says what is true of a run, and nothing of a healthy one.
#include "app/experiment/lint.hpp"

#include <gtest/gtest.h>

namespace {

using namespace lab;

LayerView layer(std::vector<float> share) {
    LayerView view;
    view.normalized.share = std::move(share);
    return view;
}

/// Twin A with batch norm and twin B without, both learning.
Snapshot healthy() {
    Snapshot run;
    run.step = 1000;
    auto data = std::make_shared<vknorm::Dataset>();
    data->classes = 2;
    run.train = data;
    for (TwinView& twin : run.twins) {
        twin.training.push(1000, {.loss = 0.2f, .strongly_smoothed_loss = 0.2f, .gradient_norm = 1});
        twin.layers = {layer({0.25f, 0.25f, 0.25f, 0.25f}), layer({0.1f, 0.4f, 0.4f, 0.1f})};
    }
    run.twins[0].test.push(1000, {0.99f, 0.98f, 0.1f});
    run.twins[1].test.push(1000, {0.95f, not_measured, 0.1f});
    return run;
}

/// `run` with a new latest test of twin A.
Snapshot tested(Snapshot run, float accuracy, float batch_accuracy) {
    run.twins[0].test.push(1001, {accuracy, batch_accuracy, 1.f});
    return run;
}

TEST(Lint, HasNothingToSayAboutAHealthyRun) {
    EXPECT_EQ(lint(healthy()), "");
    EXPECT_EQ(lint(Snapshot{}), "") << "nor about one that has not begun";
}

TEST(Lint, BatchesWithoutStatistics) {
    Snapshot run = healthy();
    run.settings.batch = 1;
    EXPECT_EQ(lint(run), "Twin A: a batch of one has no variance; its steps are refused");
    run.settings.batch = 4;
    EXPECT_EQ(lint(run), "Twin A: statistics of 4 examples are mostly noise; 8 or more are usual");
    run.settings.statistics = vknorm::Statistics::running;
    EXPECT_EQ(lint(run), "") << "nothing depends on the batch";
    run.settings.statistics = vknorm::Statistics::batch;
    run.settings.twins[0].norm = vknorm::Norm::none;
    EXPECT_EQ(lint(run), "") << "nothing is normalized";
    for (const vknorm::Norm norm : {vknorm::Norm::layer, vknorm::Norm::group, vknorm::Norm::rms}) {
        run.settings.twins[0].norm = norm;
        EXPECT_EQ(lint(run), "") << "every example has its own statistics";
    }
    run.settings.twins[0].norm = vknorm::Norm::batch_renorm;
    EXPECT_EQ(lint(run), "") << "made for small batches";
}

TEST(Lint, Ghosts) {
    Snapshot run = healthy();
    run.settings.twins[0].norm = vknorm::Norm::ghost;
    EXPECT_EQ(lint(run), "");
    run.settings.batch = 33;
    EXPECT_EQ(
        lint(run),
        "Twin A: ghosts of 16 leave one of 33 examples alone, without a variance; its steps are refused");
    run.settings.batch = 32;
    run.settings.twins[0].ghost_size = 4;
    EXPECT_EQ(lint(run), "Twin A: statistics of 4 examples are mostly noise; 8 or more are usual");
    run.settings.statistics = vknorm::Statistics::running;
    EXPECT_EQ(lint(run), "");
}

TEST(Lint, RunningStatisticsThatLagOrAreFrozen) {
    Snapshot run = tested(healthy(), 0.57f, 0.99f);
    EXPECT_EQ(lint(run),
              "Twin A: 57 % of the test set with running statistics, 99 % with batch statistics: "
              "the running statistics lag behind");
    run.settings.update_running = false;
    EXPECT_NE(lint(run).find("are not updated"), std::string::npos);
    EXPECT_EQ(lint(tested(healthy(), 0.99f, 0.57f)), "") << "running statistics may well be the better ones";
}

TEST(Lint, RunningStatisticsAtMomentumOneAreTheLastBatchs) {
    Snapshot run = tested(healthy(), 0.57f, 0.99f);
    run.settings.norm_momentum = 1;
    EXPECT_EQ(lint(run),
              "Twin A: 57 % of the test set with running statistics, 99 % with batch statistics: "
              "at momentum 1 the running statistics are the last batch's");
    run.settings.norm_momentum = 0.7f;
    EXPECT_NE(lint(run).find("little more than the last batch's"), std::string::npos);
    run.settings.update_running = false;
    EXPECT_NE(lint(run).find("are not updated"), std::string::npos);
}

TEST(Lint, DeadLayer) {
    Snapshot run = healthy();
    run.twins[1].layers[1].normalized.above = 0.01f;
    run.twins[1].layers[1].normalized.share = {0.89f, 0.1f, 0, 0};
    EXPECT_EQ(lint(run), "") << "what lies beyond the histogram is alive";
    run.twins[1].layers[1] = layer({0.9f, 0.1f, 0, 0});
    EXPECT_EQ(lint(run),
              "Twin B: hidden layer 2 is dead: the input of every ReLU was negative in the whole batch");
    run.settings.twins[1].activation = vknorm::Activation::tanh;
    EXPECT_EQ(lint(run), "") << "tanh passes on what is negative";
}

TEST(Lint, LossOfGuessing) {
    Snapshot run = healthy();
    run.twins[1].training.push(1001, {.loss = 0.69f, .strongly_smoothed_loss = 0.6935f, .gradient_norm = 1});
    EXPECT_NE(lint(run).find("Twin B: the loss stays"), std::string::npos);
    run.step = 10;
    EXPECT_EQ(lint(run), "") << "too early to tell";
}

}  // namespace
