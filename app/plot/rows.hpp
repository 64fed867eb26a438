// Rows, channels of a layer say, that several pictures show at once: each marks the one that is looked at in
// any of them, and the one that was chosen.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>

namespace lab::plot {

struct SharedRow {
    std::optional<size_t> marked;       ///< by pointer, in the previous frame
    std::optional<size_t> next_marked;  ///< in this one
    size_t chosen = 0;                  ///< by click or arrow, of `count`
    size_t count = 0;

    void move(int by) {
        const auto last = static_cast<ptrdiff_t>(count) - 1;
        if (last >= 0)
            chosen = static_cast<size_t>(std::clamp<ptrdiff_t>(static_cast<ptrdiff_t>(chosen) + by, 0, last));
    }
};

}  // namespace lab::plot
