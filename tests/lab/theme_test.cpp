// The twins' colours: apart for every eye, and from their ground.
#include "app/ui/theme.hpp"

#include <array>
#include <cmath>
#include <gtest/gtest.h>

#include "lab/stage.hpp"

namespace {

using namespace lab;
using lab::testing::Stage;

const std::array<const Theme*, 3> all_themes = {&dark_theme(), &light_theme(), &projector_theme()};

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;

// What is left of linear red, green and blue: Machado, Oliveira, Fernandes, "A Physiologically-based Model
// for Simulation of Color Vision Deficiency", 2009, severity 1.
constexpr Matrix all_colors = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
constexpr Matrix protanopia = {
    {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}};
constexpr Matrix deuteranopia = {
    {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}};

Vector operator*(const Matrix& m, const Vector& v) {
    Vector result{};
    for (size_t row = 0; row < 3; ++row)
        for (size_t column = 0; column < 3; ++column) result[row] += m[row][column] * v[column];
    return result;
}

Vector linear(Color color) {
    Vector result;
    for (size_t channel = 0; channel < 3; ++channel) {
        const double value = static_cast<double>(color >> 8 * channel & 0xFF) / 255;
        result[channel] = value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
    }
    return result;
}

// Ottosson's OKLab, in which equal distances look about equally large.
Vector oklab(const Vector& color) {
    constexpr Matrix to_cones = {{{0.4122214708, 0.5363325363, 0.0514459929},
                                  {0.2119034982, 0.6806995451, 0.1073969566},
                                  {0.0883024619, 0.2817188376, 0.6299787005}}};
    constexpr Matrix from_cones = {{{0.2104542553, 0.7936177850, -0.0040720468},
                                    {1.9779984951, -2.4285922050, 0.4505937099},
                                    {0.0259040371, 0.7827717662, -0.8086757660}}};
    Vector cones = to_cones * color;
    for (double& cone : cones) cone = std::cbrt(std::max(cone, 0.0));
    return from_cones * cones;
}

double distance(Color a, Color b, const Matrix& eye) {
    const Vector p = oklab(eye * linear(a)), q = oklab(eye * linear(b));
    return std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

// WCAG's, from 1 to 21.
double contrast(Color a, Color b) {
    const auto luminance = [](Color color) {
        const Vector v = linear(color);
        return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2];
    };
    const double p = luminance(a), q = luminance(b);
    return (std::max(p, q) + 0.05) / (std::min(p, q) + 0.05);
}

TEST(Theme, TheTwinsColoursAreApartForEveryEye) {
    for (const Theme* theme : all_themes)
        for (size_t i = 0; i < theme->twins.size(); ++i) {
            EXPECT_GE(contrast(theme->twins[i], theme->panel), 3) << i;
            for (size_t k = i + 1; k < theme->twins.size(); ++k)
                for (const Matrix& eye : {all_colors, protanopia, deuteranopia})
                    EXPECT_GE(distance(theme->twins[i], theme->twins[k], eye), 0.1)
                        << theme->name << " " << i << ", " << k;
        }
}

TEST(Theme, WordsHaveTheContrastThatReadingNeeds) {
    constexpr double enough = 4.5;
    for (const Theme* theme : all_themes) {
        const char* const name = theme->name;
        for (const Color words :
             {theme->text, theme->muted, theme->good, theme->bad, theme->warning, theme->grip})
            EXPECT_GE(contrast(words, theme->panel), enough) << name << std::hex << words;
        for (const Color words : {theme->text, theme->muted})
            EXPECT_GE(contrast(words, theme->ground), enough) << name;
        for (const Color words : theme->twin_words) EXPECT_GE(contrast(words, theme->panel), enough) << name;
        for (const Color words : {theme->text, theme->muted})
            EXPECT_GE(contrast(words, theme->control), enough) << name;
        EXPECT_GE(contrast(theme->on_accent, theme->accent), enough) << name;
    }
}

// Axis names, conventions, legends, cards, flags, buttons: each letter against what is drawn behind it, in
// every state that has words of its own.
TEST(Theme, EveryLetterOfTheScreenHasIt) {
    constexpr double few = 0.1;  // of the pixels behind a letter may be of a curve or an edge
    for (const Theme* wanted : all_themes)
        for (bool Settings::*const shown : {&Settings::nesterov, &Settings::plan, &Settings::distributions}) {
            Settings settings;
            settings.*shown = shown != &Settings::nesterov;
            set_twin_count(settings, 4);
            Stage stage(settings, 600);
            stage.screen.set_theme(*wanted);
            Snapshot& run = stage.commands.shown();
            run.run = 1;
            stage.frame();
            run.twins[1].divergence = Divergence{412, "a loss that is not a number"};
            run.twins[2].layers[1].normalized.below = 0.1f;
            run.kept = {lab::testing::keep(run, 1, "Noise 0.16 to 0.3")};
            run.run = 2;
            run.events = {{200, EventKind::setting, "Learning rate 0.3 to 1"},
                          {412, EventKind::diverged, "B diverged: a loss that is not a number"}};
            lab::testing::remember(run, 200);
            stage.frame();
            if (shown != &Settings::plan) stage.press(key(','));
            const Picture ground = stage.ground();
            const ImVec2 pixels = ImGui::GetIO().DisplayFramebufferScale;
            for (const Glyph& glyph : stage.glyphs()) {
                EXPECT_EQ(glyph.color >> 24, 0xFFu) << "opaque";
                size_t all = 0, low = 0;
                // Where controls scroll, a letter may go on beyond their card.
                const float end = std::min(glyph.rect.max.y, glyph.clip.max.y - 1);
                const auto bottom = static_cast<uint32_t>(end * pixels.y),
                           right = static_cast<uint32_t>(glyph.rect.max.x * pixels.x);
                for (auto y = static_cast<uint32_t>(glyph.rect.min.y * pixels.y); y <= bottom; ++y)
                    for (auto x = static_cast<uint32_t>(glyph.rect.min.x * pixels.x); x <= right; ++x) {
                        const uint8_t* const p = ground.pixel(x, y);
                        const Color behind = rgb(uint32_t{p[0]} << 16 | uint32_t{p[1]} << 8 | p[2]);
                        ++all;
                        low += contrast(glyph.color, behind) < 4.5;
                    }
                EXPECT_LE(static_cast<double>(low), few * static_cast<double>(all))
                    << wanted->name << " " << glyph.rect.min.x << ", " << glyph.rect.min.y;
            }
            EXPECT_GT(stage.glyphs().size(), 500u);
        }
}

TEST(Theme, ColoursThatOneEyeMistakesAreFound) {
    const Color green = rgb(0x12B886), pink = rgb(0xCC79A7);
    EXPECT_GE(distance(green, pink, all_colors), 0.2);
    EXPECT_LT(distance(green, pink, deuteranopia), 0.06);
}

}  // namespace
