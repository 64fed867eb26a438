// What a file says of a tuning is refused, or is the text of that tuning, which a device takes or says why
// not.
#include "fuzz/fuzz.hpp"
#include "ops/norm/tuning.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string text(vknorm::testing::text_of(data, size));
    const auto tuning = vknorm::detail::tuning_of(text);
    if (!tuning) return 0;
    vknorm::testing::require(tuning->text() == text, "another text");
    (void)vknorm::detail::complaint(*tuning, {.max_workgroup_invocations = 1024});
    return 0;
}
