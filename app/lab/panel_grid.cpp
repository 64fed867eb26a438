#include "app/lab/panel_grid.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/lab/cells.hpp"
#include "app/lab/event_strip.hpp"
#include "app/lab/panels/ghosts.hpp"

namespace lab {

namespace {

constexpr float slack = 0.01f;  // of a cell, for widths that are fractions of one
// So many steps more than twice those made, the axis shows of earlier runs.
constexpr double steps_ahead = 100;

/// Where a panel begins: `x` in cells.
struct Place {
    float x;
    size_t row;
};

std::vector<Place> places(const std::vector<Panel>& panels) {
    std::vector<Place> result;
    float x = 0;
    size_t row = 0;
    for (const Panel& panel : panels) {
        if (x + panel.cells > static_cast<float>(PanelGrid::columns) + slack) {
            x = 0;
            ++row;
        }
        result.push_back({x, row});
        x += panel.cells;
    }
    return result;
}

}  // namespace

Shortcut full_plot_shortcut(std::function<plot::PanelState*()> pointed_at) {
    return {.key = Key::f11,
            .keys = "F11",
            .meaning = "the plot under the pointer alone",
            .act = [pointed_at = std::move(pointed_at)] {
                if (plot::PanelState* const panel = pointed_at()) panel->full = !panel->full;
            }};
}

plot::Rect PanelGrid::column(const Look& look, const plot::Rect& area, size_t column) {
    return Cells(look, area, columns, 1).rect(static_cast<float>(column), 0);
}

void PanelGrid::begin(const Snapshot& run, const Snapshot& then) {
    if (twins_ != run.twins.size()) {  // legends and ridgelines are of other twins now
        twins_ = run.twins.size();
        panels_ = make_(twins_);
    }
    if (std::exchange(run_, run.run) !=
        run.run) {  // other steps and values: a zoom would show nothing of them
        fit();
        steps_.next_marked.reset();
    }
    const auto latest = static_cast<double>(run.step);
    steps_.marks = marks_of(run);
    steps_.past.reset();
    if (&run != &then) steps_.past = static_cast<double>(then.step);
    // A run that has just begun is compared with what came after in those before it.
    double end = latest;
    for (const PastRun* ghost : ghosts(run)) end = std::max(end, static_cast<double>(ghost->step));
    steps_.data = {1, std::max(2.0, std::min(end, 2 * latest + steps_ahead))};
    steps_.marked = steps_.next_marked;
    steps_.next_marked.reset();
    for (Panel& panel : panels_) {
        if (panel.frame.width() == 0) panel.plot.has_keyboard = false;  // it was not drawn
        panel.frame = {};
    }
}

void PanelGrid::draw(const Look& look, const plot::Rect& area, size_t shown, const Snapshot& run,
                     const Snapshot& then) {
    const std::vector<Place> at = places(panels_);
    const Cells cells(look, area, columns, at.empty() ? 1 : at.back().row + 1);
    const auto edge = static_cast<float>(shown);
    for (Panel& panel : panels_)
        if (panel.plot.panel.full)
            return draw_panel(panel,
                              {look, Cells(look, area, columns, 1).rect(0, 0, edge), run, then, steps_});
    for (size_t i = 0; i < panels_.size(); ++i)
        if (at[i].x + slack < edge)
            draw_panel(panels_[i],
                       {look, cells.rect(at[i].x, at[i].row, panels_[i].cells), run, then, steps_});
}

void PanelGrid::draw_panel(Panel& panel, const PanelFrame& at) {
    panel.frame = at.frame;
    if (at.frame.contains(ImGui::GetMousePos())) hovered_ = panel.id;
    panel.draw(panel, at);
    if (panel.plot.has_keyboard) hovered_ = panel.id;
}

Panel* PanelGrid::hovered() {
    const auto found = std::find_if(panels_.begin(), panels_.end(),
                                    [&](const Panel& panel) { return panel.id == hovered_; });
    return found == panels_.end() ? nullptr : &*found;
}

std::vector<Shortcut> PanelGrid::shortcuts() {
    const auto toggle_log = [this] {
        Panel* const panel = hovered();
        if (!panel || !panel->can_log) return;
        plot::Scale& scale = panel->plot.panel.scale;
        scale = scale == plot::Scale::log ? plot::Scale::linear : plot::Scale::log;
    };
    return {{.key = key('L'),
             .keys = "L",
             .meaning = "log or linear axis of the plot under the pointer",
             .act = toggle_log},
            full_plot_shortcut([this] {
                Panel* const panel = hovered();
                return panel ? &panel->plot.panel : nullptr;
            })};
}

void PanelGrid::fill_with(const std::string& id) {
    for (Panel& panel : panels_) panel.plot.panel.full = panel.id == id;
}

bool PanelGrid::leave_full() {
    bool any = false;
    for (Panel& panel : panels_) any |= std::exchange(panel.plot.panel.full, false);
    return any;
}

void PanelGrid::look_closely(uint64_t step) {
    steps_.look_closely(static_cast<double>(step));
}

std::optional<plot::Range> PanelGrid::zoomed_to() const {
    if (steps_.view.fits()) return {};
    return steps_.view.range(steps_.data, plot::Scale::linear);
}

void PanelGrid::fit() {
    for (Panel& panel : panels_) panel.plot.values.fit();
    steps_.view.fit();
}

}  // namespace lab
