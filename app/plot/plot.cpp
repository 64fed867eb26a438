#include "app/plot/plot.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lab::plot {

namespace {

constexpr float left_margin = 40, bottom_margin = 20;  // room for tick labels
constexpr float label_gap = 8;                         // between a y label and the plot

Rect plot_area(const Mapping& m) {
    return {{m.left, m.top}, {m.left + m.width, m.top + m.height}};
}

void include(Range& range, Scale scale, double value) {
    if (!std::isfinite(value) || (scale == Scale::log && value <= 0)) return;
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
}

// The range of what is shown between the ends of the x axis.
Range data_range(std::span<const Series> series, const PlotState& state, const Range& x) {
    Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
    for (const Series& s : series) {
        if (!state.panel.shows(s.legend)) continue;
        for (const auto* points : {&s.points, &s.upper})
            for (const Point point : visible(*points, x)) include(range, state.panel.scale, point.y);
    }
    return range;
}

Range y_range(const PlotOptions& options, std::span<const Series> series, const PlotState& state,
              const Range& x) {
    const Scale scale = state.panel.scale;
    Range data = fitted(data_range(series, state, x), scale);
    if (options.y_limits) {
        // A little room, so that a line along the limit is whole.
        const double margin = std::max(data.length(), 0.01) * 0.02;
        data.low = std::max(data.low, options.y_limits->low - margin);
        data.high = std::min(data.high, options.y_limits->high + margin);
    }
    return state.values.range(data, scale);
}

// Calls `draw` with each unbroken stretch of the line through finite points.
template <class Draw>
void for_each_stretch(const Points& points, const Mapping& mapping, bool steps, Draw draw) {
    std::vector<ImVec2> line;
    for (const Point point : points) {
        if (!std::isfinite(point.y)) {
            draw(std::span<const ImVec2>(line));
            line.clear();
            continue;
        }
        const ImVec2 at{mapping.to_x(point.x), mapping.to_y(point.y)};
        if (steps && !line.empty()) line.push_back({at.x, line.back().y});
        line.push_back(at);
    }
    draw(std::span<const ImVec2>(line));
}

void stroke_dashed(ImDrawList& list, std::span<const ImVec2> line, Color color, float width, float dash) {
    float travelled = 0;
    for (size_t i = 0; i + 1 < line.size(); ++i) {
        const float dx = line[i + 1].x - line[i].x, dy = line[i + 1].y - line[i].y;
        const float length = std::sqrt(dx * dx + dy * dy);
        if (length <= 0) continue;
        const float first = -std::fmod(travelled, 2 * dash);
        const int dashes = static_cast<int>(std::ceil((length - first) / (2 * dash)));
        for (int k = 0; k < dashes; ++k) {
            const float at = first + 2 * dash * static_cast<float>(k);
            const float from = std::max(at, 0.0f) / length, to = std::min(at + dash, length) / length;
            if (to <= from) continue;
            const ImVec2 piece[2] = {{line[i].x + dx * from, line[i].y + dy * from},
                                     {line[i].x + dx * to, line[i].y + dy * to}};
            stroke(list, piece, color, width);
        }
        travelled += length;
    }
}

// The line through the means of narrow columns.
void stroke_means(ImDrawList& list, const Points& points, const Mapping& mapping, float pitch, Color color,
                  float width) {
    std::vector<ImVec2> line;
    for (const Column& column : columns(points, mapping, pitch)) {
        if (column.begins) {
            stroke(list, line, color, width);
            line.clear();
        }
        line.push_back({column.x + pitch / 2, column.mean});
    }
    stroke(list, line, color, width);
}

void draw_band(ImDrawList& list, const Series& s, const Mapping& mapping, float pitch, Color color) {
    const std::vector<Column> low = columns(visible(s.points, mapping.x), mapping, pitch);
    const std::vector<Column> high = columns(visible(s.upper, mapping.x), mapping, pitch);
    std::vector<ImVec2> upper, lower;
    const auto finish = [&] {
        area(list, upper, lower, color);
        upper.clear();
        lower.clear();
    };
    for (size_t i = 0; i < std::min(low.size(), high.size()); ++i) {
        if (low[i].begins) finish();
        upper.push_back({low[i].x + pitch / 2, high[i].mean});
        lower.push_back({low[i].x + pitch / 2, low[i].mean});
    }
    finish();
}

// One bar per column from its top to its bottom, at least `thickness` tall.
void bars(ImDrawList& list, std::span<const Column> columns, Color color, float thickness) {
    if (columns.empty()) return;
    const int count = static_cast<int>(columns.size());
    list.PrimReserve(count * 6, count * 4);
    for (size_t i = 0; i < columns.size(); ++i) {
        const Column& column = columns[i];
        const bool led_to = i + 1 < columns.size() && !columns[i + 1].begins;
        const float right = led_to ? columns[i + 1].x : column.x + 1;
        const float missing = std::max(thickness - (column.bottom - column.top), 0.0f) / 2;
        list.PrimRect({column.x, column.top - missing}, {right, column.bottom + missing}, color);
    }
}

void draw_series(const Look& look, ImDrawList& list, const Series& s, const Mapping& mapping) {
    const Points points = visible(s.points, mapping.x);
    const float width = look.px(s.width), pitch = std::round(look.px(2));
    const bool many = dense(points, mapping);
    const auto each_stretch = [&](bool steps, auto draw) { for_each_stretch(points, mapping, steps, draw); };
    switch (s.style) {
        case Style::band:
            return draw_band(list, s, mapping, pitch, faded(s.color, look.theme.dark ? 0.26f : 0.22f));
        case Style::noise: {
            const Color color = faded(s.color, look.theme.dark ? 0.38f : 0.34f);
            if (many) return bars(list, columns(points, mapping, 1), color, width);
            return each_stretch(false,
                                [&](std::span<const ImVec2> line) { stroke(list, line, color, width); });
        }
        case Style::line:
            if (many) return stroke_means(list, points, mapping, pitch, s.color, width);
            return each_stretch(false,
                                [&](std::span<const ImVec2> line) { stroke(list, line, s.color, width); });
        case Style::step:
            if (many) return stroke_means(list, points, mapping, pitch, s.color, width);
            return each_stretch(true,
                                [&](std::span<const ImVec2> line) { stroke(list, line, s.color, width); });
        case Style::dashed_step:
            if (many) return stroke_means(list, points, mapping, pitch, faded(s.color, 0.6f), width);
            return each_stretch(true, [&](std::span<const ImVec2> line) {
                stroke_dashed(list, line, s.color, width, look.px(4));
            });
    }
}

// Wheel: zoom in x; with shift, or over the y labels, in y. Drag: pan. Double click: fit.
void obey_pointer(const Rect& hit, PlotState& state, SharedX& shared) {
    const Mapping& m = state.mapping;
    const ImGuiIO& io = ImGui::GetIO();
    ImGui::SetCursorScreenPos(hit.min);
    ImGui::InvisibleButton("area", {std::max(hit.width(), 1.0f), std::max(hit.height(), 1.0f)});
    const bool hovered = ImGui::IsItemHovered();
    const float ux = (io.MousePos.x - m.left) / m.width, uy = 1 - (io.MousePos.y - m.top) / m.height;
    const Scale y_scale = state.panel.scale;
    if (hovered && io.MouseWheel != 0) {
        const double factor = std::pow(0.8, io.MouseWheel);
        if (io.KeyShift || ux < 0) {
            state.values.set(zoomed(m.y, y_scale, factor, std::clamp(uy, 0.0f, 1.0f)));
        } else {
            shared.view.set(zoomed(m.x, Scale::linear, factor, std::clamp(ux, 0.0f, 1.0f)));
        }
    }
    if (ImGui::IsItemActive() && ImGui::IsMouseDragging(ImGuiMouseButton_Left, 3)) {
        if (io.MouseDelta.x != 0) shared.view.set(panned(m.x, Scale::linear, io.MouseDelta.x / m.width));
        if (io.MouseDelta.y != 0) state.values.set(panned(m.y, y_scale, -io.MouseDelta.y / m.height));
    }
    if (hovered && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) {
        shared.view.fit();
        state.values.fit();
    }
    if (hovered && plot_area(m).contains(io.MousePos)) shared.next_marked = m.from_x(io.MousePos.x);
}

void draw_marker(const Look& look, ImDrawList& list, std::span<const Series> series, PlotState& state,
                 const SharedX& shared, bool hovered) {
    state.reading.reset();
    const Mapping& m = state.mapping;
    if (!shared.marked || *shared.marked < m.x.low || *shared.marked > m.x.high) return;
    Reading reading;
    bool any = false;
    for (const Series& s : series) {
        if (s.name.empty() || !state.panel.shows(s.legend)) continue;
        const std::optional<Point> point = nearest(s.points, *shared.marked);
        if (!point) continue;
        if (!any || std::abs(point->x - *shared.marked) < std::abs(reading.x - *shared.marked))
            reading.x = point->x;
        any = true;
        reading.lines.push_back({s.name, s.color, point->y, short_number(point->y)});
        const float y = m.to_y(point->y);
        if (y >= m.top && y <= m.top + m.height) {
            disc(list, look.fonts, {m.to_x(point->x), y}, look.px(4.5f), look.theme.panel);
            disc(list, look.fonts, {m.to_x(point->x), y}, look.px(3.3f), s.color);
        }
    }
    if (!any) return;
    const float x = std::round(m.to_x(*shared.marked));
    list.AddRectFilled({x, m.top}, {x + 1, m.top + m.height}, faded(look.theme.muted, 0.5f));
    if (!hovered) return;
    draw_reading(look, ImGui::GetMousePos(), "step " + short_number(reading.x), reading.lines);
    state.reading = std::move(reading);
}

// Room at the left for the labels of `ticks`, the same for all but long ones.
float label_room(const Look& look, std::span<const Tick> ticks) {
    float room = look.px(left_margin);
    for (const Tick& tick : ticks)
        room = std::max(room, text_size(look.fonts.small, tick.label.c_str()).x + look.px(label_gap));
    return room;
}

void draw_y_axis(const Look& look, const Mapping& m, std::span<const Tick> ticks) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float right = m.left + m.width;
    if (m.y_scale == Scale::log)
        for (const double value : minor_ticks(m.y)) {
            const float y = std::round(m.to_y(value));
            list.AddRectFilled({m.left, y}, {right, y + 1}, faded(look.theme.grid, 0.55f));
        }
    for (const Tick& tick : ticks) {
        const float y = std::round(m.to_y(tick.value));
        list.AddRectFilled({m.left, y}, {right, y + 1}, look.theme.grid);
        const ImVec2 size = text_size(look.fonts.small, tick.label.c_str());
        text(list, look.fonts.small, {m.left - look.px(label_gap) - size.x, y - size.y / 2}, look.theme.muted,
             tick.label.c_str());
    }
}

}  // namespace

void draw_x_axis(const Look& look, const Mapping& m, const char* label) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float bottom = m.top + m.height;
    const int wanted = static_cast<int>(m.width / look.px(70));
    for (const Tick& tick : ticks(m.x, Scale::linear, wanted)) {
        const float x = std::round(m.to_x(tick.value));
        list.AddRectFilled({x, m.top}, {x + 1, bottom}, look.theme.grid);
        const ImVec2 size = text_size(look.fonts.small, tick.label.c_str());
        const float right = m.left + m.width + look.px(8);
        text(list, look.fonts.small, {std::min(x - size.x / 2, right - size.x), bottom + look.px(4)},
             look.theme.muted, tick.label.c_str());
    }
    const float label_left = m.left - look.px(left_margin);
    text(list, look.fonts.small, {label_left, bottom + look.px(4)}, look.theme.faint, label);
}

void draw_plot(const Look& look, const Rect& frame, const PlotOptions& options,
               std::span<const Series> series, PlotState& state, SharedX& shared) {
    const PanelArea panel = begin_panel(look, frame, options.panel, state.panel);
    const Rect& content = panel.content;
    Mapping& m = state.mapping;
    m.top = std::round(content.min.y + look.px(4));
    m.height = std::max(std::round(content.max.y - look.px(bottom_margin)) - m.top, 1.0f);
    m.x = shared.view.range(shared.data, Scale::linear);
    m.y_scale = state.panel.scale;

    const bool any =
        std::any_of(series.begin(), series.end(), [](const Series& s) { return !s.points.empty(); });
    if (!any) {
        state.reading.reset();
        empty_note(look, content, options.empty);
        return;
    }
    m.y = y_range(options, series, state, m.x);
    const std::vector<Tick> y_ticks = ticks(m.y, m.y_scale, static_cast<int>(m.height / look.px(40)));
    m.left = std::round(content.min.x + label_room(look, y_ticks));
    m.width = std::max(std::round(content.max.x - look.px(2)) - m.left, 1.0f);
    draw_y_axis(look, m, y_ticks);
    draw_x_axis(look, m, "step");

    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.PushClipRect({m.left, m.top}, {m.left + m.width, m.top + m.height}, true);
    for (const Series& s : series)
        if (state.panel.shows(s.legend)) draw_series(look, list, s, m);
    draw_marker(look, list, series, state, shared, panel.hovered);
    list.PopClipRect();

    ImGui::PushID(options.panel.id);
    obey_pointer({content.min, content.max}, state, shared);
    ImGui::PopID();
}

}  // namespace lab::plot
