#include "app/plot/color_scale.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace lab::plot {

namespace {

using Levels = std::array<Color, color_levels>;

/// Björn Ottosson's OKLab, in which equal distances look equal.
struct OkLab {
    float l, a, b;
};

float to_linear(float byte) {
    const float x = byte / 255;
    return x <= 0.04045f ? x / 12.92f : std::pow((x + 0.055f) / 1.055f, 2.4f);
}

Color to_byte(float linear) {
    const float x = std::clamp(linear, 0.0f, 1.0f);
    const float encoded = x <= 0.0031308f ? 12.92f * x : 1.055f * std::pow(x, 1 / 2.4f) - 0.055f;
    return static_cast<Color>(std::lround(255 * encoded));
}

OkLab to_lab(Color color) {
    const auto channel = [&](int shift) { return to_linear(static_cast<float>(color >> shift & 0xFF)); };
    const float r = channel(0), g = channel(8), b = channel(16);
    const float l = std::cbrt(0.4122214708f * r + 0.5363325363f * g + 0.0514459929f * b),
                m = std::cbrt(0.2119034982f * r + 0.6806995451f * g + 0.1073969566f * b),
                s = std::cbrt(0.0883024619f * r + 0.2817188376f * g + 0.6299787005f * b);
    return {0.2104542553f * l + 0.7936177850f * m - 0.0040720468f * s,
            1.9779984951f * l - 2.4285922050f * m + 0.4505937099f * s,
            0.0259040371f * l + 0.7827717662f * m - 0.8086757660f * s};
}

Color to_color(const OkLab& lab) {
    const auto cube = [](float x) { return x * x * x; };
    const float l = cube(lab.l + 0.3963377774f * lab.a + 0.2158037573f * lab.b),
                m = cube(lab.l - 0.1055613458f * lab.a - 0.0638541728f * lab.b),
                s = cube(lab.l - 0.0894841775f * lab.a - 1.2914855480f * lab.b);
    return 0xFF000000u | to_byte(4.0767416621f * l - 3.3077115913f * m + 0.2309699292f * s) |
           to_byte(-1.2684380046f * l + 2.6097574011f * m - 0.3413193965f * s) << 8 |
           to_byte(-0.0041960863f * l - 0.7034186147f * m + 1.7076147010f * s) << 16;
}

/// Even stops, blended in OKLab.
Levels blended(std::span<const Color> stops) {
    Levels levels{};
    for (size_t i = 0; i < levels.size(); ++i) {
        const float at = static_cast<float>(i) / static_cast<float>(levels.size() - 1) *
                         static_cast<float>(stops.size() - 1);
        const size_t below = std::min(static_cast<size_t>(at), stops.size() - 2);
        const float t = at - static_cast<float>(below);
        const OkLab a = to_lab(stops[below]), b = to_lab(stops[below + 1]);
        levels[i] = to_color({a.l + (b.l - a.l) * t, a.a + (b.a - a.a) * t, a.b + (b.b - a.b) * t});
    }
    return levels;
}

constexpr Color viridis[] = {rgb(0x440154), rgb(0x482878), rgb(0x3E4989), rgb(0x31688E), rgb(0x26828E),
                             rgb(0x1F9E89), rgb(0x35B779), rgb(0x6DCD59), rgb(0xB4DE2C), rgb(0xFDE725)};
constexpr Color on_dark[] = {rgb(0xC9B3FF), rgb(0x7A5CD6), rgb(0x262B34), rgb(0x9A7F12), rgb(0xF2D64B)};
constexpr Color on_light[] = {rgb(0x3F2399), rgb(0x9C87E2), rgb(0xF3F3F5), rgb(0xD8A92B), rgb(0x6E4E00)};

}  // namespace

Color scale_color(const Theme& theme, ColorScale scale, int level) {
    static const Levels sequential = blended(viridis), dark = blended(on_dark), light = blended(on_light);
    const Levels& levels = scale == ColorScale::sequential ? sequential : theme.dark ? dark : light;
    return levels[static_cast<size_t>(std::clamp(level, 0, color_levels - 1))];
}

}  // namespace lab::plot
