#include "app/plot/pictures.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "app/plot/layout.hpp"

namespace lab::plot {

namespace {

constexpr size_t most_tiles = 24;

/// The picture, or each of its colours, in squares of `factor` x `factor` pixels: their means. The last ones
/// may be smaller.
std::vector<float> shrunk(std::span<const float> pixels, uint32_t columns, uint32_t rows, uint32_t factor) {
    std::vector<float> means;
    const size_t plane = size_t{columns} * rows;
    if (pixels.size() > plane) {
        for (size_t at = 0; at < pixels.size(); at += plane) {
            const std::vector<float> one = shrunk(pixels.subspan(at, plane), columns, rows, factor);
            means.insert(means.end(), one.begin(), one.end());
        }
        return means;
    }
    for (uint32_t top = 0; top < rows; top += factor)
        for (uint32_t left = 0; left < columns; left += factor) {
            const uint32_t bottom = std::min(top + factor, rows), right = std::min(left + factor, columns);
            float sum = 0;
            for (uint32_t y = top; y < bottom; ++y)
                for (uint32_t x = left; x < right; ++x) sum += pixels[size_t{y} * columns + x];
            means.push_back(sum / static_cast<float>((bottom - top) * (right - left)));
        }
    return means;
}

// Values at pixel centres, blended between them: of one colour, or red, green and blue one after the other.
// Blank squares of four are left to the ground.
void draw_picture(ImDrawList& list, std::span<const float> pixels, uint32_t columns, uint32_t rows,
                  const Rect& tile, Color ground, Color ink) {
    list.AddRectFilled(tile.min, tile.max, ground);
    // What is finer than the screen takes time and shows nothing.
    constexpr float least_square = 1.5f;  // of the screen's pixels
    const auto factor =
        static_cast<uint32_t>(std::lround(least_square * static_cast<float>(columns) / tile.width()));
    if (factor > 1) {
        const std::vector<float> means = shrunk(pixels, columns, rows, factor);
        return draw_picture(list, means, (columns + factor - 1) / factor, (rows + factor - 1) / factor, tile,
                            ground, ink);
    }
    const size_t plane = size_t{columns} * rows;
    const bool coloured = pixels.size() > plane;
    const auto colour_of = [&](size_t pixel) {
        if (!coloured) return mixed(ground, ink, pixels[pixel]);
        const auto byte = [&](size_t channel) {
            return static_cast<uint32_t>(
                std::lround(255 * std::clamp(pixels[channel * plane + pixel], 0.f, 1.f)));
        };
        return rgb(byte(0) << 16 | byte(1) << 8 | byte(2));
    };
    const float step_x = tile.width() / static_cast<float>(columns),
                step_y = tile.height() / static_cast<float>(rows);
    for (uint32_t y = 0; y + 1 < rows; ++y)
        for (uint32_t x = 0; x + 1 < columns; ++x) {
            const size_t upper = size_t{y} * columns + x, lower = upper + columns;
            if (!coloured &&
                std::max({pixels[upper], pixels[upper + 1], pixels[lower], pixels[lower + 1]}) < 0.04f)
                continue;
            const Color corners[4] = {colour_of(upper), colour_of(upper + 1), colour_of(lower + 1),
                                      colour_of(lower)};
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
        // In its own proportions, in the middle of the tile.
        const auto longest = static_cast<float>(std::max(data.image_width, data.image_height));
        const float width = side * static_cast<float>(data.image_width) / longest,
                    height = side * static_cast<float>(data.image_height) / longest;
        const ImVec2 corner{x + (side - width) / 2, y + (side - height) / 2};
        draw_picture(list, data.example(i), data.image_width, data.image_height,
                     {corner, {corner.x + width, corner.y + height}}, ground, ink);
        for (size_t twin = 0; twin < predicted.size(); ++twin) {
            if (!state.shows(1u << twin) || i >= predicted[twin].size()) continue;
            const bool right = predicted[twin][i] == data.labels[i];
            const std::string name =
                fitted(look.fonts.mono, data.class_name(predicted[twin][i]), side * pitch);
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
