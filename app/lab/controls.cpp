#include "app/lab/controls.hpp"

#include <algorithm>
#include <vector>

#include "app/experiment/measured_layers.hpp"
#include "app/lab/norm_choice.hpp"
#include "app/ui/focus.hpp"
#include "app/ui/scale.hpp"

namespace lab {

namespace {

float full_width() {
    return ImGui::GetContentRegionAvail().x;
}

/// What the last control is, and why it matters, while the pointer or the keyboard rests on it.
void explain(const Look& look, const Field& field) {
    hint(look, note_of(field).c_str());
}

/// Sets `value` to the choice that `draw` lets the user make among names.
template <class T, class Draw>
void choose(T& value, std::span<const Choice<T>> choices, Draw draw) {
    std::vector<const char*> names;
    int selected = 0;
    for (size_t i = 0; i < choices.size(); ++i) {
        names.push_back(choices[i].name);
        if (choices[i].value == value) selected = static_cast<int>(i);
    }
    if (draw(names, selected)) value = choices[static_cast<size_t>(selected)].value;
}

template <class T>
void drop_down(const Look& look, const char* id, float width, T& value, std::span<const Choice<T>> choices) {
    choose(value, choices, [&](std::span<const char* const> names, int& selected) {
        return choice(look, id, width, names[static_cast<size_t>(selected)], names, selected);
    });
}

// One control for each kind of setting.
void draw(const Look& look, const Field& field, const Number<float>& number, Settings& s, size_t twin) {
    slider(look, field.label, number.member.in(s, twin), number.low, number.slider_high, number.log);
}
void draw(const Look& look, const Field& field, const Number<uint32_t>& number, Settings& s, size_t twin) {
    uint32_t& value = number.member.in(s, twin);
    slider(look, field.label, value, number.low, std::max(number.slider_high, value), std::to_string(value));
}
template <class T>
void draw(const Look& look, const Field& field, const OneOf<T>& one, Settings& s, size_t twin) {
    choose(one.member.in(s, twin), one.choices, [&](std::span<const char* const> names, int& selected) {
        return segments(look, field.word, names, selected);
    });
}
void draw(const Look& look, const Field& field, const Switch& one, Settings& s, size_t twin) {
    check_box(look, field.label, one.member.in(s, twin));
}
template <class Kind>
void draw(const Look&, const Field&, const Kind&, Settings&, size_t) {}  // has a control of its own

void draw_field(const Look& look, const Field& field, Settings& s, size_t twin = 0) {
    if (is_concealed(field, s, twin)) return;
    if (field.applies && !field.applies(s, twin)) return;
    std::visit([&](const auto& kind) { draw(look, field, kind, s, twin); }, field.kind);
    explain(look, field);
}

void draw_fields(const Look& look, Section section, Settings& s, size_t twin = 0) {
    for (const Field& field : fields)
        if (field.section == section) draw_field(look, field, s, twin);
}

/// The same with the introduction's card below the setting that it speaks of.
void draw_fields(const Look& look, Section section, Settings& s, Introduction& introduction,
                 const Field& spoken_of, Introduction::Place place) {
    for (const Field& field : fields) {
        if (field.section != section) continue;
        draw_field(look, field, s);
        if (&field == &spoken_of) introduction.draw_below(look, place);
    }
}

// Returns whether other data are to be opened.
bool draw_data(const Look& look, Settings& s, Introduction& introduction) {
    if (!section(look, "Data", 0)) return false;
    constexpr auto other = static_cast<Data>(-1);
    Data chosen = s.data;
    if (!is_concealed(field_named("data"), s)) {
        std::vector<Choice<Data>> all(data_choices.begin(), data_choices.end());
        if (!s.data_file.empty()) all.push_back({Data::file, "", name(Data::file)});
        all.push_back({other, "", "Open data..."});
        drop_down<Data>(look, "##data", full_width(), chosen, all);
        if (chosen != other) s.data = chosen;
        explain(look, field_named("data"));
    }
    draw_fields(look, Section::data, s, introduction, field_named("batch"), Introduction::Place::batch);
    const Field& field = field_named("seed");
    if (is_concealed(field, s)) return chosen == other;
    auto seed = static_cast<uint32_t>(std::min<uint64_t>(s.seed, UINT32_MAX));
    if (slider(look, field.label, seed, 1, std::max(99u, seed), std::to_string(s.seed))) s.seed = seed;
    explain(look, field);
    return chosen == other;
}

void draw_network(const Look& look, Settings& s) {
    if (!section(look, "Network", 0)) return;
    const bool any = is_pictures(s) || !is_perceptron(s);  // points have no other model
    if (any && !is_concealed(field_named("model"), s)) {
        const Model before = s.model;
        drop_down<Model>(look, "##model", full_width(), s.model, model_choices);
        explain(look, field_named("model"));
        if (s.model != before) keep_norms_valid(s);
    }
    const Field& field = field_named("hidden");
    if (!is_perceptron(s) || is_concealed(field, s)) return;
    auto layers = static_cast<uint32_t>(s.hidden.size());
    if (slider(look, field.label, layers, 1, limits::max_layers, std::to_string(layers)))
        s.hidden.resize(layers, s.hidden.back());
    const bool even =
        std::all_of(s.hidden.begin(), s.hidden.end(), [&](uint32_t n) { return n == s.hidden[0]; });
    std::string shown = std::to_string(s.hidden[0]);
    for (size_t i = 1; i < s.hidden.size() && !even; ++i) shown += "-" + std::to_string(s.hidden[i]);
    uint32_t units = s.hidden[0];
    if (slider(look, "Units in each", units, 1, std::max(128u, units), shown))
        std::fill(s.hidden.begin(), s.hidden.end(), units);
    explain(look, field);
}

// What a right click on a twin's heading offers. Returns whether there are other twins now.
bool draw_twin_menu(const Look& look, size_t index, Settings& s) {
    const size_t before = s.twins.size();
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {look.px(12), look.px(10)});
    if (ImGui::BeginPopupContextItem("twins")) {
        if (before < limits::max_twins && menu_row(look, "Add a twin")) set_twin_count(s, before + 1);
        const std::string remove = std::string("Remove twin ") + twin_letter(index);
        if (before > 1 && menu_row(look, remove.c_str()))
            s.twins.erase(s.twins.begin() + static_cast<ptrdiff_t>(index));
        ImGui::EndPopup();
    }
    ImGui::PopStyleVar();
    return s.twins.size() != before;
}

void draw_order(const Look& look, ImVec2 room, size_t index, Settings& s) {
    const Field& field = field_named("order");
    const bool turns = field.applies(s, index) && !is_concealed(field, s, index);
    const ImVec2 at = ImGui::GetCursorScreenPos();
    if (!turns) {
        ImGui::Dummy(room);
    } else {
        if (press_area(look, field.word, room)) {
            vknorm::NormOrder& order = s.twins[index].order;
            order = order == vknorm::NormOrder::before_activation ? vknorm::NormOrder::after_activation
                                                                  : vknorm::NormOrder::before_activation;
        }
        explain(look, field);
    }
    const char* const sign = "\u2192";
    const ImVec2 size = plot::text_size(look.fonts.body, sign);
    plot::text(*ImGui::GetWindowDrawList(), look.fonts.body,
               {at.x + (room.x - size.x) / 2, at.y + (room.y - size.y) / 2},
               !turns                   ? look.theme.muted
               : ImGui::IsItemHovered() ? look.theme.grip
                                        : look.theme.text,
               sign);
}

// The two stand in the order in which values pass them; the arrow between turns it round.
void draw_norm_and_activation(const Look& look, size_t index, Settings& s) {
    TwinSettings& twin = s.twins[index];
    const float arrow = look.px(20), width = full_width() - arrow;
    const auto norm = [&] { choose_norm(look, "##norm", width * 0.57f, twin); };
    const auto activation = [&] {
        drop_down<vknorm::Activation>(look, "##activation", width * 0.43f, twin.activation,
                                      activation_choices);
        explain(look, field_named("activation"));
    };
    const bool before = twin.order == vknorm::NormOrder::before_activation;
    const bool has_norm = !is_concealed(field_named("norm"), s, index),
               has_activation = !is_concealed(field_named("activation"), s, index);
    if (before ? has_norm : has_activation) before ? norm() : activation();
    if (has_norm && has_activation) {
        ImGui::SameLine(0, 0);
        draw_order(look, {arrow, ImGui::GetFrameHeight()}, index, s);
        ImGui::SameLine(0, 0);
    }
    if (before ? has_activation : has_norm) before ? activation() : norm();
}

void draw_twin_controls(const Look& look, size_t index, Settings& s) {
    TwinSettings& twin = s.twins[index];
    if (is_perceptron(s)) {
        draw_norm_and_activation(look, index, s);
    } else {
        if (!is_concealed(field_named("norm"), s, index)) {
            choose_norm(look, "##norm", full_width() * 0.55f, twin);
            ImGui::SameLine(0, look.px(8));
        }
        ImGui::AlignTextToFramePadding();
        ImGui::TextUnformatted(name(vknorm::Activation::relu));
    }
    const Field& field = field_named("groups");
    if (const uint32_t most = most_groups(s, index); most > 0 && !is_concealed(field, s, index)) {
        if (slider(look, field.label, twin.groups, 1, most, std::to_string(twin.groups))) keep_norms_valid(s);
        explain(look, field);
    }
    draw_fields(look, Section::twin, s, index);
}

void draw_twin(const Look& look, size_t index, Settings& s) {
    const std::string title = std::string("Twin ") + twin_letter(index);
    const bool open = section(look, title.c_str(), look.theme.twins[index]);
    const bool fixed = is_concealed(field_named("twins"), s);
    const bool asked = !fixed && look.focus.asked_for_menu();
    if (!fixed) hint(look, "A right click adds or removes twins");
    ImGui::PushID(title.c_str());  // each has its own menu
    if (asked) ImGui::OpenPopup("twins");
    if ((fixed || !draw_twin_menu(look, index, s)) && open) draw_twin_controls(look, index, s);
    ImGui::PopID();
}

void draw_optimizer(const Look& look, Settings& s, Introduction& introduction) {
    if (!section(look, "Optimiser", 0)) return;
    const float gap = look.px(8), half = (full_width() - gap) / 2;
    const bool has_schedule = !is_concealed(field_named("schedule"), s);
    if (!is_concealed(field_named("optimizer"), s)) {
        drop_down<OptimizerKind>(look, "##optimizer", half, s.optimizer, optimizer_choices);
        explain(look, field_named("optimizer"));
        if (has_schedule) ImGui::SameLine(0, gap);
    }
    if (has_schedule) {
        drop_down<Schedule>(look, "##schedule", half, s.schedule, schedule_choices);
        explain(look, field_named("schedule"));
    }
    draw_fields(look, Section::optimizer, s, introduction, field_named("lr"),
                Introduction::Place::learning_rate);
}

void draw_normalization(const Look& look, Settings& s) {
    if (!section(look, "Normalization", 0)) return;
    if (const Field& field = field_named("norm-momentum"); !is_concealed(field, s)) {
        draw_field(look, field, s);
        const ImVec2 at = ImGui::GetCursorScreenPos();
        const std::string both = "PyTorch " + plot::short_number(s.norm_momentum) +
                                 "  \xC2\xB7  Keras, ONNX " + plot::short_number(1 - s.norm_momentum);
        plot::text(*ImGui::GetWindowDrawList(), look.fonts.small, {at.x, at.y - look.px(3)}, look.theme.muted,
                   both.c_str());
        ImGui::SetCursorScreenPos({at.x, at.y + look.px(19)});
    }
    draw_fields(look, Section::normalization, s);
}

void draw_inspected_unit(const Look& look, Settings& s) {
    const std::vector<MeasuredLayer> layers = measured_layers(s, 0);
    uint32_t layer = s.inspected_layer + 1;
    if (!is_concealed(field_named("layer"), s)) {
        if (slider(look, field_named("layer").label, layer, 1, static_cast<uint32_t>(layers.size()),
                   layers[layer - 1].name))
            s.inspected_layer = layer - 1;
        explain(look, field_named("layer"));
    }
    if (is_concealed(field_named("unit"), s)) return;
    const MeasuredLayer& inspected = layers[s.inspected_layer];
    slider(look, inspected.gives_maps() ? "Channel" : field_named("unit").label, s.inspected_unit, 0,
           inspected.width() - 1, std::to_string(s.inspected_unit));
    explain(look, field_named("unit"));
}

void draw_inspect(const Look& look, Settings& s) {
    if (!section(look, "Inspect", 0)) return;
    draw_inspected_unit(look, s);
    if (is_concealed(field_named("smoothing"), s)) return;
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const char* const label = field_named("smoothing").label;
    const ImVec2 size = plot::text_size(look.fonts.small, label);
    plot::text(*ImGui::GetWindowDrawList(), look.fonts.small, {at.x, at.y + look.px(13) - size.y / 2},
               look.theme.muted, label);
    ImGui::SetCursorScreenPos({at.x + size.x + look.px(10), at.y});
    draw_field(look, field_named("smoothing"), s);
}

}  // namespace

bool draw_controls(const Look& look, const plot::Rect& frame, Settings& settings, Introduction& introduction,
                   const std::function<void()>& first) {
    plot::card(look, *ImGui::GetWindowDrawList(), frame, look.px(8), look.theme.panel, look.theme.border, 1);
    ImGui::SetCursorScreenPos({frame.min.x + 1, frame.min.y + look.px(6)});
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {look.px(13), look.px(2)});
    ImGui::PushStyleVar(ImGuiStyleVar_ItemSpacing, {look.px(8), look.px(5)});
    ImGui::BeginChild("controls", {frame.width() - 2, frame.height() - look.px(12)}, false,
                      ImGuiWindowFlags_AlwaysUseWindowPadding);
    first();
    const bool other_data = draw_data(look, settings, introduction);
    draw_network(look, settings);
    for (size_t twin = 0; twin < settings.twins.size(); ++twin) draw_twin(look, twin, settings);
    introduction.draw_below(look, Introduction::Place::twins);
    draw_optimizer(look, settings, introduction);
    draw_normalization(look, settings);
    keep_inspected_valid(settings);
    draw_inspect(look, settings);
    ImGui::EndChild();
    ImGui::PopStyleVar(2);
    keep_inspected_valid(settings);
    return other_data;
}

}  // namespace lab
