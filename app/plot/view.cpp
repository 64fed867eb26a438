#include "app/plot/view.hpp"

#include <algorithm>
#include <cmath>

namespace lab::plot {

Range zoomed(const Range& shown, Scale scale, double factor, double unit) {
    return sane(
        {from_unit(shown, scale, unit - unit * factor), from_unit(shown, scale, unit + (1 - unit) * factor)},
        scale);
}

Range panned(const Range& shown, Scale scale, double unit) {
    return sane({from_unit(shown, scale, -unit), from_unit(shown, scale, 1 - unit)}, scale);
}

Range fitted(const Range& data, Scale scale) {
    Range range = sane(data, scale);
    if (scale == Scale::log) {
        const double grid = 0.1;  // of a decade
        return {std::pow(10, (std::floor(std::log10(range.low) / grid - 0.5)) * grid),
                std::pow(10, (std::ceil(std::log10(range.high) / grid + 0.5)) * grid)};
    }
    const double size = std::max(std::abs(range.low), std::abs(range.high));
    if (range.length() < std::max(size * 1e-5, 1e-11)) {  // constant, but for the rounding of floats
        const double half = size > 1e-11 ? size * 0.05 : 1;
        range = {range.low - half, range.high + half};
    }
    const double grid = std::pow(10, std::floor(std::log10(range.length()))) / 4;
    const double margin = range.length() * 0.02;
    return {std::floor((range.low - margin) / grid) * grid, std::ceil((range.high + margin) / grid) * grid};
}

}  // namespace lab::plot
