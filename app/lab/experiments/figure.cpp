#include "app/lab/experiments/figure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "app/lab/panels/twins.hpp"
#include "app/plot/decimate.hpp"
#include "app/plot/tables.hpp"
#include "app/plot/view.hpp"

namespace lab {

namespace {

constexpr float label_gap = 8, bottom_room = 38, marker = 4.5f;

double median_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string line_name(const Figure& figure, const StudyView& study, size_t twin) {
    if (figure.names[twin]) return figure.names[twin];
    for (const Trial& trial : study.trials)
        for (const RunRecord& run : trial.runs)
            if (twin < run.run.settings.twins.size()) return twin_name(run.run.settings, twin);
    return letter(twin);
}

/// The places of runs along the axis: their values in order, evenly apart.
std::vector<double> places(const Figure& figure, const DrawnFigure& drawn) {
    std::vector<double> all = drawn.places;
    for (const DrawnFigure::Line& line : drawn.lines)
        for (const Curve& curve : line.seeds)
            for (const auto& [x, y] : curve) all.push_back(x);
    for (const Reference& reference : figure.references) all.push_back(reference.x);
    std::sort(all.begin(), all.end());
    const auto same = [](double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(b); };
    all.erase(std::unique(all.begin(), all.end(), same), all.end());
    return all;
}

/// Where things are.
struct Axes {
    plot::Mapping mapping;
    std::vector<double> places;  // of values; empty: steps

    float x(double value) const {
        if (places.empty()) return mapping.to_x(value);
        const auto at = std::lower_bound(places.begin(), places.end(), value * (1 - 1e-6));
        const auto index = static_cast<float>(at - places.begin()) + 0.5f;
        return mapping.left + mapping.width * index / static_cast<float>(places.size());
    }
};

Axes axes_of(const Figure& figure, const DrawnFigure& drawn, plot::Scale scale) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    plot::Range x{infinity, -infinity}, y = x;
    const auto include = [&](double at, double value) {
        x = {std::min(x.low, at), std::max(x.high, at)};
        if (!std::isfinite(value) || (scale == plot::Scale::log && value <= 0)) return;
        y = {std::min(y.low, value), std::max(y.high, value)};
    };
    for (const DrawnFigure::Line& line : drawn.lines)
        for (const Curve& curve : line.seeds)
            for (const auto& [at, value] : curve) include(at, value);
    if (drawn.range)
        for (const double end : {drawn.range->low, drawn.range->high}) include(x.low, end);
    if (x.low > x.high) x = {0, 1};
    if (figure.x == Figure::Axis::steps) x.high = std::max(x.high, x.low + 1);
    for (const Reference& reference : figure.references)
        if (figure.x == Figure::Axis::values || reference.x <= x.high) include(reference.x, reference.y);
    if (y.low > y.high) y = {0, 1};
    if (figure.from_zero && scale == plot::Scale::linear) y.low = std::min(y.low, 0.0);
    Axes axes;
    axes.mapping.x = plot::sane(x, plot::Scale::linear);
    axes.mapping.y = plot::sane(plot::fitted(y, scale), scale);
    axes.mapping.y_scale = scale;
    if (figure.x == Figure::Axis::values) axes.places = places(figure, drawn);
    return axes;
}

void draw_axes(const Look& look, ImDrawList& list, Axes& axes, const plot::Rect& content,
               const Figure& figure) {
    plot::Mapping& m = axes.mapping;
    m.top = std::round(content.min.y + look.px(4));
    m.height = std::max(std::round(content.max.y - look.px(bottom_room)) - m.top, 1.0f);
    const auto ticks = plot::ticks(m.y, m.y_scale, static_cast<int>(m.height / look.px(40)));
    float room = look.px(40);
    for (const plot::Tick& tick : ticks)
        room = std::max(room, plot::text_size(look.fonts.small, tick.label.c_str()).x + look.px(label_gap));
    m.left = std::round(content.min.x + room);
    m.width = std::max(std::round(content.max.x - look.px(6)) - m.left, 1.0f);
    for (const plot::Tick& tick : ticks) {
        const float y = std::round(m.to_y(tick.value));
        list.AddRectFilled({m.left, y}, {m.left + m.width, y + 1}, look.theme.grid);
        const ImVec2 size = plot::text_size(look.fonts.small, tick.label.c_str());
        plot::text(list, look.fonts.small, {m.left - look.px(label_gap) - size.x, y - size.y / 2},
                   look.theme.muted, tick.label.c_str());
    }
    std::vector<plot::Tick> across;
    if (axes.places.empty())
        across = plot::ticks(m.x, plot::Scale::linear, static_cast<int>(m.width / look.px(70)));
    for (const double place : axes.places) across.push_back({place, plot::short_number(place)});
    const float bottom = m.top + m.height;
    float free_from = m.left - look.px(20);
    for (const plot::Tick& tick : across) {
        const float x = std::round(axes.x(tick.value));
        list.AddRectFilled({x, m.top}, {x + 1, bottom}, look.theme.grid);
        const ImVec2 size = plot::text_size(look.fonts.small, tick.label.c_str());
        const float left = std::min(x - size.x / 2, content.max.x - size.x);
        if (left < free_from) continue;
        plot::text(list, look.fonts.small, {left, bottom + look.px(4)}, look.theme.muted, tick.label.c_str());
        free_from = left + size.x + look.px(6);
    }
    // Below the numbers: what they are, and what hollow marks are.
    const std::string name = plot::fitted(look.fonts.small, figure.x_name, m.width);
    const ImVec2 size = plot::text_size(look.fonts.small, name.c_str());
    const float below = bottom + look.px(21), right = m.left + m.width - size.x;
    plot::text(list, look.fonts.small, {right, below}, look.theme.muted, name.c_str());
    if (figure.references.empty()) return;
    const std::string whose =
        plot::fitted(look.fonts.small, std::string("reference: ") + figure.references.front().whose,
                     right - m.left - look.px(24));
    list.AddCircle({m.left + look.px(5), below + size.y / 2}, look.px(marker), look.theme.muted, 20,
                   look.px(1.6f));
    plot::text(list, look.fonts.small, {m.left + look.px(15), below}, look.theme.muted, whose.c_str());
}

/// Along x, at most a point for each pixel.
std::vector<ImVec2> pixels(const Axes& axes, const Curve& curve) {
    std::vector<ImVec2> line;
    for (const auto& [x, y] : curve) {
        if (!std::isfinite(y) || (axes.mapping.y_scale == plot::Scale::log && y <= 0)) continue;
        const ImVec2 at{axes.x(x), axes.mapping.to_y(y)};
        if (line.empty() || at.x - line.back().x >= 1) line.push_back(at);
    }
    return line;
}

void draw_lines(const Look& look, ImDrawList& list, const Axes& axes, const Figure& figure,
                const DrawnFigure& drawn, const plot::PanelState& state, float width) {
    const bool dots = figure.x == Figure::Axis::values;
    for (size_t i = drawn.lines.size(); i-- > 0;) {
        const DrawnFigure::Line& line = drawn.lines[i];
        if (!state.shows(1u << i)) continue;
        const Color color = look.theme.twins[line.twin];
        for (const Curve& seed : line.seeds) {
            const std::vector<ImVec2> points = pixels(axes, seed);
            if (!dots && line.seeds.size() > 1) plot::stroke(list, points, faded(color, 0.4f), 1);
            if (dots)
                for (const ImVec2 at : points)
                    plot::disc(list, look.fonts, at, look.px(1.8f), faded(color, 0.6f));
        }
        const std::vector<ImVec2> median = pixels(axes, line.median);
        plot::stroke(list, median, color, width);
        if (dots || median.size() == 1)  // no line leads to a value that stands alone
            for (const ImVec2 at : median) plot::disc(list, look.fonts, at, width * 1.7f, color);
    }
}

void draw_band(ImDrawList& list, const Look& look, const Axes& axes, const DrawnFigure& drawn) {
    if (drawn.lines.size() != 2) return;
    const Curve &low = drawn.lines[0].median, &high = drawn.lines[1].median;
    std::vector<ImVec2> lower, upper;
    for (size_t i = 0; i < std::min(low.size(), high.size()); ++i) {
        const float x = axes.x(low[i].first);
        if (!lower.empty() && x - lower.back().x < 1) continue;
        lower.push_back({x, axes.mapping.to_y(low[i].second)});
        upper.push_back({x, axes.mapping.to_y(high[i].second)});
    }
    plot::area(list, upper, lower, faded(look.theme.twins[drawn.lines[0].twin], 0.3f));
}

void draw_references(const Look& look, ImDrawList& list, const Axes& axes, const Figure& figure) {
    const ImVec2 pointer = ImGui::GetMousePos();
    for (const Reference& reference : figure.references) {
        const plot::Mapping& m = axes.mapping;
        const ImVec2 at{axes.x(reference.x), m.to_y(reference.y)};
        if (at.x > m.left + m.width + 1) continue;  // of steps that this form does not make
        list.AddCircleFilled(at, look.px(marker), look.theme.panel, 20);
        list.AddCircle(at, look.px(marker), look.theme.twins[reference.twin], 20, look.px(1.6f));
        if (std::hypot(pointer.x - at.x, pointer.y - at.y) > look.px(8)) continue;
        const plot::ReadingLine line{letter(reference.twin) + " at " + plot::short_number(reference.x),
                                     look.theme.twins[reference.twin], reference.y,
                                     plot::short_number(reference.y)};
        plot::draw_reading(look, pointer, std::string("reference: ") + reference.whose, {&line, 1});
    }
}

// What was measured nearest to the pointer, of every line.
void draw_reading(const Look& look, const Axes& axes, const Figure& figure, const DrawnFigure& drawn) {
    const ImVec2 pointer = ImGui::GetMousePos();
    const plot::Mapping& m = axes.mapping;
    for (const Reference& reference : figure.references)
        if (std::hypot(pointer.x - axes.x(reference.x), pointer.y - m.to_y(reference.y)) <= look.px(8))
            return;
    std::vector<plot::ReadingLine> lines;
    double at = 0;
    for (const DrawnFigure::Line& line : drawn.lines) {
        const auto nearest =
            std::min_element(line.median.begin(), line.median.end(), [&](const auto& one, const auto& other) {
                return std::abs(axes.x(one.first) - pointer.x) < std::abs(axes.x(other.first) - pointer.x);
            });
        if (nearest == line.median.end()) continue;
        at = nearest->first;
        lines.push_back(
            {line.name, look.theme.twins[line.twin], nearest->second, plot::short_number(nearest->second)});
    }
    if (!lines.empty())
        plot::draw_reading(look, pointer, std::string(figure.x_name) + " " + plot::short_number(at), lines);
}

}  // namespace

Curve median_of(const std::vector<Curve>& seeds, size_t least) {
    std::map<double, std::vector<double>> all;
    for (const Curve& curve : seeds)
        for (const auto& [x, y] : curve)
            if (std::isfinite(y)) all[x].push_back(y);
    Curve median;
    for (auto& [x, values] : all)
        if (values.size() >= least) median.emplace_back(x, median_of(std::move(values)));
    return median;
}

DrawnFigure drawn_figure(const Figure& figure, const StudyView& study) {
    DrawnFigure drawn;
    const auto add = [&](size_t twin, Curve (*points)(const Trial&, size_t), std::string name) {
        DrawnFigure::Line line{twin, std::move(name), {}, {}};
        for (const Trial& trial : study.trials)
            if (!trial.runs.empty())
                if (Curve curve = points(trial, twin); !curve.empty()) line.seeds.push_back(std::move(curve));
        line.median = median_of(line.seeds, line.seeds.size());
        drawn.lines.push_back(std::move(line));
    };
    for (const size_t twin : figure.twins) add(twin, figure.points, line_name(figure, study, twin));
    if (figure.upper) add(figure.twins.front(), figure.upper, "");
    return drawn;
}

void draw_number(const Look& look, ImDrawList& list, ImVec2 center, size_t number, bool ringed) {
    const float reach = look.px(9);
    const ImVec2 low{std::round(center.x - reach), std::round(center.y - reach)},
        high{low.x + 2 * reach, low.y + 2 * reach};
    list.AddRectFilled(low, high, ringed ? look.theme.accent : look.theme.control, look.px(4));
    const std::string digit = std::to_string(number);
    const ImVec2 size = plot::text_size(look.fonts.small, digit.c_str());
    plot::text(list, look.fonts.small, {(low.x + high.x - size.x) / 2, (low.y + high.y - size.y) / 2},
               ringed ? look.theme.on_accent : look.theme.text, digit.c_str());
}

namespace {

Table table_of(const Figure& figure, const DrawnFigure& drawn) {
    Table table{{"line", "seed", figure.x_name, figure.title}, {}};
    const auto add = [&](const DrawnFigure::Line& line, const std::string& seed, const Curve& curve) {
        const auto cell = [](double value) { return plot::cell_text(static_cast<float>(value)); };
        const std::string name = line.name.empty() ? letter(line.twin) + ", upper" : line.name;
        for (const auto& [x, y] : curve) table.rows.push_back({name, seed, cell(x), cell(y)});
    };
    for (const DrawnFigure::Line& line : drawn.lines) {
        for (size_t i = 0; i < line.seeds.size(); ++i) add(line, std::to_string(i + 1), line.seeds[i]);
        add(line, "median", line.median);
    }
    return table;
}

}  // namespace

void draw_figure(const FigureFrame& at, const Figure& figure, const DrawnFigure& drawn,
                 plot::PanelState& state) {
    const Look& look = at.look;
    std::vector<plot::LegendEntry> legend;
    for (const DrawnFigure::Line& line : drawn.lines)
        if (!line.name.empty())
            legend.push_back({.label = line.name,
                              .color = look.theme.twins[line.twin],
                              .brief = figure.names[line.twin] ? line.name : letter(line.twin)});
    const Explanation explanation{
        figure.title, "",
        at.number > 0
            ? "Strong lines are medians over the seeds, faint ones single seeds; hollow marks "
              "are what the source found."
            : "One dot is one run: strong ones are medians over the seeds, faint ones single seeds."};
    // Room for the number before the title.
    const plot::PanelArea panel =
        plot::begin_panel(look, at.frame,
                          {.id = figure.title,
                           .title = (at.number > 0 ? "       " : "") + std::string(figure.title),
                           .explanation = explanation,
                           .legend = legend,
                           .can_log = true},
                          state);
    look.plots.offer_table(figure.title, [&] { return table_of(figure, drawn); });
    ImDrawList& list = *ImGui::GetWindowDrawList();
    if (at.number > 0)
        draw_number(look, list, {at.frame.min.x + look.px(19), at.frame.min.y + look.px(17)}, at.number,
                    at.ringed);
    if (at.ringed) list.AddRect(at.frame.min, at.frame.max, look.theme.grip, look.px(8), 0, look.px(2));
    const bool any = std::any_of(drawn.lines.begin(), drawn.lines.end(),
                                 [](const DrawnFigure::Line& line) { return !line.seeds.empty(); });
    if (!any) return plot::empty_note(look, panel.content, "Not measured yet");
    Axes axes = axes_of(figure, drawn, state.scale);
    draw_axes(look, list, axes, panel.content, figure);
    const plot::Mapping& m = axes.mapping;
    list.PushClipRect({m.left - look.px(6), m.top - look.px(6)},
                      {m.left + m.width + look.px(6), m.top + m.height + look.px(6)}, true);
    if (figure.upper) draw_band(list, look, axes, drawn);
    draw_lines(look, list, axes, figure, drawn, state, look.px(figure.upper ? 1.2f : 2));
    draw_references(look, list, axes, figure);
    list.PopClipRect();
    if (panel.hovered && ImGui::GetMousePos().y > m.top) draw_reading(look, axes, figure, drawn);
}

void draw_miniature(const Look& look, ImDrawList& list, const plot::Rect& frame, const Figure& figure,
                    const DrawnFigure& drawn) {
    const plot::Scale scale = figure.log ? plot::Scale::log : plot::Scale::linear;
    Axes axes = axes_of(figure, drawn, scale);
    plot::Mapping& m = axes.mapping;
    m.left = frame.min.x + look.px(5);
    m.top = frame.min.y + look.px(5);
    m.width = frame.width() - look.px(10);
    m.height = frame.height() - look.px(10);
    list.PushClipRect(frame.min, frame.max, true);
    if (figure.upper) draw_band(list, look, axes, drawn);
    DrawnFigure medians = drawn;
    for (DrawnFigure::Line& line : medians.lines) line.seeds.clear();
    draw_lines(look, list, axes, figure, medians, {}, look.px(1.4f));
    list.PopClipRect();
}

}  // namespace lab
