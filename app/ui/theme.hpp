// How the Lab looks: colours, fonts, spacing. Colours are ImGui's 0xAABBGGRR.
#pragma once

#include <array>
#include <cstdint>
#include <imgui.h>
#include <span>
#include <vector>

#include "app/ui/theme_choice.hpp"

namespace lab {

using Color = ImU32;
class DrawnPlots;
class Focus;

/// 0xRRGGBB as designers write it, opaque.
constexpr Color rgb(uint32_t hex) {
    return 0xFF000000u | (hex & 0xFF) << 16 | (hex & 0xFF00) | (hex >> 16 & 0xFF);
}
/// `color` with `alpha` from 0 to 1.
Color faded(Color color, float alpha);
/// From `a` (t = 0) to `b` (t = 1), opaque.
Color mixed(Color a, Color b, float t);

struct Theme {
    const char* name;
    bool dark;
    float type = 1;               ///< how much larger than usual everything is
    Color ground, panel, border;  ///< window, cards on it, their outline
    Color text, muted, faint;     ///< words, labels, marks that are no words
    Color grid;                   ///< lines behind a plot
    Color control, control_hovered, control_border;
    Color accent, on_accent, grip;  ///< the Run button, words on it, sliders
    Color good, warning, bad;
    Color ghost;                      ///< curves of earlier runs
    Color neutral;                    ///< of a decision boundary: neither class
    std::array<Color, 4> twins;       ///< told apart by colour-blind people, too
    std::array<Color, 4> twin_words;  ///< the same for words, which need more contrast
    std::array<Color, 10> classes;
};

const Theme& dark_theme();
const Theme& light_theme();
/// For the last row: larger, and with more contrast.
const Theme& projector_theme();
const Theme& theme_of(ThemeChoice choice);
/// The one that comes after `theme`, round and round.
ThemeChoice next_theme(const Theme& theme);

/// Every size is in pixels at scale 1 and grows with the display's scale.
struct Fonts {
    ImFont* body;                ///< controls
    ImFont* strong;              ///< titles
    ImFont* small;               ///< labels, ticks, legends
    ImFont* mono;                ///< numbers
    ImFont* symbol;              ///< formulas
    ImVec2 disc_low, disc_high;  ///< texture coordinates of a white disc that just fits a square
};

/// Loads Inter and JetBrains Mono where installed, else DejaVu, else ImGui's own font, into the current
/// context, for each of these scales.
std::vector<Fonts> load_fonts(std::span<const float> scales);
/// Colours and spacing of ImGui's own widgets.
void apply(const Theme& theme, float scale);

/// An opaque rectangle below everything that ImGui draws. Filling a screen of cards by blended triangles is
/// most of a frame's time on a CPU; these are cleared instead.
struct Plate {
    ImVec2 min, max;
    Color color;
};

/// What everything that draws needs to know.
struct Look {
    const Theme& theme;
    const Fonts& fonts;
    float scale;
    std::vector<Plate>& plates;
    Focus& focus;
    DrawnPlots& plots;

    float px(float size) const { return size * scale; }
};

}  // namespace lab
