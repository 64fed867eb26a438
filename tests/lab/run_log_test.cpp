// What can be followed of a run, read back as others read it.
#include "app/experiment/run_log.hpp"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/experiment/report.hpp"
#include "support/data_files.hpp"
#include "support/program.hpp"

namespace {

using namespace lab;
using vknorm::test::TemporaryDirectory;
using vknorm::testing::read_text;

/// A run of so many steps.
void go_on(Snapshot& run, uint64_t until) {
    for (uint64_t step = run.step + 1; step <= until; ++step)
        for (size_t twin = 0; twin < run.twins.size(); ++twin) {
            const float loss = 1 / (static_cast<float>(step) + 0.3f) + static_cast<float>(twin);
            run.twins[twin].training.push(step, {.loss = loss, .gradient_norm = step == 2 ? INFINITY : 0.1f});
            if (step % 5 == 0) run.twins[twin].test.push(step, {.accuracy = 0.75f});
        }
    run.step = until;
}

std::vector<nlohmann::json> objects(const std::filesystem::path& file) {
    std::vector<nlohmann::json> all;
    std::istringstream text(read_text(file));
    for (std::string line; std::getline(text, line);) all.push_back(nlohmann::json::parse(line));
    return all;
}

uint64_t number_at(const std::string& bytes, size_t at, size_t size) {
    uint64_t value = 0;
    for (size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
    return value;
}

/// The fields of a protocol buffer: numbers, and bytes, by the field's number.
struct Message {
    std::map<uint64_t, uint64_t> numbers;
    std::map<uint64_t, std::vector<std::string>> bytes;

    explicit Message(const std::string& text) {
        size_t at = 0;
        const auto varint = [&] {
            uint64_t value = 0;
            for (unsigned shift = 0;; shift += 7) {
                const auto byte = static_cast<unsigned char>(text.at(at++));
                value |= uint64_t{byte & 127u} << shift;
                if (byte < 128) return value;
            }
        };
        while (at < text.size()) {
            const uint64_t key = varint();
            if ((key & 7) == 0) {
                numbers[key >> 3] = varint();
            } else if ((key & 7) == 2) {
                const uint64_t size = varint();
                bytes[key >> 3].push_back(text.substr(at, size));
                at += size;
            } else {
                const size_t size = (key & 7) == 1 ? 8 : 4;
                numbers[key >> 3] = number_at(text, at, size);
                at += size;
            }
        }
    }
};

uint32_t masked(const std::string& bytes) {
    const uint32_t crc = crc32c(bytes);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

std::vector<Message> records(const std::filesystem::path& file) {
    const std::string text = read_text(file);
    std::vector<Message> all;
    for (size_t at = 0; at < text.size();) {
        const uint64_t size = number_at(text, at, 8);
        EXPECT_EQ(number_at(text, at + 8, 4), masked(text.substr(at, 8)));
        const std::string message = text.substr(at + 12, size);
        EXPECT_EQ(number_at(text, at + 12 + size, 4), masked(message));
        all.emplace_back(message);
        at += 16 + size;
    }
    return all;
}

TEST(RunLog, GrowsWithTheRunAndHasWhatTheHistoryHas) {
    const TemporaryDirectory folder;
    const std::filesystem::path file = folder.path() / "log.jsonl";
    Snapshot run;
    RunLog log(file, {}, 2);
    go_on(run, 7);
    log.add(run);
    EXPECT_EQ(objects(file).size(), 12u) << "step 7 may not be complete";
    log.add(run);
    EXPECT_EQ(objects(file).size(), 12u) << "nothing twice";
    go_on(run, 20);
    log.finish(run);
    const std::vector<nlohmann::json> all = objects(file);
    ASSERT_EQ(all.size(), 40u);

    write_history(folder.path() / "history.csv", run);
    std::istringstream csv(read_text(folder.path() / "history.csv"));
    std::string line;
    std::getline(csv, line);
    const std::vector<std::string> names = split_at_commas(line);
    for (const nlohmann::json& object : all) {
        std::getline(csv, line);
        const std::vector<std::string> cells = split_at_commas(line);
        EXPECT_EQ(object.size(), names.size());
        for (size_t i = 0; i < names.size(); ++i) {
            const nlohmann::json& value = object.at(names[i]);
            if (value.is_number())
                EXPECT_EQ(value.get<float>(), std::stof(cells[i])) << names[i];
            else
                EXPECT_EQ(value.is_null() ? "" : value.get<std::string>(), cells[i]) << names[i];
        }
    }
}

TEST(RunLog, ALongRunHasEachLineOnce) {
    const TemporaryDirectory folder;
    const std::filesystem::path file = folder.path() / "log.jsonl";
    Snapshot run;
    RunLog log(file, {}, 2);
    for (uint64_t step = 1; step < 20'000; step += 777) {
        go_on(run, step);
        log.add(run);
    }
    log.finish(run);
    std::map<std::string, uint64_t> latest, counted;
    for (const nlohmann::json& object : objects(file)) {
        const std::string twin = object["twin"];
        EXPECT_GT(object["step"].get<uint64_t>(), latest[twin]);
        latest[twin] = object["step"];
        if (object["steps"].is_number()) counted[twin] += object["steps"].get<uint64_t>();
    }
    EXPECT_EQ(counted["A"], run.step);
    EXPECT_EQ(counted["B"], run.step);
}

TEST(EventFile, ChecksumsAreCastagnolis) {
    EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
    EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
}

TEST(EventFile, ReadsBackAsTensorBoardDoes) {
    const TemporaryDirectory folder;
    for (const char* twin : {"A", "B"}) std::filesystem::create_directories(folder.path() / "events" / twin);
    Snapshot run;
    RunLog log(folder.path() / "log.jsonl", folder.path() / "events", 2);
    go_on(run, 200);
    log.finish(run);
    for (size_t twin = 0; twin < 2; ++twin) {
        const std::vector<Message> all = records(event_file(folder.path() / "events", twin));
        ASSERT_EQ(all.size(), 201u);
        EXPECT_EQ(all[0].bytes.at(3), std::vector<std::string>{"brain.Event:2"});
        for (size_t step = 1; step <= 200; ++step) {
            const Message& event = all[step];
            EXPECT_EQ(event.numbers.at(2), step);
            EXPECT_GT(std::bit_cast<double>(event.numbers.at(1)), 1.7e9) << "seconds since 1970";
            std::map<std::string, float> scalars;
            const Message summary(event.bytes.at(5).at(0));
            for (const std::string& value : summary.bytes.at(1)) {
                const Message scalar(value);
                scalars[scalar.bytes.at(1).at(0)] =
                    std::bit_cast<float>(static_cast<uint32_t>(scalar.numbers.at(2)));
            }
            EXPECT_EQ(scalars.at("loss"), run.twins[twin].training[step - 1].value.loss);
            EXPECT_EQ(scalars.count("gradient_norm"), step == 2 ? 0u : 1u);
            EXPECT_EQ(scalars.count("test_accuracy"), step % 5 == 0 ? 1u : 0u);
            EXPECT_EQ(scalars.count("steps"), 0u);
        }
    }
}

TEST(RunLog, SaysWhereItCannotBeWritten) {
    try {
        RunLog log("/nowhere/log.jsonl", {}, 1);
        Snapshot run;
        go_on(run, 1);
        log.finish(run);
        ADD_FAILURE() << "written";
    } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "/nowhere/log.jsonl: cannot be written");
    }
}

}  // namespace
