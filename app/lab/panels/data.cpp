#include "app/lab/panels/data.hpp"

#include <array>
#include <cstdio>

#include "app/lab/panels/twins.hpp"
#include "app/plot/boundary.hpp"
#include "app/plot/pictures.hpp"

namespace lab {

namespace {

// Below the twin's boundary; of many twins each has little room.
std::string accuracy_caption(const Snapshot& run, size_t twin) {
    if (const auto& divergence = run.twins[twin].divergence)
        return letter(twin) + " diverged at step " + std::to_string(divergence->step);
    const History<TestRow>& test = run.twins[twin].test;
    if (test.empty()) return "";
    const bool many = run.twins.size() > 2;
    std::array<char, 32> text;
    const double accuracy = test.back().value.accuracy;
    std::snprintf(text.data(), text.size(), "%s %.1f %%", many ? letter(twin).c_str() : "test accuracy",
                  accuracy * 100);
    return text.data();
}

void draw_data(Panel& panel, const PanelFrame& at) {
    const Snapshot& run = at.run;
    const std::vector<plot::LegendEntry> legend = twin_legend(at.look.theme, run);
    plot::PanelOptions options{.id = panel.id.c_str(), .title = "Decision boundary", .legend = legend};
    if (run.test && run.test->image_width > 0) {
        options.title = "Test pictures";
        std::vector<std::span<const uint32_t>> predicted;
        for (const TwinView& twin : run.twins) predicted.push_back(twin.predicted);
        plot::draw_pictures(at.look, at.frame, options, *run.test, predicted, panel.plot.panel);
    } else {
        std::vector<plot::BoundaryView> boundaries;
        for (size_t twin = 0; twin < run.twins.size(); ++twin) {
            const Boundary& seen = run.twins[twin].boundary;
            boundaries.push_back({.columns = seen.columns,
                                  .rows = seen.rows,
                                  .low = seen.low,
                                  .high = seen.high,
                                  .classes = seen.classes,
                                  .probability = seen.probability,
                                  .caption = accuracy_caption(run, twin),
                                  .ended = run.twins[twin].divergence.has_value()});
        }
        plot::draw_boundaries(at.look, at.frame, options, boundaries, run.train.get(), panel.plot.panel);
    }
}

}  // namespace

Panel data_panel() {
    return {.id = "data", .draw = draw_data};
}

}  // namespace lab
