#include "app/plot/ridgeline.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "app/plot/layout.hpp"
#include "app/plot/tables.hpp"
#include "app/ui/focus.hpp"

namespace lab::plot {

namespace {

constexpr float right_margin = 44, bottom_margin = 20;  // room for steps and tick labels
constexpr float note_height = 17;                       // of the line about what lies beyond

double bin_center(const Range& bins, size_t count, size_t bin) {
    return bins.low + (static_cast<double>(bin) + 0.5) * bins.length() / static_cast<double>(count);
}

void draw_ridge(const Look& look, ImDrawList& list, const Ridge& ridge, const Range& bins, const Mapping& m,
                float baseline, float amplitude, float highest, Color color) {
    std::vector<ImVec2> upper, lower;
    const size_t count = ridge.share.size();
    upper.reserve(count + 2);
    lower.reserve(count + 2);
    const auto add = [&](double value, float height) {
        const float x = m.to_x(value);
        upper.push_back({x, baseline - height});
        lower.push_back({x, baseline});
    };
    const auto seen = [&](float share) { return share * amplitude > 0.3f; };  // of a pixel
    const auto first = std::find_if(ridge.share.begin(), ridge.share.end(), seen) - ridge.share.begin();
    const auto end =
        std::find_if(ridge.share.rbegin(), ridge.share.rend(), seen).base() - ridge.share.begin();
    if (first >= end) return;
    const double half = bins.length() / static_cast<double>(count) / 2;
    add(bin_center(bins, count, static_cast<size_t>(first)) - half, 0);
    for (auto i = static_cast<size_t>(first); i < static_cast<size_t>(end); ++i)
        add(bin_center(bins, count, i), std::min(ridge.share[i] * amplitude, highest));
    add(bin_center(bins, count, static_cast<size_t>(end) - 1) + half, 0);
    area(list, upper, lower, color);
    stroke(list, upper, look.theme.dark ? faded(look.theme.ground, 0.9f) : look.theme.panel, look.px(1.1f));
}

std::string percent(double share) {
    std::array<char, 24> text;
    std::snprintf(text.data(), text.size(), "%.2f %%", share * 100);
    return text.data();
}

// Returns whether the pointer is over the ridges.
bool obey(const Rect& hit, const Look& look, const Mapping& m, PlotState& state) {
    const ImGuiIO& io = ImGui::GetIO();
    ImGui::SetCursorScreenPos(hit.min);
    ImGui::InvisibleButton("area", {std::max(hit.width(), 1.0f), std::max(hit.height(), 1.0f)});
    const bool over = ImGui::IsItemHovered();
    state.has_keyboard = look.focus.take_part(look);
    if (state.has_keyboard) {
        if (const int zoom = arrows_up())
            state.values.set(zoomed(m.x, Scale::linear, std::pow(0.8, zoom), 0.5));
        if (const int moved = arrows_across()) state.values.set(panned(m.x, Scale::linear, -0.05 * moved));
        if (home_pressed()) state.values.fit();
    }
    const float unit = std::clamp((io.MousePos.x - m.left) / m.width, 0.0f, 1.0f);
    if (over && io.MouseWheel != 0)
        state.values.set(zoomed(m.x, Scale::linear, std::pow(0.8, io.MouseWheel), unit));
    if (ImGui::IsItemActive() && ImGui::IsMouseDragging(ImGuiMouseButton_Left, 3) && io.MouseDelta.x != 0)
        state.values.set(panned(m.x, Scale::linear, io.MouseDelta.x / m.width));
    if (over && ImGui::IsMouseDoubleClicked(ImGuiMouseButton_Left)) state.values.fit();
    return over;
}

// "8.6 % beyond" at either end, above the newest ridge, which it tells of; less, and to the card's end, where
// room is short.
void draw_beyond(const Look& look, ImDrawList& list, const Mapping& m, const Rect& content,
                 const Ridge& newest) {
    const bool brief = m.width < look.px(230);
    for (const bool low : {true, false}) {
        const float share = low ? newest.below : newest.above;
        std::array<char, 32> words;
        std::snprintf(words.data(), words.size(), brief ? "%.1f %%" : "%.1f %% beyond",
                      static_cast<double>(share) * 100);
        if (!(share > 0)) std::snprintf(words.data(), words.size(), brief ? "0 %%" : "none beyond");
        const ImVec2 size = text_size(look.fonts.small, words.data());
        const float arrow = look.px(4), top = content.min.y - look.px(2), middle = top + size.y / 2;
        const float tip = low ? m.left : brief ? content.max.x : m.left + m.width;
        const float back = low ? tip + arrow : tip - arrow;
        const Color color = share > 0 ? look.theme.warning : look.theme.muted;
        const ImVec2 head[3] = {{back, middle - arrow}, {tip, middle}, {back, middle + arrow}};
        stroke(list, head, color, look.px(1.4f));
        text(list, look.fonts.small, {low ? back + look.px(5) : back - look.px(5) - size.x, top}, color,
             words.data());
    }
}

// Names the ridge and the bin under the pointer.
std::optional<Reading> read(const Range& bins, std::span<const Ridge> ridges, const Mapping& m,
                            const RidgeLayout& layout, Color color) {
    const ImVec2 mouse = ImGui::GetMousePos();
    const double value = m.from_x(mouse.x);
    if (mouse.y < m.top || mouse.y > m.top + m.height || value < bins.low || value >= bins.high) return {};
    const float row = std::round((mouse.y - layout.first) / layout.pitch);
    const Ridge& ridge =
        ridges[static_cast<size_t>(std::clamp(row, 0.0f, static_cast<float>(ridges.size() - 1)))];
    const double count = static_cast<double>(ridge.share.size());
    // The quotient of a value just below the end may be rounded to 1.
    const size_t bin =
        std::min(static_cast<size_t>((value - bins.low) / bins.length() * count), ridge.share.size() - 1);
    const double low = bins.low + static_cast<double>(bin) * bins.length() / count;
    const double share = ridge.share[bin];
    return Reading{static_cast<double>(ridge.step),
                   {{short_number(low) + " to " + short_number(low + bins.length() / count), color, share,
                     percent(share)}}};
}

// The baseline of the first ridge from the mark's step on; NaN: there is none, or all are.
float place_of(const Mark& mark, std::span<const Ridge> ridges, const RidgeLayout& layout) {
    const auto found = std::find_if(ridges.begin(), ridges.end(), [&](const Ridge& ridge) {
        return static_cast<double>(ridge.step) >= mark.x;
    });
    if (found == ridges.end() || (found == ridges.begin() && static_cast<double>(found->step) > mark.x))
        return std::numeric_limits<float>::quiet_NaN();
    return layout.baseline(static_cast<size_t>(found - ridges.begin()));
}

}  // namespace

void draw_ridgeline(const Look& look, const Rect& frame, const RidgelineOptions& options,
                    std::span<const Ridge> ridges, PlotState& state, SharedX& steps) {
    const PanelArea panel = begin_panel(look, frame, options.panel, state.panel);
    const Rect& content = panel.content;
    const Range& bins = options.bins;
    const Color color = options.color;
    state.reading.reset();
    look.plots.offer_table(options.panel.id, [&] { return table_of(options, ridges); });
    if (ridges.empty()) {
        empty_note(look, content, options.empty);
        return;
    }
    Mapping& m = state.mapping;
    m.left = std::round(content.min.x + look.px(6));
    m.top = std::round(content.min.y + look.px(6 + note_height));
    m.width = std::max(std::round(content.max.x - look.px(right_margin)) - m.left, 1.0f);
    m.height = std::max(std::round(content.max.y - look.px(bottom_margin)) - m.top, 1.0f);
    m.x = state.values.range(bins, Scale::linear);
    draw_x_axis(look, m, "");

    std::vector<std::span<const float>> rows;
    for (const Ridge& ridge : ridges) rows.push_back(ridge.share);
    const float full = ridge_scale(rows);
    const RidgeLayout layout = ridge_layout(ridges.size(), m.top, m.top + m.height - look.px(2));

    ImDrawList& list = *ImGui::GetWindowDrawList();
    const size_t label_every = 1 + static_cast<size_t>(look.px(18) / layout.pitch);
    list.PushClipRect({m.left, m.top - look.px(6)}, {m.left + m.width, m.top + m.height}, true);
    std::vector<float> mark_places, flag_places;
    for (const Mark& mark : steps.marks) {
        mark_places.push_back(place_of(mark, ridges, layout));
        // Not on the labels below; NaN stays what it is.
        const float lowest = m.top + m.height - look.px(flag_height / 2);
        flag_places.push_back(mark_places.back() > lowest ? lowest : mark_places.back());
    }
    for (size_t i = 0; i < ridges.size(); ++i) {
        const float age =
            ridges.size() < 2 ? 1 : static_cast<float>(i) / static_cast<float>(ridges.size() - 1);
        const Color fill = mixed(look.theme.panel, color, 0.42f + 0.58f * age);
        draw_ridge(look, list, ridges[i], bins, m, layout.baseline(i), layout.amplitude / full,
                   layout.amplitude * 1.1f, fill);
        for (size_t k = 0; k < mark_places.size(); ++k)
            if (mark_places[k] == layout.baseline(i))
                list.AddRectFilled({m.left, mark_places[k]}, {m.left + m.width, mark_places[k] + 1},
                                   mark_color(look, steps.marks[k]));
    }
    list.PopClipRect();
    for (size_t i = ridges.size() - 1;; i -= label_every) {
        const std::string label = short_number(static_cast<double>(ridges[i].step));
        const ImVec2 size = text_size(look.fonts.small, label.c_str());
        text(list, look.fonts.small, {content.max.x - size.x, layout.baseline(i) - size.y + look.px(2)},
             look.theme.muted, label.c_str());
        if (i < label_every) break;
    }

    draw_beyond(look, list, m, content, ridges.back());

    ImGui::PushID(options.panel.id);
    const Mark* const clicked = obey_flags(look, flags_down(look, steps.marks, m.left, flag_places));
    const bool over = obey(content, look, m, state);
    ImGui::PopID();
    if (clicked) steps.look_closely(clicked->x);
    if (!over) return;
    state.reading = read(bins, ridges, m, layout, color);
    if (!state.reading) return;
    draw_reading(look, ImGui::GetMousePos(), "step " + whole_number(state.reading->x), state.reading->lines);
}

}  // namespace lab::plot
