// Coloured shapes: an outline, warm before a cool ground or the other way round. Neither the outline alone
// nor the colours alone tell the class, and how light anything is tells nothing.
#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <vknorm/data.hpp>

#include "data/dataset.hpp"
#include "data/glyphs.hpp"
#include "data/random.hpp"

namespace vknorm {
namespace {

using detail::Point;
using detail::Random;

constexpr uint32_t side = 32, channels = 3;
constexpr size_t pixels = size_t{side} * side;
constexpr int samples = 3;  // of a pixel, in each direction

/// An outline of radius about 1 around the origin, by whether a point is inside.
struct Outline {
    const char* name;
    bool (*contains)(Point point);
};

double square(double x) {
    return x * x;
}

constexpr double root_of_three = 1.7320508075688772;
constexpr std::array<Outline, 5> outlines = {
    {{"disc", [](Point p) { return square(p.x) + square(p.y) <= square(0.85); }},
     {"square", [](Point p) { return std::max(std::abs(p.x), std::abs(p.y)) <= 0.75; }},
     {"triangle", [](Point p) { return p.y <= 0.55 && p.y >= root_of_three * std::abs(p.x) - 1.1; }},
     {"ring",
      [](Point p) {
          const double radius = square(p.x) + square(p.y);
          return radius >= square(0.5) && radius <= square(0.95);
      }},
     {"cross", [](Point p) {
          const double x = std::abs(p.x), y = std::abs(p.y);
          return std::min(x, y) <= 0.28 && std::max(x, y) <= 0.95;
      }}}};

using Colour = std::array<double, channels>;

Colour draw_colour(bool warm, Random& random) {
    const double light = random.uniform(0.4, 1), green = random.uniform(0.1, 0.8) * light,
                 weak = random.uniform(0, 0.3) * light;
    return warm ? Colour{light, green, weak} : Colour{weak, green, light};
}

void draw_picture(uint32_t label, Random& random, std::span<float> picture) {
    const Outline& outline = outlines[label / 2];
    const bool warm = label % 2 == 0;
    const Colour figure = draw_colour(warm, random), ground = draw_colour(!warm, random),
                 far_ground = draw_colour(!warm, random);
    const double radius = random.uniform(6, 12);
    const double x0 = random.uniform(radius, side - radius), y0 = random.uniform(radius, side - radius);
    const std::pair<double, double> turn = detail::cos_sin_turns(random.uniform());  // cosine and sine
    const double noise = random.uniform(0, 0.06);
    const auto contains = [&](double x, double y) {
        const double dx = (x - x0) / radius, dy = (y - y0) / radius;
        return outline.contains({turn.first * dx + turn.second * dy, turn.first * dy - turn.second * dx});
    };
    for (uint32_t row = 0; row < side; ++row)
        for (uint32_t column = 0; column < side; ++column) {
            int inside = 0;
            for (int sample = 0; sample < samples * samples; ++sample)
                inside += contains(column + (sample % samples + 0.5) / samples,
                                   row + (sample / samples + 0.5) / samples);
            const double covered = inside / double{samples * samples};
            const double down = row / double{side - 1};
            for (uint32_t channel = 0; channel < channels; ++channel) {
                const double behind = ground[channel] + down * (far_ground[channel] - ground[channel]);
                const double value =
                    behind + covered * (figure[channel] - behind) + noise * random.uniform(-1, 1);
                picture[channel * pixels + size_t{row} * side + column] =
                    static_cast<float>(std::clamp(value, 0.0, 1.0));
            }
        }
}

}  // namespace

Dataset make_shapes(size_t size, uint64_t seed) {
    detail::require_size("make_shapes", size, size_t{1} << 18);
    Random random(seed, detail::Purpose::shapes);
    Dataset data;
    data.features = channels * pixels;
    data.classes = 2 * outlines.size();
    data.image_width = data.image_height = side;
    data.image_channels = channels;
    for (uint32_t label = 0; label < data.classes; ++label)
        data.class_names.push_back(outlines[label / 2].name +
                                   std::string(label % 2 == 0 ? ", warm" : ", cool"));
    data.labels = detail::balanced_labels(size, data.classes, random);
    data.inputs.resize(size * data.features);
    for (size_t i = 0; i < size; ++i)
        draw_picture(data.labels[i], random,
                     std::span(data.inputs).subspan(i * data.features, data.features));
    return data;
}

}  // namespace vknorm
