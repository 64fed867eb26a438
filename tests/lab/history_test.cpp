// A history keeps evenly spaced entries, whole ones, and the first of all; copies share what they can.
#include "app/experiment/history.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace {

using lab::History;

/// Every entry as it was pushed by the tests below: its value is its step.
void expect_whole(const History<std::vector<int>>& history, size_t size) {
    ASSERT_EQ(history.size(), size);
    size_t i = 0;
    for (const auto& entry : history) {
        ASSERT_EQ(&entry, &history[i]);
        ASSERT_EQ(entry.step, i++ * history.stride());
        ASSERT_EQ(entry.value, std::vector<int>(2, static_cast<int>(entry.step)));
    }
    EXPECT_EQ(i, size);
}

void push(History<std::vector<int>>& history, int steps, int begin = 0) {
    for (int step = begin; step < begin + steps; ++step)
        history.push(static_cast<uint64_t>(step), {step, step});
}

TEST(History, ThinsOutEvenlyAndKeepsEveryValueWhole) {
    for (const size_t capacity : {24, 32, 33, 64, 100}) {  // blocks of one, two and three entries
        History<std::vector<int>> history(capacity);
        EXPECT_TRUE(history.empty());
        for (int step = 0; step < 1000; ++step) {
            push(history, 1, step);
            ASSERT_LE(history.size(), capacity);
            expect_whole(history, (static_cast<size_t>(step) + history.stride()) / history.stride());
        }
        EXPECT_GE(history.size(), capacity / 2);
        EXPECT_EQ(&history.back(), &history[history.size() - 1]);
        history.clear();
        EXPECT_TRUE(history.empty());
        push(history, 3);
        expect_whole(history, 3);
    }
}

TEST(History, CopySharesAllFinishedBlocks) {
    constexpr size_t capacity = 320, block = capacity / 32;
    History<std::vector<int>> history(capacity);
    push(history, 10 * block + 3);
    const History<std::vector<int>> copy = history;
    size_t shared = 0;
    for (size_t i = 0; i < copy.size(); ++i) shared += &copy[i] == &history[i];
    EXPECT_EQ(shared, 10 * block) << "of " << copy.size();

    history.push(10 * block + 3, {0, 0});
    expect_whole(copy, 10 * block + 3);
    push(history, 1000, 10 * block + 4);  // thins out
    expect_whole(copy, 10 * block + 3);
    history.clear();
    expect_whole(copy, 10 * block + 3);
}

struct Row {
    float value, other;
    static constexpr std::array numbers = {&Row::value};
};

TEST(History, KeepsTheLeastAndTheGreatestOfWhatItMerges) {
    for (const size_t capacity : {24, 33, 64}) {
        History<Row> history(capacity);
        std::vector<float> pushed;
        for (uint64_t step = 0; step < 1000; ++step) {
            // Peaks at odd steps, which no thinned out history keeps by itself.
            pushed.push_back(step == 701 ? 1e6f : step == 703 ? -1e6f : static_cast<float>(step * 37 % 101));
            if (step == 333) pushed.back() = NAN;
            history.push(step, {pushed.back(), 0});
            for (size_t i = 0; i < history.size() && step % 97 == 0; ++i) {
                const auto& entry = history[i];
                const size_t end = i + 1 < history.size() ? history[i + 1].step : pushed.size();
                ASSERT_EQ(entry.extremes.rows, end - entry.step);
                float low = INFINITY, high = -INFINITY;
                for (size_t k = entry.step; k < end; ++k)
                    low = std::fmin(low, pushed[k]), high = std::fmax(high, pushed[k]);
                ASSERT_EQ(entry.extremes.low.value, low) << "steps " << entry.step << " to " << end;
                ASSERT_EQ(entry.extremes.high.value, high);
                ASSERT_TRUE(entry.value.value == pushed[entry.step] || std::isnan(pushed[entry.step]));
            }
        }
        EXPECT_GE(history.stride(), 8u);
    }
}

TEST(History, KeepsTheLeastAndTheGreatestOfEachOfSeveralRows) {
    History<std::vector<Row>> history(32);
    for (uint64_t step = 0; step < 100; ++step) {
        const auto value = static_cast<float>(step);
        history.push(step, {{value, 0}, {-value, 0}});
    }
    for (size_t i = 0; i + 1 < history.size(); ++i) {
        const auto first = static_cast<float>(history[i].step),
                   last = static_cast<float>(history[i + 1].step - 1);
        const auto& rows = history[i].extremes.each;
        ASSERT_EQ(rows.size(), 2u);
        EXPECT_TRUE(rows[0].low.value == first && rows[0].high.value == last);
        EXPECT_TRUE(rows[1].low.value == -last && rows[1].high.value == -first);
        EXPECT_EQ(rows[1].rows, history.stride());
    }
}

}  // namespace
