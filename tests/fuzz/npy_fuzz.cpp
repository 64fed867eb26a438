// Any bytes as an archive of arrays; and as one array, with its own bytes for labels.
#include <cstddef>
#include <cstdint>
#include <span>

#include "consistent.hpp"
#include "data/npy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace vknorm;
    const auto file = std::as_bytes(std::span(data, size));
    constexpr uint64_t max_bytes = uint64_t{1} << 20;
    const auto check = [](const detail::ArraySources& arrays) {
        for (const ChannelAxis channels : {ChannelAxis::found, ChannelAxis::first, ChannelAxis::last}) {
            try {
                const NpyData all =
                    detail::data_of(arrays, "set", {.channels = channels, .max_bytes = max_bytes});
                testing::require_consistent(all.train);
                if (all.test.size() > 0) testing::require_consistent(all.test);
            } catch (const FormatError&) {
            }
        }
    };
    try {
        check(detail::parse_npz(file, "archive"));
    } catch (const FormatError&) {
    }
    const detail::ArraySource array{"array", size, [file](size_t most) {
                                        const auto part = file.first(std::min(most, file.size()));
                                        return detail::Bytes(part.begin(), part.end());
                                    }};
    check({{"x", array}, {"y", array}});
    return 0;
}
