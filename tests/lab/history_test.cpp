// A history keeps evenly spaced entries, whole ones, and the first of all.
#include "app/experiment/history.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace {

TEST(History, ThinsOutEvenlyAndKeepsEveryValueWhole) {
    constexpr size_t capacity = 24;
    lab::History<std::vector<int>> history(capacity);
    for (int step = 0; step < 1000; ++step) {
        history.push(step, {step, step});
        const auto& entries = history.entries();
        ASSERT_LE(entries.size(), capacity);
        for (size_t i = 0; i < entries.size(); ++i) {
            ASSERT_EQ(entries[i].step, i * history.stride());
            ASSERT_EQ(entries[i].value, std::vector<int>(2, static_cast<int>(entries[i].step)));
        }
    }
    EXPECT_GE(history.entries().size(), capacity / 2);
}

}  // namespace
