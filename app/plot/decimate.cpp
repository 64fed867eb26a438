#include "app/plot/decimate.hpp"

#include <algorithm>
#include <cmath>

namespace lab::plot {

namespace {
constexpr float beyond = 4096;  // pixels outside the frame that a coordinate may lie

bool before(const Point& point, double x) {
    return point.x < x;
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

std::span<const Point> visible(std::span<const Point> points, const Range& range) {
    auto first = std::lower_bound(points.begin(), points.end(), range.low, before);
    auto last = std::lower_bound(first, points.end(), range.high, before);
    if (first != points.begin()) --first;
    if (last != points.end()) ++last;
    return {first, last};
}

bool dense(std::span<const Point> visible_points, const Mapping& mapping) {
    return static_cast<float>(visible_points.size()) > mapping.width * 0.4f;
}

std::vector<Column> columns(std::span<const Point> visible_points, const Mapping& mapping, float pitch) {
    std::vector<Column> result;
    float sum = 0, previous = 0;
    int count = 0;
    bool gap = true;
    const auto finish = [&] {
        if (count > 0) result.back().mean = sum / static_cast<float>(count);
    };
    for (const Point& point : visible_points) {
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

const Point* nearest(std::span<const Point> points, double x) {
    const auto middle = std::lower_bound(points.begin(), points.end(), x, before);
    auto right = middle;
    while (right != points.end() && !std::isfinite(right->y)) ++right;
    auto left = middle;
    while (left != points.begin() && !std::isfinite(std::prev(left)->y)) --left;
    const bool has_right = right != points.end(), has_left = left != points.begin();
    if (!has_left) return has_right ? &*right : nullptr;
    const Point* candidate = &*std::prev(left);
    return has_right && right->x - x < x - candidate->x ? &*right : candidate;
}

}  // namespace lab::plot
