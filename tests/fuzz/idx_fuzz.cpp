// Any two files as a pair of IDX files: a 16-bit length, so many bytes of labels, and the pictures. The
// pictures' bytes are a name of a file, too.
#include <cstddef>
#include <cstdint>
#include <span>

#include "consistent.hpp"
#include "data/idx.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr size_t length_bytes = 2;
    if (size < length_bytes) return 0;
    const auto all = std::as_bytes(std::span(data, size)).subspan(length_bytes);
    const size_t length = std::min<size_t>(size_t{data[0]} << 8 | data[1], all.size());
    const auto labels = all.first(length), images = all.subspan(length);
    constexpr uint64_t max_bytes = uint64_t{1} << 22;
    try {
        vknorm::testing::require_consistent(
            vknorm::detail::parse_idx({images, "images"}, {labels, "labels"}, max_bytes));
    } catch (const vknorm::FormatError&) {
    }
    try {
        vknorm::detail::same_idx({images, "images"}, {labels, "labels"}, max_bytes);
    } catch (const vknorm::FormatError&) {
    }
    vknorm::detail::idx_role({reinterpret_cast<const char*>(images.data()), images.size()});
    return 0;
}
