// The tab of the channels of the inspected layer's norm: their statistics over all steps as heat maps, those
// of the latest step in a table and as points.
#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "app/experiment/measured_layers.hpp"
#include "app/experiment/words.hpp"
#include "app/lab/explanations.hpp"
#include "app/lab/notice.hpp"
#include "app/lab/number_card.hpp"
#include "app/lab/panels/twins.hpp"
#include "app/lab/statistics/channel_table.hpp"
#include "app/lab/tabs.hpp"
#include "app/plot/scatter.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

struct Map {
    const ChannelQuantity& quantity;
    const char* id;
    const Explanation& explanation;  ///< its name is the title
};
constexpr std::array<Map, 5> maps = {{{batch_mean, "batch mean", explained("Batch mean")},
                                      {batch_variance, "batch variance", explained("Batch variance")},
                                      {gamma_of_norm, "gamma", explained("Gamma")},
                                      {beta_of_norm, "beta", explained("Beta")},
                                      {mean_gap, "gap", explained("Gap")}}};
constexpr size_t most_cells = 15'000;                         // of all maps together
constexpr float part_of_maps = 0.54f, part_of_table = 0.64f;  // of the height, and of the width below

/// What the scatter compares.
struct Pair {
    const char* word;  ///< of its control
    const ChannelQuantity &x, &y;
    bool equals;  ///< both are of one kind
};
constexpr std::array<Pair, 3> pairs = {{{"σ²", batch_variance, running_variance, true},
                                        {"μ", batch_mean, running_mean, true},
                                        {"γ, β", gamma_of_norm, beta_of_norm, false}}};

std::string capitalized(std::string words) {
    words[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(words[0])));
    return words;
}

/// Of the run, what is looked at.
struct Subject {
    size_t twin;
    uint32_t layer;
    MeasuredLayer measured;
    const char* row_name;  ///< "unit"
};

/// Why the subject has no channels to show, a line each.
std::vector<std::string> why_nothing(const Snapshot& run, const Subject& of) {
    const std::string twin = "twin " + letter(of.twin);
    if (of.measured.kind != vknorm::Norm::none)
        return {"No steps yet.", "S makes one, Space runs: every channel of the norm of " + of.measured.name +
                                     " then has its statistics here."};
    std::vector<std::string> lines = {capitalized(twin) + " has no norm behind " + of.measured.name +
                                      ": there are no statistics, no gamma and no beta."};
    for (size_t other = 0; other < run.settings.twins.size(); ++other)
        if (norm_of(run.settings, other, of.layer) != vknorm::Norm::none) {
            lines.push_back("Twin " + letter(other) + " has one: choose it at the left.");
            return lines;
        }
    lines.push_back("Choose a norm at the left; that begins a new run, which Ctrl + Z undoes.");
    return lines;
}

class Statistics final : public Tab {
  public:
    const char* name() const override { return "Statistics"; }
    const char* note() const override {
        return "Every channel of the inspected layer's norm, over all steps";
    }
    bool turns_back() const override { return true; }
    void draw(const TabFrame& frame) override;
    void draw_controls(const TabFrame& frame) override;
    std::vector<Shortcut> shortcuts(PanelGrid& panels) override;
    bool step_back() override;

  private:
    Subject subject(const TabFrame& frame) const;
    std::vector<plot::PanelState*> states();
    void draw_map(const Look& look, const plot::Rect& frame, size_t map, size_t cells, const Subject& of,
                  const ChannelTrace& trace, plot::SharedX& steps);
    void draw_table(const Look& look, const plot::Rect& frame, const Snapshot& run, const Subject& of,
                    const ChannelTrace& trace);
    void draw_points(const Look& look, const plot::Rect& frame, const Subject& of, const ChannelTrace& trace);
    void point_at(const plot::Rect& frame, plot::PanelState& panel, bool has_keyboard);
    void draw_numbers(const Look& look, const Subject& of, const ChannelTrace& trace) const;
    /// Those that the norm has.
    std::vector<size_t> pairs_of(vknorm::Norm kind) const;
    size_t pair_of(vknorm::Norm kind) const;

    std::optional<size_t> twin_;  // chosen; none: the first with a norm there
    bool whole_ = false;          // colours reach to the extremes
    size_t pair_ = 0;
    plot::SharedRow row_;
    std::array<plot::PlotState, maps.size()> maps_;
    ChannelTable table_;
    plot::ScatterState scatter_;
    plot::PanelState* pointed_at_ = nullptr;
};

std::vector<plot::PanelState*> Statistics::states() {
    std::vector<plot::PanelState*> all = {&table_.panel, &scatter_.plot.panel};
    for (plot::PlotState& map : maps_) all.push_back(&map.panel);
    return all;
}

bool Statistics::step_back() {
    bool any = false;
    for (plot::PanelState* const state : states()) any |= std::exchange(state->full, false);
    return any;
}

std::vector<Shortcut> Statistics::shortcuts(PanelGrid&) {
    return {full_plot_shortcut([this] { return pointed_at_; })};
}

Subject Statistics::subject(const TabFrame& frame) const {
    const Settings& settings = frame.run.settings;
    const auto layers = static_cast<uint32_t>(measured_layers(settings, 0).size());
    const uint32_t layer = std::min(frame.settings.inspected_layer, layers - 1);
    size_t twin = 0;
    if (twin_)
        twin = std::min(*twin_, settings.twins.size() - 1);
    else
        while (twin + 1 < settings.twins.size() && norm_of(settings, twin, layer) == vknorm::Norm::none)
            ++twin;
    if (!twin_ && norm_of(settings, twin, layer) == vknorm::Norm::none) twin = 0;
    const MeasuredLayer measured = measured_layers(settings, twin)[layer];
    return {twin, layer, measured, measured.gives_maps() ? "channel" : "unit"};
}

std::vector<size_t> Statistics::pairs_of(vknorm::Norm kind) const {
    std::vector<size_t> result;
    for (size_t i = 0; i < pairs.size(); ++i)
        if (has(kind, pairs[i].x) && has(kind, pairs[i].y)) result.push_back(i);
    return result;
}

size_t Statistics::pair_of(vknorm::Norm kind) const {
    const std::vector<size_t> all = pairs_of(kind);
    return all.empty() || std::find(all.begin(), all.end(), pair_) != all.end() ? pair_ : all.front();
}

// The numbers of the channel that is looked at, or of the inspected one.
void Statistics::draw_numbers(const Look& look, const Subject& of, const ChannelTrace& trace) const {
    const bool running = has(of.measured.kind, running_mean);
    const bool marked = row_.marked && *row_.marked < trace.channels();
    const size_t channel = marked ? *row_.marked : std::min(row_.chosen, trace.channels() - 1);
    const ChannelRow& row = trace.latest()[channel];
    NumberCard card(look, capitalized(of.row_name) + " " + std::to_string(channel),
                    marked ? "pointed at" : "inspected", running ? 5 : 1, marked);
    if (running) {
        card.heads("batch", "running");
        card.row("μ", decimals(row.batch_mean), decimals(row.running_mean));
        card.row("σ²", decimals(row.batch_variance), decimals(row.running_variance));
    }
    if (has(of.measured.kind, beta_of_norm))
        card.row("γ, β", decimals(row.gamma), decimals(row.beta));
    else
        card.row("γ", decimals(row.gamma));
    if (running) card.row("gap, in running σ", decimals(row.gap));
    card.end();
}

void Statistics::draw_controls(const TabFrame& frame) {
    const Look& look = frame.look;
    if (!section(look, "Statistics", 0)) return;
    ImGui::PushID("statistics");
    Subject of = subject(frame);
    if (frame.run.settings.twins.size() > 1) {
        if (choose_twin(look, frame.run.settings.twins.size(), of.twin)) twin_ = of.twin;
        hint(look, "Whose norm is looked at");
        of = subject(frame);
    }
    const ChannelTrace trace(frame.run, frame.then, of.twin, of.layer);
    if (!trace.empty()) {
        int whole = whole_ ? 1 : 0;
        caption(look, "Colours of the maps");
        static constexpr std::array<const char*, 2> ranges = {"1 to 99 %", "All values"};
        if (segments(look, "range", ranges, whole)) whole_ = whole == 1;
        hint(look, "How far the colours of the maps reach. What lies beyond has the colour of the end.");
        const std::vector<size_t> all = pairs_of(of.measured.kind);
        if (all.size() > 1) {
            std::vector<const char*> words;
            for (const size_t i : all) words.push_back(pairs[i].word);
            int selected =
                static_cast<int>(std::find(all.begin(), all.end(), pair_of(of.measured.kind)) - all.begin());
            caption(look, "Points");
            if (segments(look, "pair", words, selected)) pair_ = all[static_cast<size_t>(selected)];
            hint(look, "What the points at the lower right compare");
        }
        draw_numbers(look, of, trace);
    }
    ImGui::PopID();
}

void Statistics::draw_map(const Look& look, const plot::Rect& frame, size_t map, size_t cells,
                          const Subject& of, const ChannelTrace& trace, plot::SharedX& steps) {
    const ChannelQuantity& quantity = maps[map].quantity;
    point_at(frame, maps_[map].panel, maps_[map].has_keyboard);
    plot::draw_heat_map(
        look, frame,
        {.panel = {.id = maps[map].id,
                   .title = maps[map].explanation.name,
                   .explanation = maps[map].explanation,
                   .legend = {}},
         .colors = quantity.colors,
         .middle = quantity.middle,
         .whole = whole_,
         .value_name = quantity.name,
         .row_name = of.row_name,
         .most_cells = cells},
        {.steps = trace.steps(),
         .rows = trace.channels(),
         .cell = [&](size_t column, size_t row) { return trace.cell(column, row, quantity.member); }},
        maps_[map], steps, row_);
}

void Statistics::draw_table(const Look& look, const plot::Rect& frame, const Snapshot& run, const Subject& of,
                            const ChannelTrace& trace) {
    const vknorm::Norm kind = of.measured.kind;
    point_at(frame, table_.panel, table_.has_keyboard);
    plot::PanelOptions panel{.id = "channels",
                             .title = capitalized(of.row_name) + "s of " + of.measured.name,
                             .explanation = explained("Channels"),
                             .legend = {}};
    const bool keeps = vknorm::keeps_running_statistics(kind);
    std::string missing;
    if (!keeps)
        missing = std::string(lab::name(kind)) + " takes its statistics from each example by itself: a " +
                  of.row_name + " has none.";
    else if (run.settings.statistics == vknorm::Statistics::running)
        missing = "The step normalized with running statistics and measured none of its batch.";
    if (!missing.empty()) panel.footer.push_back(missing);
    panel.footer.push_back("twin " + lab::letter(of.twin) + ", " + lab::name(kind) + ", step " +
                           std::to_string(trace.latest_step()));
    draw_channel_table(look, frame,
                       {.panel = std::move(panel),
                        .row_name = of.row_name,
                        .quantities = quantities_of(kind),
                        .color = look.theme.twins[of.twin]},
                       trace, table_, row_);
}

void Statistics::draw_points(const Look& look, const plot::Rect& frame, const Subject& of,
                             const ChannelTrace& trace) {
    const Pair& pair = pairs[pair_of(of.measured.kind)];
    point_at(frame, scatter_.plot.panel, scatter_.plot.has_keyboard);
    const Explanation& explanation =
        pair.equals ? explained("Batch against running") : explained("Gamma and beta");
    std::vector<plot::Point> points;
    for (const ChannelRow& row : trace.latest())
        points.push_back({static_cast<double>(row.*pair.x.member), static_cast<double>(row.*pair.y.member)});
    plot::draw_scatter(
        look, frame,
        {.panel = {.id = "points", .title = explanation.name, .explanation = explanation, .legend = {}},
         .x_name = pair.x.name,
         .y_name = pair.y.name,
         .row_name = of.row_name,
         .color = look.theme.twins[of.twin],
         .equals = pair.equals,
         .empty = "The step measured no statistics of its batch"},
        points, scatter_, row_);
}

void Statistics::point_at(const plot::Rect& frame, plot::PanelState& panel, bool has_keyboard) {
    if (frame.contains(ImGui::GetMousePos()) || has_keyboard) pointed_at_ = &panel;
}

void Statistics::draw(const TabFrame& frame) {
    const Look& look = frame.look;
    plot::SharedX& steps = frame.panels.steps();
    row_.marked = std::exchange(row_.next_marked, std::nullopt);
    pointed_at_ = nullptr;
    const Subject of = subject(frame);
    const ChannelTrace trace(frame.run, frame.then, of.twin, of.layer);
    if (trace.empty()) return draw_notice(look, frame.area, why_nothing(frame.run, of));
    const vknorm::Norm kind = of.measured.kind;

    row_.count = trace.channels();
    row_.chosen = std::min<size_t>(frame.settings.inspected_unit, row_.count - 1);
    const size_t inspected = row_.chosen;
    const bool has_points = !pairs_of(kind).empty();
    std::vector<size_t> shown;
    for (size_t i = 0; i < maps.size(); ++i)
        if (has(kind, maps[i].quantity))
            shown.push_back(i);
        else
            maps_[i].panel.full = false;
    if (!has_points) scatter_.plot.panel.full = false;

    const auto full = std::find_if(shown.begin(), shown.end(), [&](size_t i) { return maps_[i].panel.full; });
    if (full != shown.end()) {
        draw_map(look, frame.area, *full, most_cells, of, trace, steps);
    } else if (table_.panel.full) {
        draw_table(look, frame.area, frame.run, of, trace);
    } else if (scatter_.plot.panel.full) {
        draw_points(look, frame.area, of, trace);
    } else {
        const float gap = look.px(8), height = std::round((frame.area.height() - gap) * part_of_maps);
        const auto count = static_cast<float>(shown.size());
        const float width = (frame.area.width() - gap * (count - 1)) / count;
        float left = frame.area.min.x;
        const float top = frame.area.min.y;
        for (const size_t i : shown) {
            draw_map(look, {{std::round(left), top}, {std::round(left + width), top + height}}, i,
                     most_cells / shown.size(), of, trace, steps);
            left += width + gap;
        }
        const float below = top + height + gap,
                    split = std::round(frame.area.min.x +
                                       (frame.area.width() - gap) * (has_points ? part_of_table : 1));
        draw_table(look, {{frame.area.min.x, below}, {split, frame.area.max.y}}, frame.run, of, trace);
        if (has_points) draw_points(look, {{split + gap, below}, frame.area.max}, of, trace);
    }
    if (row_.chosen != inspected) frame.settings.inspected_unit = static_cast<uint32_t>(row_.chosen);
}

}  // namespace

std::unique_ptr<Tab> statistics_tab() {
    return std::make_unique<Statistics>();
}

}  // namespace lab
