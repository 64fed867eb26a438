// The tab of the microscope: what the inspected layer's norm does to the batch of the latest step, value by
// value, and whether the device's numbers are right.
#include <algorithm>
#include <cmath>

#include "app/experiment/lint.hpp"
#include "app/experiment/microscope_checks.hpp"
#include "app/experiment/words.hpp"
#include "app/lab/microscope/slide.hpp"
#include "app/lab/notice.hpp"
#include "app/lab/panels/twins.hpp"
#include "app/lab/tabs.hpp"
#include "app/plot/tables.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

/// Why there is nothing to see of that twin, a line each; empty: there is.
std::vector<std::string> what_is_missing(const TabFrame& frame, size_t twin) {
    const Settings& settings = frame.settings;
    const std::string whose = std::string("twin ") + twin_letter(twin);
    const TwinView& view = frame.then.twins[twin];
    const std::shared_ptr<const Specimen> specimen = view.specimen_of(settings.inspected_layer);
    if (!is_perceptron(settings))
        return {"The microscope looks at layers of perceptrons.",
                std::string(name(settings.model)) + " has convolutions."};
    const std::string layer = "Hidden " + std::to_string(settings.inspected_layer + 1) + " of " + whose;
    if (settings.twins[twin].norm_of(settings.inspected_layer) == vknorm::Norm::none)
        return {layer + " has no norm: the activation gets z as it is.",
                "Choose one at the left; that begins a new run, which Ctrl + Z undoes."};
    if (!specimen && frame.looks_back())
        return {"Nothing was captured at step " + std::to_string(frame.then.step) + ".",
                "Steps copy these tensors only while this tab is shown. End goes back to now."};
    const std::string lone = lone_example(settings, twin);
    if (!specimen && !lone.empty())
        return {
            "Steps are refused: " + lone + ".",
            "The variance of a single value is 0: every output would be \u03B2, and no gradient would pass."};
    if (!specimen && view.divergence)
        return {"Twin " + std::string{twin_letter(twin)} + " diverged at step " +
                    std::to_string(view.divergence->step) + ": " + view.divergence->found + ".",
                "Nothing was captured before. R begins the run again."};
    if (!specimen) return {"Nothing has been captured yet.", "S makes one step, and here it is."};
    const auto& x = specimen->device.x;
    if (!std::all_of(x.begin(), x.end(), [](float value) { return std::isfinite(value); }))
        return {"Values that arrive at " + layer + " are not finite.",
                "A mean of them is none, and there is nothing to draw."};
    return {};
}

/// The values of the set that is followed: what the device was given and gave, and what float64 has.
Table table_of(const Slide& slide) {
    Table table{{"value", "z", "y", "dy", "dx", "normalized (float64)", "y (float64)", "dx (float64)"}, {}};
    const vknorm::NormCapture& device = slide.specimen.device;
    for (const size_t value : slide.whole) {
        // A gradient that nobody needed is not there.
        const auto cell = [&](const auto& all) {
            return value < all.size() ? plot::cell_text(static_cast<float>(all[value])) : "";
        };
        table.rows.push_back({slide.value_name(value), cell(device.x), cell(device.y), cell(device.dy),
                              cell(device.dx), cell(slide.exact.normalized), cell(slide.exact.y),
                              cell(slide.exact.dx)});
    }
    return table;
}

struct Layout {
    plot::Rect formula, steps, forward, backward, modes, checked;
};

Layout lay_out(const Look& look, const plot::Rect& area) {
    const float gap = look.px(area.height() < look.px(700) ? 6 : 8), width = (area.width() - gap) / 2;
    const float below = std::clamp(area.height() * 0.28f, look.px(176), look.px(270));
    Layout layout;
    const auto full = [&](float top, float height) {
        return plot::Rect{{area.min.x, top}, {area.max.x, top + height}};
    };
    layout.formula = full(area.min.y, look.px(104));
    layout.steps = full(layout.formula.max.y + gap, look.px(40));
    const float top = layout.steps.max.y + gap, last = area.max.y - below;
    const auto half = [&](bool left, float from, float to) {
        const float x = left ? area.min.x : area.max.x - width;
        return plot::Rect{{std::round(x), std::round(from)}, {std::round(x + width), std::round(to)}};
    };
    layout.forward = half(true, top, last - gap);
    layout.backward = half(false, top, last - gap);
    layout.modes = half(true, last, area.max.y);
    layout.checked = half(false, last, area.max.y);
    return layout;
}

class Checks final : public Tab {
  public:
    const char* name() const override { return "Checks"; }
    const char* note() const override {
        return "The microscope: what the inspected norm does to a batch, value by value, checked against "
               "float64";
    }
    bool turns_back() const override { return true; }
    bool Settings::*measured() const override { return &Settings::microscope; }
    bool moves() const override { return stepper_.moves(); }
    std::optional<FollowedExample> followed() const override {
        return specimen_ ? std::optional(FollowedExample{twin_, row_, unit_}) : std::nullopt;
    }
    std::vector<Shortcut> shortcuts(PanelGrid&) override;
    void draw_controls(const TabFrame& frame) override;
    void draw(const TabFrame& frame) override;

  private:
    /// Makes what is kept between frames that of the run shown.
    void look_at(const TabFrame& frame);
    NormMode mode() const;
    const Examination& exact() const { return modes_[static_cast<size_t>(mode())]; }
    size_t chosen() const { return specimen_->at(row_, unit_, position_); }
    void follow(size_t element);

    size_t twin_ = 0;
    uint32_t row_ = 0, unit_ = 0, position_ = 0;  // followed
    uint32_t inspected_ = 0;                      // unit, of the settings, when last seen
    std::optional<NormMode> mode_;                // chosen; none: that of the step
    Stepper stepper_;
    std::shared_ptr<const Specimen> specimen_;  // for which the rest is
    std::array<Examination, 3> modes_;
    std::array<std::optional<double>, 3> worst_;
};

NormMode Checks::mode() const {
    if (mode_) return *mode_;
    const bool running = specimen_ && specimen_->statistics == vknorm::Statistics::running;
    return running ? NormMode::frozen : NormMode::train;
}

std::vector<Shortcut> Checks::shortcuts(PanelGrid&) {
    const auto choose = [this](NormMode wanted) { mode_ = mode() == wanted ? NormMode::train : wanted; };
    return {{.key = Key::left,
             .keys = "Left, Right",
             .meaning = "the step before, the next one",
             .act = [this] { stepper_.go_on(-1); }},
            {.key = Key::right, .act = [this] { stepper_.go_on(1); }},
            {.key = key(' '),
             .keys = "Space",
             .meaning = "play the steps, or stop",
             .act = [this] { stepper_.play_or_pause(); }},
            {.key = key('T'),
             .keys = "T",
             .meaning = "look at train or eval mode",
             .act = [choose] { choose(NormMode::eval); }},
            {.key = key('F'), .keys = "F", .meaning = "look at the frozen norm", .act = [choose] {
                 choose(NormMode::frozen);
             }}};
}

void Checks::look_at(const TabFrame& frame) {
    twin_ = std::min({twin_, frame.run.twins.size() - 1, frame.settings.twins.size() - 1});
    if (inspected_ != frame.settings.inspected_unit) inspected_ = unit_ = frame.settings.inspected_unit;
    const auto found = frame.then.twins[twin_].specimen_of(frame.settings.inspected_layer);
    const bool same = found == specimen_;
    specimen_ = found;
    if (!found) return;
    row_ = std::min(row_, found->rows() - 1);
    unit_ = std::min(unit_, found->channels - 1);
    position_ = std::min(position_, found->positions - 1);
    if (same) return;
    for (const NormMode mode : norm_modes) modes_[static_cast<size_t>(mode)] = examine(*found, mode);
    worst_ = {};
}

void Checks::follow(size_t element) {
    row_ = specimen_->row_of(element);
    unit_ = specimen_->channel_of(element);
    position_ = static_cast<uint32_t>(element % specimen_->positions);
}

void Checks::draw_controls(const TabFrame& frame) {
    const Look& look = frame.look;
    Settings& settings = frame.settings;
    look_at(frame);
    if (!section(look, "Microscope", 0)) return;
    ImGui::PushID("microscope");
    const float width = ImGui::GetContentRegionAvail().x;
    if (settings.twins.size() > 1) {
        choose_twin(look, settings.twins.size(), twin_);
        hint(look, "Whose norm is looked at");
    }
    if (is_perceptron(settings)) {
        if (uint32_t layer = settings.inspected_layer + 1; !is_concealed(field_named("layer"), settings)) {
            if (slider(look, "Layer", layer, 1, static_cast<uint32_t>(settings.hidden.size()),
                       "hidden " + std::to_string(layer)))
                settings.inspected_layer = layer - 1;
            hint(look, "The hidden layer whose norm is looked at");
        }
        const uint32_t units = settings.hidden[settings.inspected_layer];
        unit_ = std::min(unit_, units - 1);
        if (!is_concealed(field_named("unit"), settings)) {
            if (slider(look, "Unit", unit_, 0, units - 1,
                       std::to_string(unit_) + " of " + std::to_string(units)))
                settings.inspected_unit = inspected_ = unit_;
            hint(look, "The unit that is looked at");
        }
        if (specimen_) {
            slider(look, "Example", row_, 0, specimen_->rows() - 1,
                   std::to_string(row_) + " of " + std::to_string(specimen_->rows()));
            hint(look,
                 "The example of the batch that is followed, here and on the cards of all layers, where a "
                 "short "
                 "line is what a unit gave and the long one that of this unit; a dot under the pointer is "
                 "followed, too");
        }
    }
    look_at(frame);
    if (what_is_missing(frame, twin_).empty())
        draw_tensor(make_slide(look, *specimen_, exact(), stepper_, chosen()), width);
    const size_t index = std::min(twin_, settings.twins.size() - 1);
    if (is_perceptron(settings) && !is_concealed(field_named("norm"), settings, index)) {
        TwinSettings& twin = settings.twins[index];
        if (const auto norm = draw_norm_thumbnails(look, width, twin.norm_of(settings.inspected_layer)))
            twin.set_norm_of(settings.inspected_layer, *norm);
    }
    ImGui::PopID();
}

void Checks::draw(const TabFrame& frame) {
    const Look& look = frame.look;
    look_at(frame);
    stepper_.advance(ImGui::GetIO().DeltaTime);
    if (const auto lines = what_is_missing(frame, twin_); !lines.empty()) {
        draw_notice(look, frame.area, lines);
        return;
    }
    const Specimen& specimen = *specimen_;
    const NormMode shown = mode();
    std::optional<double>& worst = worst_[static_cast<size_t>(shown)];
    if (!worst) worst = worst_ratio(specimen, exact());

    const Slide slide = make_slide(look, specimen, exact(), stepper_, chosen());
    const std::string dot = " \u00B7 ";
    std::string of = "hidden " + std::to_string(frame.settings.inspected_layer + 1) + dot + "unit " +
                     std::to_string(unit_) + dot + "batch of " + std::to_string(specimen.rows()) +
                     " of step " + std::to_string(specimen.step) + dot + "twin " + twin_letter(twin_) + dot +
                     lab::name(shown) + " mode";
    if (const auto& divergence = frame.then.twins[twin_].divergence)
        of += dot + "diverged at step " + std::to_string(divergence->step) + ": this is the last sound one";

    const Layout layout = lay_out(look, frame.area);
    draw_formula(slide, layout.formula, of);
    draw_steps(look, layout.steps, stepper_);
    std::optional<size_t> hovered = draw_forward(slide, layout.forward);
    if (const auto bar = draw_backward(slide, layout.backward)) hovered = bar;
    const auto mode = draw_modes(slide, layout.modes, modes_, frame.settings.update_running);
    draw_checked(slide, layout.checked, *worst);
    for (const DrawnPlot& plot : look.plots.all())
        look.plots.offer_table(plot.id.c_str(), [&] { return table_of(slide); });

    const ImVec2 moved = ImGui::GetIO().MouseDelta;  // a pointer at rest follows nothing else by itself
    if (hovered && (moved.x != 0 || moved.y != 0)) follow(*hovered);
    if (hovered && ImGui::IsMouseClicked(ImGuiMouseButton_Left))
        frame.settings.inspected_unit = inspected_ = unit_;
    if (mode) mode_ = *mode;
}

}  // namespace

std::unique_ptr<Tab> checks_tab() {
    return std::make_unique<Checks>();
}

}  // namespace lab
