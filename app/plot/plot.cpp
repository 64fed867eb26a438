#include "app/plot/plot.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "app/plot/overlap.hpp"
#include "app/plot/tables.hpp"
#include "app/ui/focus.hpp"

namespace lab::plot {

namespace {

constexpr float left_margin = 40, bottom_margin = 20;  // room for tick labels
constexpr float label_gap = 8;                         // between a y label and the plot
// A log axis that follows the data goes so far below their third quartile: a loss that reaches 1e-30 once is
// no reason to flatten the rest.
constexpr double least_of_usual = 1e-8;
constexpr float dash_length = 4, dot_length = 2;  // of broken lines
// A click on a mark shows so much of the steps before and after it.
constexpr double part_around_mark = 0.05, fewest_steps_around_mark = 20;
// So near to a mark's line the read-out tells of it, too.
constexpr float near_mark = 4;

Rect plot_area(const Mapping& m) {
    return {{m.left, m.top}, {m.left + m.width, m.top + m.height}};
}

void include(Range& range, Scale scale, double value) {
    if (!std::isfinite(value) || (scale == Scale::log && value <= 0)) return;
    range.low = std::min(range.low, value);
    range.high = std::max(range.high, value);
}

// The third quartile of what is shown and positive, from some hundred values of each series.
double usual_value(std::span<const Series> series, const PlotState& state, const Range& x) {
    constexpr size_t enough = 256;
    std::vector<double> values;
    for (const Series& s : series) {
        if (!state.panel.shows(s.legend)) continue;
        const Points points = visible(s.points, x);
        for (size_t i = 0; i < points.size(); i += 1 + points.size() / enough)
            if (const double y = points[i].y; std::isfinite(y) && y > 0) values.push_back(y);
    }
    if (values.empty()) return 0;
    const auto third_quartile = values.begin() + static_cast<ptrdiff_t>((values.size() - 1) * 3 / 4);
    std::nth_element(values.begin(), third_quartile, values.end());
    return *third_quartile;
}

// The range of what is shown between the ends of the x axis.
Range data_range(std::span<const Series> series, const PlotState& state, const Range& x) {
    Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
    for (const Series& s : series) {
        if (!state.panel.shows(s.legend)) continue;
        for (const auto* points : {&s.points, &s.upper, &s.ink})
            for (const Point point : visible(*points, x)) include(range, state.panel.scale, point.y);
    }
    if (state.panel.scale == Scale::log)
        range.low = std::max(range.low, usual_value(series, state, x) * least_of_usual);
    return range;
}

Range y_range(const PlotOptions& options, std::span<const Series> series, const PlotState& state,
              const Range& x) {
    const Scale scale = state.panel.scale;
    Range data = data_range(series, state, x);
    if (options.y_shows)
        data = {std::min(data.low, options.y_shows->low), std::max(data.high, options.y_shows->high)};
    data = fitted(data, scale);
    if (options.y_limits) {
        // A little room, so that a line along the limit is whole.
        const double margin = std::max(data.length(), 0.01) * 0.02;
        data.low = std::max(data.low, options.y_limits->low - margin);
        data.high = std::min(data.high, options.y_limits->high + margin);
    }
    return state.values.range(data, scale);
}

using Stretches = std::vector<std::vector<ImVec2>>;

// The unbroken stretches of the line through finite points.
Stretches through_points(const Points& points, const Mapping& mapping, bool steps) {
    Stretches stretches(1);
    for (const Point point : points) {
        if (!std::isfinite(point.y)) {
            stretches.emplace_back();
            continue;
        }
        std::vector<ImVec2>& line = stretches.back();
        const ImVec2 at{mapping.to_x(point.x), mapping.to_y(point.y)};
        if (steps && !line.empty()) line.push_back({at.x, line.back().y});
        line.push_back(at);
    }
    return stretches;
}

// Those of the line through the means of narrow columns.
Stretches through_means(const Points& points, const Mapping& mapping, float pitch) {
    Stretches stretches(1);
    for (const Column& column : columns(points, mapping, pitch)) {
        if (column.begins) stretches.emplace_back();
        stretches.back().push_back({column.x + pitch / 2, column.mean});
    }
    return stretches;
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

// Draws the series; a solid line is returned, too.
std::optional<DrawnLine> draw_series(const Look& look, ImDrawList& list, const Series& s,
                                     const Mapping& mapping) {
    const float width = look.px(s.width), pitch = std::round(look.px(2));
    if (s.style == Style::band) {
        draw_band(list, s, mapping, pitch, faded(s.color, look.theme.dark ? 0.26f : 0.22f));
        return {};
    }
    const bool noise = s.style == Style::noise;
    const Points points = visible(noise && !s.ink.empty() ? s.ink : s.points, mapping.x);
    const bool many = dense(points, mapping), steps = s.style == Style::step || s.style == Style::dashed_step;
    const float dash = look.px(s.style == Style::dashed_step ? dash_length
                               : s.style == Style::dotted    ? dot_length
                                                             : 0);
    const Color faint = faded(s.color, look.theme.dark ? 0.38f : 0.34f);
    if (noise && many) {
        bars(list, columns(points, mapping, 1), faint, width);
        return {};
    }
    DrawnLine line{many ? through_means(points, mapping, pitch) : through_points(points, mapping, steps),
                   noise ? faint : s.color, width};
    for (const std::vector<ImVec2>& stretch : line.stretches)
        if (stretch.size() == 1)  // no line leads to a value that stands alone
            list.AddCircleFilled(stretch[0], look.px(s.width + 1.2f), line.color, 12);
        else if (dash > 0)
            stroke_dashed(list, stretch, s.color, width, dash, many);
        else
            stroke(list, stretch, line.color, width);
    if (noise || dash > 0) return {};
    return line;
}

// Arrows: move the step looked at, zoom around it. Home: fit. Where the keyboard is on the plot.
void obey_keys(PlotState& state, SharedX& shared) {
    const Mapping& m = state.mapping;
    const double step_of_pixel = m.x.length() / m.width;
    double at = std::clamp(state.looked_at.value_or((m.x.low + m.x.high) / 2), m.x.low, m.x.high);
    if (const int moved = arrows_across()) {
        const double unit = shared.unit;
        const double step =
            unit * std::max(1.0, std::round(step_of_pixel * 2 / unit));  // large enough to see
        at = std::clamp(unit * std::round(at / unit) + moved * step, m.x.low, m.x.high);
    }
    if (const int zoom = arrows_up())
        shared.view.set(zoomed(m.x, Scale::linear, std::pow(0.8, zoom), to_unit(m.x, Scale::linear, at)));
    if (home_pressed()) {
        shared.view.fit();
        state.values.fit();
    }
    state.looked_at = at;
    shared.next_marked = at;
}

// Wheel: zoom in x; with shift, or over the y labels, in y. Drag: pan. Double click: fit.
void obey(const Rect& hit, const Look& look, PlotState& state, SharedX& shared) {
    const Mapping& m = state.mapping;
    const ImGuiIO& io = ImGui::GetIO();
    ImGui::SetCursorScreenPos(hit.min);
    ImGui::InvisibleButton("area", {std::max(hit.width(), 1.0f), std::max(hit.height(), 1.0f)});
    const bool hovered = ImGui::IsItemHovered(), active = ImGui::IsItemActive();
    state.has_keyboard = look.focus.take_part(look);
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
    if (active && ImGui::IsMouseDragging(ImGuiMouseButton_Left, 3)) {
        if (io.MouseDelta.x != 0) shared.view.set(panned(m.x, Scale::linear, io.MouseDelta.x / m.width));
        if (io.MouseDelta.y != 0) state.values.set(panned(m.y, y_scale, -io.MouseDelta.y / m.height));
    }
    if (hovered && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) {
        shared.view.fit();
        state.values.fit();
    }
    if (hovered && plot_area(m).contains(io.MousePos)) shared.next_marked = m.from_x(io.MousePos.x);
    if (state.has_keyboard)
        obey_keys(state, shared);
    else
        state.looked_at.reset();
}

bool holds(const Series& s) {
    return s.style == Style::step || s.style == Style::dashed_step;
}

// What the series says of step `x`: what was measured there, within some pixels or the distance between
// points, or what still holds there.
std::optional<Point> value_at(const Series& s, const Mapping& m, double x) {
    const double near = 4 * m.x.length() / m.width;
    if (holds(s)) return held(s.points, x, near);
    const size_t count = s.points.size();
    const double spacing =
        count < 2 ? 0 : (s.points.back().x - s.points[0].x) / static_cast<double>(count - 1);
    return nearest(s.points, x, std::max(near, spacing / 2));
}

void draw_marker(const Look& look, ImDrawList& list, std::span<const Series> series, PlotState& state,
                 const SharedX& shared, bool hovered) {
    state.reading.reset();
    const Mapping& m = state.mapping;
    if (!shared.marked || *shared.marked < m.x.low || *shared.marked > m.x.high) return;
    const double marked = *shared.marked;
    std::vector<std::pair<const Series*, Point>> found;
    std::optional<double> measured;  // step nearest to the one looked at
    for (const Series& s : series) {
        if (s.name.empty() || !state.panel.shows(s.legend)) continue;
        const std::optional<Point> point = value_at(s, m, marked);
        if (!point) continue;
        found.emplace_back(&s, *point);
        if (!holds(s) && (!measured || std::abs(point->x - marked) < std::abs(*measured - marked)))
            measured = point->x;
        const ImVec2 at{m.to_x(holds(s) ? marked : point->x), m.to_y(point->y)};
        if (plot_area(m).contains(at)) {
            disc(list, look.fonts, at, look.px(4.5f), look.theme.panel);
            disc(list, look.fonts, at, look.px(3.3f), s.color);
        }
    }
    if (found.empty()) return;
    const float x = std::round(m.to_x(marked));
    list.AddRectFilled({x, m.top}, {x + 1, m.top + m.height}, faded(look.theme.muted, 0.5f));
    if (!hovered && !state.has_keyboard) return;
    Reading reading{measured.value_or(shared.unit * std::round(marked / shared.unit)), {}};
    const auto place = [&](double at) {
        return std::string(shared.name) + " " + (shared.unit == 1 ? whole_number(at) : short_number(at));
    };
    for (const auto& [s, point] : found) {
        // Values of another step say of which.
        const std::string step = point.x == reading.x ? "" : " (" + place(point.x) + ")";
        reading.lines.push_back({s->name + step, s->color, point.y, short_number(point.y)});
    }
    std::vector<ReadingLine> lines;
    for (const Mark& mark : shared.marks)
        if (std::abs(m.to_x(mark.x) - x) <= look.px(near_mark)) lines.push_back(reading_of(look, mark));
    lines.insert(lines.end(), reading.lines.begin(), reading.lines.end());
    const ImVec2 at = state.has_keyboard ? ImVec2{x, m.top + m.height / 3} : ImGui::GetMousePos();
    draw_reading(look, at, place(reading.x), lines);
    state.reading = std::move(reading);
}

}  // namespace

void SharedX::look_closely(double x) {
    const double reach = std::max(data.length() * part_around_mark, fewest_steps_around_mark);
    const Range around{std::max(x - reach, data.low), std::min(x + reach, std::max(data.high, x + 1))};
    if (view.range(data, Scale::linear) == around)
        view.fit();
    else
        view.set(around);
}

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
    text(list, look.fonts.small, {label_left, bottom + look.px(4)}, look.theme.muted, label);
}

void stroke_dashed(ImDrawList& list, std::span<const ImVec2> line, Color color, float width, float dash,
                   bool across) {
    float travelled = 0;
    for (size_t i = 0; i + 1 < line.size(); ++i) {
        const float dx = line[i + 1].x - line[i].x, dy = line[i + 1].y - line[i].y;
        const float length = across ? std::abs(dx) : std::sqrt(dx * dx + dy * dy);
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

// The same for all but long ones.
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

void draw_plot(const Look& look, const Rect& frame, const PlotOptions& options,
               std::span<const Series> series, PlotState& state, SharedX& shared) {
    const PanelArea panel = begin_panel(look, frame, options.panel, state.panel);
    const Rect& content = panel.content;
    Mapping& m = state.mapping;
    look.plots.offer_table(options.panel.id, [&] { return table_of(options, series, state.panel, shared); });
    m.top = std::round(content.min.y + look.px(shared.marks.empty() ? 4 : 2 + flag_height));
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
    draw_x_axis(look, m, shared.name);

    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.PushClipRect({m.left, m.top}, {m.left + m.width, m.top + m.height}, true);
    for (const Range& stretch : options.unmeasured)
        hatch(look, list, {{m.to_x(stretch.low), m.top}, {m.to_x(stretch.high), m.top + m.height}});
    std::vector<DrawnLine> lines;
    for (const Series& s : series)
        if (state.panel.shows(s.legend))
            if (auto line = draw_series(look, list, s, m)) lines.push_back(std::move(*line));
    show_covered_lines(list, lines, m.left, m.left + m.width, look.px(2 * dash_length));
    draw_mark_lines(look, list, m, shared.marks);
    if (shared.past) draw_past_line(look, list, m, *shared.past);
    draw_marker(look, list, series, state, shared, panel.hovered);
    list.PopClipRect();

    ImGui::PushID(options.panel.id);
    obey({{content.min.x, m.top}, content.max}, look, state, shared);
    const std::vector<Flag> flags = flags_across(look, m, shared.marks, m.top);
    if (const Mark* const mark = obey_flags(look, flags)) shared.look_closely(mark->x);
    ImGui::PopID();
}

}  // namespace lab::plot
