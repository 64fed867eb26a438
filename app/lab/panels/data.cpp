#include "app/lab/panels/data.hpp"

#include <array>
#include <cmath>
#include <cstdio>

#include "app/lab/explanations.hpp"
#include "app/lab/panels/twins.hpp"
#include "app/plot/boundary.hpp"
#include "app/plot/pictures.hpp"
#include "app/ui/scale.hpp"

namespace lab {

namespace {

// Below the twin's boundary; of many twins each has little room. In the past it was tested at another step
// most often, which is told.
std::string accuracy_caption(const Snapshot& run, size_t twin, bool past) {
    if (const auto& divergence = run.twins[twin].divergence)
        return letter(twin) + " diverged at step " + std::to_string(divergence->step);
    const History<TestRow>& test = run.twins[twin].test;
    if (test.empty()) return "";
    const bool many = run.twins.size() > 2;
    std::array<char, 32> text;
    const double accuracy = test.back().value.accuracy;
    std::snprintf(text.data(), text.size(), "%s %.1f %%", many ? letter(twin).c_str() : "test accuracy",
                  accuracy * 100);
    const uint64_t tested = test.back().step;
    if (!past || many || tested == run.step) return text.data();
    std::snprintf(text.data(), text.size(), "%.1f %% at step ", accuracy * 100);
    return text.data() + std::to_string(tested);
}

std::string class_label(const vknorm::Dataset& data, uint32_t label) {
    return (data.class_names.empty() ? "class " : "") + data.class_name(label);
}

std::string picture_size(const vknorm::Dataset& data) {
    return std::to_string(data.image_width) + " x " + std::to_string(data.image_height) +
           (data.image_channels > 1 ? " in colour" : "");
}

/// In place of a picture: what the data are.
void draw_facts(const PanelFrame& at, plot::PanelOptions options, plot::PanelState& state) {
    options.legend = {};
    const plot::PanelArea area = plot::begin_panel(at.look, at.frame, options, state);
    std::string lines;
    std::vector<std::string> facts = at.run.origin.facts;
    facts.insert(facts.begin(),
                 "No plane to draw: the data have " + std::to_string(at.run.train->features) + " features");
    for (const std::string& fact : facts)
        lines += (lines.empty() ? "" : "\n") + plot::fitted(at.look.fonts.small, fact, area.content.width());
    plot::empty_note(at.look, area.content, lines.c_str());
}

/// "gamma 1.02   beta -0.1   gradient norm 0.003", after the latest step.
std::string channel_caption(const TwinView& view) {
    std::string caption;
    if (view.unit.empty()) return caption;
    const UnitRow& row = view.unit.back().value;
    const auto add = [&](const char* name, float value) {
        if (std::isfinite(value))
            caption += (caption.empty() ? "" : "   ") + std::string(name) + " " + plot::short_number(value);
    };
    add("\xCE\xB3", row.gamma);
    add("\xCE\xB2", row.beta);
    add("gradient norm", row.gradient_norm);
    return caption;
}

/// None unless the inspected layer is a convolution.
std::vector<plot::MapsView> maps_of(const Theme& theme, const Snapshot& run) {
    std::vector<plot::MapsView> maps;
    for (size_t twin = 0; twin < run.twins.size(); ++twin) {
        const FeatureMaps& its = run.twins[twin].maps;
        if (its.pictures == 0) continue;
        maps.push_back({.pictures = its.pictures,
                        .height = its.height,
                        .width = its.width,
                        .values = its.values,
                        .color = theme.twins[twin],
                        .words = theme.twin_words[twin],
                        .name = letter(twin),
                        .caption = channel_caption(run.twins[twin])});
    }
    return maps.size() == run.twins.size() ? maps : std::vector<plot::MapsView>{};
}

void draw_data(Panel& panel, const PanelFrame& at) {
    const Snapshot& run = at.then;
    const std::vector<plot::LegendEntry> legend = twin_legend(at.look.theme, run);
    const bool pictures = run.test && run.test->image_width > 0,
               table = !pictures && run.train && run.train->features != 2;
    const std::vector<plot::MapsView> maps = maps_of(at.look.theme, run);
    const Explanation& explanation = !maps.empty() ? explained("Feature maps")
                                     : pictures    ? explained("Test pictures")
                                     : table       ? explained("Data")
                                                   : panel.explanation;
    const std::string step = at.steps.past ? ", step " + std::to_string(run.step) : "";
    plot::PanelOptions options{.id = panel.id.c_str(),
                               .title = explanation.name + step,
                               .explanation = explanation,
                               .legend = legend};
    if (!run.origin.facts.empty()) options.footer.push_back("Test set: " + run.origin.test_set);
    if (!run.batch_note.empty()) options.footer.push_back(run.batch_note);
    if (pictures) {
        options.footer.insert(options.footer.begin(), picture_size(*run.test));
        std::vector<std::span<const uint32_t>> predicted;
        for (const TwinView& twin : run.twins) predicted.push_back(twin.predicted);
        if (maps.empty())
            return plot::draw_pictures(at.look, at.frame, options, *run.test, predicted, panel.plot.panel);
        options.title = unit_name(run.settings) + ": maps" + step;
        plot::draw_feature_maps(at.look, at.frame, options, *run.test, predicted, maps, panel.plot.panel);
    } else if (table) {
        draw_facts(at, options, panel.plot.panel);
    } else {
        if (run.train && !run.train->class_names.empty())
            options.footer.insert(options.footer.begin(), classes_in_words(*run.train));
        std::vector<std::string> names;
        for (uint32_t label = 0; run.train && label < run.train->classes; ++label)
            names.push_back(class_label(*run.train, label));
        std::vector<plot::BoundaryView> boundaries;
        for (size_t twin = 0; twin < run.twins.size(); ++twin) {
            const Boundary& seen = run.twins[twin].boundary;
            boundaries.push_back({.name = letter(twin),
                                  .columns = seen.columns,
                                  .rows = seen.rows,
                                  .low = seen.low,
                                  .high = seen.high,
                                  .classes = seen.classes,
                                  .class_names = names,
                                  .probability = seen.probability,
                                  .caption = accuracy_caption(run, twin, at.steps.past.has_value()),
                                  .ended = run.twins[twin].divergence.has_value()});
        }
        plot::draw_boundaries(at.look, at.frame, options, boundaries, run.train.get(), panel.plot.panel);
    }
}

}  // namespace

Panel data_panel() {
    return {.id = "data", .explanation = explained("Decision boundary"), .draw = draw_data};
}

}  // namespace lab
