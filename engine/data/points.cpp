// These are the generated sets of points in the plane.
#include <cmath>
#include <stdexcept>
#include <string>

#include <vknorm/data.hpp>

#include "data/dataset.hpp"
#include "data/glyphs.hpp"
#include "data/random.hpp"

namespace vknorm {
namespace {

using detail::Point;
using detail::Random;

Point polar(double radius, double turns) {
    const auto [cosine, sine] = detail::cos_sin_turns(turns);
    return {radius * cosine, radius * sine};
}

/// A set has a number of classes, a distance between neighbouring classes, and a way to draw a point of a
/// class without noise.
struct Set {
    uint32_t classes;
    double gap;
    Point (*draw)(uint32_t label, Random& random);
};

// The spirals are Archimedean, from radius 0.1 to 1: neighbouring arms, half a turn apart, are 0.9 / 1.75 / 2
// apart.
Point draw_spiral(uint32_t label, Random& random) {
    const double along = random.uniform();
    return polar(0.1 + 0.9 * along, 1.75 * along + 0.5 * label);
}

Point draw_circle(uint32_t label, Random& random) {
    return polar(label == 0 ? 1 : 0.5, random.uniform());
}

// The moons are unit half circles, the lower one shifted by (1, 0.5), all centred and scaled to width 2. The
// end of each is 0.5 from the other's middle.
Point draw_moon(uint32_t label, Random& random) {
    const Point upper = polar(1, 0.5 * random.uniform());
    const Point point = label == 0 ? upper : Point{1 - upper.x, 0.5 - upper.y};
    return {(point.x - 0.5) / 1.5, (point.y - 0.25) / 1.5};
}

Point draw_quadrant(uint32_t label, Random& random) {
    const double x = random.uniform(0.1, 1), y = random.uniform(0.1, 1);
    const bool left = random.below(2) != 0;
    const bool below = left != (label != 0);
    return {left ? -x : x, below ? -y : y};
}

Point draw_centre(uint32_t label, Random&) {
    return polar(0.6, 0.25 + label / 3.0);
}

// Points are uniform by area: there are a disc of radius 0.2, rings from 0.4 to 0.6 and from 0.8 to 1.
Point draw_ring(uint32_t label, Random& random) {
    const double inner = 0.4 * label, outer = inner + 0.2;
    const double square = random.uniform(inner * inner, outer * outer);
    return polar(std::sqrt(square), random.uniform());
}

Set set_of(Shape2D shape) {
    switch (shape) {
        case Shape2D::spiral:
            return {2, 0.9 / 3.5, draw_spiral};
        case Shape2D::circles:
            return {2, 0.5, draw_circle};
        case Shape2D::moons:
            return {2, 0.5 / 1.5, draw_moon};
        case Shape2D::xor_quadrants:
            return {2, 0.2, draw_quadrant};
        case Shape2D::gaussians:
            return {3, 0.6 * std::sqrt(3.0), draw_centre};
        case Shape2D::rings:
            return {3, 0.2, draw_ring};
    }
    throw std::invalid_argument("make_2d: shape: got " + std::to_string(static_cast<int>(shape)) +
                                ", needs a Shape2D");
}

}  // namespace

Dataset make_2d(Shape2D shape, size_t size, float noise, uint64_t seed) {
    const Set set = set_of(shape);
    detail::require_size("make_2d", size, size_t{1} << 24);
    if (!(noise >= 0 && noise <= 10))
        throw std::invalid_argument("make_2d: noise: got " + std::to_string(noise) + ", needs 0 to 10");

    Random random(seed, detail::Purpose::points);
    Dataset data;
    data.features = 2;
    data.classes = set.classes;
    data.labels = detail::balanced_labels(size, set.classes, random);
    data.inputs.reserve(2 * size);
    const double deviation = noise * set.gap;
    for (const uint32_t label : data.labels) {
        const Point point = set.draw(label, random);
        const auto [dx, dy] = random.normal_pair();
        data.inputs.push_back(static_cast<float>(point.x + deviation * dx));
        data.inputs.push_back(static_cast<float>(point.y + deviation * dy));
    }
    return data;
}

}  // namespace vknorm
