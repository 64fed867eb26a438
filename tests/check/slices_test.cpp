// Every operation on tensors of more than 64 KiB, which small limits cut into slices.
#include <gtest/gtest.h>

#include "check/outcome.hpp"
#include "check/request.hpp"
#include "support/device_fixture.hpp"

namespace vknorm::check {
namespace {

TEST(CheckedSlices, GiveWhatTheWholeGives) {
    if (!testing::mode().small_limits) GTEST_SKIP() << "the committed cases have tensors that are whole";
    for (const char* words : {
             "--op batch_norm --mode training --shape 5x6x61x50 --relu mask --with residual,valid --health "
             "on",
             "--op batch_norm --mode training --shape 3x61x50x7 --layout channels_last --relu recomputed",
             "--op batch_norm --mode training --shape 2x3x20000 --with valid",
             "--op batch_norm --mode backward_frozen --shape 5x6x61x50 --relu mask",
             "--op group_norm --mode forward --shape 5x12x61x20 --groups 3",
             "--op group_norm --mode forward --shape 5x61x20x12 --groups 4 --layout channels_last",
             "--op group_norm --mode forward --shape 2x4x17000 --groups 2 --mean 1e3",
             "--op instance_norm --mode training --shape 6x8x31x30",
             "--op layer_norm --mode forward --shape 70x700",
             "--op layer_norm --mode forward --shape 9x4001 --mean 1e3",
             "--op rms_norm --mode forward --shape 5x60x31x9 --normalized-dimensions 2",
         }) {
        SCOPED_TRACE(words);
        const Call call = generate(parse_request(words));
        const Outcome outcome = compare(call, run(testing::test_device(), call), call.mode->expect(call));
        for (const std::string& failure : outcome.failures) ADD_FAILURE() << failure;
        EXPECT_FALSE(outcome.deviations.empty());
    }
}

}  // namespace
}  // namespace vknorm::check
