#include "app/plot/boundary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "app/plot/layout.hpp"
#include "app/plot/tables.hpp"

namespace lab::plot {

namespace {

Rect square_in(const Rect& area) {
    const float side = std::floor(std::min(area.width(), area.height()));
    const float left = std::round((area.min.x + area.max.x - side) / 2),
                top = std::round((area.min.y + area.max.y - side) / 2);
    return {{left, top}, {left + side, top + side}};
}

ImVec2 place(const BoundaryView& b, const Rect& square, float x, float y) {
    const float unit_x = (x - b.low) / (b.high - b.low), unit_y = (y - b.low) / (b.high - b.low);
    return {square.min.x + unit_x * square.width(), square.max.y - unit_y * square.height()};
}

// Whether the colours between the first and the last are nearly those of a straight blend.
bool blends(std::span<const Color> colors) {
    constexpr float tolerance = 3;
    for (int shift = 0; shift < 24; shift += 8) {
        const auto channel = [&](Color color) { return static_cast<float>(color >> shift & 0xFF); };
        const float from = channel(colors.front()), to = channel(colors.back());
        for (size_t i = 1; i + 1 < colors.size(); ++i) {
            const float t = static_cast<float>(i) / static_cast<float>(colors.size() - 1);
            if (std::abs(channel(colors[i]) - (from + (to - from) * t)) > tolerance) return false;
        }
    }
    return true;
}

// Colours at the grid points, blended between them. Along a row, cells that blend into each other are one
// rectangle: triangles are what a frame's time goes into.
void draw_field(const Look& look, ImDrawList& list, const BoundaryView& b, const Rect& square) {
    std::vector<Color> colors(size_t{b.columns} * b.rows);
    for (size_t i = 0; i < colors.size(); ++i)
        colors[i] = class_color(look.theme, b.probability.subspan(i * b.classes, b.classes));
    const auto x_of = [&](size_t column) {
        return square.min.x + static_cast<float>(column) / static_cast<float>(b.columns - 1) * square.width();
    };
    const auto y_of = [&](size_t row) {
        return square.max.y - static_cast<float>(row) / static_cast<float>(b.rows - 1) * square.height();
    };
    for (size_t row = 0; row + 1 < b.rows; ++row) {
        const std::span<const Color> lower = std::span(colors).subspan(row * b.columns, b.columns);
        const std::span<const Color> upper = std::span(colors).subspan((row + 1) * b.columns, b.columns);
        for (size_t begin = 0; begin + 1 < b.columns;) {
            size_t end = begin + 1;
            while (end + 1 < b.columns && blends(lower.subspan(begin, end + 2 - begin)) &&
                   blends(upper.subspan(begin, end + 2 - begin)))
                ++end;
            quad(list, {x_of(begin), y_of(row + 1)}, {x_of(end), y_of(row)},
                 {upper[begin], upper[end], lower[end], lower[begin]});
            begin = end;
        }
    }
}

void draw_points(const Look& look, ImDrawList& list, const BoundaryView& b, const vknorm::Dataset& points,
                 const Rect& square) {
    const float radius = std::clamp(square.width() / 95, look.px(1.7f), look.px(4.2f));
    const Color ring = look.theme.dark ? rgb(0x0B0D11) : rgb(0xFFFFFF);
    for (size_t i = 0; i < points.size(); ++i) {
        const std::span<const float> point = points.example(i);
        const ImVec2 at = place(b, square, point[0], point[1]);
        if (!square.contains(at)) continue;
        const Color color = look.theme.classes[points.labels[i] % look.theme.classes.size()];
        disc(list, look.fonts, at, radius + look.px(1), faded(ring, 0.85f));
        disc(list, look.fonts, at, radius, look.theme.dark ? mixed(color, rgb(0xFFFFFF), 0.4f) : color);
    }
}

void draw_class_reading(const Look& look, const BoundaryView& b, const Rect& square) {
    const ImVec2 mouse = ImGui::GetMousePos();
    if (!square.contains(mouse)) return;
    const float ux = (mouse.x - square.min.x) / square.width(),
                uy = (square.max.y - mouse.y) / square.height();
    const auto column = static_cast<size_t>(std::lround(ux * static_cast<float>(b.columns - 1)));
    const auto row = static_cast<size_t>(std::lround(uy * static_cast<float>(b.rows - 1)));
    std::vector<ReadingLine> lines;
    for (uint32_t c = 0; c < b.classes; ++c) {
        const double p = b.probability[(row * b.columns + column) * b.classes + c];
        lines.push_back(
            {b.class_names[c], look.theme.classes[c % look.theme.classes.size()], p, short_number(p)});
    }
    std::array<char, 64> heading;
    std::snprintf(heading.data(), heading.size(), "at %.2f, %.2f", b.low + ux * (b.high - b.low),
                  b.low + uy * (b.high - b.low));
    draw_reading(look, mouse, heading.data(), lines);
}

}  // namespace

Color class_color(const Theme& theme, std::span<const float> probabilities) {
    const auto most = std::max_element(probabilities.begin(), probabilities.end());
    const float chance = 1 / static_cast<float>(probabilities.size());
    const float certainty = (*most - chance) / (1 - chance);
    const Color color =
        theme.classes[static_cast<size_t>(most - probabilities.begin()) % theme.classes.size()];
    return mixed(theme.neutral, color,
                 std::isfinite(certainty) ? certainty * (theme.dark ? 0.72f : 0.75f) : 0.0f);
}

void draw_boundaries(const Look& look, const Rect& frame, const PanelOptions& options,
                     std::span<const BoundaryView> twins, const vknorm::Dataset* points, PanelState& state) {
    const PanelArea panel = begin_panel(look, frame, options, state);
    std::vector<const BoundaryView*> shown;
    bool all_off = true;
    for (size_t twin = 0; twin < twins.size(); ++twin) {
        if (!state.shows(1u << twin)) continue;
        all_off = false;
        if (twins[twin].columns > 1 && twins[twin].rows > 1) shown.push_back(&twins[twin]);
    }
    if (shown.empty())
        return empty_note(look, panel.content, all_off ? "Every twin is switched off" : "No steps yet");
    look.plots.offer_table(options.id, [&] { return table_of(shown, points); });
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const Rect& content = panel.content;
    const float gap = look.px(10), caption_height = look.px(20);
    const size_t columns =
        grid_layout(shown.size(), content.width(), content.height(), gap, caption_height).columns;
    const size_t rows = (shown.size() + columns - 1) / columns;
    const auto across = static_cast<float>(columns), down = static_cast<float>(rows);
    const float width = (content.width() - gap * (across - 1)) / across,
                height = (content.height() - gap * (down - 1)) / down;
    for (size_t i = 0; i < shown.size(); ++i) {
        const BoundaryView& boundary = *shown[i];
        const float left = content.min.x + static_cast<float>(i % columns) * (width + gap),
                    top = content.min.y + static_cast<float>(i / columns) * (height + gap);
        const Rect square = square_in({{left, top}, {left + width, top + height - caption_height}});
        draw_field(look, list, boundary, square);
        if (points) draw_points(look, list, boundary, *points, square);
        const ImVec2 size = text_size(look.fonts.small, boundary.caption.c_str());
        text(list, look.fonts.small, {(square.min.x + square.max.x - size.x) / 2, square.max.y + look.px(4)},
             boundary.ended ? look.theme.bad : look.theme.muted, boundary.caption.c_str());
        if (boundary.ended) {
            list.AddRect(square.min, square.max, look.theme.bad, 0, 0, look.px(2));
            draw_cross(list, {(square.min.x + square.max.x) / 2, (square.min.y + square.max.y) / 2},
                       square.width() / 6, look.px(3), look.theme.bad);
        }
        if (panel.hovered) draw_class_reading(look, boundary, square);
    }
}

}  // namespace lab::plot
