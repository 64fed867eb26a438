// Sweeps: which runs they make, that each is the run that Trainer makes, and that none is made twice.
#include <algorithm>
#include <cmath>
#include <fstream>

#include "app/experiment/share.hpp"
#include "app/experiment/sweep_table.hpp"
#include "app/experiment/sweeper.hpp"
#include "lab/small_trainer.hpp"
#include "support/data_files.hpp"
#include "support/places.hpp"
#include "support/program.hpp"

namespace {

using namespace lab;
using namespace lab::testing;
using vknorm::testing::Program;
using vknorm::testing::read_text;
using vknorm::testing::refusal;

SweepPlan small_plan() {
    SweepPlan plan{.base = small(), .seeds = 2, .steps = 6};
    plan.along = read_axis("lr=0.05/0.5", plan.base);
    plan.across = read_axis("batch=8/16", plan.base);
    return plan;
}

/// Returns how many steps it took.
size_t finish(Sweep& sweep) {
    size_t steps = 0;
    for (; !sweep.finished(); ++steps) sweep.step();
    return steps;
}

TEST(Sweep, AxesAreSettingsAsTheCommandLineNamesThem) {
    const Settings base = small();
    const SweepAxis rates = read_axis("lr=0.01/0.1/1", base);
    EXPECT_EQ(rates.field, &field_named("lr"));
    EXPECT_EQ(number_of(rates, 1), 0.1);
    EXPECT_EQ(text_of(rates), "lr=0.01/0.1/1");
    const SweepAxis norms = read_axis("norm-b=batch/layer,rms", base);
    EXPECT_EQ(norms.twin, 1u);
    EXPECT_EQ(number_of(norms, 1), 2) << "words by their place";
    EXPECT_EQ(text_of(norms), "norm-b=batch/layer,rms");
    EXPECT_EQ(number_of(read_axis("hidden=8,8/8,8,8,8", base), 1), 4) << "layers by their number";

    const auto refused = [&](const char* text) { return refusal([&] { read_axis(text, base); }); };
    EXPECT_EQ(refused("lr"), "got 'lr', needs SETTING=VALUE/VALUE/..., such as lr=0.01/0.1/1");
    EXPECT_EQ(
        refused("rate=1"),
        "got 'rate', needs a setting of a run as the command line names it, such as lr, batch or norm-b");
    EXPECT_EQ(refused("twins=1/2").substr(0, 11), "got 'twins'");
    EXPECT_EQ(refused("lr=0.1/x"), "got 'x', needs a number from 0.0001 to 10");
    EXPECT_EQ(refused("lr=0.1/"), "got nothing, needs a number from 0.0001 to 10");
    EXPECT_EQ(refused("lr=0.1/1/0.1"), "got 'lr=0.1/1/0.1', needs every value once, without 0.1 again");
}

TEST(Sweep, ItsRunsAreThoseOfTheTrainer) {
    Sweep sweep(test_device(), small_plan());
    EXPECT_EQ(sweep.cells().size(), 8u);
    EXPECT_EQ(sweep.under_way(), "batch 8, lr 0.05, seed 7");
    EXPECT_EQ(finish(sweep), 48u);
    for (const SweepCell& cell : sweep.cells()) {
        Settings settings = small();
        settings.learning_rate = cell.along == 0 ? 0.05f : 0.5f;
        settings.batch = cell.across == 0 ? 8 : 16;
        settings.seed = cell.seed;
        EXPECT_EQ(read_share_string(cell.run), settings) << cell.run;
        Trainer trainer = make_trainer(settings);
        train(trainer, 6);
        trainer.evaluate();
        ASSERT_EQ(cell.twins.size(), 2u);
        for (size_t twin = 0; twin < 2; ++twin) {
            const TwinView view = trainer.twins()[twin].view();
            EXPECT_EQ(cell.twins[twin].accuracy, double{view.test.back().value.accuracy});
            EXPECT_EQ(cell.twins[twin].loss, double{view.training.back().value.lightly_smoothed_loss});
        }
    }
}

TEST(Sweep, WhatWasMadeIsNotMadeAgain) {
    Sweep half(test_device(), small_plan());
    for (int step = 0; step < 6 * 3 + 2; ++step) half.step();  // the fourth is under way
    EXPECT_EQ(half.made(), 3u);
    EXPECT_GT(half.progress(), 3.2 / 8);
    const vknorm::test::TemporaryDirectory folder;
    const auto file = folder.path() / "sweep.csv";
    EXPECT_TRUE(read_sweep(file).empty()) << "there is none";
    write_sweep(file, half.plan(), half.cells());
    const std::vector<SweepCell> kept = read_sweep(file);
    EXPECT_EQ(kept.size(), 3u);

    SweepPlan larger = small_plan();
    larger.along = read_axis("lr=0.5/0.05/5", larger.base);  // one more, in another order
    Sweep rest(test_device(), larger, kept);
    EXPECT_EQ(rest.made(), 3u);
    EXPECT_EQ(finish(rest), (12 - 3) * 6u);
    Sweep whole(test_device(), small_plan());
    finish(whole);
    for (const SweepCell& cell : whole.cells())
        for (const SweepCell& other : rest.cells())
            if (cell.is_same_run(other))
                for (size_t twin = 0; twin < 2; ++twin) {
                    EXPECT_NEAR(cell.twins[twin].loss, other.twins[twin].loss, 1e-8) << "nine digits";
                    EXPECT_NEAR(cell.twins[twin].accuracy, other.twins[twin].accuracy, 1e-8);
                }
    SweepPlan longer = small_plan();
    longer.steps = 7;
    EXPECT_EQ(Sweep(test_device(), longer, kept).made(), 0u) << "other runs";
}

TEST(Sweep, RefusalsAndDivergenceAreResults) {
    SweepPlan plan{.base = small(), .seeds = 1, .steps = 40};
    plan.base.twins[0].norm = vknorm::Norm::none;
    plan.base.twins[0].activation = plan.base.twins[1].activation = vknorm::Activation::identity;
    plan.base.twins[1].norm = vknorm::Norm::batch;
    plan.base.learning_rate = 10;
    plan.base.init_scale = 1000;
    plan.along = read_axis("batch=1/4", plan.base);
    Sweep sweep(test_device(), plan);
    finish(sweep);
    EXPECT_NE(sweep.cells()[0].refused.find("Twin B: "), std::string::npos) << sweep.cells()[0].refused;
    const SweepCell& made = sweep.cells()[1];
    ASSERT_EQ(made.twins.size(), 2u);
    EXPECT_GT(made.twins[0].diverged_at, 0u);
    EXPECT_EQ(made.twins[0].accuracy, 0.5) << "of guessing";

    const vknorm::test::TemporaryDirectory folder;
    write_sweep(folder.path() / "sweep.csv", plan, sweep.cells());
    const std::vector<SweepCell> read = read_sweep(folder.path() / "sweep.csv");
    ASSERT_EQ(read.size(), 2u);
    EXPECT_EQ(read[0].refused, sweep.cells()[0].refused);
    EXPECT_EQ(read[1].twins[0].diverged_at, made.twins[0].diverged_at);
}

TEST(Sweep, AnotherFileIsNoTableOfOne) {
    const vknorm::test::TemporaryDirectory folder;
    const auto file = folder.path() / "sweep.csv";
    const auto refused = [&](const std::string& text) {
        std::ofstream(file) << text;
        try {
            read_sweep(file);
        } catch (const vknorm::FormatError& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    EXPECT_EQ(refused("step,loss\n1,2\n"),
              file.string() + ":1: has no column twin, needs the table of a sweep");
    EXPECT_EQ(refused("lr,seed,twin,accuracy,loss,diverged_at,steps,refused,run\n1,2\n"),
              file.string() + ":2: has 2 columns, 9 stand in line 1, needs the table of a sweep");
}

size_t lines_of(const std::string& text) {
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(Sweep, OnTheCommandLineItGoesOnWithWhatItsTableHas) {
    const vknorm::test::TemporaryDirectory folder;
    const std::filesystem::path out = folder.path() / "out", file = out / "sweep.csv";
    const auto sweep = [&](std::vector<std::string> more) {
        std::vector<std::string> all = {vknorm::testing::built_program("vknorm-lab"),
                                        "--hidden",
                                        "16,8",
                                        "--device",
                                        test_device().info().uuid_text(),
                                        "--out",
                                        out.string(),
                                        "--steps",
                                        "5",
                                        "--seeds",
                                        "1",
                                        "--sweep"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    Program first(folder.path(), sweep({"lr=0.1/1"}));
    ASSERT_EQ(first.wait(), 0) << first.error();
    EXPECT_NE(first.out().find("2 of 2 runs"), std::string::npos) << first.out();
    const std::string table = read_text(file);
    EXPECT_EQ(lines_of(table), 1u + 2 * 2) << "twins of runs";

    Program more(folder.path(), sweep({"lr=0.1/1/3"}));
    ASSERT_EQ(more.wait(), 0) << more.error();
    EXPECT_NE(more.error().find("2 of 3 runs are there"), std::string::npos) << more.error();
    EXPECT_EQ(read_text(file).substr(0, table.size()), table) << "what was there stays";

    Program other(folder.path(), sweep({"batch=4/8"}));
    EXPECT_EQ(other.wait(), 1);
    EXPECT_NE(other.error().find("needs another --out, or --force"), std::string::npos) << other.error();
    Program forced(folder.path(), sweep({"batch=4/8", "--force"}));
    EXPECT_EQ(forced.wait(), 0) << forced.error();
    EXPECT_EQ(lines_of(read_text(file)), 1u + 2 * 2);
    Program wrong(folder.path(), sweep({"lr=0.1", "--sweep", "lr=1"}));
    EXPECT_EQ(wrong.wait(), 2);
}

TEST(Sweep, BesideTheRunItStopsAndGoesOn) {
    Sweeper sweeper(test_device());
    EXPECT_FALSE(sweeper.view());
    SweepPlan plan = small_plan();
    plan.steps = 30;
    sweeper.begin(plan);
    const auto wait_until = [&](auto reached) {
        while (!sweeper.view() || !reached(*sweeper.view())) std::this_thread::yield();
    };
    wait_until([](const SweepView& view) { return view.made > 0; });
    sweeper.stop();
    const auto stopped = sweeper.view();
    EXPECT_FALSE(stopped->running);
    const size_t made = stopped->made;
    sweeper.begin(plan);
    wait_until([](const SweepView& view) { return !view.running; });
    const auto done = sweeper.view();
    EXPECT_EQ(done->made, 8u);
    EXPECT_GT(done->revision, stopped->revision);
    for (size_t i = 0; i < made; ++i)
        EXPECT_EQ(done->cells[i].twins[0].loss, stopped->cells[i].twins[0].loss);
}

}  // namespace
