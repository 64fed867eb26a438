// What runs leave behind and say of themselves, without a device: schedules, averages, words, tables.
#include "app/experiment/report.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "app/experiment/divergence.hpp"
#include "app/experiment/evaluation_schedule.hpp"
#include "app/experiment/moving_average.hpp"
#include "app/progress.hpp"
#include "support/data_files.hpp"
#include "support/program.hpp"

namespace {

using namespace lab;
using vknorm::test::TemporaryDirectory;
using vknorm::testing::read_text;

TEST(Schedule, IsDenseEarlyAndATenthOfTheStepsLater) {
    const EvaluationSchedule schedule{Settings{}};
    EXPECT_TRUE(schedule.due(0));
    std::map<uint64_t, size_t> due;  // up to there
    size_t count = 0;
    uint64_t previous = 0;
    for (uint64_t step = 1; step <= 20'000; ++step) {
        if (schedule.due(step)) {
            ASSERT_EQ(schedule.next(previous), step);
            ASSERT_LE(step - previous, std::max<uint64_t>(5, step / 10)) << step;
            previous = step;
            ++count;
        }
        due[step] = count;
    }
    EXPECT_EQ(due[100], 20u);
    EXPECT_EQ(due[200], 30u);
    EXPECT_EQ(due[1000], 55u);
    EXPECT_EQ(due[10'000], 90u) << "few beside so many steps";
}

TEST(Schedule, IsRareForModelsOfPictures) {
    Settings settings;
    settings.model = Model::resnet8;
    const EvaluationSchedule schedule(settings);
    EXPECT_FALSE(schedule.due(0));
    EXPECT_EQ(schedule.next(0), 50u);
    EXPECT_EQ(schedule.next(950), 1000u);
    EXPECT_EQ(schedule.next(1000), 1100u);
    EXPECT_FALSE(schedule.due(20));
}

TEST(MovingAverage, HasNoBiasAtItsBeginningAndForgets) {
    for (const double weight : {0.2, 0.03}) {
        MovingAverage constant(weight), step(weight);
        for (int i = 0; i < 50; ++i) EXPECT_FLOAT_EQ(constant.add(3), 3) << i;
        float last = 0;
        for (int i = 0; i < 200; ++i) last = step.add(i < 100 ? 1 : 0);
        EXPECT_NEAR(last, std::pow(1 - weight, 100), 0.01);
    }
    // Of two values the weighted mean, not half-way to zero.
    MovingAverage two(0.2);
    two.add(1);
    EXPECT_NEAR(two.add(2), (0.8 * 1 + 2) / 1.8, 1e-6);
}

TEST(TimeLeft, IsSensibleFromItsFirstWord) {
    const EvaluationSchedule schedule{Settings{}};
    TimeLeft left(schedule);
    EXPECT_LT(left.seconds(0, 1000), 0) << "too early to tell";
    left.add(1, 5);  // pipelines are compiled
    EXPECT_LT(left.seconds(1, 1000), 0);
    const auto seconds_of = [&](uint64_t step) { return schedule.due(step) ? 0.02 : 0.001; };
    for (uint64_t step = 2; step <= 1000; ++step) {
        left.add(step, seconds_of(step));
        const double said = left.seconds(step, 1000);
        if (said < 0) {
            ASSERT_LT(step, 20u);
            continue;
        }
        double truth = 0;
        for (uint64_t later = step + 1; later <= 1000; ++later) truth += seconds_of(later);
        ASSERT_NEAR(said, truth, 1e-6 + 0.01 * truth) << step;
    }
}

TEST(Divergence, IsToldInPlainWords) {
    const std::map<std::string, std::string> words = {
        {"network.result: step 412: 1.norm, unit 3 is not finite",
         "a value that is not a number in hidden layer 2"},
        {"network.result: step 4: 0.linear, unit 3 is not finite",
         "a value that is not a number in hidden layer 1"},
        {"network.result: step 4: the logit of class 1 is not finite",
         "a loss that is not a number in the output layer"},
        {"network.result: step 4: running statistics of 2.norm, unit 1 are not finite",
         "running statistics that are not numbers in hidden layer 3"},
        {"network.result: step 4: the gradient or its norm is not finite", "a gradient that is not a number"},
        {"network.result: step 4: input 3 of row 1 is not finite", "an input that is not a number"},
        {"network.result: step 4 diverged", "a value that is not a number"}};
    for (const auto& [diagnosis, wanted] : words) EXPECT_EQ(what_was_found(diagnosis), wanted);

    Snapshot run;
    EXPECT_EQ(divergence_message(run), "");
    run.twins[1].divergence = Divergence{412, "a loss that is not a number in hidden layer 2"};
    EXPECT_EQ(
        divergence_message(run),
        "B diverged at step 412: a loss that is not a number in hidden layer 2; lower the learning rate");
    run.twins[0].divergence = Divergence{398, "a gradient that is not a number"};
    EXPECT_EQ(divergence_message(run),
              "A diverged at step 398, B at step 412; lower the learning rate and reset");
}

std::vector<std::map<std::string, std::string>> read_table(const std::filesystem::path& file) {
    const auto cells = [](const std::string& line) {
        std::vector<std::string> result;
        std::istringstream stream(line + ",");
        for (std::string cell; std::getline(stream, cell, ',');) result.push_back(cell);
        return result;
    };
    std::istringstream text(read_text(file));
    std::string line;
    std::getline(text, line);
    const std::vector<std::string> heads = cells(line);
    std::vector<std::map<std::string, std::string>> rows;
    while (std::getline(text, line)) {
        const std::vector<std::string> values = cells(line);
        EXPECT_EQ(values.size(), heads.size()) << line;
        auto& row = rows.emplace_back();
        for (size_t i = 0; i < std::min(heads.size(), values.size()); ++i) row[heads[i]] = values[i];
    }
    return rows;
}

TEST(Report, ALongHistoryKeepsEveryPeakAndSaysSo) {
    Snapshot run;
    run.step = 40'000;
    for (TwinView& twin : run.twins)
        for (uint64_t step = 1; step <= run.step; ++step) {
            const float loss = step == 12'346 ? 90.f : step == 12'348 ? 0.25f : 1.f;
            twin.training.push(step, {.loss = loss, .strongly_smoothed_loss = 1, .gradient_norm = 2});
            twin.unit.push(step, {.batch_mean = step == 12'347 ? -7.f : 0.f});
        }
    const TemporaryDirectory folder;
    write_history(folder.path() / "history.csv", run);
    size_t steps = 0;
    float least = 2, greatest = 0, mean = 0;
    for (auto& row : read_table(folder.path() / "history.csv")) {
        if (row["twin"] != "A") continue;
        steps += std::stoul(row["steps"]);
        EXPECT_EQ(row["steps"], row["unit_steps"]);
        least = std::min(least, std::stof(row["loss_min"]));
        greatest = std::max(greatest, std::stof(row["loss_max"]));
        mean = std::min(mean, std::stof(row["batch_mean_min"]));
        EXPECT_EQ(row["layer"] + row["unit"], "23");
    }
    EXPECT_EQ(steps, run.step);
    EXPECT_EQ(least, 0.25f);
    EXPECT_EQ(greatest, 90);
    EXPECT_EQ(mean, -7);
    EXPECT_NE(merged_steps_note(run).find("a line for 8 steps"), std::string::npos) << merged_steps_note(run);
    EXPECT_EQ(merged_steps_note(Snapshot{}), "");
}

TEST(Report, DistributionsSayWhatLiesBeyond) {
    Snapshot run;
    Histogram histogram;
    histogram.share = {0.25f, 0.5f};
    histogram.below = 0.0625f;
    histogram.above = 0.1875f;
    run.twins[0].distributions.push(7, {histogram});
    const TemporaryDirectory folder;
    write_distributions(folder.path() / "d.csv", run);
    auto rows = read_table(folder.path() / "d.csv");
    ASSERT_EQ(rows.size(), 4u);
    EXPECT_EQ(rows[0]["low"] + rows[0]["high"] + rows[0]["share"], "-inf-40.0625");
    EXPECT_EQ(rows[1]["low"] + rows[1]["high"] + rows[1]["share"], "-400.25");
    EXPECT_EQ(rows[3]["low"] + rows[3]["high"] + rows[3]["share"], "4inf0.1875");
}

TEST(Report, TheSummarySaysWhereItComesFromAndWhatWentWrong) {
    Snapshot run;
    run.parameters = 7346;
    run.settings.inspected_layer = 9;  // beyond the network: its last one
    auto data = std::make_shared<vknorm::Dataset>();
    data->features = 2;
    data->classes = 2;
    data->labels = {0, 1, 0};
    data->inputs.resize(6);
    run.train = run.test = data;
    run.twins[1].divergence = Divergence{412, "a loss that is not a number"};
    const TemporaryDirectory folder;
    write_summary(folder.path() / "summary.json", run, {}, 0, "vknorm-lab --lr 10");
    const auto summary = nlohmann::json::parse(read_text(folder.path() / "summary.json"));
    EXPECT_FALSE(summary["version"].get<std::string>().empty());
    EXPECT_EQ(summary["command_line"], "vknorm-lab --lr 10");
    EXPECT_EQ(summary["inspected"].dump(), R"({"layer":4,"unit":3})");
    EXPECT_EQ(summary["parameters"], 7346);
    EXPECT_TRUE(summary["twins"][0]["diverged"].is_null());
    EXPECT_EQ(summary["twins"][1]["diverged"]["step"], 412);
    EXPECT_EQ(summary["twins"][1]["diverged"]["found"], "a loss that is not a number");
}

TEST(Report, EventsAreLinesOfTheirOwn) {
    Snapshot run;
    run.events = {{201, EventKind::setting, "Learning rate 0.3 \xE2\x86\x92 1"},
                  {412, EventKind::refused, "Step refused: a \"batch\" of one"}};
    const TemporaryDirectory folder;
    write_events(folder.path() / "events.csv", run);
    const std::string text = read_text(folder.path() / "events.csv");
    EXPECT_EQ(text,
              "number,step,kind,what\n"
              "1,201,setting,\"Learning rate 0.3 \xE2\x86\x92 1\"\n"
              "2,412,refused,\"Step refused: a \"\"batch\"\" of one\"\n");
}

}  // namespace
