#include "app/plot/ridgeline.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <imgui_internal.h>
#include <limits>
#include <numeric>
#include <utility>

#include "app/plot/layout.hpp"
#include "app/plot/tables.hpp"
#include "app/ui/focus.hpp"

namespace lab::plot {

namespace {

constexpr float right_margin = 44, bottom_margin = 20;  // room for steps and tick labels
constexpr float note_height = 17;                       // of the line about what lies beyond
constexpr float highest = 1.1f;                         // of a ridge, in amplitudes
constexpr float least_seen = 0.3f, straight = 0.15f;    // of a pixel: what is worth drawing, or a point

/// A ridge as it is drawn: its bins merged, shares by width.
struct Shape {
    Range bins;
    std::vector<float> share, density;

    Shape(const Ridge& ridge, size_t merged) : bins(ridge.bins) {
        for (size_t first = 0; first < ridge.share.size(); first += merged) {
            const auto begin = ridge.share.begin() + static_cast<ptrdiff_t>(first);
            share.push_back(std::accumulate(begin, begin + static_cast<ptrdiff_t>(merged), 0.0f));
            density.push_back(share.back());
        }
        for (float& height : density) height /= static_cast<float>(width());
    }

    double width() const { return bins.length() / static_cast<double>(share.size()); }
    double low(size_t bin) const { return bins.low + width() * static_cast<double>(bin); }
    std::optional<size_t> bin_at(double value) const {
        if (share.empty() || value < bins.low || value >= bins.high) return std::nullopt;
        // The quotient of a value just below the end may be rounded to 1.
        return std::min(static_cast<size_t>((value - bins.low) / width()), share.size() - 1);
    }
};

/// All that is drawn, and where.
struct Scene {
    const RidgelineOptions& options;
    std::span<const Ridge> ridges;
    std::vector<Shape> shapes;
    const Mapping& m;
    RidgeLayout layout;
    float scale = 1;  ///< pixels, of a density of 1

    float baseline(size_t i) const { return options.overlay ? m.top + m.height : layout.baseline(i); }
    float height(size_t i, size_t bin) const {
        return std::min(shapes[i].density[bin] * scale, layout.amplitude * highest);
    }
    bool measured(size_t i) const { return !ridges[i].share.empty(); }
    size_t newest() const {  // that is measured
        size_t i = ridges.size() - 1;
        while (!measured(i)) --i;
        return i;
    }
};

Scene scene_of(const Look& look, const RidgelineOptions& options, std::span<const Ridge> ridges,
               const Mapping& m) {
    Scene scene{.options = options, .ridges = ridges, .shapes = {}, .m = m, .layout = {}};
    for (const Ridge& ridge : ridges) scene.shapes.emplace_back(ridge, options.merged);
    std::vector<std::span<const float>> rows;
    for (const Shape& shape : scene.shapes) rows.emplace_back(shape.density);
    scene.layout = options.overlay
                       ? RidgeLayout{.pitch = 0, .amplitude = m.height / highest, .first = m.top + m.height}
                       : ridge_layout(ridges.size(), m.top, m.top + m.height - look.px(2));
    scene.scale = scene.layout.amplitude / ridge_scale(rows);
    return scene;
}

// The line over a ridge, and the one below it.
struct Outline {
    std::vector<ImVec2> upper, lower;
    std::vector<float> cut;  ///< where it is higher than there is room for
};

Outline outline_of(const Scene& scene, size_t i) {
    Outline outline;
    const Shape& shape = scene.shapes[i];
    const float baseline = scene.baseline(i), room = scene.layout.amplitude * highest;
    const auto add = [&](double value, float height) {
        const float x = scene.m.to_x(value);
        std::vector<ImVec2>& upper = outline.upper;
        const size_t count = upper.size();
        // What lies on a level line needs no points.
        if (count > 1 && std::abs(upper[count - 1].y - (baseline - height)) < straight &&
            std::abs(upper[count - 2].y - (baseline - height)) < straight) {
            upper.back().x = outline.lower.back().x = x;
            return;
        }
        upper.push_back({x, baseline - height});
        outline.lower.push_back({x, baseline});
    };
    size_t first = 0, end = shape.density.size();
    const auto seen = [&](size_t bin) { return shape.density[bin] * scene.scale > least_seen; };
    while (first < end && !seen(first)) ++first;
    while (end > first && !seen(end - 1)) --end;
    if (first == end) return outline;
    add(shape.low(first), 0);
    for (size_t bin = first; bin < end; ++bin) {
        const double middle = shape.low(bin) + shape.width() / 2;
        add(middle, scene.height(i, bin));
        if (shape.density[bin] * scene.scale > room) outline.cut.push_back(scene.m.to_x(middle));
    }
    add(shape.low(end), 0);
    return outline;
}

// What sets a ridge off from those behind it; not along the sides of spikes, of which it would leave nothing.
void draw_edge(const Look& look, ImDrawList& list, std::span<const ImVec2> upper) {
    constexpr float steep = 4;
    const Color color = look.theme.dark ? faded(look.theme.ground, 0.9f) : look.theme.panel;
    size_t first = 0;
    for (size_t i = 1; i <= upper.size(); ++i) {
        const bool goes_on = i < upper.size() && std::abs(upper[i].y - upper[i - 1].y) <=
                                                     steep * std::abs(upper[i].x - upper[i - 1].x);
        if (goes_on) continue;
        stroke(list, upper.subspan(first, i - first), color, look.px(1.1f));
        first = i;
    }
}

void draw_ridge(const Look& look, ImDrawList& list, const Scene& scene, size_t i, Color color,
                std::optional<Color> ring) {
    const Outline outline = outline_of(scene, i);
    const bool newest = i == scene.newest(), overlay = scene.options.overlay;
    if (!overlay || newest)
        area(list, outline.upper, outline.lower, overlay ? mixed(look.theme.panel, color, 0.25f) : color);
    if (ring || overlay)
        stroke(list, outline.upper, ring.value_or(color), look.px(ring ? 1.6f : newest ? 1.8f : 1.1f));
    else
        draw_edge(look, list, outline.upper);
    if (!newest) return;
    const float top = scene.baseline(i) - scene.layout.amplitude * 0.92f, reach = look.px(4);
    for (const float x : outline.cut) {
        const ImVec2 notch[2] = {{x - reach, top + look.px(2)}, {x + reach, top - look.px(2)}};
        stroke(list, notch, look.theme.panel, look.px(2));
    }
}

std::string percent(double share) {
    std::array<char, 24> text;
    std::snprintf(text.data(), text.size(), "%.2f %%", share * 100);
    return text.data();
}

/// What pointer or keyboard is on.
struct Place {
    size_t ridge;
    double value;
};

size_t ridge_at(const Scene& scene, ImVec2 at) {
    const size_t count = scene.ridges.size();
    if (!scene.options.overlay) {
        const float row = std::round((at.y - scene.layout.first) / scene.layout.pitch);
        return static_cast<size_t>(std::clamp(row, 0.0f, static_cast<float>(count - 1)));
    }
    size_t nearest = count - 1;
    float least = std::numeric_limits<float>::infinity();
    for (size_t i = count; i-- > 0;) {
        const auto bin = scene.shapes[i].bin_at(scene.m.from_x(at.x));
        if (!bin) continue;
        const float apart = std::abs(scene.baseline(i) - scene.height(i, *bin) - at.y);
        if (apart >= least) continue;
        least = apart;
        nearest = i;
    }
    return nearest;
}

// Wheel: zoom around the pointer, the values; with shift, or over the steps, those. Drag: pan. Double click,
// Home: fit. Arrows: bins, and ridges.
std::optional<Place> obey(const Rect& hit, const Look& look, const Scene& scene, PlotState& state,
                          SharedX& steps) {
    const Mapping& m = scene.m;
    const ImGuiIO& io = ImGui::GetIO();
    ImGui::SetCursorScreenPos(hit.min);
    ImGui::InvisibleButton("area", {std::max(hit.width(), 1.0f), std::max(hit.height(), 1.0f)});
    const bool over = ImGui::IsItemHovered();
    state.has_keyboard = look.focus.take_part(look);
    const float unit = std::clamp((io.MousePos.x - m.left) / m.width, 0.0f, 1.0f);
    const size_t under = ridge_at(scene, io.MousePos);
    if (over && io.MouseWheel != 0) {
        const double factor = std::pow(0.8, io.MouseWheel);
        if (io.KeyShift || io.MousePos.x > m.left + m.width) {
            const Range shown = steps.view.range(steps.data, Scale::linear);
            const double at = to_unit(shown, Scale::linear, static_cast<double>(scene.ridges[under].step));
            steps.view.set(zoomed(shown, Scale::linear, factor, std::clamp(at, 0.0, 1.0)));
        } else {
            state.values.set(zoomed(m.x, Scale::linear, factor, unit));
        }
    }
    if (ImGui::IsItemActive() && ImGui::IsMouseDragging(ImGuiMouseButton_Left, 3) && io.MouseDelta.x != 0)
        state.values.set(panned(m.x, Scale::linear, io.MouseDelta.x / m.width));
    if (over && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) state.values.fit();
    if (!state.has_keyboard) {
        state.looked_at.reset();
        state.value_looked_at.reset();
        if (!over || io.MousePos.y < m.top || io.MousePos.y > m.top + m.height) return std::nullopt;
        return Place{under, m.from_x(io.MousePos.x)};
    }
    // The ridge of the step looked at, or the newest.
    size_t ridge = scene.ridges.size() - 1;
    while (state.looked_at && ridge > 0 && static_cast<double>(scene.ridges[ridge].step) > *state.looked_at)
        --ridge;
    if (const int up = arrows_up())
        ridge = static_cast<size_t>(std::clamp<ptrdiff_t>(static_cast<ptrdiff_t>(ridge) - up, 0,
                                                          static_cast<ptrdiff_t>(scene.ridges.size()) - 1));
    double value = state.value_looked_at.value_or((m.x.low + m.x.high) / 2);
    if (scene.measured(ridge)) value += arrows_across() * scene.shapes[ridge].width();
    if (home_pressed()) state.values.fit();
    state.value_looked_at = std::clamp(value, m.x.low, m.x.high);
    state.looked_at = static_cast<double>(scene.ridges[ridge].step);
    return Place{ridge, *state.value_looked_at};
}

// Of the newest ridge, what lies beyond the axis, zoomed or not.
double share_beyond(const Scene& scene, bool low) {
    const size_t i = scene.newest();
    const Shape& shape = scene.shapes[i];
    const Range& values = scene.options.values;
    double share = low ? scene.ridges[i].below : scene.ridges[i].above;
    for (size_t bin = 0; bin < shape.share.size(); ++bin)
        if (low ? shape.low(bin + 1) <= values.low : shape.low(bin) >= values.high) share += shape.share[bin];
    return share;
}

// "8.6 % beyond" at either end, above the newest ridge, which it tells of; less, and to the card's end, where
// room is short.
void draw_beyond(const Look& look, ImDrawList& list, const Scene& scene, const Rect& content) {
    const Mapping& m = scene.m;
    const bool brief = m.width < look.px(230);
    for (const bool low : {true, false}) {
        const double share = share_beyond(scene, low);
        std::array<char, 32> number;
        std::snprintf(number.data(), number.size(), share < 0.0005 ? "<0.1 %%" : "%.1f %%", share * 100);
        std::string words = share > 0 ? number.data() : brief ? "0 %" : "none";
        if (!brief) words += " beyond";
        const ImVec2 size = text_size(look.fonts.small, words.c_str());
        const float arrow = look.px(4), top = content.min.y - look.px(2), middle = top + size.y / 2;
        const float tip = low ? m.left : brief ? content.max.x : m.left + m.width;
        const float back = low ? tip + arrow : tip - arrow;
        const Color color = share > 0 ? look.theme.warning : look.theme.muted;
        const ImVec2 head[3] = {{back, middle - arrow}, {tip, middle}, {back, middle + arrow}};
        stroke(list, head, color, look.px(1.4f));
        text(list, look.fonts.small, {low ? back + look.px(5) : back - look.px(5) - size.x, top}, color,
             words.c_str());
    }
}

// Names the ridge, the bin and what is in it.
std::optional<Reading> read(const Look& look, const Scene& scene, const Place& place) {
    const Ridge& ridge = scene.ridges[place.ridge];
    const auto step = static_cast<double>(ridge.step);
    if (!scene.measured(place.ridge))
        return Reading{
            step,
            {{"to " + whole_number(static_cast<double>(ridge.until)), look.theme.faint, 0, "not measured"}}};
    const Shape& shape = scene.shapes[place.ridge];
    const auto bin = shape.bin_at(place.value);
    if (!bin) return std::nullopt;
    const double share = shape.share[*bin];
    Reading reading{step,
                    {{short_number(shape.low(*bin)) + " to " + short_number(shape.low(*bin + 1)),
                      scene.options.color, share, percent(share)}}};
    if (ridge.count > 0) {
        const double values = std::round(share * static_cast<double>(ridge.count));
        reading.lines.push_back({"of " + whole_number(static_cast<double>(ridge.count)) + " values",
                                 look.theme.panel, values, whole_number(values)});
    }
    return reading;
}

// The baseline of the first ridge from the mark's step on; NaN: there is none, or all are.
float place_of(const Mark& mark, const Scene& scene) {
    const auto found = std::find_if(scene.ridges.begin(), scene.ridges.end(), [&](const Ridge& ridge) {
        return static_cast<double>(ridge.step) >= mark.x;
    });
    const bool none = found == scene.ridges.end() || scene.options.overlay;
    if (none || (found == scene.ridges.begin() && static_cast<double>(found->step) > mark.x))
        return std::numeric_limits<float>::quiet_NaN();
    return scene.layout.baseline(static_cast<size_t>(found - scene.ridges.begin()));
}

// The latest one up to that step.
std::optional<size_t> ridge_of(std::span<const Ridge> ridges, std::optional<double> step) {
    if (!step) return std::nullopt;
    const auto after = std::find_if(ridges.begin(), ridges.end(), [&](const Ridge& ridge) {
        return static_cast<double>(ridge.step) > *step + 0.5;
    });
    if (after == ridges.begin()) return std::nullopt;
    return static_cast<size_t>(after - ridges.begin()) - 1;
}

void draw_steps(const Look& look, ImDrawList& list, const Scene& scene, float right) {
    const auto label = [&](const std::string& words, float y) {
        const ImVec2 size = text_size(look.fonts.small, words.c_str());
        text(list, look.fonts.small, {right - size.x, y}, look.theme.muted, words.c_str());
    };
    const auto step = [&](size_t i) { return short_number(static_cast<double>(scene.ridges[i].step)); };
    const float line = text_size(look.fonts.small, "0").y;
    if (scene.options.overlay) {
        size_t oldest = 0;
        while (!scene.measured(oldest)) ++oldest;
        if (oldest < scene.newest()) label(step(oldest) + " to", scene.m.top);
        label(step(scene.newest()), scene.m.top + line);
        return;
    }
    const size_t every = 1 + static_cast<size_t>(look.px(18) / scene.layout.pitch);
    for (size_t i = scene.ridges.size() - 1;; i -= every) {
        label(step(i), scene.layout.baseline(i) - line + look.px(2));
        if (i < every) break;
    }
}

void draw_ridges(const Look& look, ImDrawList& list, const Scene& scene, const SharedX& steps,
                 std::span<const float> mark_places) {
    const Mapping& m = scene.m;
    const size_t count = scene.ridges.size();
    const auto& held = scene.options.chosen;
    const auto marked = ridge_of(scene.ridges, steps.marked),
               chosen =
                   ridge_of(scene.ridges, held ? std::optional(static_cast<double>(*held)) : std::nullopt);
    const auto draw = [&](size_t i) {
        const float age = count < 2 ? 1 : static_cast<float>(i) / static_cast<float>(count - 1);
        const float strength = scene.options.overlay ? 0.16f + 0.84f * age * age : 0.42f + 0.58f * age;
        draw_ridge(look, list, scene, i, mixed(look.theme.panel, scene.options.color, strength),
                   i == marked   ? std::optional(look.theme.text)
                   : i == chosen ? std::optional(look.theme.grip)
                                 : std::nullopt);
    };
    for (size_t i = 0; i < count; ++i) {
        if (scene.measured(i))
            draw(i);
        else if (!scene.options.overlay)
            hatch(look, list,
                  {{m.left, scene.baseline(i) - scene.layout.pitch}, {m.left + m.width, scene.baseline(i)}});
        for (size_t k = 0; k < mark_places.size(); ++k)
            if (mark_places[k] == scene.baseline(i))
                list.AddRectFilled({m.left, mark_places[k]}, {m.left + m.width, mark_places[k] + 1},
                                   mark_color(look, steps.marks[k]));
    }
    for (const auto& ringed : {chosen, marked})  // on one line, in front of the others
        if (scene.options.overlay && ringed && scene.measured(*ringed)) draw(*ringed);
}

}  // namespace

std::optional<uint64_t> draw_ridgeline(const Look& look, const Rect& frame, const RidgelineOptions& options,
                                       std::span<const Ridge> ridges, PlotState& state, SharedX& steps) {
    const PanelArea panel = begin_panel(look, frame, options.panel, state.panel);
    const Rect& content = panel.content;
    state.reading.reset();
    look.plots.offer_table(options.panel.id, [&] { return table_of(ridges); });
    if (std::all_of(ridges.begin(), ridges.end(), [](const Ridge& ridge) { return ridge.share.empty(); })) {
        state.has_keyboard = false;
        empty_note(look, content, options.empty);
        return std::nullopt;
    }
    Mapping& m = state.mapping;
    m.left = std::round(content.min.x + look.px(6));
    m.top = std::round(content.min.y + look.px(6 + note_height));
    m.width = std::max(std::round(content.max.x - look.px(right_margin)) - m.left, 1.0f);
    m.height = std::max(std::round(content.max.y - look.px(bottom_margin)) - m.top, 1.0f);
    m.x = state.values.range(options.values, Scale::linear);
    draw_x_axis(look, m, "");

    const Scene scene = scene_of(look, options, ridges, m);
    std::vector<float> mark_places, flag_places;
    for (const Mark& mark : steps.marks) {
        mark_places.push_back(place_of(mark, scene));
        // Not on the labels below; NaN stays what it is.
        const float lowest = m.top + m.height - look.px(flag_height / 2);
        flag_places.push_back(mark_places.back() > lowest ? lowest : mark_places.back());
    }
    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.PushClipRect({m.left, m.top - look.px(6)}, {m.left + m.width, m.top + m.height}, true);
    draw_ridges(look, list, scene, steps, mark_places);
    list.PopClipRect();
    draw_steps(look, list, scene, content.max.x);
    draw_beyond(look, list, scene, content);

    ImGui::PushID(options.panel.id);
    const Mark* const clicked = obey_flags(look, flags_down(look, steps.marks, m.left, flag_places));
    const std::optional<Place> place = obey(content, look, scene, state, steps);
    const bool pressed = (ImGui::IsItemDeactivated() && ImGui::IsItemHovered() &&
                          ImGui::GetIO().MouseDragMaxDistanceSqr[0] < 9) ||
                         look.focus.pressed(ImGui::GetItemID());
    ImGui::PopID();
    if (clicked) steps.look_closely(clicked->x);
    if (!place) return std::nullopt;
    const auto step = static_cast<double>(ridges[place->ridge].step);
    steps.next_marked = step;
    state.reading = read(look, scene, *place);
    if (state.reading) {
        const ImVec2 at = state.has_keyboard ? ImVec2{m.to_x(place->value), scene.baseline(place->ridge)}
                                             : ImGui::GetMousePos();
        draw_reading(look, at, "step " + whole_number(step), state.reading->lines);
    }
    if (!pressed || !scene.measured(place->ridge)) return std::nullopt;
    return ridges[place->ridge].step;
}

}  // namespace lab::plot
