#include "app/plot/scatter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "app/plot/tables.hpp"
#include "app/ui/focus.hpp"

namespace lab::plot {

namespace {

constexpr float name_height = 20, bottom_margin = 20;  // of an axis' name, and of tick labels
constexpr float radius = 4, reach_of_pointer = 14;     // of a point, and how near to one is on it

bool is_finite(const Point& point) {
    return std::isfinite(point.x) && std::isfinite(point.y);
}

Range range_of(std::span<const Point> points, double Point::*axis) {
    Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
    for (const Point& point : points) {
        if (!is_finite(point)) continue;
        range.low = std::min(range.low, point.*axis);
        range.high = std::max(range.high, point.*axis);
    }
    return range;
}

Rect area_of(const Mapping& m) {
    return {{m.left, m.top}, {m.left + m.width, m.top + m.height}};
}

// The nearest one that the pointer is on.
std::optional<size_t> under_pointer(const Look& look, const Mapping& m, std::span<const Point> points) {
    const ImVec2 mouse = ImGui::GetMousePos();
    std::optional<size_t> found;
    float nearest = look.px(reach_of_pointer);
    for (size_t i = 0; i < points.size(); ++i) {
        if (!is_finite(points[i])) continue;
        const float distance = std::hypot(m.to_x(points[i].x) - mouse.x, m.to_y(points[i].y) - mouse.y);
        if (distance >= nearest) continue;
        nearest = distance;
        found = i;
    }
    return found;
}

// Wheel: zoom around the pointer; with shift upward only. Drag: pan. Double click, Home: fit. Arrows: rows.
void obey(const Rect& hit, const Look& look, ScatterState& state, SharedRow& row) {
    const Mapping& m = state.plot.mapping;
    const ImGuiIO& io = ImGui::GetIO();
    ImGui::SetCursorScreenPos(hit.min);
    ImGui::InvisibleButton("area", {std::max(hit.width(), 1.0f), std::max(hit.height(), 1.0f)});
    state.plot.has_keyboard = look.focus.take_part(look);
    const bool hovered = ImGui::IsItemHovered();
    const auto fit = [&] {
        state.across.fit();
        state.plot.values.fit();
    };
    if (hovered && io.MouseWheel != 0) {
        const double factor = std::pow(0.8, io.MouseWheel);
        const float ux = std::clamp((io.MousePos.x - m.left) / m.width, 0.0f, 1.0f),
                    uy = std::clamp(1 - (io.MousePos.y - m.top) / m.height, 0.0f, 1.0f);
        if (!io.KeyShift) state.across.set(zoomed(m.x, Scale::linear, factor, ux));
        state.plot.values.set(zoomed(m.y, Scale::linear, factor, uy));
    }
    if (ImGui::IsItemActive() && ImGui::IsMouseDragging(ImGuiMouseButton_Left, 3)) {
        if (io.MouseDelta.x != 0) state.across.set(panned(m.x, Scale::linear, io.MouseDelta.x / m.width));
        if (io.MouseDelta.y != 0)
            state.plot.values.set(panned(m.y, Scale::linear, -io.MouseDelta.y / m.height));
    }
    if (hovered && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) fit();
    if (!state.plot.has_keyboard) return;
    row.move(arrows_across() - arrows_up());
    if (home_pressed()) fit();
}

// Where x is y.
void draw_equal(const Look& look, ImDrawList& list, const Mapping& m) {
    const double low = std::max(m.x.low, m.y.low), high = std::min(m.x.high, m.y.high);
    if (low >= high) return;
    const ImVec2 line[2] = {{m.to_x(low), m.to_y(low)}, {m.to_x(high), m.to_y(high)}};
    stroke_dashed(list, line, look.theme.muted, look.px(1), look.px(5), false);
}

void draw_point(const Look& look, ImDrawList& list, const Mapping& m, const Point& point, float reach,
                Color color) {
    const ImVec2 at{m.to_x(point.x), m.to_y(point.y)};
    disc(list, look.fonts, at, look.px(reach), color);
}

}  // namespace

void draw_scatter(const Look& look, const Rect& frame, const ScatterOptions& options,
                  std::span<const Point> points, ScatterState& state, SharedRow& row) {
    const PanelArea panel = begin_panel(look, frame, options.panel, state.plot.panel);
    const Rect& content = panel.content;
    state.plot.reading.reset();
    look.plots.offer_table(options.panel.id, [&] { return table_of(options, points); });
    if (std::none_of(points.begin(), points.end(), is_finite)) {
        state.plot.has_keyboard = false;
        return empty_note(look, content, options.empty);
    }
    Range x = range_of(points, &Point::x), y = range_of(points, &Point::y);
    if (options.equals) x = y = {std::min(x.low, y.low), std::max(x.high, y.high)};
    Mapping& m = state.plot.mapping;
    m.x = state.across.range(fitted(x, Scale::linear), Scale::linear);
    m.y = state.plot.values.range(fitted(y, Scale::linear), Scale::linear);
    m.y_scale = Scale::linear;
    m.top = std::round(content.min.y + look.px(name_height + 2));
    m.height = std::max(std::round(content.max.y - look.px(bottom_margin + name_height)) - m.top, 1.0f);
    const std::vector<Tick> y_ticks = ticks(m.y, Scale::linear, static_cast<int>(m.height / look.px(40)));
    m.left = std::round(content.min.x + label_room(look, y_ticks));
    m.width = std::max(std::round(content.max.x - look.px(6)) - m.left, 1.0f);
    draw_y_axis(look, m, y_ticks);
    draw_x_axis(look, m, "");
    ImDrawList& list = *ImGui::GetWindowDrawList();
    text(list, look.fonts.small, {content.min.x, content.min.y}, look.theme.muted, options.y_name.c_str());
    const ImVec2 name = text_size(look.fonts.small, options.x_name.c_str());
    text(list, look.fonts.small, {m.left + m.width - name.x, content.max.y - name.y}, look.theme.muted,
         options.x_name.c_str());

    ImGui::PushID(options.panel.id);
    obey(area_of(m), look, state, row);
    const bool over = ImGui::IsItemHovered(),
               released = ImGui::IsItemDeactivated() && ImGui::GetIO().MouseDragMaxDistanceSqr[0] < 9;
    ImGui::PopID();
    if (over) {
        if (const auto found = under_pointer(look, m, points)) {
            row.next_marked = found;
            if (released) row.chosen = *found;
        }
    }

    list.PushClipRect({m.left - look.px(2), m.top - look.px(2)},
                      {m.left + m.width + look.px(4), m.top + m.height + look.px(2)}, true);
    if (options.equals) draw_equal(look, list, m);
    const auto is_there = [&](size_t i) { return i < points.size() && is_finite(points[i]); };
    for (const Point& point : points) {
        if (!is_finite(point)) continue;
        draw_point(look, list, m, point, radius + 1, look.theme.panel);
        draw_point(look, list, m, point, radius, options.color);
    }
    const auto ring = [&](size_t i, Color color) {
        draw_point(look, list, m, points[i], radius + 3.5f, color);
        draw_point(look, list, m, points[i], radius + 1.7f, look.theme.panel);
        draw_point(look, list, m, points[i], radius, options.color);
    };
    if (is_there(row.chosen)) ring(row.chosen, look.theme.grip);
    const std::optional<size_t> marked = row.marked;
    if (marked && is_there(*marked)) ring(*marked, look.theme.text);
    list.PopClipRect();

    const std::optional<size_t> told = over                      ? marked
                                       : state.plot.has_keyboard ? std::optional(row.chosen)
                                                                 : std::nullopt;
    if (!told || !is_there(*told)) return;
    const Point& point = points[*told];
    const ImVec2 at{m.to_x(point.x), m.to_y(point.y)};
    if (!area_of(m).contains({std::min(at.x, m.left + m.width - 1), at.y})) return;
    state.plot.reading = Reading{point.x,
                                 {{options.x_name, options.color, point.x, short_number(point.x)},
                                  {options.y_name, options.color, point.y, short_number(point.y)}}};
    draw_reading(look, at, options.row_name + " " + std::to_string(*told), state.plot.reading->lines);
}

}  // namespace lab::plot
