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

/// What is found whose sentence contains `words`.
std::vector<Finding> found(const Snapshot& run, const std::string& words) {
    std::vector<Finding> all = findings(run);
    std::erase_if(all, [&](const Finding& finding) { return finding.what.find(words) == std::string::npos; });
    for (const Finding& finding : all) {
        EXPECT_GT(std::string(finding.why).size(), 20u);
        if (finding.fix) {
            EXPECT_FALSE(find_misfit(finding.fix->settings)) << finding.fix->label;
            EXPECT_NE(finding.fix->settings, run.settings) << finding.fix->label;
        }
    }
    return all;
}

/// `run` with the settings that mend the one thing found about `words`.
Snapshot mended(Snapshot run, const std::string& words) {
    const std::vector<Finding> all = found(run, words);
    EXPECT_EQ(all.size(), 1u) << words;
    if (all.empty() || !all[0].fix) {
        ADD_FAILURE() << words << ": nothing mends it";
        return run;
    }
    run.settings = all[0].fix->settings;
    return run;
}

TEST(Findings, AHealthyRunHasANoteOnItsBiases) {
    const std::vector<Finding> all = findings(healthy());
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].severity, Severity::note);
    EXPECT_EQ(all[0].what, "Twin A: 192 biases before a norm over the batch have no effect, and no gradient");
    Snapshot run = healthy();
    for (const vknorm::Norm norm : {vknorm::Norm::none, vknorm::Norm::layer, vknorm::Norm::rms}) {
        run.settings.twins[0].norm = norm;
        EXPECT_TRUE(findings(run).empty()) << "there a bias does something";
    }
    run.settings.twins[0].norm = vknorm::Norm::batch;
    run.settings.twins[0].order = vknorm::NormOrder::after_activation;
    EXPECT_TRUE(findings(run).empty()) << "an activation stands between";
    run.settings.twins[0].order = vknorm::NormOrder::before_activation;
    run.settings.data = Data::digits;
    run.settings.model = Model::resnet8;
    EXPECT_TRUE(found(run, "biases").empty()) << "models leave them out";
}

TEST(Findings, TheGravestComesFirst) {
    Snapshot run = healthy();
    run.settings.batch = 4;
    run.twins[1].divergence = Divergence{412, "a loss that is not a number"};
    const std::vector<Finding> all = findings(run);
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].severity, Severity::error);
    EXPECT_EQ(all[1].severity, Severity::warning);
    EXPECT_EQ(all[2].severity, Severity::note);
}

TEST(Findings, SmallBatchesAreMended) {
    for (const uint32_t batch : {1u, 2u, 4u, 7u}) {
        Snapshot run = healthy();
        run.settings.batch = batch;
        EXPECT_EQ(lint(mended(run, batch == 1 ? "a batch of one" : "mostly noise")), "");
    }
    Snapshot run = healthy();
    run.settings.batch = 8;
    EXPECT_TRUE(found(run, "noise").empty());
    run.settings.batch = 33;
    run.settings.twins[0].norm = vknorm::Norm::ghost;
    EXPECT_EQ(lint(mended(run, "alone")), "");
    run.settings.batch = 32;
    run.settings.twins[0].ghost_size = 4;
    EXPECT_EQ(lint(mended(run, "mostly noise")), "");
}

TEST(Findings, StatisticsOverOneValue) {
    Snapshot run = healthy();
    run.settings.twins[1].norm = vknorm::Norm::group;
    EXPECT_TRUE(found(run, "one value").empty());
    run.settings.twins[1].groups = 48;
    EXPECT_EQ(found(run, "one value")[0].what,
              "Twin B: statistics over one value in hidden layer 1: 48 units in 48 groups");
    EXPECT_TRUE(found(mended(run, "one value"), "one value").empty());
}

TEST(Findings, DivergenceIsMendedByASmallerRateAndANewBeginning) {
    Snapshot run = healthy();
    EXPECT_TRUE(found(run, "diverged").empty());
    run.twins[1].divergence = Divergence{412, "a loss that is not a number"};
    const std::vector<Finding> all = found(run, "Twin B: diverged at step 412: a loss that is not a number");
    ASSERT_EQ(all.size(), 1u);
    ASSERT_TRUE(all[0].fix);
    EXPECT_FLOAT_EQ(all[0].fix->settings.learning_rate, 0.03f);
    EXPECT_TRUE(all[0].fix->begins_again);
    run.twins[1].divergence->found = "an input that is not a number";
    EXPECT_FALSE(found(run, "diverged")[0].fix) << "no setting mends data";
}

TEST(Findings, ARateThatIsTooHighWithoutDivergence) {
    Snapshot run = healthy();
    const auto with_loss = [&](float loss) {
        run.twins[1].training.push(1001, {.loss = loss, .strongly_smoothed_loss = loss, .gradient_norm = 1});
    };
    with_loss(1.3f);
    EXPECT_TRUE(found(run, "too high").empty());
    with_loss(1.5f);
    EXPECT_FLOAT_EQ(mended(run, "too high").settings.learning_rate, 0.03f);
    run.step = 10;
    EXPECT_TRUE(found(run, "too high").empty()) << "first steps may be wild";
}

TEST(Findings, StaleRunningStatistics) {
    Snapshot run = tested(healthy(), 0.57f, 0.99f);
    EXPECT_FALSE(found(run, "lag behind")[0].fix) << "0.1 is what one would set";
    run.settings.update_running = false;
    EXPECT_TRUE(mended(run, "not updated").settings.update_running);
    run.settings.update_running = true;
    run.settings.norm_momentum = 0.001f;
    EXPECT_FLOAT_EQ(mended(run, "lag behind").settings.norm_momentum, 0.1f);
    EXPECT_TRUE(found(tested(healthy(), 0.9f, 0.99f), "lag").empty());
}

TEST(Findings, ForgottenEval) {
    Snapshot run = tested(healthy(), 0.99f, 0.57f);
    run.settings.batch = 8;
    EXPECT_EQ(found(run, "eval()")[0].what,
              "Twin A: eval() matters here: 99 % of the test set with running statistics, 57 % with those of "
              "batches of 8");
    EXPECT_EQ(mended(run, "eval()").settings.batch, 32u);
    EXPECT_TRUE(found(tested(healthy(), 0.99f, 0.95f), "eval()").empty());
    EXPECT_EQ(found(run, "eval()")[0].severity, Severity::note) << "the network is well";
}

TEST(Findings, TrainingInEvalMode) {
    Snapshot run = healthy();
    EXPECT_TRUE(found(run, "as in eval mode").empty());
    run.settings.statistics = vknorm::Statistics::running;
    EXPECT_EQ(mended(run, "as in eval mode").settings.statistics, vknorm::Statistics::batch);
    run.settings.twins[0].norm = vknorm::Norm::layer;
    EXPECT_TRUE(found(run, "as in eval mode").empty());
}

TEST(Findings, MomentumInTheOtherConvention) {
    Snapshot run = healthy();
    run.settings.norm_momentum = 0.9f;
    EXPECT_NEAR(mended(run, "Keras and ONNX would call it 0.1").settings.norm_momentum, 0.1f, 1e-6f);
    run.settings.norm_momentum = 1;
    EXPECT_FLOAT_EQ(mended(run, "Keras and ONNX").settings.norm_momentum, 0.1f);
    run.settings.norm_momentum = 0.001f;
    EXPECT_FLOAT_EQ(mended(run, "take some 3000 steps").settings.norm_momentum, 0.1f);
    for (const float usual : {0.01f, 0.1f, 0.4f}) {
        run.settings.norm_momentum = usual;
        EXPECT_TRUE(found(run, "momentum").empty()) << usual;
    }
    run.settings.norm_momentum = 0.9f;
    run.settings.twins[0].norm = vknorm::Norm::none;
    EXPECT_TRUE(found(run, "momentum").empty()) << "nobody keeps any";
}

TEST(Findings, DeadUnits) {
    Snapshot run = healthy();
    run.twins[0].layers[1].dead_units = 3;
    EXPECT_NE(found(run, "3 of 48 units of hidden layer 2 are dead")[0].what.find("no batch of 32"),
              std::string::npos);
    EXPECT_TRUE(found(healthy(), "dead").empty());
    run.settings.twins[0].activation = vknorm::Activation::tanh;
    EXPECT_TRUE(found(run, "dead").empty());
}

TEST(Findings, ExplodingGain) {
    Snapshot run = healthy();
    run.twins[0].layers[0].largest_gain = 20;
    EXPECT_TRUE(found(run, "inv_std").empty());
    run.twins[0].layers[0].largest_gain = 316;
    EXPECT_FLOAT_EQ(mended(run, "gamma * inv_std reaches 316 in hidden layer 1").settings.epsilon, 1e-3f);
}

TEST(Findings, OneClass) {
    Snapshot run = healthy();
    auto data = std::make_shared<vknorm::Dataset>();
    data->classes = 2;
    data->labels = {1, 1, 1};
    run.train = data;
    EXPECT_EQ(lint(run), "All 3 training examples are of one class");
    data->labels.back() = 0;
    EXPECT_EQ(lint(run), "");
}

TEST(Findings, DropoutBesideBatchNorm) {
    Snapshot run = healthy();
    run.settings.data = Data::digits;
    run.settings.model = Model::classifier;
    EXPECT_EQ(mended(run, "dropout").settings.model, Model::classifier_small);
    run.settings.twins[0].norm = vknorm::Norm::group;
    EXPECT_TRUE(found(run, "dropout").empty());
    run.settings.twins[0].norm = vknorm::Norm::batch;
    run.settings.model = Model::classifier_small;
    EXPECT_TRUE(found(run, "dropout").empty());
}

TEST(Findings, GuessingIsMendedByANorm) {
    Snapshot run = healthy();
    run.twins[1].training.push(1001, {.loss = 0.69f, .strongly_smoothed_loss = 0.6935f, .gradient_norm = 1});
    EXPECT_EQ(mended(run, "the loss stays").settings.twins[1].norm, vknorm::Norm::batch);
}

}  // namespace
