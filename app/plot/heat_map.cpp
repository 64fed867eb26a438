#include "app/plot/heat_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "app/plot/tables.hpp"
#include "app/ui/focus.hpp"

namespace lab::plot {

namespace {

constexpr float x_labels = 18, scale_height = 7, scale_labels = 18;  // below the map, one below the other
constexpr float least_line = 2;                                      // height of a line of the map, in pixels
constexpr float frame_gap = 5;  // between the row labels and the map: room for the mark of the chosen row
constexpr int16_t blank = -1;   // in place of a level: not measured

/// What the cells of the screen show: some columns of the map, and of its rows one or the most extreme of
/// several in each line.
struct Cells {
    size_t columns = 0, lines = 0, rows_in_line = 1;
    float pitch = 1;                            ///< width of a cell, in pixels
    std::vector<std::optional<size_t>> column;  ///< of the map, for each of the screen
    std::vector<float> value;                   ///< [lines][columns]
    std::vector<size_t> row;                    ///< of the map; [lines][columns]
    std::vector<int16_t> level;                 ///< [lines][columns]

    size_t at(size_t line, size_t c) const { return line * columns + c; }
};

double distance(const HeatMapOptions& options, float value) {
    if (!std::isfinite(value)) return -1;
    return options.colors == ColorScale::diverging ? std::abs(double{value} - options.middle) : double{value};
}

/// The latest column that begins within the pixels from `left` to `right`, or still lasts there.
std::optional<size_t> column_at(std::span<const double> steps, const Mapping& m, float right) {
    const auto after = std::upper_bound(steps.begin(), steps.end(), m.from_x(right));
    if (after == steps.begin()) return std::nullopt;
    const auto found = static_cast<size_t>(after - steps.begin()) - 1;
    // The last one lasts as long as the one before it did, and for a pixel at least.
    if (found + 1 == steps.size()) {
        const double length = steps.size() > 1 ? steps[found] - steps[found - 1] : 1;
        if (m.from_x(right - 1) > steps[found] + length) return std::nullopt;
    }
    return found;
}

Cells cells_of(const HeatMapOptions& options, const HeatMap& map, const Mapping& m, float pitch) {
    Cells cells;
    cells.pitch = pitch;
    cells.columns = static_cast<size_t>(std::ceil(m.width / pitch));
    const auto room = std::max<size_t>(1, static_cast<size_t>(m.height / least_line));
    cells.rows_in_line = (map.rows + room - 1) / room;
    cells.lines = (map.rows + cells.rows_in_line - 1) / cells.rows_in_line;
    for (size_t c = 0; c < cells.columns; ++c) {
        const float right = std::min(m.left + pitch * static_cast<float>(c + 1), m.left + m.width);
        cells.column.push_back(column_at(map.steps, m, right));
    }
    for (size_t line = 0; line < cells.lines; ++line)
        for (size_t c = 0; c < cells.columns; ++c) {
            const bool same = c > 0 && cells.column[c] == cells.column[c - 1];
            size_t best = same ? cells.row.back() : line * cells.rows_in_line;
            float value = same ? cells.value.back() : NAN;
            if (!same && cells.column[c]) {
                value = map.cell(*cells.column[c], best).value;
                const size_t end = std::min((line + 1) * cells.rows_in_line, map.rows);
                for (size_t row = best + 1; row < end; ++row) {
                    const float other = map.cell(*cells.column[c], row).value;
                    if (distance(options, other) <= distance(options, value)) continue;
                    best = row;
                    value = other;
                }
            }
            cells.row.push_back(best);
            cells.value.push_back(value);
        }
    return cells;
}

double rounded_outward(double value, double unit, bool up) {
    return (up ? std::ceil(value / unit - 1e-6) : std::floor(value / unit + 1e-6)) * unit;
}

/// The values at the ends of the scale, and whether there are some beyond them.
struct ScaleEnds {
    Range range;
    bool below = false, above = false;
};

ScaleEnds ends_of(const HeatMapOptions& options, const Cells& cells) {
    std::vector<float> values;
    for (const float value : cells.value)
        if (std::isfinite(value)) values.push_back(value);
    if (values.empty()) return {};
    const size_t cut = options.whole ? 0 : values.size() / 100;
    const auto low_at = values.begin() + static_cast<ptrdiff_t>(cut),
               high_at = values.end() - 1 - static_cast<ptrdiff_t>(cut);
    std::nth_element(values.begin(), low_at, values.end());
    const auto low = static_cast<double>(*low_at);
    std::nth_element(values.begin(), high_at, values.end());
    const auto high = static_cast<double>(*high_at);
    ScaleEnds ends;
    if (options.colors == ColorScale::diverging) {
        double reach = std::max(std::abs(low - options.middle), std::abs(high - options.middle));
        reach = std::max(reach, std::max(std::abs(options.middle), 1.0) * 1e-4);
        reach = rounded_outward(reach, std::pow(10, std::floor(std::log10(reach)) - 1), true);
        ends.range = {options.middle - reach, options.middle + reach};
    } else {
        const double length = std::max(high - low, std::max(std::abs(high), 1e-6) * 1e-3);
        const double unit = std::pow(10, std::floor(std::log10(length)) - 1);
        ends.range = {rounded_outward(low, unit, false), rounded_outward(low + length, unit, true)};
    }
    const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
    ends.below = static_cast<double>(*least) < ends.range.low;
    ends.above = static_cast<double>(*greatest) > ends.range.high;
    return ends;
}

int level_of(const Range& range, double value) {
    const double unit = std::clamp((value - range.low) / range.length(), 0.0, 1.0);
    return static_cast<int>(std::lround(unit * (color_levels - 1)));
}

/// Calls `add` with line, first and end of each run of cells whose levels differ by so little.
template <class Add>
void for_runs(const Cells& cells, int tolerance, Add add) {
    for (size_t line = 0; line < cells.lines; ++line)
        for (size_t first = 0; first < cells.columns;) {
            const int level = cells.level[cells.at(line, first)];
            size_t end = first + 1;
            const auto goes_on = [&](int other) {
                return (other == blank) == (level == blank) && std::abs(other - level) <= tolerance;
            };
            while (end < cells.columns && goes_on(cells.level[cells.at(line, end)])) ++end;
            if (level != blank) add(line, first, end);
            first = end;
        }
}

/// As fine as the number of cells allows.
struct Fineness {
    Cells cells;
    ScaleEnds ends;
    int tolerance = 0;  ///< levels that look the same
};

Fineness finest(const HeatMapOptions& options, const HeatMap& map, const Mapping& m, float least_pitch) {
    Fineness fine;
    for (float pitch = least_pitch;; pitch = std::ceil(pitch * 1.3f)) {
        fine.cells = cells_of(options, map, m, pitch);
        fine.ends = ends_of(options, fine.cells);
        fine.cells.level.clear();
        for (const float value : fine.cells.value)
            fine.cells.level.push_back(std::isfinite(value)
                                           ? static_cast<int16_t>(level_of(fine.ends.range, double{value}))
                                           : blank);
        for (fine.tolerance = 1; fine.tolerance <= 4; fine.tolerance *= 2) {
            size_t runs = 0;
            for_runs(fine.cells, fine.tolerance, [&](size_t, size_t, size_t) { ++runs; });
            if (runs <= options.most_cells || pitch > m.width) return fine;
        }
    }
}

/// The middle level of a run, in which none is further from it than need be.
int level_of_run(const Cells& cells, size_t line, size_t first, size_t end) {
    const auto begin = cells.level.begin() + static_cast<ptrdiff_t>(cells.at(line, 0));
    const auto [low, high] =
        std::minmax_element(begin + static_cast<ptrdiff_t>(first), begin + static_cast<ptrdiff_t>(end));
    return (*low + *high) / 2;
}

/// Of the line that a row is in.
Rect line_rect(const Mapping& m, const Cells& cells, size_t row) {
    const auto line = static_cast<float>(row / cells.rows_in_line),
               height = m.height / static_cast<float>(cells.lines);
    return {{m.left, std::round(m.top + height * line)},
            {m.left + m.width, std::round(m.top + height * (line + 1))}};
}

void draw_cells(const Look& look, ImDrawList& list, const HeatMapOptions& options, const Mapping& m,
                const Fineness& fine) {
    const Cells& cells = fine.cells;
    for_runs(cells, fine.tolerance, [&](size_t line, size_t first, size_t end) {
        const Rect rect = line_rect(m, cells, line * cells.rows_in_line);
        const float left = m.left + cells.pitch * static_cast<float>(first),
                    right = std::min(m.left + cells.pitch * static_cast<float>(end), m.left + m.width);
        list.PrimReserve(6, 4);
        list.PrimRect({left, rect.min.y}, {right, rect.max.y},
                      scale_color(look.theme, options.colors, level_of_run(cells, line, first, end)));
    });
}

// Where there are columns and no value in any row: steps that did not measure it.
void draw_gaps(const Look& look, ImDrawList& list, const Mapping& m, const Cells& cells) {
    const auto missing = [&](size_t c) {
        if (!cells.column[c]) return false;
        for (size_t line = 0; line < cells.lines; ++line)
            if (cells.level[cells.at(line, c)] != blank) return false;
        return true;
    };
    for (size_t first = 0; first < cells.columns; ++first) {
        if (!missing(first)) continue;
        size_t end = first + 1;
        while (end < cells.columns && missing(end)) ++end;
        const float left = m.left + cells.pitch * static_cast<float>(first),
                    right = std::min(m.left + cells.pitch * static_cast<float>(end), m.left + m.width);
        hatch(look, list, {{left, m.top}, {right, m.top + m.height}});
        first = end;
    }
}

void draw_row_labels(const Look& look, ImDrawList& list, const Mapping& m, const Cells& cells, size_t rows) {
    float below = m.top - look.px(20);
    const auto label = [&](size_t row, bool always) {
        const std::string words = std::to_string(row);
        const ImVec2 size = text_size(look.fonts.small, words.c_str());
        const Rect line = line_rect(m, cells, row);
        const float top = (line.min.y + line.max.y - size.y) / 2;
        if (!always && top < below) return;
        text(list, look.fonts.small, {m.left - look.px(frame_gap + 3) - size.x, top}, look.theme.muted,
             words.c_str());
        below = top + size.y + look.px(2);
    };
    if (rows < 2) return label(0, true);
    const Range range{0, static_cast<double>(rows - 1)};
    const int wanted = static_cast<int>(m.height / look.px(60));
    for (const Tick& tick : ticks(range, Scale::linear, wanted))
        if (tick.value == std::round(tick.value)) label(static_cast<size_t>(tick.value), false);
}

std::string end_label(double value, bool beyond, bool low) {
    return (beyond ? low ? "\u2264 " : "\u2265 " : "") + short_number(value);
}

// The colours from `left` to `right`, and the values they stand for.
void draw_scale(const Look& look, ImDrawList& list, const HeatMapOptions& options, const ScaleEnds& ends,
                const Mapping& m, float top) {
    constexpr int parts = 32;
    const float height = look.px(scale_height), part = m.width / parts;
    const auto color = [&](int i) {
        return scale_color(look.theme, options.colors, i * (color_levels - 1) / parts);
    };
    for (int i = 0; i < parts; ++i) {
        const float left = m.left + part * static_cast<float>(i);
        quad(list, {left, top}, {left + part, top + height},
             {color(i), color(i + 1), color(i + 1), color(i)});
    }
    list.AddRect({m.left - 1, top - 1}, {m.left + m.width + 1, top + height + 1}, look.theme.border);
    const Range& range = ends.range;
    const std::string labels[] = {end_label(range.low, ends.below, true),
                                  short_number((range.low + range.high) / 2),
                                  end_label(range.high, ends.above, false)};
    float width[3];
    for (size_t i = 0; i < 3; ++i) width[i] = text_size(look.fonts.small, labels[i].c_str()).x;
    const float left[] = {m.left, m.left + (m.width - width[1]) / 2, m.left + m.width - width[2]};
    const float gap = look.px(6);
    const bool has_room = left[0] + width[0] + gap < left[1] && left[1] + width[1] + gap < left[2];
    for (size_t i = 0; i < 3; ++i)
        if (i != 1 || has_room)
            text(list, look.fonts.small, {left[i], top + height + look.px(3)}, look.theme.muted,
                 labels[i].c_str());
}

void draw_rows(const Look& look, ImDrawList& list, const Mapping& m, const Cells& cells,
               const SharedRow& row) {
    const auto frame = [&](size_t which, Color color, float width) {
        const Rect line = line_rect(m, cells, which);
        list.AddRect({line.min.x - 1, line.min.y - 1}, {line.max.x + 1, line.max.y + 1}, look.theme.panel, 0,
                     0, look.px(width + 2));
        list.AddRect({line.min.x - 1, line.min.y - 1}, {line.max.x + 1, line.max.y + 1}, color, 0, 0,
                     look.px(width));
        return (line.min.y + line.max.y) / 2;
    };
    if (row.chosen < row.count) {
        const float y = frame(row.chosen, look.theme.grip, 1), r = look.px(4);
        list.AddTriangleFilled({m.left - look.px(frame_gap) - 1, y - r}, {m.left - 2, y},
                               {m.left - look.px(frame_gap) - 1, y + r}, look.theme.grip);
    }
    if (row.marked && *row.marked < row.count && *row.marked != row.chosen)
        frame(*row.marked, look.theme.text, 1);
}

/// A column and a line of the screen.
struct Place {
    size_t column, line;
};

std::optional<Place> place_of(const Mapping& m, const Cells& cells, ImVec2 at) {
    if (!Rect{{m.left, m.top}, {m.left + m.width, m.top + m.height}}.contains(at)) return std::nullopt;
    const auto column = static_cast<size_t>((at.x - m.left) / cells.pitch);
    const auto line = static_cast<size_t>((at.y - m.top) / m.height * static_cast<float>(cells.lines));
    return Place{std::min(column, cells.columns - 1), std::min(line, cells.lines - 1)};
}

void obey(const Rect& hit, const Look& look, PlotState& state, SharedX& shared, SharedRow& row) {
    const Mapping& m = state.mapping;
    const ImGuiIO& io = ImGui::GetIO();
    ImGui::SetCursorScreenPos(hit.min);
    ImGui::InvisibleButton("area", {std::max(hit.width(), 1.0f), std::max(hit.height(), 1.0f)});
    const bool hovered = ImGui::IsItemHovered();
    state.has_keyboard = look.focus.take_part(look);
    if (hovered && io.MouseWheel != 0) {
        const float unit = std::clamp((io.MousePos.x - m.left) / m.width, 0.0f, 1.0f);
        shared.view.set(zoomed(m.x, Scale::linear, std::pow(0.8, io.MouseWheel), unit));
    }
    if (ImGui::IsItemActive() && ImGui::IsMouseDragging(ImGuiMouseButton_Left, 3) && io.MouseDelta.x != 0)
        shared.view.set(panned(m.x, Scale::linear, io.MouseDelta.x / m.width));
    if (hovered && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) shared.view.fit();
    if (!state.has_keyboard) return state.looked_at.reset();
    if (const int up = arrows_up()) row.move(-up);
    double at = std::clamp(state.looked_at.value_or(m.x.high), m.x.low, m.x.high);
    if (const int moved = arrows_across())
        at = std::clamp(std::round(at) + moved * std::max(1.0, std::round(m.x.length() / m.width * 2)),
                        m.x.low, m.x.high);
    if (home_pressed()) shared.view.fit();
    state.looked_at = at;
    shared.next_marked = at;
}

Reading read(const Look& look, const HeatMapOptions& options, const HeatMap& map, const Fineness& fine,
             size_t column, size_t row) {
    const HeatCell cell = map.cell(column, row);
    const bool measured = std::isfinite(cell.value);
    const Color color =
        measured ? scale_color(look.theme, options.colors, level_of(fine.ends.range, double{cell.value}))
                 : look.theme.faint;
    Reading reading{map.steps[column],
                    {{options.value_name, color, double{cell.value},
                      measured ? short_number(double{cell.value}) : "not measured"}}};
    if (cell.steps > 1 && measured)
        reading.lines.push_back({"in the " + std::to_string(cell.steps) + " steps from here on",
                                 look.theme.panel, double{cell.low},
                                 short_number(double{cell.low}) + " to " + short_number(double{cell.high})});
    return reading;
}

}  // namespace

void draw_heat_map(const Look& look, const Rect& frame, const HeatMapOptions& options, const HeatMap& map,
                   PlotState& state, SharedX& steps, SharedRow& row) {
    const PanelArea panel = begin_panel(look, frame, options.panel, state.panel);
    const Rect& content = panel.content;
    state.reading.reset();
    look.plots.offer_table(options.panel.id, [&] {
        return table_of(options, map, steps.view.range(steps.data, Scale::linear));
    });
    if (map.steps.empty() || map.rows == 0) {
        state.has_keyboard = false;
        return empty_note(look, content, options.empty);
    }
    Mapping& m = state.mapping;
    const std::string widest = std::to_string(map.rows - 1);
    m.left =
        std::round(content.min.x + text_size(look.fonts.small, widest.c_str()).x + look.px(frame_gap + 3));
    m.width = std::max(std::round(content.max.x - look.px(2)) - m.left, 1.0f);
    m.top = std::round(content.min.y + look.px(steps.marks.empty() ? 4 : 2 + flag_height));
    const float below = look.px(x_labels + scale_height + scale_labels);
    m.height = std::max(std::round(content.max.y - below) - m.top, 1.0f);
    m.x = steps.view.range(steps.data, Scale::linear);

    ImDrawList& list = *ImGui::GetWindowDrawList();
    draw_x_axis(look, m, "");
    const Fineness fine = finest(options, map, m, std::max(2.0f, std::round(look.px(2))));
    draw_cells(look, list, options, m, fine);
    draw_gaps(look, list, m, fine.cells);
    draw_row_labels(look, list, m, fine.cells, map.rows);
    draw_scale(look, list, options, fine.ends, m, m.top + m.height + look.px(x_labels + 2));

    ImGui::PushID(options.panel.id);
    obey({{content.min.x, m.top}, {content.max.x, m.top + m.height}}, look, state, steps, row);
    const bool released = ImGui::IsItemDeactivated() && ImGui::GetIO().MouseDragMaxDistanceSqr[0] < 9;
    const bool over = ImGui::IsItemHovered();
    draw_mark_lines(look, list, m, steps.marks);
    if (steps.past) draw_past_line(look, list, m, *steps.past);
    draw_rows(look, list, m, fine.cells, row);
    if (const Mark* const mark = obey_flags(look, flags_across(look, m, steps.marks, m.top)))
        steps.look_closely(mark->x);
    ImGui::PopID();

    if (steps.marked && *steps.marked >= m.x.low && *steps.marked <= m.x.high) {
        const float x = std::round(m.to_x(*steps.marked));
        list.AddRectFilled({x, m.top}, {x + 1, m.top + m.height}, faded(look.theme.text, 0.6f));
    }
    std::optional<Place> place;
    ImVec2 at = ImGui::GetMousePos();
    if (over) {
        place = place_of(m, fine.cells, at);
    } else if (state.has_keyboard && row.chosen < row.count) {
        const Rect line = line_rect(m, fine.cells, row.chosen);
        at = {std::clamp(m.to_x(*state.looked_at), m.left, m.left + m.width - 1),
              (line.min.y + line.max.y) / 2};
        place = place_of(m, fine.cells, at);
    }
    if (!place || !fine.cells.column[place->column]) return;
    const size_t looked_at = over ? fine.cells.row[fine.cells.at(place->line, place->column)] : row.chosen;
    if (over) {
        row.next_marked = looked_at;
        steps.next_marked = m.from_x(at.x);
        if (released) row.chosen = looked_at;
    }
    state.reading = read(look, options, map, fine, *fine.cells.column[place->column], looked_at);
    draw_reading(
        look, at,
        options.row_name + " " + std::to_string(looked_at) + ", step " + whole_number(state.reading->x),
        state.reading->lines);
}

}  // namespace lab::plot
