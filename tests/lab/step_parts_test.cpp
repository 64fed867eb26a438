#include "app/experiment/step_parts.hpp"

#include <gtest/gtest.h>

namespace {

using namespace lab;

TEST(StepParts, AreMediansOfTheLatestStepsAndKeepTheWholeTime) {
    StepParts parts;
    parts.push({});
    EXPECT_TRUE(parts.medians().empty());
    for (int step = 0; step < 100; ++step)
        parts.push({{"0.linear forward", step < 60 ? 9.0 : 1.0}, {"loss", step % 2 ? 2.0 : 2.5}});
    const auto of_two = parts.medians();
    EXPECT_EQ(of_two.at(0).milliseconds, 1) << "the first steps are forgotten";
    parts.push({{"0.linear forward", 1},
                {"0.norm forward", 2},
                {"batch_norm.forward", 2, 1},
                {"1.linear forward", 4},
                {"output backward", 8},
                {"probes and readback", 16}});
    vknorm::Graph graph({2});
    vknorm::NodeId x =
        graph.norm(graph.linear(graph.input(), {.units = 4, .name = "0.linear"}), {.name = "0.norm"});
    graph.linear(graph.linear(x, {.units = 4, .name = "1.linear"}), {.units = 2, .name = "output"});
    const auto kinds = by_kind(parts.medians(), graph);
    ASSERT_EQ(kinds.size(), 3u) << "other parts are another step's";
    EXPECT_EQ(kinds[0].label + kinds[1].label + kinds[2].label, "linearnormprobes and readback");
    EXPECT_EQ(kinds[0].milliseconds, 1 + 4 + 8);
    EXPECT_EQ(kinds[1].milliseconds + kinds[2].milliseconds, 2 + 16);
}

}  // namespace
