#include "app/plot/decimate.hpp"

#include <algorithm>
#include <cmath>

namespace lab::plot {

namespace {
constexpr float beyond = 4096;  // pixels outside the frame that a coordinate may lie

// The index of the first point at or beyond `x`.
size_t first_from(const Points& points, double x) {
    size_t first = 0;
    for (size_t count = points.size(); count > 0;) {
        const size_t half = count / 2;
        if (points[first + half].x < x) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return first;
}
}  // namespace

float Mapping::to_x(double value) const {
    const float pixel = left + static_cast<float>(to_unit(x, Scale::linear, value)) * width;
    return std::clamp(pixel, left - beyond, left + width + beyond);
}

float Mapping::to_y(double value) const {
    const float pixel = top + (1 - static_cast<float>(to_unit(y, y_scale, value))) * height;
    return std::clamp(pixel, top - beyond, top + height + beyond);
}

Points visible(const Points& points, const Range& range) {
    size_t first = first_from(points, range.low), end = first_from(points, range.high);
    if (first > 0) --first;
    if (end < points.size()) ++end;
    return points.part(first, end - first);
}

bool dense(const Points& visible_points, const Mapping& mapping) {
    return static_cast<float>(visible_points.size()) > mapping.width * 0.4f;
}

std::vector<Column> columns(const Points& visible_points, const Mapping& mapping, float pitch) {
    std::vector<Column> result;
    float sum = 0, previous = 0;
    int count = 0;
    bool gap = true;
    const auto finish = [&] {
        if (count > 0) result.back().mean = sum / static_cast<float>(count);
    };
    for (const Point point : visible_points) {
        if (!std::isfinite(point.y)) {
            gap = true;
            continue;
        }
        const float x = mapping.left + std::floor((mapping.to_x(point.x) - mapping.left) / pitch) * pitch;
        const float y = mapping.to_y(point.y);
        if (result.empty() || x != result.back().x || gap) {
            finish();
            result.push_back({x, y, y, y, gap});
            if (!gap) {
                result.back().top = std::min(y, previous);
                result.back().bottom = std::max(y, previous);
            }
            sum = 0, count = 0;
        }
        Column& column = result.back();
        column.top = std::min(column.top, y);
        column.bottom = std::max(column.bottom, y);
        sum += y;
        ++count;
        previous = y;
        gap = false;
    }
    finish();
    return result;
}

std::optional<Point> nearest(const Points& points, double x, double reach) {
    const size_t middle = first_from(points, x);
    size_t right = middle, left = middle;
    while (right < points.size() && !std::isfinite(points[right].y)) ++right;
    while (left > 0 && !std::isfinite(points[left - 1].y)) --left;
    std::optional<Point> found;
    if (left > 0 && x - points[left - 1].x <= reach) found = points[left - 1];
    if (right < points.size() && points[right].x - x <= reach &&
        (!found || points[right].x - x < x - found->x))
        found = points[right];
    return found;
}

std::optional<Point> held(const Points& points, double x, double reach) {
    if (points.empty() || x > points.back().x + reach) return {};
    size_t end = first_from(points, x);
    if (end < points.size() && points[end].x == x) ++end;
    if (end == 0 || !std::isfinite(points[end - 1].y)) return {};
    return points[end - 1];
}

}  // namespace lab::plot
