// Where the cells of a grid lie: of one size, a gap between them, on whole pixels.
#pragma once

#include <cmath>
#include <cstddef>

#include "app/ui/ink.hpp"

namespace lab {

struct Cells {
    ImVec2 origin, size;
    float gap;

    Cells(const Look& look, const plot::Rect& area, size_t columns, size_t rows)
        : origin(area.min), gap(look.px(8)) {
        const auto across = static_cast<float>(columns), down = static_cast<float>(rows);
        size = {(area.width() - gap * (across - 1)) / across, (area.height() - gap * (down - 1)) / down};
    }

    /// From column `x` of row `y` on, `cells` wide; both may be fractions.
    plot::Rect rect(float x, size_t y, float cells = 1) const {
        const float left = origin.x + x * (size.x + gap),
                    top = origin.y + static_cast<float>(y) * (size.y + gap);
        const float width = size.x + (cells - 1) * (size.x + gap);
        return {{std::round(left), std::round(top)}, {std::round(left + width), std::round(top + size.y)}};
    }
};

}  // namespace lab
