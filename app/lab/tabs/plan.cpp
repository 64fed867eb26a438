// The tab of how the device does a training step of one twin: the time of its parts, layer by layer and by
// what is done, and the plan of the inspected layer's norm. They stand in place of the panels' last column.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "app/lab/explanations.hpp"
#include "app/lab/panels/twins.hpp"
#include "app/lab/tabs.hpp"
#include "app/plot/tables.hpp"
#include "app/ui/focus.hpp"

namespace lab {

namespace {

using Parts = std::vector<vknorm::Timing>;

std::string number(const char* pattern, double value) {
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), pattern, value);
    return text.data();
}

// At most five characters below a second.
std::string milliseconds(double value) {
    return number(value < 9.9995 ? "%.3f" : value < 99.995 ? "%.2f" : "%.1f", value);
}

double total(const Parts& parts) {
    double sum = 0;
    for (const vknorm::Timing& part : parts) sum += part.milliseconds;
    return sum;
}

// What goes on below one another.
struct Column {
    const Look& look;
    ImDrawList& list;
    float left, right, y;
    Color hue;  ///< of the twin
    float row;  ///< height of a table's

    float width() const { return right - left; }

    void line(ImFont* font, Color color, const std::string& words, float height) {
        plot::text(list, font, {left, y}, color, words.c_str());
        y += look.px(height);
    }

    void right_aligned(ImFont* font, float edge, Color color, const std::string& words) {
        plot::text(list, font, {edge - plot::text_size(font, words.c_str()).x, y}, color, words.c_str());
    }
};

// Lines, wrapped, those that begin with spaces moved in; they scroll where they are too many.
void draw_words(const Look& look, const plot::Rect& area, const std::string& words) {
    ImGui::SetCursorScreenPos(area.min);
    ImGui::BeginChild("words", {area.width(), area.height()}, false);
    ImFont* const font = look.fonts.small;
    ImVec2 at = ImGui::GetCursorScreenPos();
    const float top = at.y, width = ImGui::GetContentRegionAvail().x;
    std::istringstream lines(words);
    for (std::string line; std::getline(lines, line);) {
        const size_t begin = std::min(line.find_first_not_of(' '), line.size());
        const float indent = begin > 0 ? look.px(8) : 0;
        const char* const text = line.c_str() + begin;
        ImGui::GetWindowDrawList()->AddText(font, font->FontSize,
                                            {std::round(at.x + indent), std::round(at.y)}, look.theme.muted,
                                            text, nullptr, width - indent);
        at.y += font->CalcTextSizeA(font->FontSize, 1e9f, width - indent, text).y + look.px(2);
    }
    ImGui::Dummy({width, at.y - top});
    ImGui::EndChild();
}

// The twins' letters at the right end of the title, of which one is chosen.
void draw_letters(const Look& look, ImDrawList& list, const plot::Rect& frame, size_t twins, size_t& chosen) {
    const float middle = frame.min.y + look.px(17), width = look.px(22);
    float left = frame.max.x - look.px(10) - width * static_cast<float>(twins);
    for (size_t twin = 0; twin < twins; ++twin, left += width) {
        const plot::Rect chip{{left, middle - look.px(9)}, {left + width - look.px(2), middle + look.px(9)}};
        const std::array<char, 2> letter = {twin_letter(twin), '\0'};
        ImGui::PushID(letter.data());
        ImGui::SetCursorScreenPos(chip.min);
        if (press_area(look, "planned twin", {chip.width(), chip.height()})) chosen = twin;
        const bool lit = chosen == twin || ImGui::IsItemHovered();
        ImGui::PopID();
        if (chosen == twin) list.AddRectFilled(chip.min, chip.max, look.theme.control_hovered, look.px(5));
        const ImVec2 size = plot::text_size(look.fonts.small, letter.data());
        plot::text(list, look.fonts.small, {(chip.min.x + chip.max.x - size.x) / 2, middle - size.y / 2},
                   lit ? look.theme.text : look.theme.muted, letter.data());
    }
}

// A row for each layer, a column for each thing that a layer does. What it does not do stays empty.
void draw_layers(Column& at, const Parts& parts, size_t hidden) {
    const Look& look = at.look;
    static constexpr std::array<const char*, 6> labels = {"linear forward",     "norm forward",
                                                          "activation forward", "linear backward",
                                                          "norm backward",      "activation backward"};
    static constexpr std::array<const char*, 3> heads = {"linear", "norm", "activ."};
    const float row = at.row, names = look.px(40), cell = (at.width() - names) / 6;
    double most = 0;
    for (const vknorm::Timing& part : parts) most = std::max(most, part.milliseconds);
    const auto edge = [&](size_t column) { return at.left + names + cell * static_cast<float>(column + 1); };

    for (size_t half = 0; half < 2; ++half)
        at.right_aligned(look.fonts.small, edge(half * 3 + 2), look.theme.muted,
                         half == 0 ? "forward, ms" : "backward, ms");
    at.y += row;
    at.line(look.fonts.small, look.theme.muted, "layer", 0);
    for (size_t column = 0; column < labels.size(); ++column)
        at.right_aligned(look.fonts.small, edge(column), look.theme.muted, heads[column % 3]);
    at.y += row;
    for (size_t layer = 0; layer <= hidden; ++layer) {
        const bool output = layer == hidden;
        at.line(look.fonts.small, look.theme.muted, output ? "output" : std::to_string(layer + 1), 0);
        for (size_t column = 0; column < labels.size(); ++column) {
            const std::string label = output ? (column == 0   ? "output forward"
                                                : column == 3 ? "output backward"
                                                              : "")
                                             : std::to_string(layer) + "." + labels[column];
            const auto found = std::find_if(parts.begin(), parts.end(),
                                            [&](const auto& part) { return part.label == label; });
            if (found == parts.end()) continue;
            const auto heat = static_cast<float>(most > 0 ? found->milliseconds / most : 0);
            at.list.AddRectFilled({edge(column) - cell + look.px(3), at.y + look.px(1)},
                                  {edge(column) + look.px(2), at.y + row},
                                  mixed(look.theme.panel, at.hue, 0.5f * heat), look.px(3));
            at.right_aligned(look.fonts.mono, edge(column), look.theme.text,
                             milliseconds(found->milliseconds));
        }
        at.y += row;
    }
}

void draw_kinds(Column& at, const Parts& kinds) {
    const Look& look = at.look;
    const double sum = total(kinds);
    float names = 0;
    double most = 0;
    for (const vknorm::Timing& kind : kinds) {
        names = std::max(names, plot::text_size(look.fonts.small, kind.label.c_str()).x);
        most = std::max(most, kind.milliseconds);
    }
    const float row = at.row + look.px(1), share = look.px(52), time = look.px(48);
    const float bar = at.left + names + look.px(8), bar_end = at.right - share - time - look.px(4);
    for (const vknorm::Timing& kind : kinds) {
        at.line(look.fonts.small, look.theme.muted, kind.label, 0);
        const auto length = static_cast<float>(most > 0 ? kind.milliseconds / most : 0) * (bar_end - bar);
        at.list.AddRectFilled({bar, at.y + look.px(3)}, {bar + std::max(length, 1.0f), at.y + look.px(11)},
                              at.hue, look.px(2));
        at.right_aligned(look.fonts.mono, at.right - share, look.theme.text, milliseconds(kind.milliseconds));
        at.right_aligned(look.fonts.mono, at.right, look.theme.muted,
                         number("%.1f %%", sum > 0 ? 100 * kind.milliseconds / sum : 0));
        at.y += row;
    }
}

Table table_of(const TwinView& view) {
    Table table{{"part", "time (ms)"}, {}};
    for (const vknorm::Timing& part : view.parts)
        table.rows.push_back({part.label, plot::cell_text(static_cast<float>(part.milliseconds))});
    return table;
}

void draw_plan(const Look& look, const plot::Rect& frame, const Snapshot& s, size_t& twin) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    plot::card(look, list, frame, look.px(8), look.theme.panel, look.theme.border, 1);
    twin = std::min(twin, s.twins.size() - 1);
    const std::string title = std::string("A step of twin ") + twin_letter(twin);
    look.plots.add({"plan", title, frame.min, frame.max});
    look.plots.offer_table("plan", [&] { return table_of(s.twins[twin]); });
    draw_letters(look, list, frame, s.twins.size(), twin);
    const TwinView& view = s.twins[twin];
    const float inset = look.px(12);
    Column at{look,
              list,
              frame.min.x + inset,
              frame.max.x - inset,
              0,
              look.theme.twins[twin],
              look.px(s.settings.hidden.size() > 8   ? 13
                      : s.settings.hidden.size() > 6 ? 14
                                                     : 17)};
    at.y = frame.min.y + look.px(17) - plot::text_size(look.fonts.strong, "P").y / 2;
    at.line(look.fonts.strong, look.theme.text, title, 24);
    const float title_end = at.left + plot::text_size(look.fonts.strong, title.c_str()).x;
    draw_info(look, explained("A step of a twin"),
              {title_end + look.px(6 + info_width / 2), frame.min.y + look.px(17)},
              frame.min.y + look.px(34));
    if (!s.has_timestamps) {
        at.line(look.fonts.small, look.theme.muted, "This device has no timestamps: no times.", 26);
    } else if (s.settings.twins[twin].devices > 1) {
        at.line(look.fonts.small, look.theme.muted, "On several devices a step is in pieces: no times.", 26);
    } else if (view.parts.empty()) {
        at.line(look.fonts.small, look.theme.muted, "Measured from the next step on", 26);
    } else {
        at.line(look.fonts.small, look.theme.muted,
                milliseconds(total(view.parts)) + " ms on the device, medians of measured steps", 24);
        if (is_perceptron(s.settings)) {
            draw_layers(at, view.parts, s.settings.hidden.size());
            at.y += look.px(10);
        }
        draw_kinds(at, view.parts_by_kind);
        at.y += look.px(10);
    }
    at.line(look.fonts.strong, look.theme.text, "Norm of " + inspected_name(s.settings), 22);
    draw_words(look, {{at.left, at.y}, {at.right, frame.max.y - look.px(8)}},
               view.norm_plan.empty() ? "None" : view.norm_plan);
}

class Plan final : public Tab {
  public:
    const char* name() const override { return "Plan"; }
    const char* note() const override {
        return "How the device does a training step, and where the time goes";
    }
    void draw(const TabFrame& frame) override {
        constexpr size_t last = PanelGrid::columns - 1;
        frame.panels.draw(frame.look, frame.area, last, frame.run, frame.then);
        draw_plan(frame.look, PanelGrid::column(frame.look, frame.area, last), frame.run, twin_);
    }
    char letter() const override { return 'P'; }
    std::vector<Shortcut> shortcuts(PanelGrid& panels) override { return panels.shortcuts(); }
    bool Settings::*measured() const override { return &Settings::plan; }

  private:
    size_t twin_ = 0;  // shown
};

}  // namespace

std::unique_ptr<Tab> plan_tab() {
    return std::make_unique<Plan>();
}

}  // namespace lab
