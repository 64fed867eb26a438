// The Lab without a window, as a user runs it: exit statuses, messages, and the report.
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <png.h>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "support/data_files.hpp"
#include "support/device_fixture.hpp"
#include "support/places.hpp"
#include "support/program.hpp"

namespace {

using vknorm::test::files_in;
using vknorm::test::TemporaryDirectory;
using vknorm::testing::Program;
using vknorm::testing::read_text;
using vknorm::testing::test_device;

const std::string lab_program = vknorm::testing::built_program("vknorm-lab");

/// Small and quick, validated, on the device under test.
std::vector<std::string> command(const std::filesystem::path& out,
                                 const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {lab_program,
                                          "--headless",
                                          "--validation",
                                          "--hidden",
                                          "16,8",
                                          "--device",
                                          test_device().info().uuid_text(),
                                          "--out",
                                          out.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

std::vector<std::vector<std::string>> read_table(const std::filesystem::path& file) {
    std::vector<std::vector<std::string>> rows;
    std::istringstream text(read_text(file));
    for (std::string line; std::getline(text, line);) {
        std::vector<std::string> cells;
        std::istringstream stream(line + ",");
        for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
        rows.push_back(cells);
    }
    return rows;
}

struct Picture {
    uint32_t width = 0, height = 0;
    std::vector<uint8_t> gray;
};

/// Empty when `file` is no PNG picture.
Picture read_picture(const std::filesystem::path& file) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_file(&image, file.c_str())) return {};
    image.format = PNG_FORMAT_GRAY;
    Picture picture{image.width, image.height, std::vector<uint8_t>(PNG_IMAGE_SIZE(image))};
    if (!png_image_finish_read(&image, nullptr, picture.gray.data(), 0, nullptr)) return {};
    return picture;
}

TEST(Headless, TrainsAndLeavesAReport) {
    const TemporaryDirectory folder;
    const std::filesystem::path out = folder.path() / "a" / "report";
    Program program(folder.path(), command(out, {"--steps", "30", "--seed", "9", "--lr", "0.1"}));
    ASSERT_EQ(program.wait(), 0) << program.error();
    EXPECT_NE(program.error().find("step 30/30"), std::string::npos) << program.error();
    EXPECT_NE(program.out().find(out.string()), std::string::npos) << program.out();

    const auto summary = nlohmann::json::parse(read_text(out / "summary.json"));
    std::set<std::string> keys;
    for (const auto& [key, value] : summary.items()) keys.insert(key);
    EXPECT_EQ(keys, (std::set<std::string>{"command_line", "data", "device", "driver", "inspected", "options",
                                           "parameters", "seed", "share", "steps", "steps_per_history_line",
                                           "steps_per_second", "twins", "version"}));
    EXPECT_EQ(
        summary["data"].dump(),
        R"({"classes":["0","1"],"features":2,"test_examples":512,"test_set":"512 other points, drawn with )"
        R"(seed 9","train_examples":512})");
    EXPECT_EQ(
        summary["command_line"].get<std::string>().find("vknorm-lab --headless --validation --hidden 16,8"),
        0u);
    EXPECT_EQ(summary["inspected"].dump(), R"({"layer":2,"unit":3})");
    EXPECT_GT(summary["parameters"], 100);
    EXPECT_EQ(summary["device"], test_device().info().name);
    EXPECT_EQ(summary["seed"], 9);
    EXPECT_EQ(summary["steps"], 30);
    EXPECT_GT(summary["steps_per_second"], 0.0);
    EXPECT_EQ(summary["options"]["lr"], 0.1);
    std::istringstream log(read_text(out / "log.jsonl"));
    size_t lines = 0;
    for (std::string line; std::getline(log, line); ++lines)
        EXPECT_EQ(nlohmann::json::parse(line)["step"], lines / 2);
    EXPECT_EQ(lines, 62u) << "a line for each step and twin, from before the first one on";
    EXPECT_EQ(summary["share"], "vknorm:hidden=16,8&seed=9&lr=0.1&end");
    EXPECT_NE(program.out().find("Share string: vknorm:hidden=16,8&seed=9&lr=0.1&end\n"), std::string::npos)
        << program.out();
    EXPECT_EQ(summary["options"]["hidden"], nlohmann::json::parse("[16, 8]"));
    ASSERT_EQ(summary["twins"].size(), 2u);
    for (const auto& twin : summary["twins"]) {
        EXPECT_EQ(twin.size(), 6u);
        EXPECT_TRUE(twin["diverged"].is_null());
        EXPECT_GT(twin["train_loss"], 0.0);
        EXPECT_GT(twin["test_loss"], 0.0);
        EXPECT_GT(twin["test_accuracy"]["eval"], 0.3);
    }
    EXPECT_EQ(summary["twins"][0]["name"], "A");
    EXPECT_EQ(summary["twins"][0]["norm"], "batch");
    EXPECT_EQ(summary["twins"][1]["norm"], "none");
    EXPECT_TRUE(summary["twins"][0]["test_accuracy"]["batch_statistics"].is_number());
    EXPECT_TRUE(summary["twins"][1]["test_accuracy"]["batch_statistics"].is_null());

    const auto history = read_table(out / "history.csv");
    ASSERT_EQ(history.size(), 1u + 2 * 31) << "a header; 30 steps and the state before them, for two twins";
    for (size_t i = 1; i < history.size(); ++i) {
        ASSERT_EQ(history[i].size(), history[0].size());
        EXPECT_EQ(history[i][0], std::to_string((i - 1) / 2));
        EXPECT_EQ(history[i][1], i % 2 == 1 ? "A" : "B");
        if (i > 2) {
            EXPECT_GT(std::stod(history[i][2]), 0) << "loss";
        }
    }

    const auto column = [&](const std::string& name) {
        return static_cast<size_t>(std::find(history[0].begin(), history[0].end(), name) -
                                   history[0].begin());
    };
    EXPECT_EQ(history.back()[column("layer")], "2") << "whose columns are about unit 3";
    EXPECT_EQ(history.back()[column("unit")], "3");
    EXPECT_EQ(history.back()[column("steps")], "1");
    EXPECT_EQ(history.back()[column("loss_min")], history.back()[column("loss_max")]);
    std::set<std::string> tested;
    for (size_t i = 1; i < history.size(); ++i)
        if (!history[i][column("test_accuracy")].empty()) tested.insert(history[i][0]);
    EXPECT_EQ(tested, (std::set<std::string>{"0", "5", "10", "15", "20", "25", "30"}));

    std::map<std::tuple<std::string, std::string, std::string>, double> shares;
    const auto distributions = read_table(out / "distributions.csv");
    for (size_t i = 1; i < distributions.size(); ++i) {
        const auto& row = distributions[i];
        ASSERT_EQ(row.size(), 6u);
        EXPECT_LT(std::stod(row[3]), std::stod(row[4]));
        shares[{row[0], row[1], row[2]}] += std::stod(row[5]);
    }
    EXPECT_GE(shares.size(), 2u * 2 * 12);
    for (const auto& [place, sum] : shares) EXPECT_NEAR(sum, 1, 1e-5);

    const Picture picture = read_picture(out / "report.png");
    EXPECT_EQ(picture.width, 1600u);
    EXPECT_EQ(picture.height, 1000u);
    EXPECT_TRUE(std::filesystem::exists(out / "events.csv"));
    EXPECT_EQ(files_in(out), 6u) << "nothing else is left behind";
}

TEST(Headless, ShotIsOnePictureOfTheWantedSize) {
    const TemporaryDirectory folder;
    const auto shoot = [&](const char* file, const char* theme) {
        Program program(folder.path(),
                        {lab_program, "--device", test_device().info().uuid_text(), "--validation", "--steps",
                         "3", "--hidden", "8", "--shot", (folder.path() / file).string(), "--size",
                         "1280x800", "--theme", theme});
        EXPECT_EQ(program.wait(), 0) << program.error();
        const Picture picture = read_picture(folder.path() / file);
        EXPECT_EQ(picture.width, 1280u);
        EXPECT_EQ(picture.height, 800u);
        return picture.gray.empty() ? 128 : picture.gray.front();
    };
    EXPECT_LT(shoot("dark.png", "dark"), 64) << "the ground is dark";
    EXPECT_GT(shoot("light.png", "light"), 192) << "the ground is light";
    EXPECT_EQ(files_in(folder.path()), 4u) << "two pictures, and what the program printed";

    Program refused(folder.path(),
                    {lab_program, "--steps", "3", "--shot", (folder.path() / "dark.png").string()});
    EXPECT_EQ(refused.wait(), 1);
    EXPECT_NE(refused.error().find("--force"), std::string::npos) << refused.error();
}

TEST(Headless, WithoutADisplayItIsChosenByItself) {
    const TemporaryDirectory folder;
    Program program(folder.path(),
                    {lab_program, "--device", test_device().info().uuid_text(), "--steps", "3", "--hidden",
                     "8", "--out", (folder.path() / "out").string()},
                    {"DISPLAY", "WAYLAND_DISPLAY"});
    EXPECT_EQ(program.wait(), 0) << program.error();
    EXPECT_EQ(program.error().find("No display"), 0u) << program.error();
    EXPECT_TRUE(std::filesystem::exists(folder.path() / "out" / "summary.json"));
}

TEST(Headless, TheSameArgumentsGiveTheSameHistory) {
    const TemporaryDirectory folder;
    for (const char* out : {"a", "b"}) {
        Program program(folder.path(), command(folder.path() / out, {"--steps", "15"}));
        ASSERT_EQ(program.wait(), 0) << program.error();
    }
    EXPECT_EQ(read_text(folder.path() / "a/history.csv"), read_text(folder.path() / "b/history.csv"));
    EXPECT_EQ(read_text(folder.path() / "a/distributions.csv"),
              read_text(folder.path() / "b/distributions.csv"));
}

// One after the other a step's losses are the same up to rounding, which ReLUs make more of.
TEST(Headless, RanksTrainTheRunOfOne) {
    const TemporaryDirectory folder;
    const std::vector<std::string> arguments = {"--steps", "8", "--twins", "1"};
    std::vector<std::string> shared = arguments;
    shared.insert(shared.end(), {"--ranks", "3"});
    Program alone(folder.path(), command(folder.path() / "alone", arguments));
    ASSERT_EQ(alone.wait(), 0) << alone.error();
    Program ranks(folder.path(), command(folder.path() / "ranks", shared));
    ASSERT_EQ(ranks.wait(), 0) << ranks.error();
    EXPECT_NE(ranks.out().find("rank  examples/s  exchange  device\n   0 "), std::string::npos)
        << ranks.out();
    const auto rows = read_table(folder.path() / "alone" / "history.csv"),
               rows_of_ranks = read_table(folder.path() / "ranks" / "history.csv");
    ASSERT_EQ(rows.size(), rows_of_ranks.size());
    ASSERT_EQ(rows[0].at(2), "loss");
    for (size_t i = 2; i < rows.size(); ++i)
        EXPECT_NEAR(std::stod(rows_of_ranks[i].at(2)), std::stod(rows[i].at(2)), 1e-5);
    const auto summary = nlohmann::json::parse(read_text(folder.path() / "ranks" / "summary.json"));
    ASSERT_EQ(summary.at("ranks").size(), 3u);
    EXPECT_EQ(summary.at("ranks")[2].at("device"), test_device().info().name);
}

TEST(Headless, NormsPerLayerReachTheReport) {
    const TemporaryDirectory folder;
    const std::filesystem::path out = folder.path() / "out";
    Program program(folder.path(), command(out, {"--steps", "5", "--norm-a", "group,renorm", "--norm-b",
                                                 "ghost", "--groups", "4", "--ghost-size", "8"}));
    ASSERT_EQ(program.wait(), 0) << program.error();
    const auto summary = nlohmann::json::parse(read_text(out / "summary.json"));
    EXPECT_EQ(summary["twins"][0]["norm"], "group,renorm");
    EXPECT_EQ(summary["options"]["norm_b"], "ghost");
    EXPECT_EQ(summary["options"]["groups_a"], 4);
    EXPECT_EQ(summary["options"]["ghost_size_b"], 8);
}

TEST(Headless, FourTwinsTrainInLockStepAndFillTheReport) {
    const TemporaryDirectory folder;
    const std::filesystem::path out = folder.path() / "out";
    Program program(folder.path(), command(out, {"--steps", "6", "--twins", "4", "--norm-c", "rms"}));
    ASSERT_EQ(program.wait(), 0) << program.error();
    const auto history = read_table(out / "history.csv");
    ASSERT_EQ(history.size(), 1u + 4 * 7) << "a header; 6 steps and the state before them";
    for (size_t i = 1; i < history.size(); ++i) {
        EXPECT_EQ(history[i][0], std::to_string((i - 1) / 4));
        EXPECT_EQ(history[i][1], std::string(1, "ABCD"[(i - 1) % 4]));
    }
    std::set<std::string> letters;
    const auto distributions = read_table(out / "distributions.csv");
    for (size_t i = 1; i < distributions.size(); ++i) letters.insert(distributions[i][1]);
    EXPECT_EQ(letters, (std::set<std::string>{"A", "B", "C", "D"}));
    const auto summary = nlohmann::json::parse(read_text(out / "summary.json"));
    ASSERT_EQ(summary["twins"].size(), 4u);
    EXPECT_EQ(summary["twins"][2]["norm"], "rms");
    EXPECT_EQ(summary["options"]["norm_d"], "group");
    EXPECT_TRUE(std::filesystem::exists(out / "report.png"));
    EXPECT_NE(program.error().find("  D "), std::string::npos) << program.error();
}

TEST(Headless, OptionsOfTheSummaryAreInTheirUsualOrder) {
    const TemporaryDirectory folder;
    const std::filesystem::path out = folder.path() / "out";
    Program program(folder.path(), command(out, {"--steps", "1", "--lr", "0.3", "--weight-decay", "1e-4"}));
    ASSERT_EQ(program.wait(), 0) << program.error();
    const auto summary = nlohmann::ordered_json::parse(read_text(out / "summary.json"));
    EXPECT_EQ(
        summary["options"].dump(),
        R"({"data":"spiral","noise":0.16,"input_scale":1.0,"input_shift":0.0,"batch_classes":0,)"
        R"("model":"mlp","hidden":[16,8],"init_scale":1.0,"norm_a":"batch","norm_b":"none",)"
        R"("groups_a":8,"groups_b":8,"ghost_size_a":16,"ghost_size_b":16,"devices_a":1,"devices_b":1,)"
        R"("device_statistics_a":"synchronized","device_statistics_b":"synchronized","activation_a":"relu",)"
        R"("activation_b":"relu","order_a":"before","order_b":"before","batch":32,"optimizer":"sgd",)"
        R"("lr":0.3,"momentum":0.0,"nesterov":false,)"
        R"("weight_decay":0.0001,"schedule":"constant","schedule_steps":1000,"warm_up":0,"clip":0.0,)"
        R"("label_smoothing":0.0,"accumulate":1,"norm_momentum":0.1,"epsilon":1e-05})");
}

/// The lines of twin A behind that step.
std::vector<std::vector<std::string>> lines_after(const std::filesystem::path& history, int step) {
    std::vector<std::vector<std::string>> rows = read_table(history);
    std::erase_if(rows, [&](const auto& row) { return row[1] != "A" || std::stoi(row[0]) <= step; });
    return rows;
}

TEST(Headless, AResumedRunIsTheUnbrokenOne) {
    const TemporaryDirectory folder;
    const std::filesystem::path file = folder.path() / "run.safetensors";
    const auto run = [&](const char* out, std::vector<std::string> more) {
        more.insert(more.end(),
                    {"--optimizer", "adam", "--lr", "0.05", "--batch", "48", "--twins", "1", "--force"});
        Program program(folder.path(), command(folder.path() / out, more));
        EXPECT_EQ(program.wait(), 0) << program.error();
        return program.out();
    };
    run("unbroken", {"--steps", "40"});
    EXPECT_NE(run("first", {"--steps", "17", "--save", file.string()})
                  .find("Checkpoint: " + file.string() + ", of step 17\n"),
              std::string::npos);
    run("second", {"--steps", "40", "--load", file.string()});
    const auto resumed = lines_after(folder.path() / "second" / "history.csv", 17);
    EXPECT_EQ(resumed.size(), 23u);
    EXPECT_EQ(resumed, lines_after(folder.path() / "unbroken" / "history.csv", 17));
    Program other(folder.path(),
                  command(folder.path() / "other", {"--optimizer", "adam", "--lr", "0.05", "--batch", "32",
                                                    "--twins", "1", "--load", file.string()}));
    EXPECT_EQ(other.wait(), 1);
    EXPECT_NE(other.error().find(file.string() + ": got a run of batch 48, needs 32 to go on"),
              std::string::npos)
        << other.error();
}

TEST(Headless, ACheckpointIsWrittenAgainAndAgainAndReplacedByForceOnly) {
    const TemporaryDirectory folder;
    const std::filesystem::path file = folder.path() / "run.safetensors";
    const auto arguments = [&](const char* out, std::vector<std::string> more) {
        more.insert(more.end(), {"--steps", "7", "--save", file.string()});
        return command(folder.path() / out, more);
    };
    Program twice(folder.path(), arguments("a", {"--save-every", "5"}));
    EXPECT_EQ(twice.wait(), 0) << twice.error();
    EXPECT_NE(twice.out().find(", of step 7\n"), std::string::npos) << twice.out();
    Program there(folder.path(), arguments("b", {}));
    EXPECT_EQ(there.wait(), 1);
    EXPECT_NE(there.error().find(file.string() + ": is there already: --force replaces it"),
              std::string::npos)
        << there.error();
    Program wrong(folder.path(),
                  command(folder.path() / "c", {"--norm-a", "layer", "--load", file.string()}));
    EXPECT_EQ(wrong.wait(), 1);
    EXPECT_NE(wrong.error().find("unexpected 0.norm.num_batches_tracked, 0.norm.running_mean"),
              std::string::npos)
        << wrong.error();
    Program alone(folder.path(), {lab_program, "--save", file.string()});
    EXPECT_EQ(alone.wait(), 2);
    EXPECT_EQ(alone.error(), "vknorm-lab: --save: needs --headless or --shot beside it\n");
}

TEST(Headless, OneTwinTrainsAlone) {
    const TemporaryDirectory folder;
    const std::filesystem::path out = folder.path() / "out";
    Program program(folder.path(), command(out, {"--steps", "3", "--twins", "1"}));
    ASSERT_EQ(program.wait(), 0) << program.error();
    EXPECT_EQ(read_table(out / "history.csv").size(), 1u + 4);
    const auto summary = nlohmann::json::parse(read_text(out / "summary.json"));
    EXPECT_EQ(summary["twins"].size(), 1u);
    EXPECT_FALSE(summary["options"].contains("norm_b"));
}

TEST(Headless, ReportIsReplacedByForceOnly) {
    const TemporaryDirectory folder;
    const std::filesystem::path summary = folder.path() / "out" / "summary.json";
    std::filesystem::create_directory(folder.path() / "out");
    std::ofstream(summary) << "mine";

    Program refused(folder.path(), command(folder.path() / "out", {"--steps", "2"}));
    EXPECT_EQ(refused.wait(), 1);
    EXPECT_NE(refused.error().find("--force"), std::string::npos) << refused.error();
    EXPECT_EQ(read_text(summary), "mine");

    Program twice(folder.path(),
                  command(folder.path() / "new",
                          {"--steps", "2", "--shot", (folder.path() / "new/report.png").string()}));
    EXPECT_EQ(twice.wait(), 1);
    EXPECT_NE(twice.error().find("--shot"), std::string::npos) << twice.error();

    Program forced(folder.path(), command(folder.path() / "out", {"--steps", "2", "--force"}));
    EXPECT_EQ(forced.wait(), 0) << forced.error();
    EXPECT_NE(read_text(summary), "mine");
}

TEST(Headless, WrongUseIsOneLineAndStatusTwo) {
    const TemporaryDirectory folder;
    Program program(folder.path(), command(folder.path() / "out", {"--stepz", "2"}));
    EXPECT_EQ(program.wait(), 2);
    EXPECT_EQ(program.error(), "vknorm-lab: unknown option '--stepz': did you mean --steps?\n");
    EXPECT_EQ(program.out(), "");
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "out"));

    Program help(folder.path(), {lab_program, "--help"});
    EXPECT_EQ(help.wait(), 0);
    EXPECT_NE(help.out().find("--headless"), std::string::npos);
    EXPECT_EQ(help.error(), "");
}

TEST(Headless, UnreadableDataAndUnwritableFoldersAreNamed) {
    const TemporaryDirectory folder;
    std::filesystem::create_directory(folder.path() / "empty");
    Program no_data(folder.path(),
                    command(folder.path() / "out", {"--data", "idx:" + (folder.path() / "empty").string()}));
    EXPECT_EQ(no_data.wait(), 1);
    EXPECT_NE(no_data.error().find((folder.path() / "empty").string()), std::string::npos) << no_data.error();
    EXPECT_EQ(files_in(folder.path() / "out"), 0u);

    std::ofstream(folder.path() / "file") << "not a folder";
    Program no_folder(folder.path(), command(folder.path() / "file" / "out"));
    EXPECT_EQ(no_folder.wait(), 1);
    EXPECT_NE(no_folder.error().find((folder.path() / "file" / "out").string()), std::string::npos)
        << no_folder.error();
    EXPECT_EQ(no_folder.error().find("step"), std::string::npos) << "found out before training";
}

TEST(Headless, TellsHowATableWasReadAndFitsTheBatch) {
    const TemporaryDirectory folder;
    const std::filesystem::path out = folder.path() / "out", table = folder.path() / "table.csv";
    std::ofstream file(table);
    file << "kind;x;y\n";
    for (int i = 0; i < 20; ++i) file << (i % 2 == 0 ? "cat;" : "dog;") << i % 3 << ".5;" << i % 2 << "\n";
    file.close();
    const std::string data = "csv:" + table.string() + "#kind";
    Program program(folder.path(), command(out, {"--steps", "2", "--data", data}));
    ASSERT_EQ(program.wait(), 0) << program.error();
    for (const char* line : {"Data: 20 examples of 2 features; 2 classes: cat, dog; separated by semicolons; "
                             "a header; label: column 1 "
                             "('kind')\n",
                             "Test set: one fifth of the examples (4 of 20), drawn with seed 7\n",
                             "Batch size: 16, all examples to train on, in place of 32\n"})
        EXPECT_NE(program.error().find(line), std::string::npos) << program.error();
    const auto summary = nlohmann::json::parse(read_text(out / "summary.json"));
    EXPECT_EQ(summary["options"]["batch"], 16);
    EXPECT_EQ(summary["data"]["test_set"], "one fifth of the examples (4 of 20), drawn with seed 7");
    EXPECT_EQ(summary["data"]["classes"], nlohmann::json::parse(R"(["cat", "dog"])"));
    EXPECT_EQ(summary["data"]["separator"], ";");
    EXPECT_EQ(summary["data"]["label_column"], nlohmann::json::parse(R"({"name": "kind", "number": 1})"));
    EXPECT_EQ(summary["data"]["row_number_column"], nullptr);

    Program refused(folder.path(), command(out, {"--force", "--data", data, "--batch", "32"}));
    EXPECT_EQ(refused.wait(), 2);
    EXPECT_NE(refused.error().find("--batch: got '32', needs at most the 16 examples to train on\n"),
              std::string::npos)
        << refused.error();
}

TEST(Headless, RefusedStepIsAFailureThatSaysWhy) {
    const TemporaryDirectory folder;
    Program program(folder.path(), command(folder.path() / "out", {"--batch", "1"}));
    EXPECT_EQ(program.wait(), 1);
    EXPECT_NE(program.error().find("batch of one"), std::string::npos) << program.error();
}

TEST(Headless, MissingDeviceNamesThePackage) {
    const TemporaryDirectory folder;
    Program other(folder.path(), {lab_program, "--headless", "--device", "no such device", "--out",
                                  (folder.path() / "out").string()});
    EXPECT_EQ(other.wait(), 3);
    EXPECT_NE(other.error().find(test_device().info().name), std::string::npos)
        << "lists what there is: " << other.error();

    Program none(folder.path(), {lab_program, "--headless", "--out", (folder.path() / "out").string()},
                 {"VK_ICD_FILENAMES=/nowhere.json", "VK_DRIVER_FILES=/nowhere.json"});
    EXPECT_EQ(none.wait(), 3);
    EXPECT_NE(none.error().find("mesa-vulkan-drivers"), std::string::npos) << none.error();
}

void expect_saved_when_interrupted(std::vector<std::string> arguments) {
    const TemporaryDirectory folder;
    arguments.insert(arguments.end(), {"--steps", "1000000000"});
    Program program(folder.path(), command(folder.path() / "out", arguments));
    for (int i = 0; i < 6000 && program.error().find("step ") == std::string::npos; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    program.interrupt();
    EXPECT_EQ(program.wait(), 130) << program.error();
    const auto summary = nlohmann::json::parse(read_text(folder.path() / "out" / "summary.json"));
    EXPECT_GT(summary["steps"], 0);
    const auto history = read_table(folder.path() / "out" / "history.csv");
    EXPECT_EQ(history.back()[0], std::to_string(summary["steps"].get<int>()));
}

TEST(Headless, InterruptEndsTheStepAndSavesWhatThereIs) {
    expect_saved_when_interrupted({});
}

TEST(Headless, AnInterruptEndsAllRanks) {
    expect_saved_when_interrupted({"--ranks", "3"});
}

}  // namespace
