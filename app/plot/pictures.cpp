#include "app/plot/pictures.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "app/plot/layout.hpp"
#include "app/plot/tables.hpp"

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

/// Where a picture of those proportions lies in a square tile.
Rect centered(ImVec2 at, float side, uint32_t columns, uint32_t rows) {
    const auto longest = static_cast<float>(std::max(columns, rows));
    const float width = side * static_cast<float>(columns) / longest,
                height = side * static_cast<float>(rows) / longest;
    const ImVec2 corner{at.x + (side - width) / 2, at.y + (side - height) / 2};
    return {corner, {corner.x + width, corner.y + height}};
}

void draw_example(const Look& look, ImDrawList& list, const vknorm::Dataset& data, size_t example, ImVec2 at,
                  float side) {
    const Color ground = look.theme.dark ? rgb(0x0B0D11) : rgb(0xF1F3F6),
                ink = look.theme.dark ? rgb(0xF2F4F7) : rgb(0x1B2330);
    const Rect tile = centered(at, side, data.image_width, data.image_height);
    draw_picture(list, data.example(example), data.image_width, data.image_height, tile, ground, ink);
}

/// Below a tile, whose lower left corner is `at`: what each twin takes the example for.
void draw_guesses(const Look& look, ImDrawList& list, const vknorm::Dataset& data, size_t example,
                  std::span<const std::span<const uint32_t>> predicted, ImVec2 at, float side,
                  const PanelState& state) {
    // Of a tile's width: from one twin's guess to the next, and half the length of its bar.
    const auto twins = static_cast<float>(predicted.size());
    const float pitch = 0.92f / twins, bar = 0.4f / twins, middle = (twins - 1) / 2;
    for (size_t twin = 0; twin < predicted.size(); ++twin) {
        if (!state.shows(1u << twin) || example >= predicted[twin].size()) continue;
        const bool right = predicted[twin][example] == data.labels[example];
        const std::string name =
            fitted(look.fonts.mono, data.class_name(predicted[twin][example]), side * pitch);
        const ImVec2 size = text_size(look.fonts.mono, name.c_str());
        const float center = at.x + side * (0.5f + pitch * (static_cast<float>(twin) - middle));
        const Color color = right ? look.theme.good : look.theme.bad;
        text(list, look.fonts.mono, {center - size.x / 2, at.y + look.px(1)}, color, name.c_str());
        // The bar says whose guess it is; a wrong one's is crossed out.
        const float reach = side * bar;
        list.AddRectFilled({std::round(center - reach), at.y},
                           {std::round(center + reach), at.y + look.px(2)},
                           right ? look.theme.twins[twin] : look.theme.bad);
        if (!right)
            draw_cross(list, {std::round(center), at.y + look.px(1)}, look.px(3.5f), look.px(2),
                       look.theme.bad);
    }
}

/// A map as a sheet of colours that blend into each other: of `color` where it is positive, and grey where it
/// is negative, the stronger the farther from 0.
void draw_map(const Look& look, ImDrawList& list, std::span<const float> values, uint32_t columns,
              uint32_t rows, float largest, const Rect& tile, Color color) {
    const Color zero = look.theme.dark ? rgb(0x0B0D11) : rgb(0xF1F3F6);
    list.AddRectFilled(tile.min, tile.max, zero);
    const ImVec2 uv = ImGui::GetFontTexUvWhitePixel();
    // One value beyond every edge, so that the sheet reaches the tile's.
    const uint32_t across = columns + 2, down = rows + 2;
    list.PrimReserve(static_cast<int>((across - 1) * (down - 1) * 6), static_cast<int>(across * down));
    const unsigned first = list._VtxCurrentIdx;
    const auto place = [](uint32_t i, uint32_t count, float begin, float length) {
        const float at = std::clamp(static_cast<float>(i) - 0.5f, 0.f, static_cast<float>(count));
        return begin + length * at / static_cast<float>(count);
    };
    for (uint32_t y = 0; y < down; ++y)
        for (uint32_t x = 0; x < across; ++x) {
            const uint32_t row = std::clamp(y, 1u, rows) - 1, column = std::clamp(x, 1u, columns) - 1;
            const float value = values[size_t{row} * columns + column] / largest;
            const float strength = std::isfinite(value) ? std::min(std::abs(value), 1.f) : 0.f;
            list.PrimWriteVtx(
                {place(x, columns, tile.min.x, tile.width()), place(y, rows, tile.min.y, tile.height())}, uv,
                mixed(zero, value > 0 ? color : look.theme.muted, strength));
        }
    for (uint32_t y = 0; y + 1 < down; ++y)
        for (uint32_t x = 0; x + 1 < across; ++x) {
            const unsigned corner = first + y * across + x;
            for (const unsigned index : {0u, 1u, across + 1, 0u, across + 1, across})
                list.PrimWriteIdx(static_cast<ImDrawIdx>(corner + index));
        }
}

/// Where pictures and the maps of so many twins stand. Where room is short, nothing but a twin's name before
/// its maps is said of them.
struct MapsLayout {
    bool roomy;
    size_t columns;
    float side, gap, caption, below_pictures, first, pitch;

    float left(size_t column) const { return std::round(first + static_cast<float>(column) * pitch); }
};

MapsLayout maps_layout(const Look& look, const Rect& content, size_t pictures, size_t twins) {
    MapsLayout at{.roomy = true,
                  .columns = 1,
                  .side = 0,
                  .gap = look.px(4),
                  .caption = look.px(15),
                  .below_pictures = look.px(19),
                  .first = content.min.x,
                  .pitch = 0};
    const auto lines = static_cast<float>(twins);
    const auto most_high = [&] {
        return (content.height() - at.below_pictures - lines * (at.caption + at.gap)) / (lines + 1);
    };
    if (most_high() < look.px(24)) {
        at.roomy = false;
        at.caption = 0;
        at.below_pictures = at.gap;
        at.first += look.px(18);
    }
    const float width = content.max.x - at.first;
    const float fitting = std::max(std::min(most_high(), width / 3), look.px(4));
    at.columns = std::clamp<size_t>(static_cast<size_t>((width + at.gap) / (fitting + at.gap)), 1, pictures);
    const auto across = static_cast<float>(at.columns);
    at.side = std::floor(std::min(fitting, (width - at.gap * (across - 1)) / across));
    at.pitch = std::min((width - at.side) / std::max(across - 1, 1.f), at.side + 4 * at.gap);
    return at;
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
    look.plots.offer_table(options.id, [&] { return table_of(data, predicted, count); });
    const float label = look.px(17), gap = look.px(7);
    const Rect& content = panel.content;
    const GridLayout grid = grid_layout(count, content.width(), content.height(), gap, label);
    const float used = static_cast<float>(grid.columns) * (grid.tile + gap) - gap;
    const float left = content.min.x + (content.width() - used) / 2;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    for (size_t i = 0; i < count; ++i) {
        const size_t row = i / grid.columns, column = i % grid.columns;
        const float x = std::round(left + static_cast<float>(column) * (grid.tile + gap));
        const float y = std::round(content.min.y + static_cast<float>(row) * (grid.tile + label + gap));
        const float side = std::floor(grid.tile);
        draw_example(look, list, data, i, {x, y}, side);
        draw_guesses(look, list, data, i, predicted, {x, y + side}, side, state);
    }
}

void draw_feature_maps(const Look& look, const Rect& frame, const PanelOptions& options,
                       const vknorm::Dataset& data, std::span<const std::span<const uint32_t>> predicted,
                       std::span<const MapsView> rows, PanelState& state) {
    const PanelArea panel = begin_panel(look, frame, options, state);
    const Rect& content = panel.content;
    size_t pictures = data.size(), shown = 0;
    for (size_t twin = 0; twin < rows.size(); ++twin) {
        if (!state.shows(1u << twin)) continue;
        pictures = std::min<size_t>(pictures, rows[twin].pictures);
        ++shown;
    }
    if (shown == 0 || pictures == 0) {
        empty_note(look, content, "No feature maps yet");
        return;
    }
    const MapsLayout at = maps_layout(look, content, pictures, shown);
    look.plots.offer_table(options.id, [&] { return table_of(rows, state, at.columns); });
    ImDrawList& list = *ImGui::GetWindowDrawList();
    float y = std::round(content.min.y);
    for (size_t i = 0; i < at.columns; ++i) {
        draw_example(look, list, data, i, {at.left(i), y}, at.side);
        if (at.roomy) draw_guesses(look, list, data, i, predicted, {at.left(i), y + at.side}, at.side, state);
    }
    y += at.side + at.below_pictures;
    for (size_t twin = 0; twin < rows.size(); ++twin) {
        if (!state.shows(1u << twin)) continue;
        const MapsView& its = rows[twin];
        const std::string words = at.roomy ? its.name + "   " + its.caption : its.name;
        const float words_y = at.roomy ? y : y + (at.side - look.fonts.small->FontSize) / 2;
        text(list, look.fonts.small, {content.min.x, words_y}, its.words,
             fitted(look.fonts.small, words, content.width()).c_str());
        y += at.caption;
        const size_t map = size_t{its.height} * its.width;
        float largest = 1e-30f;
        for (const float value : its.values.first(at.columns * map))
            if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
        for (size_t i = 0; i < at.columns; ++i)
            draw_map(look, list, its.values.subspan(i * map, map), its.width, its.height, largest,
                     centered({at.left(i), y}, at.side, its.width, its.height), its.color);
        y += at.side + at.gap;
    }
}

}  // namespace lab::plot
