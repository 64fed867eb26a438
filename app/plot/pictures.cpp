#include "app/plot/pictures.hpp"

#include <algorithm>
#include <cmath>

#include "app/plot/layout.hpp"

namespace lab::plot {

namespace {

constexpr size_t most_tiles = 24;

// Values at pixel centres, blended between them. Blank squares of four are left to the ground.
void draw_picture(ImDrawList& list, std::span<const float> pixels, uint32_t columns, uint32_t rows,
                  const Rect& tile, Color ground, Color ink) {
    list.AddRectFilled(tile.min, tile.max, ground);
    const float step_x = tile.width() / static_cast<float>(columns),
                step_y = tile.height() / static_cast<float>(rows);
    for (uint32_t y = 0; y + 1 < rows; ++y)
        for (uint32_t x = 0; x + 1 < columns; ++x) {
            const float* const upper = &pixels[size_t{y} * columns + x];
            const float* const lower = upper + columns;
            if (std::max({upper[0], upper[1], lower[0], lower[1]}) < 0.04f) continue;
            const Color corners[4] = {mixed(ground, ink, upper[0]), mixed(ground, ink, upper[1]),
                                      mixed(ground, ink, lower[1]), mixed(ground, ink, lower[0])};
            const ImVec2 min{tile.min.x + (static_cast<float>(x) + 0.5f) * step_x,
                             tile.min.y + (static_cast<float>(y) + 0.5f) * step_y};
            quad(list, min, {min.x + step_x, min.y + step_y}, corners);
        }
}

}  // namespace

void draw_pictures(const Look& look, const Rect& frame, const PanelOptions& options,
                   const vknorm::Dataset& data, std::span<const std::span<const uint32_t>> predicted,
                   PanelState& state) {
    const PanelArea panel = begin_panel(look, frame, options, state);
    size_t known = 0;
    for (const std::span<const uint32_t> twin : predicted) known = std::max(known, twin.size());
    const size_t count = std::min({most_tiles, data.size(), known});
    if (count == 0) {
        empty_note(look, panel.content, "No predictions yet");
        return;
    }
    const float label = look.px(17), gap = look.px(7);
    const Rect& content = panel.content;
    const GridLayout grid = grid_layout(count, content.width(), content.height(), gap, label);
    const float used = static_cast<float>(grid.columns) * (grid.tile + gap) - gap;
    const float left = content.min.x + (content.width() - used) / 2;
    const Color ground = look.theme.dark ? rgb(0x0B0D11) : rgb(0xF1F3F6),
                ink = look.theme.dark ? rgb(0xF2F4F7) : rgb(0x1B2330);

    // Of a tile's width: from one twin's guess to the next, and half the length of its bar.
    const auto twins = static_cast<float>(predicted.size());
    const float pitch = 0.92f / twins, bar = 0.4f / twins, middle = (twins - 1) / 2;

    ImDrawList& list = *ImGui::GetWindowDrawList();
    for (size_t i = 0; i < count; ++i) {
        const size_t row = i / grid.columns, column = i % grid.columns;
        const float x = std::round(left + static_cast<float>(column) * (grid.tile + gap));
        const float y = std::round(content.min.y + static_cast<float>(row) * (grid.tile + label + gap));
        const float side = std::floor(grid.tile);
        draw_picture(list, data.example(i), data.image_width, data.image_height,
                     {{x, y}, {x + side, y + side}}, ground, ink);
        for (size_t twin = 0; twin < predicted.size(); ++twin) {
            if (!state.shows(1u << twin) || i >= predicted[twin].size()) continue;
            const bool right = predicted[twin][i] == data.labels[i];
            const std::string name = std::to_string(predicted[twin][i]);
            const ImVec2 size = text_size(look.fonts.mono, name.c_str());
            const float center = x + side * (0.5f + pitch * (static_cast<float>(twin) - middle));
            const Color color = right ? look.theme.good : look.theme.bad;
            text(list, look.fonts.mono, {center - size.x / 2, y + side + look.px(1)}, color, name.c_str());
            // The bar says whose guess it is; a wrong one's is crossed out.
            const float reach = side * bar;
            list.AddRectFilled({std::round(center - reach), y + side},
                               {std::round(center + reach), y + side + look.px(2)},
                               right ? look.theme.twins[twin] : look.theme.bad);
            if (!right)
                draw_cross(list, {std::round(center), y + side + look.px(1)}, look.px(3.5f), look.px(2),
                           look.theme.bad);
        }
    }
}

}  // namespace lab::plot
