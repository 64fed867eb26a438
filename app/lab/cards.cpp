#include "app/lab/cards.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

#include "app/experiment/measured_layers.hpp"
#include "app/experiment/microscope.hpp"
#include "app/experiment/words.hpp"
#include "app/lab/norm_choice.hpp"
#include "app/plot/overlap.hpp"
#include "app/plot/panel.hpp"
#include "app/ui/focus.hpp"

namespace lab {

namespace {

constexpr float card_inset = 9;   // of what stands in a card
constexpr float lens_width = 17;  // with the gap before it

// One twin's histogram as a filled curve, scaled to its own peak, with an arrow where values lie beyond it.
// What is returned is its outline, if there is one.
std::optional<plot::DrawnLine> draw_sparkline(const Look& look, ImDrawList& list, const Histogram& histogram,
                                              const plot::Rect& area, Color color) {
    constexpr float worth_an_arrow = 0.005f;  // of all values
    for (const bool low : {true, false}) {
        if ((low ? histogram.below : histogram.above) < worth_an_arrow) continue;
        const float tip = low ? area.min.x - look.px(5) : area.max.x + look.px(5), half = look.px(3);
        const float back = tip + (low ? look.px(4) : -look.px(4)), middle = area.max.y - half;
        const ImVec2 head[3] = {{back, middle - half}, {tip, middle}, {back, middle + half}};
        plot::stroke(list, head, color, look.px(1.4f));
    }
    if (histogram.share.size() < 2) return {};
    const float peak = *std::max_element(histogram.share.begin(), histogram.share.end());
    if (!(peak > 0)) return {};
    std::vector<ImVec2> upper, lower;
    for (size_t i = 0; i < histogram.share.size(); ++i) {
        const float unit = static_cast<float>(i) / static_cast<float>(histogram.share.size() - 1);
        const float x = area.min.x + unit * area.width();
        upper.push_back({x, area.max.y - histogram.share[i] / peak * area.height()});
        lower.push_back({x, area.max.y});
    }
    const float width = look.px(1.4f);
    plot::area(list, upper, lower, faded(color, look.theme.dark ? 0.25f : 0.2f));
    plot::stroke(list, upper, color, width);
    return plot::DrawnLine{{std::move(upper)}, color, width};
}

// What one example is in that layer: a short line for each unit, a long one for the unit looked at.
void draw_followed(const Look& look, ImDrawList& list, const Snapshot& s, const FollowedExample& followed,
                   uint32_t layer, const plot::Rect& area) {
    if (followed.twin >= s.twins.size() || layer >= s.twins[followed.twin].layers.size()) return;
    const TwinView& twin = s.twins[followed.twin];
    const std::shared_ptr<const Specimen> specimen = twin.specimen_of(layer);
    if (!specimen || followed.row >= specimen->rows()) return;
    if (specimen->order == vknorm::NormOrder::after_activation) return;  // y is not what the card shows
    const Histogram& range = twin.layers[layer].normalized;
    if (!(range.high > range.low)) return;
    const auto x_of = [&](uint32_t unit) {
        const float value = specimen->device.y[specimen->at(followed.row, unit)];
        return area.min.x +
               std::clamp((value - range.low) / (range.high - range.low), 0.0f, 1.0f) * area.width();
    };
    const Color color = look.theme.twin_words[followed.twin];
    for (uint32_t unit = 0; unit < specimen->channels; ++unit) {
        const float x = std::round(x_of(unit));
        list.AddRectFilled({x, area.max.y - look.px(5)}, {x + look.px(1), area.max.y}, faded(color, 0.6f));
    }
    // A layer that is narrower has no such unit.
    if (followed.unit >= specimen->channels) return;
    const float x = std::round(x_of(followed.unit));
    list.AddRectFilled({x, area.min.y}, {x + look.px(2), area.max.y}, look.theme.text);
}

std::string moments(const LayerView& layer) {
    if (layer.non_finite > 0) return "not finite";
    const float mean = std::abs(layer.mean) < 0.005f ? 0 : layer.mean;  // never "-0.00"
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), "%.2f \xC2\xB1 %.2f", static_cast<double>(mean),
                  static_cast<double>(layer.deviation));
    return std::isfinite(layer.mean) ? text.data() : "";
}

// The name of the network's one end: what goes in or comes out.
void draw_end(const Look& look, ImDrawList& list, const plot::Rect& area, const char* name,
              const std::string& number) {
    const ImVec2 a = plot::text_size(look.fonts.small, name),
                 b = plot::text_size(look.fonts.mono, number.c_str());
    const float center = (area.min.x + area.max.x) / 2, middle = (area.min.y + area.max.y) / 2;
    plot::text(list, look.fonts.small, {center - a.x / 2, middle - a.y - look.px(1)}, look.theme.muted, name);
    plot::text(list, look.fonts.mono, {center - b.x / 2, middle + look.px(1)}, look.theme.text,
               number.c_str());
}

void draw_arrow(const Look& look, ImDrawList& list, float left, float right, float y) {
    const ImVec2 shaft[2] = {{left, y}, {right - look.px(2), y}};
    plot::stroke(list, shaft, look.theme.faint, look.px(1.2f));
    const float r = look.px(3.5f);
    list.AddTriangleFilled({right - r * 1.4f, y - r}, {right, y}, {right - r * 1.4f, y + r},
                           look.theme.faint);
}

// What the open card offers: a norm for each twin.
void draw_layer_menu(const Look& look, const plot::Rect& card, const MeasuredLayer& its, uint32_t layer,
                     Settings& settings) {
    ImGui::SetNextWindowPos({card.min.x, card.max.y + look.px(4)});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {look.px(12), look.px(10)});
    if (ImGui::BeginPopup("norms")) {
        ImGui::PushFont(look.fonts.strong);
        ImGui::TextUnformatted(its.name.c_str());
        ImGui::PopFont();
        for (size_t twin = 0; twin < settings.twins.size(); ++twin) {
            if (is_concealed(field_named("norm"), settings, twin)) continue;
            ImDrawList& list = *ImGui::GetWindowDrawList();
            const ImVec2 at = ImGui::GetCursorScreenPos();
            plot::disc(list, look.fonts, {at.x + look.px(6), at.y + ImGui::GetFrameHeight() / 2},
                       look.px(5.5f), look.theme.twins[twin]);
            ImGui::SetCursorScreenPos({at.x + look.px(20), at.y});
            const char id[] = {'#', '#', twin_letter(twin), 0};
            choose_norm_of(look, id, look.px(150), settings.twins[twin], layer);
        }
        ImGui::EndPopup();
    }
    ImGui::PopStyleVar();
}

/// "3x3, 16" where convolutions have no room for more.
std::string kernel_in_short(const MeasuredLayer& layer) {
    const std::string kernel = std::to_string(layer.kernel);
    return kernel + "x" + kernel + ", " + std::to_string(layer.width());
}

/// "48 units", "3x3, 16 of 28 x 28"
std::string shape_in_short(const MeasuredLayer& layer, const Snapshot& run, uint32_t index) {
    if (!layer.gives_maps()) return std::to_string(layer.width()) + " units";
    const std::string words = kernel_in_short(layer);
    for (const TwinView& twin : run.twins)
        if (index < twin.layers.size() && twin.layers[index].shape.size() == 3)
            return words + " of " + std::to_string(twin.layers[index].shape[1]) + " x " +
                   std::to_string(twin.layers[index].shape[2]);
    return words + " channels";
}

std::string layer_note(const Snapshot& run, const Settings& settings, const MeasuredLayer& its,
                       uint32_t layer) {
    std::string norms, beyond;
    for (size_t twin = 0; twin < settings.twins.size(); ++twin) {
        const std::string letter{twin_letter(twin)};
        norms += (twin == 0 ? "" : ", ") + letter + " " + name(norm_of(settings, twin, layer));
        if (twin >= run.twins.size()) continue;
        const TwinView& view = run.twins[twin];
        if (view.divergence)
            beyond += " " + letter + " diverged at step " + std::to_string(view.divergence->step) + ".";
        if (layer >= view.layers.size()) continue;
        const Histogram& histogram = view.layers[layer].normalized;
        std::array<char, 160> text;
        std::snprintf(text.data(), text.size(), " Of %s %.1f %% lie beyond the curve's ends, %g and %g.",
                      letter.c_str(), 100 * static_cast<double>(histogram.below + histogram.above),
                      static_cast<double>(histogram.low), static_cast<double>(histogram.high));
        if (histogram.below + histogram.above > 0) beyond += text.data();
    }
    const char* const more = is_perceptron(settings) ? ", one on its lens puts it under the microscope; a "
                                                       "right click changes its norms."
                                                     : ".";
    return its.name + ": " + shape_in_short(its, run, layer) + "; " + norms + "." + beyond +
           " A click inspects this layer" + more;
}

// The norm of a layer that is an exception, behind its title; a dot where there is no room.
void draw_exceptions(const Look& look, ImDrawList& list, const Settings& settings, uint32_t layer, float left,
                     float right, float top) {
    for (size_t twin = 0; twin < settings.twins.size(); ++twin) {
        if (settings.twins[twin].exceptions.count(layer) == 0) continue;
        const char* const norm = name(settings.twins[twin].norm_of(layer));
        const float width = plot::text_size(look.fonts.small, norm).x;
        if (left + width <= right) {
            plot::text(list, look.fonts.small, {left, top}, look.theme.twin_words[twin], norm);
            left += width + look.px(8);
        } else {
            plot::disc(list, look.fonts, {left, top + look.px(7)}, look.px(3.5f), look.theme.twins[twin]);
            left += look.px(10);
        }
    }
}

// Every twin's moments in a row, from edge to edge, if there is room: narrow cards have the curves only.
// Returns where the curves end.
float draw_moments(const Look& look, ImDrawList& list, const plot::Rect& card, const Snapshot& s,
                   uint32_t layer) {
    std::vector<std::string> words;
    float width = 0;
    for (const TwinView& twin : s.twins) {
        words.push_back(twin.divergence              ? "diverged"
                        : layer < twin.layers.size() ? moments(twin.layers[layer])
                                                     : "");
        width += plot::text_size(look.fonts.mono, words.back().c_str()).x;
    }
    const float room = card.width() - 2 * look.px(card_inset), least_gap = look.px(8);
    const auto gaps = static_cast<float>(words.size() - 1);
    if (width + gaps * least_gap > room) return card.max.y - look.px(8);
    const float top = card.max.y - look.px(4) - look.fonts.mono->FontSize;
    float right = card.max.x - look.px(card_inset);
    for (size_t twin = words.size(); twin-- > 0;) {
        const float its = plot::text_size(look.fonts.mono, words[twin].c_str()).x;
        const float left = twin == 0 ? card.min.x + look.px(card_inset) : right - its;
        plot::text(list, look.fonts.mono, {left, top}, look.theme.twin_words[twin], words[twin].c_str());
        right -= its + (room - width) / std::max(gaps, 1.0f);
    }
    return top - look.px(4);
}

// The mark in a card's corner that opens the microscope.
plot::Rect lens_of(const Look& look, const plot::Rect& card) {
    return {{card.max.x - look.px(lens_width + 6), card.min.y}, {card.max.x, card.min.y + look.px(24)}};
}

bool on_lens(const Look& look, const plot::Rect& card) {
    return lens_of(look, card).contains(ImGui::GetMousePos());
}

void draw_lens(const Look& look, ImDrawList& list, const plot::Rect& card, bool hovered) {
    const Color color = hovered ? look.theme.grip : look.theme.muted;
    const ImVec2 c{card.max.x - look.px(15), card.min.y + look.px(12)};
    const float radius = look.px(4), reach = radius * 0.75f;
    list.AddCircle(c, radius, color, 20, look.px(1.4f));
    const ImVec2 handle[2] = {{c.x + reach, c.y + reach}, {c.x + look.px(7), c.y + look.px(7)}};
    plot::stroke(list, handle, color, look.px(1.8f));
}

void draw_card(const Look& look, ImDrawList& list, const plot::Rect& card, const Snapshot& s,
               const Settings& settings, const MeasuredLayer& its, uint32_t index, bool hovered,
               const std::optional<FollowedExample>& followed) {
    const bool inspected = settings.inspected_layer == index;
    const Color fill = hovered ? mixed(look.theme.panel, look.theme.control, 0.6f) : look.theme.panel;
    plot::card(look, list, card, look.px(7), fill, inspected ? look.theme.grip : look.theme.border,
               look.px(inspected ? 2.0f : 1.0f));
    const float inset = look.px(card_inset);
    const bool has_lens = is_perceptron(settings);
    const float lens = has_lens ? look.px(lens_width) : 0, gap = look.px(8);
    const float room = card.width() - 2 * inset - lens, right = card.max.x - inset - lens;
    const std::string title = plot::fitted(look.fonts.small, its.name, room),
                      count = std::to_string(its.width());
    float top = card.min.y + look.px(6);
    plot::text(list, look.fonts.small, {card.min.x + inset, top}, look.theme.text, title.c_str());
    const ImVec2 count_size = plot::text_size(look.fonts.mono, count.c_str());
    const float title_width = plot::text_size(look.fonts.small, title.c_str()).x;
    if (!its.gives_maps() && title_width + gap + count_size.x <= room)
        plot::text(list, look.fonts.mono, {right - count_size.x, top - look.px(1)}, look.theme.muted,
                   count.c_str());
    draw_exceptions(look, list, settings, index, card.min.x + inset + title_width + gap,
                    right - count_size.x - gap, top);
    if (has_lens) draw_lens(look, list, card, hovered && on_lens(look, card));

    if (its.gives_maps()) {  // a line of its own
        top += look.px(13);
        std::string words = shape_in_short(its, s, index);
        if (plot::text_size(look.fonts.small, words.c_str()).x > room) words = kernel_in_short(its);
        plot::text(list, look.fonts.small, {card.min.x + inset, top}, look.theme.muted, words.c_str());
    }
    const float bottom = draw_moments(look, list, card, s, index);
    const plot::Rect area{{card.min.x + inset, top + look.px(17)}, {card.max.x - inset, bottom}};
    std::vector<plot::DrawnLine> outlines;
    float cross = card.max.x - look.px(9);
    for (size_t twin = s.twins.size(); twin-- > 0;) {
        if (s.twins[twin].divergence) {
            plot::draw_cross(list, {cross, area.min.y + look.px(5)}, look.px(4), look.px(2),
                             look.theme.twins[twin]);
            cross -= look.px(13);
        }
        if (index >= s.twins[twin].layers.size()) continue;
        const Color color = faded(look.theme.twins[twin], s.twins[twin].divergence ? 0.45f : 1.0f);
        if (auto outline = draw_sparkline(look, list, s.twins[twin].layers[index].normalized, area, color))
            outlines.push_back(std::move(*outline));
    }
    plot::show_covered_lines(list, outlines, area.min.x, area.max.x, look.px(6));
    if (followed) draw_followed(look, list, s, *followed, index, area);
}

}  // namespace

bool draw_cards(const Look& look, const plot::Rect& frame, const Snapshot& s, Settings& settings,
                const std::optional<FollowedExample>& followed) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    bool magnified = false, any_norm = false;
    for (size_t twin = 0; twin < settings.twins.size(); ++twin)
        any_norm |= !is_concealed(field_named("norm"), settings, twin);
    const std::vector<MeasuredLayer> its = measured_layers(settings, 0);
    const size_t layers = its.size();
    const float end_width = look.px(52), arrow = look.px(16), middle = (frame.min.y + frame.max.y) / 2;
    const float room = frame.width() - 2 * end_width - arrow * static_cast<float>(layers + 1);
    const float width = std::min(room / static_cast<float>(layers), look.px(330));

    const std::string inputs = s.train ? std::to_string(s.train->features) : "-";
    const std::string classes = s.train ? std::to_string(s.train->classes) : "-";
    draw_end(look, list, {frame.min, {frame.min.x + end_width, frame.max.y}}, "input", inputs);
    float x = frame.min.x + end_width;
    for (uint32_t i = 0; i < layers; ++i) {
        draw_arrow(look, list, x + look.px(3), x + arrow - look.px(3), middle);
        x += arrow;
        const plot::Rect card{{std::round(x), frame.min.y}, {std::round(x + width), frame.max.y}};
        ImGui::PushID(static_cast<int>(i));
        ImGui::SetCursorScreenPos(card.min);
        if (press_area(look, "card", {card.width(), card.height()})) {
            settings.inspected_layer = i;
            magnified = magnified || (is_perceptron(settings) &&
                                      ImGui::IsMouseReleased(ImGuiMouseButton_Left) && on_lens(look, card));
        }
        const bool hovered = ImGui::IsItemHovered();
        if (is_perceptron(settings) && any_norm &&
            (ImGui::IsItemClicked(ImGuiMouseButton_Right) || look.focus.asked_for_menu()))
            ImGui::OpenPopup("norms");
        hint(look, layer_note(s, settings, its[i], i).c_str(), Side::below);
        draw_card(look, list, card, s, settings, its[i], i, hovered, followed);
        draw_layer_menu(look, card, its[i], i, settings);
        ImGui::PopID();
        x += width;
    }
    draw_arrow(look, list, x + look.px(3), x + arrow - look.px(3), middle);
    x += arrow;
    draw_end(look, list, {{x, frame.min.y}, {x + end_width, frame.max.y}}, "classes", classes);
    return magnified;
}

}  // namespace lab
