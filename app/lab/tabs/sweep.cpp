// The tab of sweeps: the run at the left again and again, with other values of one setting or two, as small
// plots that fill while it is made.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "app/experiment/sweeper.hpp"
#include "app/lab/cells.hpp"
#include "app/lab/experiments/figure.hpp"
#include "app/lab/notice.hpp"
#include "app/lab/panels/twins.hpp"
#include "app/lab/tabs.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

/// What the controls offer; the command line takes any values of any setting.
struct Offer {
    const Field& field;
    std::vector<const char*> values;  ///< of hidden layers how many
};
const std::array offers = {Offer{field_named("lr"), {"0.003", "0.01", "0.03", "0.1", "0.3", "1", "3"}},
                           Offer{field_named("batch"), {"4", "8", "16", "32", "64", "128"}},
                           Offer{field_named("init-scale"), {"0.1", "0.3", "1", "3", "10"}},
                           Offer{field_named("norm-momentum"), {"0.001", "0.01", "0.1", "0.5", "1"}},
                           Offer{field_named("hidden"), {"2", "4", "6", "8", "10"}}};
constexpr size_t hidden_layers = 4;  // among them

SweepAxis axis_of(const Offer& offer, const Settings& base) {
    SweepAxis axis{&offer.field};
    for (const char* const value : offer.values) {
        axis.values.emplace_back(value);
        if (&offer != &offers[hidden_layers]) continue;
        const std::string units = std::to_string(base.hidden.front());
        axis.values.back() = units;
        for (int layer = 1; layer < std::stoi(value); ++layer) axis.values.back() += "," + units;
    }
    return axis;
}

bool same(const SweepPlan& a, const SweepPlan& b) {
    const auto text = [](const SweepPlan& plan) {
        return text_of(plan.along) + (plan.across ? " " + text_of(*plan.across) : "");
    };
    return text(a) == text(b) && a.seeds == b.seeds && a.steps == b.steps && same_experiment(a.base, b.base);
}

size_t runs_of(const SweepPlan& plan) {
    return plan.along.values.size() * (plan.across ? plan.across->values.size() : 1) * plan.seeds;
}

std::string minutes(double seconds) {
    const auto whole = static_cast<uint64_t>(seconds);
    return std::to_string(whole / 60) + ":" + (whole % 60 < 10 ? "0" : "") + std::to_string(whole % 60);
}

class SweepTab final : public Tab {
  public:
    const char* name() const override { return "Sweep"; }
    const char* note() const override {
        return "The run again and again, with other values of a setting, and other seeds";
    }
    void draw(const TabFrame& frame) override;
    void draw_controls(const TabFrame& frame) override;
    bool step_back() override;
    std::vector<Shortcut> shortcuts(PanelGrid&) override;

  private:
    SweepPlan plan(const Settings& base) const;
    void draw_head(const TabFrame& frame, const plot::Rect& area, const SweepView* view) const;
    void draw_plots(const Look& look, const plot::Rect& area, const SweepView& view);
    DrawnFigure drawn(const SweepView& view, size_t across, const plot::Range& range) const;
    double shown(const SweepOutcome& outcome) const { return losses_ ? outcome.loss : outcome.accuracy; }
    /// Of all plots, so that they can be compared.
    plot::Range range_of(const SweepView& view) const;

    size_t along_ = 0;
    std::optional<size_t> across_;  // none: one plot
    uint32_t seeds_ = 3, steps_ = 600;
    bool losses_ = false;  // are shown
    std::vector<plot::PanelState> panels_;
    plot::PanelState* pointed_at_ = nullptr;
};

SweepPlan SweepTab::plan(const Settings& base) const {
    SweepPlan plan{.base = base, .along = axis_of(offers[along_], base), .seeds = seeds_, .steps = steps_};
    if (across_) plan.across = axis_of(offers[*across_], base);
    return plan;
}

void SweepTab::draw_controls(const TabFrame& frame) {
    const Look& look = frame.look;
    if (!section(look, "Sweep", 0)) return;
    ImGui::PushID("sweep");
    const float width = ImGui::GetContentRegionAvail().x;
    const bool layers = is_perceptron(frame.settings);  // can be counted
    std::vector<const char*> names;
    for (size_t i = 0; i < offers.size(); ++i)
        if (i != hidden_layers || layers) names.push_back(offers[i].field.label);
    along_ = std::min(along_, names.size() - 1);
    if (across_ && (*across_ >= names.size() || *across_ == along_)) across_.reset();

    caption(look, "Along the axis");
    int selected = static_cast<int>(along_);
    if (choice(look, "##along", width, names[along_], names, selected))
        along_ = static_cast<size_t>(selected);
    hint(look, "What the runs of a plot differ in. The command line sweeps any setting: --sweep");
    caption(look, "A plot for each");
    std::vector<const char*> others = {"Nothing else"};
    std::vector<size_t> places = {0};
    int other = 0;
    for (size_t i = 0; i < names.size(); ++i) {
        if (i == along_) continue;
        if (across_ == i) other = static_cast<int>(others.size());
        others.push_back(names[i]);
        places.push_back(i);
    }
    if (choice(look, "##across", width, others[static_cast<size_t>(other)], others, other))
        across_ = other == 0 ? std::nullopt : std::optional(places[static_cast<size_t>(other)]);
    hint(look, "What plots differ in: all pairs of values are run");
    slider(look, "Seeds", seeds_, 1, 9, std::to_string(seeds_));
    hint(look, "Of data, first weights and batches, from the run's own on");
    slider(look, "Steps of each run", steps_, 50, 2000, std::to_string(steps_));
    hint(look, "As many for all values, so that small batches see less of the data");
    int losses = losses_ ? 1 : 0;
    static constexpr std::array<const char*, 2> shown = {"Test accuracy", "Training loss"};
    if (segments(look, "measured", shown, losses)) losses_ = losses == 1;
    hint(look, "What plots show of a run in its end: accuracy in eval mode, or the lightly smoothed loss");
    ImGui::PopID();
}

bool SweepTab::step_back() {
    bool any = false;
    for (plot::PanelState& panel : panels_) any |= std::exchange(panel.full, false);
    return any;
}

std::vector<Shortcut> SweepTab::shortcuts(PanelGrid&) {
    return {full_plot_shortcut([this] { return pointed_at_; })};
}

// How far it is, and what begins and ends it.
void SweepTab::draw_head(const TabFrame& frame, const plot::Rect& area, const SweepView* view) const {
    const Look& look = frame.look;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    plot::card(look, list, area, look.px(8), look.theme.panel, look.theme.border, 1);
    const SweepPlan wanted = plan(frame.settings);
    const bool as_set = view && same(wanted, view->plan);
    const bool goes_on = as_set && !view->running && view->made < view->cells.size();
    const bool running = view && view->running;
    const char* const act = running ? "Stop" : goes_on ? "Go on" : "Start";
    const Icon icon = running ? Icon::pause : Icon::play;
    const float middle = (area.min.y + area.max.y) / 2, inset = look.px(14);
    const float width =
        std::max(tool_button_width(look, "Start", Icon::play), tool_button_width(look, "Stop", Icon::pause));
    ImGui::SetCursorScreenPos({area.max.x - inset - width, std::round(middle - look.px(tool_height / 2))});
    if (tool_button(look, "begin", act, icon, !running, width))
        running ? frame.commands.stop_sweep() : frame.commands.begin_sweep(wanted);
    hint(look, running ? "What was made stays" : "Runs that were made are not made again", Side::below);

    std::string title = std::to_string(runs_of(wanted)) + " runs of " + std::to_string(steps_) + " steps";
    std::string below = "the twins at the left, once for each value and seed, beside the run that goes on";
    if (view) {
        title = std::to_string(view->made) + " of " + std::to_string(view->cells.size()) + " runs";
        below = !view->error.empty()              ? view->error
                : running                         ? minutes(view->seconds) + "  \xC2\xB7  " + view->under_way
                : view->made < view->cells.size() ? "stopped; what was made stays"
                                                  : "done  \xC2\xB7  Ctrl + E writes sweep.csv";
        if (!running && !as_set)
            below += "  \xC2\xB7  Start makes " + std::to_string(runs_of(wanted)) + " with what is set now";
    }
    const float left = area.min.x + inset, right = area.max.x - 2 * inset - width;
    const float bar = left + look.px(150);
    plot::text(list, look.fonts.strong, {left, middle - look.fonts.strong->FontSize / 2}, look.theme.text,
               title.c_str());
    const std::string words = plot::fitted(look.fonts.small, below, right - bar);
    plot::text(list, look.fonts.small, {bar, middle - look.px(view ? 17 : 7)}, look.theme.muted,
               words.c_str());
    if (!view) return;
    const auto part = static_cast<float>(view->progress);
    const float top = std::round(middle + look.px(5));
    list.AddRectFilled({bar, top}, {right, top + look.px(6)}, look.theme.control, look.px(3));
    if (part > 0)
        list.AddRectFilled({bar, top}, {bar + (right - bar) * part, top + look.px(6)}, look.theme.grip,
                           look.px(3));
}

plot::Range SweepTab::range_of(const SweepView& view) const {
    plot::Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
    for (const SweepCell& cell : view.cells)
        for (const SweepOutcome& outcome : cell.twins)
            if (const double value = shown(outcome); std::isfinite(value))
                range = {std::min(range.low, value), std::max(range.high, value)};
    return range;
}

DrawnFigure SweepTab::drawn(const SweepView& view, size_t across, const plot::Range& range) const {
    DrawnFigure drawn;
    const SweepAxis& along = view.plan.along;
    drawn.range = range;
    for (size_t i = 0; i < along.values.size(); ++i) drawn.places.push_back(number_of(along, i));
    for (size_t twin = 0; twin < view.plan.base.twins.size(); ++twin) {
        DrawnFigure::Line line{twin, twin_name(view.plan.base, twin), {}, {}};
        for (uint32_t seed = 0; seed < view.plan.seeds; ++seed) {
            Curve curve;
            for (const SweepCell& cell : view.cells)
                if (cell.across == across && cell.seed == view.plan.base.seed + seed &&
                    twin < cell.twins.size())
                    curve.emplace_back(number_of(along, cell.along), shown(cell.twins[twin]));
            std::sort(curve.begin(), curve.end());
            if (!curve.empty()) line.seeds.push_back(std::move(curve));
        }
        line.median = median_of(line.seeds, 1);
        drawn.lines.push_back(std::move(line));
    }
    return drawn;
}

void SweepTab::draw_plots(const Look& look, const plot::Rect& area, const SweepView& view) {
    const SweepPlan& plan = view.plan;
    const size_t count = plan.across ? plan.across->values.size() : 1;
    if (panels_.size() != count) panels_.assign(count, {});
    pointed_at_ = nullptr;
    const plot::Range range = range_of(view);
    const auto draw_one = [&](size_t i, const plot::Rect& frame) {
        std::string title = losses_ ? "Training loss" : "Test accuracy";
        if (plan.across) {
            const double value = number_of(*plan.across, i);
            title = std::string(plan.across->field->label) + " " + plot::short_number(value);
        }
        Figure figure{.title = title.c_str(),
                      .x = Figure::Axis::values,
                      .x_name = plan.along.field->label,
                      .twins = {},
                      .points = nullptr};
        if (frame.contains(ImGui::GetMousePos())) pointed_at_ = &panels_[i];
        draw_figure({look, frame, 0, false}, figure, drawn(view, i, range), panels_[i]);
    };
    for (size_t i = 0; i < count; ++i)
        if (panels_[i].full) return draw_one(i, area);
    const size_t columns = std::min<size_t>(count, count == 4 ? 2 : 3);
    const Cells cells(look, area, columns, (count + columns - 1) / columns);
    for (size_t i = 0; i < count; ++i) draw_one(i, cells.rect(static_cast<float>(i % columns), i / columns));
}

void SweepTab::draw(const TabFrame& frame) {
    const Look& look = frame.look;
    const std::shared_ptr<const SweepView> view = frame.commands.sweep();
    const plot::Rect head{frame.area.min, {frame.area.max.x, frame.area.min.y + look.px(54)}};
    draw_head(frame, head, view.get());
    const plot::Rect rest{{frame.area.min.x, head.max.y + look.px(8)}, frame.area.max};
    if (view)
        draw_plots(look, rest, *view);
    else
        draw_notice(look, rest,
                    {"No sweep yet.",
                     "Choose at the left what the runs differ in. Start makes them: data, twins and all else "
                     "are as the controls say."});
}

}  // namespace

std::unique_ptr<Tab> sweep_tab() {
    return std::make_unique<SweepTab>();
}

}  // namespace lab
