// A picture of a digit is an outline, distorted, that a round pen draws.
//
// Outlines are bent by a slow wave, mapped to pixels by a random affine map and flattened to short segments.
// A pixel's light is its coverage by the pen, from the distance of its centre to the nearest segment.
#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include <vknorm/data.hpp>

#include "data/dataset.hpp"
#include "data/glyphs.hpp"
#include "data/random.hpp"

namespace vknorm {
namespace {

using detail::Glyph;
using detail::Point;
using detail::Random;
using detail::Stroke;

constexpr int side = 28;
constexpr int pixels = side * side;

/// Takes glyph coordinates to pixels: both coordinates are displaced by a wave of the position, then x' = A x
/// + t.
class Distortion {
  public:
    explicit Distortion(Random& random) {
        for (Wave& wave : waves_) {
            wave.amplitude = random.uniform(0, 0.08);
            wave.x = random.uniform(-1, 1);
            wave.y = random.uniform(-1, 1);
            wave.phase = random.uniform();
        }
        const auto [turn, slant] = random.normal_pair();
        const auto [height, width] = random.normal_pair();
        const double scale_y = 19 * std::clamp(1 + 0.1 * height, 0.7, 1.15);
        const double scale_x = scale_y * std::clamp(1 + 0.14 * width, 0.65, 1.35);
        const double shear = std::clamp(0.2 * slant, -0.45, 0.45);
        const auto [cosine, sine] = detail::cos_sin_turns(std::clamp(0.025 * turn, -0.06, 0.06));
        xx_ = cosine * scale_x;
        xy_ = (-cosine * shear - sine) * scale_y;
        yx_ = sine * scale_x;
        yy_ = (-sine * shear + cosine) * scale_y;
        const auto [right, down] = random.normal_pair();
        tx_ = 0.5 * (side - 1) + std::clamp(1.3 * right, -3.0, 3.0);
        ty_ = 0.5 * (side - 1) + std::clamp(1.3 * down, -3.0, 3.0);
    }

    Point operator()(Point point) const {
        const double x = point.x + waves_[0].at(point), y = point.y + waves_[1].at(point);
        return {xx_ * x + xy_ * y + tx_, yx_ * x + yy_ * y + ty_};
    }

  private:
    struct Wave {
        double amplitude, x, y, phase;
        double at(Point point) const {
            return amplitude * detail::cos_sin_turns(x * point.x + y * point.y + phase).first;
        }
    };
    std::array<Wave, 2> waves_;
    double xx_, xy_, yx_, yy_, tx_, ty_;
};

/// It knows the square of every pixel's distance to the nearest of the segments drawn so far.
class DistanceMap {
  public:
    /// Distances above `reach` need not be exact.
    explicit DistanceMap(float reach) : reach_(reach) { squares_.fill(reach * reach); }

    void add(Point from, Point to) {
        const auto x0 = static_cast<float>(from.x), y0 = static_cast<float>(from.y);
        const auto dx = static_cast<float>(to.x - from.x), dy = static_cast<float>(to.y - from.y);
        const float length_square = std::max(dx * dx + dy * dy, 1e-12f);
        const int left = first(std::min(x0, x0 + dx)), right = last(std::max(x0, x0 + dx));
        const int top = first(std::min(y0, y0 + dy)), bottom = last(std::max(y0, y0 + dy));
        for (int row = top; row <= bottom; ++row)
            for (int column = left; column <= right; ++column) {
                const float px = static_cast<float>(column) - x0, py = static_cast<float>(row) - y0;
                const float along = std::clamp((px * dx + py * dy) / length_square, 0.0f, 1.0f);
                const float ex = px - along * dx, ey = py - along * dy;
                float& square = squares_[row * side + column];
                square = std::min(square, ex * ex + ey * ey);
            }
    }

    float at(int pixel) const { return std::sqrt(squares_[pixel]); }

  private:
    int first(float low) const { return std::max(0, static_cast<int>(std::ceil(low - reach_))); }
    int last(float high) const { return std::min(side - 1, static_cast<int>(std::floor(high + reach_))); }

    float reach_;
    std::array<float, pixels> squares_;
};

/// Draws a Catmull-Rom spline through the points, as `pieces` segments between neighbours.
void draw_curve(const Stroke& points, DistanceMap& map) {
    constexpr int pieces = 6;
    const size_t spans = points.size() - 1;
    if (spans == 1) return map.add(points[0], points[1]);
    const bool closed = points.front().x == points.back().x && points.front().y == points.back().y;
    for (size_t i = 0; i < spans; ++i) {
        const Point& b = points[i];
        const Point& c = points[i + 1];
        const Point& a = i > 0 ? points[i - 1] : closed ? points[spans - 1] : b;
        const Point& d = i + 1 < spans ? points[i + 2] : closed ? points[1] : c;
        Point previous = b;
        for (int k = 1; k <= pieces; ++k) {
            const double t = static_cast<double>(k) / pieces;
            const double wa = t * (t * (2 - t) - 1) / 2, wb = (t * t * (3 * t - 5) + 2) / 2;
            const double wc = t * (t * (4 - 3 * t) + 1) / 2, wd = t * t * (t - 1) / 2;
            const Point next{wa * a.x + wb * b.x + wc * c.x + wd * d.x,
                             wa * a.y + wb * b.y + wc * c.y + wd * d.y};
            map.add(previous, next);
            previous = next;
        }
    }
}

void draw_digit(uint32_t digit, Random& random, std::span<float, pixels> picture) {
    const auto styles = detail::glyphs(digit);
    const Glyph& glyph = styles[random.below(static_cast<uint32_t>(styles.size()))];
    const Distortion distort(random);
    const auto pen = static_cast<float>(random.uniform(0.7, 1.8));  // this radius is in pixels
    const auto light = static_cast<float>(random.uniform(0.75, 1.0));
    const auto noise = static_cast<float>(random.uniform(0.02, 0.14));  // this is its standard deviation

    DistanceMap map(pen + 0.5f);
    for (Stroke stroke : glyph) {
        for (Point& point : stroke) point = distort(point);
        draw_curve(stroke, map);
    }
    for (int i = 0; i < pixels; ++i) {
        const float coverage = std::clamp(pen + 0.5f - map.at(i), 0.0f, 1.0f);
        // The sum of four uniform values is near enough to normal here, and much cheaper.
        const uint64_t bits = random.bits();
        const auto sum = static_cast<float>((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) +
                                            (bits >> 48));
        const float deviate = (sum - 131070.0f) / 37837.2f;
        picture[i] = std::clamp(light * coverage + noise * deviate, 0.0f, 1.0f);
    }
}

}  // namespace

Dataset make_digits(size_t size, uint64_t seed) {
    detail::require_size("make_digits", size, size_t{1} << 20);
    Random random(seed, detail::Purpose::digits);
    Dataset data;
    data.features = pixels;
    data.classes = 10;
    data.image_width = data.image_height = side;
    data.labels = detail::balanced_labels(size, 10, random);
    data.inputs.resize(size * pixels);
    for (size_t i = 0; i < size; ++i)
        draw_digit(data.labels[i], random, std::span(data.inputs).subspan(i * pixels).first<pixels>());
    return data;
}

}  // namespace vknorm
