#include "app/lab/statistics/channel_table.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "app/plot/tables.hpp"
#include "app/ui/focus.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

constexpr float head_height = 24, line_height = 22;
constexpr float number_width = 66, first_width = 46, least_curve = 56, bar_width = 6;
constexpr size_t lines_of_wheel = 3;

struct Columns {
    std::vector<const ChannelQuantity*> quantities;
    std::vector<float> right;  ///< edges of the numbers' columns
    float left, first_right, end;
    float curve_left = 0;  ///< where the curves begin; 0: there is no room for them
};

Columns lay_out(const Look& look, const plot::Rect& content, const ChannelTableOptions& options) {
    Columns columns{.quantities = options.quantities,
                    .right = {},
                    .left = content.min.x,
                    .first_right = content.min.x + look.px(first_width),
                    .end = content.max.x - look.px(bar_width + 6)};
    const bool gaps = options.quantities.back() == &mean_gap;
    const float room = columns.end - columns.first_right,
                count = static_cast<float>(options.quantities.size());
    const float numbers = std::min(look.px(number_width) * count, room);
    // What is left goes to the curves, or lies between the numbers.
    const float left_over = room - numbers, gap = look.px(18);
    const bool curves = gaps && left_over - gap >= look.px(least_curve);
    const float width = curves ? numbers / count : std::min(room / count, look.px(100));
    for (size_t i = 0; i < options.quantities.size(); ++i)
        columns.right.push_back(columns.first_right + width * static_cast<float>(i + 1));
    if (curves) columns.curve_left = columns.right.back() + gap;
    return columns;
}

std::vector<size_t> ordered(const ChannelTrace& trace, const ChannelTable& table) {
    std::vector<size_t> order(trace.channels());
    std::iota(order.begin(), order.end(), size_t{0});
    const ChannelQuantity* const by = table.sorted_by;
    if (!by) {
        if (!table.ascending) std::reverse(order.begin(), order.end());
        return order;
    }
    const auto key = [&](size_t channel) {
        const float value = trace.latest()[channel].*by->member;
        return by->by_size ? std::abs(value) : value;
    };
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        const float left = key(a), right = key(b);
        if (std::isnan(left) || std::isnan(right)) return !std::isnan(left) && std::isnan(right);
        return table.ascending ? left < right : left > right;
    });
    return order;
}

void draw_chevron(const Look& look, ImDrawList& list, ImVec2 at, bool up) {
    const float half = look.px(3.5f), rise = up ? -half / 2 : half / 2;
    const ImVec2 points[3] = {{at.x - half, at.y - rise}, {at.x, at.y + rise}, {at.x + half, at.y - rise}};
    plot::stroke(list, points, look.theme.text, look.px(1.4f));
}

// A click sorts: numbers the greatest first, then the least.
void draw_head(const Look& look, ImDrawList& list, const char* words, float right, float width, float top,
               const ChannelQuantity* quantity, ChannelTable& table) {
    ImGui::SetCursorScreenPos({right - width, top});
    if (press_area(look, words, {width, look.px(head_height)})) {
        table.ascending = table.sorted_by == quantity ? !table.ascending : quantity == nullptr;
        table.sorted_by = quantity;
        table.first = 0;
    }
    const bool sorted = table.sorted_by == quantity, hovered = ImGui::IsItemHovered();
    hint(look,
         quantity && quantity->by_size ? "Sorts the channels by the size of the gap, whatever its sign"
                                       : "Sorts the channels; once more, the other way round",
         Side::above);
    const ImVec2 size = plot::text_size(look.fonts.small, words);
    const float middle = top + look.px(head_height) / 2;
    plot::text(list, look.fonts.small, {right - size.x, middle - size.y / 2},
               sorted || hovered ? look.theme.text : look.theme.muted, words);
    if (sorted) draw_chevron(look, list, {right - size.x - look.px(8), middle}, table.ascending);
}

// What all curves reach up and down: but for 2 % of what is drawn.
float curve_reach(const ChannelTrace& trace) {
    constexpr size_t most_columns = 64;
    std::vector<float> sizes;
    const size_t count = trace.steps().size(), every = 1 + count / most_columns;
    for (size_t column = 0; column < count; column += every)
        for (size_t channel = 0; channel < trace.channels(); ++channel) {
            const float value = trace.cell(column, channel, mean_gap.member).value;
            if (std::isfinite(value)) sizes.push_back(std::abs(value));
        }
    if (sizes.empty()) return 1;
    const auto at = sizes.begin() + static_cast<ptrdiff_t>((sizes.size() - 1) * 98 / 100);
    std::nth_element(sizes.begin(), at, sizes.end());
    const float reach = std::max(*at, 1e-6f), unit = std::pow(10.0f, std::floor(std::log10(reach)));
    return std::ceil(reach / unit) * unit;
}

void draw_curve(const Look& look, ImDrawList& list, const ChannelTrace& trace, size_t channel, float left,
                float right, float middle, float reach, Color color) {
    const float half = look.px(line_height) / 2 - look.px(4), pitch = look.px(2);
    list.AddRectFilled({left, middle}, {right, middle + 1}, look.theme.grid);
    const size_t count = trace.steps().size();
    const double begin = trace.steps().front(), length = std::max(trace.steps().back() - begin, 1.0);
    std::vector<ImVec2> points;
    for (size_t column = 0; column < count; ++column) {
        const float x = left + static_cast<float>((trace.steps()[column] - begin) / length) * (right - left);
        if (!points.empty() && x < points.back().x + pitch) continue;
        const float value = trace.cell(column, channel, mean_gap.member).value;
        if (!std::isfinite(value)) continue;
        points.push_back({x, middle - std::clamp(value / reach, -1.0f, 1.0f) * half});
    }
    plot::stroke(list, points, color, look.px(1));
}

void draw_line(const Look& look, ImDrawList& list, const Columns& columns, const ChannelTableOptions& options,
               const ChannelTrace& trace, size_t channel, float top, float reach,
               const plot::SharedRow& row) {
    const plot::Rect line{{columns.left - look.px(6), top}, {columns.end, top + look.px(line_height)}};
    const bool chosen = row.chosen == channel;
    if (chosen || row.marked == channel)
        list.AddRectFilled(line.min, line.max,
                           chosen ? mixed(look.theme.panel, look.theme.grip, 0.16f) : look.theme.control,
                           look.px(5));
    if (chosen) list.AddRect(line.min, line.max, look.theme.grip, look.px(5));
    const auto number = [&](float right, Color color, const std::string& words) {
        const ImVec2 size = plot::text_size(look.fonts.mono, words.c_str());
        plot::text(list, look.fonts.mono, {right - size.x, top + (look.px(line_height) - size.y) / 2}, color,
                   words.c_str());
    };
    number(columns.first_right, chosen ? look.theme.text : look.theme.muted, std::to_string(channel));
    for (size_t i = 0; i < columns.quantities.size(); ++i)
        number(columns.right[i], look.theme.text,
               decimals(trace.latest()[channel].*columns.quantities[i]->member));
    if (columns.curve_left > 0)
        draw_curve(look, list, trace, channel, columns.curve_left, columns.end,
                   std::round(top + look.px(line_height) / 2), reach, options.color);
}

// A bar at the right that shows which lines are seen, and moves them.
void obey_bar(const Look& look, ImDrawList& list, const plot::Rect& track, size_t lines, size_t seen,
              ChannelTable& table) {
    if (seen >= lines) return;
    const float part = static_cast<float>(seen) / static_cast<float>(lines),
                height = std::max(track.height() * part, look.px(24)), room = track.height() - height;
    const auto most = static_cast<float>(lines - seen);
    ImGui::SetCursorScreenPos(track.min);
    ImGui::InvisibleButton("bar", {track.width(), track.height()});
    const float top = track.min.y + room * static_cast<float>(table.first) / most;
    const float pointer = ImGui::GetMousePos().y;
    if (ImGui::IsItemActivated())
        table.grabbed = pointer >= top && pointer < top + height ? pointer - top : height / 2;
    if (ImGui::IsItemActive())
        table.first = static_cast<size_t>(
            std::lround(std::clamp((pointer - table.grabbed - track.min.y) / room, 0.0f, 1.0f) * most));
    const bool lit = ImGui::IsItemHovered() || ImGui::IsItemActive();
    const float shown = track.min.y + room * static_cast<float>(table.first) / most;
    list.AddRectFilled({track.min.x, shown}, {track.max.x, shown + height},
                       lit ? look.theme.faint : look.theme.control_border, look.px(3));
}

Table table_of(const ChannelTableOptions& options, const ChannelTrace& trace) {
    Table table{{options.row_name}, {}};
    for (const ChannelQuantity* const quantity : options.quantities) table.head.emplace_back(quantity->name);
    for (size_t channel = 0; channel < trace.channels(); ++channel) {
        table.rows.push_back({std::to_string(channel)});
        for (const ChannelQuantity* const quantity : options.quantities)
            table.rows.back().push_back(plot::cell_text(trace.latest()[channel].*quantity->member));
    }
    return table;
}

}  // namespace

void draw_channel_table(const Look& look, const plot::Rect& frame, const ChannelTableOptions& options,
                        const ChannelTrace& trace, ChannelTable& table, plot::SharedRow& row) {
    const plot::PanelArea panel = plot::begin_panel(look, frame, options.panel, table.panel);
    look.plots.offer_table(options.panel.id, [&] { return table_of(options, trace); });
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const Columns columns = lay_out(look, panel.content, options);
    const float head_top = panel.content.min.y - look.px(4), top = head_top + look.px(head_height + 1);
    ImGui::PushID(options.panel.id);
    if (table.sorted_by && std::find(columns.quantities.begin(), columns.quantities.end(), table.sorted_by) ==
                               columns.quantities.end())
        table.sorted_by = nullptr;
    draw_head(look, list, options.row_name, columns.first_right, look.px(first_width), head_top, nullptr,
              table);
    for (size_t i = 0; i < columns.quantities.size(); ++i)
        draw_head(look, list, columns.quantities[i]->head, columns.right[i],
                  columns.right[i] - (i > 0 ? columns.right[i - 1] : columns.first_right), head_top,
                  columns.quantities[i], table);
    list.AddRectFilled({columns.left, top - 1}, {columns.end, top}, look.theme.border);
    const float reach = columns.curve_left > 0 ? curve_reach(trace) : 1;
    if (columns.curve_left > 0) {
        const std::string end = "\u00B1" + plot::short_number(static_cast<double>(reach));
        std::string shown = "gap over time, " + end;
        if (plot::text_size(look.fonts.small, shown.c_str()).x > columns.end - columns.curve_left)
            shown = "over time, " + end;
        shown = plot::fitted(look.fonts.small, shown, columns.end - columns.curve_left);
        const ImVec2 size = plot::text_size(look.fonts.small, shown.c_str());
        plot::text(list, look.fonts.small,
                   {columns.curve_left, head_top + (look.px(head_height) - size.y) / 2}, look.theme.muted,
                   shown.c_str());
    }

    const std::vector<size_t> order = ordered(trace, table);
    const plot::Rect body{{panel.content.min.x, top}, panel.content.max};
    const auto seen =
        std::min(order.size(), static_cast<size_t>(std::max(body.height() / look.px(line_height), 1.0f)));
    ImGui::SetCursorScreenPos(body.min);
    ImGui::InvisibleButton("lines",
                           {std::max(columns.end - body.min.x, 1.0f), std::max(body.height(), 1.0f)});
    const bool over = ImGui::IsItemHovered(), clicked = over && ImGui::IsItemDeactivated();
    table.has_keyboard = look.focus.take_part(look);
    const auto place = std::find(order.begin(), order.end(), row.chosen) - order.begin();
    if (const int up = table.has_keyboard ? arrows_up() : 0) {
        const auto last = static_cast<ptrdiff_t>(order.size()) - 1;
        row.chosen = order[static_cast<size_t>(std::clamp<ptrdiff_t>(place - up, 0, last))];
    }
    const size_t most = order.size() - seen;
    if (const float wheel = over ? ImGui::GetIO().MouseWheel : 0; wheel != 0) {
        const auto moved = static_cast<ptrdiff_t>(table.first) -
                           static_cast<ptrdiff_t>(std::lround(wheel * static_cast<float>(lines_of_wheel)));
        table.first = static_cast<size_t>(std::max<ptrdiff_t>(moved, 0));
    }
    const float line_at = (ImGui::GetMousePos().y - top) / look.px(line_height);
    if (over && line_at >= 0 && line_at < static_cast<float>(seen)) {
        const size_t channel = order[std::min(table.first + static_cast<size_t>(line_at), order.size() - 1)];
        row.next_marked = channel;
        if (clicked) table.revealed = row.chosen = channel;
    }
    if (table.revealed != row.chosen) {  // chosen elsewhere: it may have to come into sight
        table.revealed = row.chosen;
        const auto at =
            static_cast<size_t>(std::find(order.begin(), order.end(), row.chosen) - order.begin());
        if (at < table.first || at >= table.first + seen) table.first = at > seen / 2 ? at - seen / 2 : 0;
    }
    table.first = std::min(table.first, most);
    obey_bar(look, list,
             {{panel.content.max.x - look.px(bar_width), top + look.px(2)},
              {panel.content.max.x, top + look.px(line_height) * static_cast<float>(seen)}},
             order.size(), seen, table);
    table.first = std::min(table.first, most);
    for (size_t i = 0; i < seen; ++i)
        draw_line(look, list, columns, options, trace, order[table.first + i],
                  top + look.px(line_height) * static_cast<float>(i), reach, row);
    ImGui::PopID();
}

}  // namespace lab
