#include "app/plot/layout.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

namespace lab::plot {

RidgeLayout ridge_layout(size_t rows, float top, float bottom) {
    const float overlap = 3.2f;  // of a curve's height with the rows above, in rows
    const float pitch = (bottom - top) / (static_cast<float>(std::max<size_t>(rows, 1) - 1) + overlap);
    return {pitch, pitch * overlap, top + pitch * overlap};
}

float usual_peak(std::span<const float> row) {
    constexpr float most = 0.95f, above_usual = 1.6f;
    std::vector<float> highest(row.begin(), row.end());
    const auto end = highest.begin() + static_cast<ptrdiff_t>(std::min<size_t>(3, highest.size()));
    std::partial_sort(highest.begin(), end, highest.end(), std::greater<>());
    if (highest.size() < 3) return highest.front();
    const float sum = std::accumulate(row.begin(), row.end(), 0.0f);
    const bool only_spikes = highest[0] + highest[1] >= most * sum;
    return only_spikes ? highest[0] : std::min(highest[0], above_usual * highest[2]);
}

float ridge_scale(std::span<const std::span<const float>> rows) {
    std::vector<float> peaks;
    for (const std::span<const float> row : rows)
        if (!row.empty()) peaks.push_back(usual_peak(row));
    if (peaks.empty()) return 1;
    const auto typical = peaks.begin() + static_cast<ptrdiff_t>((peaks.size() - 1) * 3 / 4);
    std::nth_element(peaks.begin(), typical, peaks.end());
    const float highest = *std::max_element(peaks.begin(), peaks.end());
    return std::max(std::min(highest, *typical * 1.6f), 1e-6f);
}

GridLayout grid_layout(size_t count, float width, float height, float gap, float extra) {
    GridLayout best;
    for (size_t columns = 1; columns <= count; ++columns) {
        const float across = static_cast<float>(columns);
        const float down = static_cast<float>((count + columns - 1) / columns);
        const float tile =
            std::min((width - gap * (across - 1)) / across, (height - gap * (down - 1)) / down - extra);
        if (tile > best.tile) best = {columns, tile};
    }
    return best;
}

}  // namespace lab::plot
