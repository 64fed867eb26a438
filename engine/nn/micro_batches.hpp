// A batch goes through a network in parts.
#pragma once

#include <cstdint>
#include <vector>

namespace vknorm::detail {

/// Rows [first, first + rows) of a batch.
struct MicroBatch {
    uint32_t first = 0, rows = 0;
};

/// `count` parts of so many rows, as equal as can be, the larger ones first; none is empty where there are as
/// many rows.
inline std::vector<MicroBatch> micro_batches(uint32_t rows, uint32_t count) {
    std::vector<MicroBatch> parts;
    uint32_t first = 0;
    for (uint32_t i = 0; i < count; ++i) {
        const uint32_t own = rows / count + (i < rows % count ? 1 : 0);
        parts.push_back({first, own});
        first += own;
    }
    return parts;
}

}  // namespace vknorm::detail
