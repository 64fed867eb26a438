// From thousands of points to at most one mark per pixel column, without losing a peak.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "app/ui/scale.hpp"

namespace lab::plot {

/// Points of a series increase in x; a y that is not finite leaves a gap.
struct Point {
    double x, y;
};

/// The points of a series where they are kept: a view, as cheap to copy as a span. What it looks at must
/// outlive it.
class Points {
  public:
    /// Point `index` of `keeper`.
    using Read = Point (*)(const void* keeper, size_t index);

    Points() = default;
    Points(const void* keeper, Read read, size_t count)
        : keeper_(keeper), read_(read), kept_(count), count_(count) {}
    Points(const std::vector<Point>& points)
        : Points(
              points.data(),
              [](const void* keeper, size_t index) { return static_cast<const Point*>(keeper)[index]; },
              points.size()) {}

    size_t size() const { return count_; }
    bool empty() const { return count_ == 0; }
    Point operator[](size_t index) const {
        const size_t kept = first_ + index;
        return kept < kept_ ? read_(keeper_, kept) : Point{held_until_, read_(keeper_, kept_ - 1).y};
    }
    Point back() const { return (*this)[count_ - 1]; }
    /// Those that are kept, without one that is held.
    Points kept() const { return part(0, std::min(count_, kept_ - first_)); }

    /// `count` of them from `first` on.
    Points part(size_t first, size_t count) const {
        Points result = *this;
        result.first_ += first;
        result.count_ = count;
        return result;
    }
    /// One more, which has the last one's value at `x`, unless that one lies there already or there is none.
    Points held_until(double x) const {
        Points result = *this;
        if (empty() || back().x >= x) return result;
        result.held_until_ = x;
        ++result.count_;
        return result;
    }

    class Iterator {
      public:
        Iterator(const Points& points, size_t index) : points_(&points), index_(index) {}
        Point operator*() const { return (*points_)[index_]; }
        Iterator& operator++() {
            ++index_;
            return *this;
        }
        bool operator!=(const Iterator& other) const { return index_ != other.index_; }

      private:
        const Points* points_;
        size_t index_;
    };
    Iterator begin() const { return {*this, 0}; }
    Iterator end() const { return {*this, count_}; }

  private:
    const void* keeper_ = nullptr;
    Read read_ = nullptr;
    size_t kept_ = 0;  // by the keeper; one index more is the held one
    size_t first_ = 0, count_ = 0;
    double held_until_ = 0;
};

/// Where values lie on the screen: x grows to the right, y upward (that is, towards smaller pixel rows).
struct Mapping {
    Range x, y;
    Scale y_scale = Scale::linear;
    float left = 0, top = 0, width = 1, height = 1;  ///< pixels

    float to_x(double value) const;
    /// Values far outside are brought near, so that no coordinate is infinite.
    float to_y(double value) const;
    double from_x(float pixel) const { return from_unit(x, Scale::linear, (pixel - left) / width); }
};

/// What one column of pixels shows of a series, in pixels.
struct Column {
    float x;            ///< its left edge
    float top, bottom;  ///< extent of its points, and of the line that leads here from the previous column
    float mean;
    bool begins;  ///< nothing leads here: the first column, or one after a gap
};

/// The points with x inside `range`, and one more on either side.
Points visible(const Points& points, const Range& range);
/// Whether so many points deserve columns rather than a line from point to point.
bool dense(const Points& visible_points, const Mapping& mapping);
/// One entry for every column, `pitch` pixels wide, that has a finite point.
std::vector<Column> columns(const Points& visible_points, const Mapping& mapping, float pitch);
/// The point nearest to `x` that has a finite y and is at most `reach` away; nothing when there is none.
std::optional<Point> nearest(const Points& points, double x, double reach);
/// The latest point at or before `x`, whose value still holds there; nothing before the first one, beyond the
/// last one by more than `reach`, or where that was not measured.
std::optional<Point> held(const Points& points, double x, double reach);

}  // namespace lab::plot
