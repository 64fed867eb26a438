// The values of the set as dots on five number lines, one for each step forward, along which they slide.
#include <algorithm>
#include <cmath>

#include "app/lab/microscope/slide.hpp"
#include "app/lab/microscope/symbols.hpp"
#include "app/ui/scale.hpp"

namespace lab {

namespace {

constexpr float most_aside = 19;      // pixels that a dot steps aside for others
constexpr float not_reached = 0.4f;   // how faint the lines are that the steps have not come to
constexpr size_t fewest_counted = 4;  // dots in one place whose number is worth saying

struct Line {
    float y = 0;  // its middle
    std::vector<ImVec2> dots;
    std::string pile;  // "21 at 0"; empty: all are seen
    float pile_x = 0;
};

/// Steps dots aside from each other; those that find no room stay below others and are counted.
struct Swarm {
    float reach, aside;  // radius, farthest from the line

    void place(const Slide& slide, size_t index, Line& line, const std::vector<float>& xs) const {
        const size_t count = xs.size();
        std::vector<size_t> order(count);
        for (size_t i = 0; i < count; ++i) order[i] = i;
        std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return xs[a] < xs[b]; });
        line.dots.resize(count);
        std::vector<ImVec2> placed;
        std::vector<size_t> hidden;
        const float apart = 2 * reach - 0.5f;
        for (const size_t i : order) {
            float best = 0;
            bool room = false;
            for (int step = 0; !room; ++step) {
                const float by = static_cast<float>((step + 1) / 2) * reach * (step % 2 == 0 ? -1.0f : 1.0f);
                if (std::abs(by) > aside) break;
                room = std::all_of(placed.rbegin(), placed.rend(), [&](ImVec2 other) {
                    return std::hypot(other.x - xs[i], other.y - by) >= apart;
                });
                if (room) best = by;
            }
            if (room)
                placed.push_back({xs[i], best});
            else
                hidden.push_back(i);
            line.dots[i] = {xs[i], line.y + best};
        }
        count_pile(slide, index, line, xs, hidden);
    }

    // The largest number of equal values among those that found no room; else how many of these there are.
    void count_pile(const Slide& slide, size_t index, Line& line, const std::vector<float>& xs,
                    const std::vector<size_t>& hidden) const {
        if (hidden.empty()) return;
        size_t most = 0, place = hidden.front();
        for (const size_t i : hidden) {
            const double value = slide.forward(index, slide.values[i]);
            const auto equal = static_cast<size_t>(
                std::count_if(slide.values.begin(), slide.values.end(),
                              [&](size_t other) { return slide.forward(index, other) == value; }));
            if (equal > most) most = equal, place = i;
        }
        line.pile = most >= fewest_counted ? std::to_string(most) + " at " +
                                                 plot::short_number(slide.forward(index, slide.values[place]))
                                           : std::to_string(hidden.size()) + " more behind";
        line.pile_x = xs[place];
    }
};

std::array<std::string, lens_forward_steps> line_names(const Slide& slide) {
    const bool rms = slide.specimen.kind == vknorm::Norm::rms;
    return {"z", rms ? "z (no \u03BC)" : "z \u2212 \u03BC", "^x", "y", "a"};
}

std::string behind(vknorm::Activation activation) {
    switch (activation) {
        case vknorm::Activation::relu:
            return "after ReLU";
        case vknorm::Activation::tanh:
            return "after tanh";
        case vknorm::Activation::sigmoid:
            return "after sigmoid";
        case vknorm::Activation::identity:
            return "as it is";
    }
    return "";
}

std::array<std::string, lens_forward_steps> line_notes(const Slide& slide) {
    const bool rms = slide.specimen.kind == vknorm::Norm::rms;
    const bool after = slide.specimen.order == vknorm::NormOrder::after_activation;
    return {after ? behind(slide.specimen.activation) : "as it arrives",
            rms ? "stays: no mean" : "minus mean", "divided by \u03C3",
            rms ? "times \u03B3" : "times \u03B3 plus \u03B2", behind(activation_behind(slide.specimen))};
}

plot::Range range_of(const Slide& slide) {
    plot::Range range{0, 0};
    for (size_t line = 0; line < lens_forward_steps; ++line)
        for (const size_t i : slide.values) {
            const double value = slide.forward(line, i);
            range.low = std::min(range.low, value);
            range.high = std::max(range.high, value);
        }
    const double pad = 0.04 * std::max(range.length(), 1e-6);
    return plot::sane({range.low - pad, range.high + pad}, plot::Scale::linear);
}

// At the right end of the title: what colours and marks mean, as far as there is room.
void draw_legend(const Slide& slide, const plot::Rect& frame, float left_end) {
    const Look& look = slide.look;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const float middle = frame.min.y + look.px(17), swatch = look.px(15), gap = look.px(11);
    uint32_t classes = 0;
    for (const uint32_t label : slide.specimen.labels) classes = std::max(classes, label + 1);
    float x = frame.max.x - look.px(12);
    const auto entry = [&](const std::string& words, auto draw) {
        const ImVec2 size = plot::text_size(look.fonts.small, words.c_str());
        const float left = x - size.x - swatch;
        if (left < left_end) return false;
        plot::text(list, look.fonts.small, {left + swatch, middle - size.y / 2}, look.theme.muted,
                   words.c_str());
        draw(left);
        x = left - gap;
        return true;
    };
    entry("\u00B1 \u03C3", [&](float left) {
        list.AddRectFilled({left, middle - look.px(4)}, {left + look.px(11), middle + look.px(4)},
                           faded(look.theme.muted, 0.45f), look.px(2));
    });
    entry("mean", [&](float left) {
        list.AddRectFilled({left + look.px(5), middle - look.px(6)}, {left + look.px(7), middle + look.px(6)},
                           look.theme.text);
    });
    if (slide.across_units()) {
        entry("units of class " + std::to_string(slide.specimen.labels[slide.specimen.row_of(slide.chosen)]),
              [&](float left) {
                  plot::disc(list, look.fonts, {left + look.px(6), middle}, look.px(4),
                             slide.class_color(slide.chosen));
              });
        return;
    }
    for (uint32_t c = std::min(classes, 10u); c-- > 0;)
        if (!entry(classes > 2 ? std::to_string(c) : "class " + std::to_string(c), [&](float left) {
                plot::disc(list, look.fonts, {left + look.px(6), middle}, look.px(4), look.theme.classes[c]);
            }))
            break;
}

}  // namespace

std::optional<size_t> draw_forward(const Slide& slide, const plot::Rect& frame) {
    const Look& look = slide.look;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const std::string count =
        slide.values.size() == slide.whole.size()
            ? std::to_string(slide.whole.size())
            : std::to_string(slide.values.size()) + " of " + std::to_string(slide.whole.size());
    const std::string title = "Forward: where the " + std::to_string(slide.whole.size()) + " values go";
    const plot::Rect area = draw_titled_card(
        look, frame, title, slide.values.size() == slide.whole.size() ? "" : count + " shown");
    draw_legend(slide, frame,
                frame.min.x + look.px(24) + plot::text_size(look.fonts.strong, title.c_str()).x +
                    (slide.values.size() == slide.whole.size() ? 0 : look.px(110)));

    const float labels = look.px(104), tick_height = look.px(16);
    const float left = area.min.x + labels, right = area.max.x - look.px(6);
    const float pitch = (area.height() - tick_height) / lens_forward_steps;
    const plot::Range range = range_of(slide);
    const auto x_of = [&](double value) {
        return left + (right - left) * static_cast<float>(plot::to_unit(range, plot::Scale::linear, value));
    };
    const std::vector<plot::Tick> ticks =
        plot::ticks(range, plot::Scale::linear, static_cast<int>((right - left) / look.px(60)));
    const float radius = look.px(slide.values.size() > 100 ? 2.6f : slide.values.size() > 48 ? 3.4f : 4.2f);
    const Swarm swarm{radius, std::min(look.px(most_aside), pitch / 2 - radius - look.px(2))};
    const Stepper& stepper = slide.stepper;

    std::array<Line, lens_forward_steps> lines;
    for (size_t i = 0; i < lines.size(); ++i) {
        lines[i].y = std::round(area.min.y + pitch * (static_cast<float>(i) + 0.5f));
        std::vector<float> xs;
        for (const size_t element : slide.values) xs.push_back(x_of(slide.forward(i, element)));
        swarm.place(slide, i, lines[i], xs);
    }

    const std::array<std::string, lens_forward_steps> names = line_names(slide), notes = line_notes(slide);
    for (size_t i = 0; i < lines.size(); ++i) {
        const Line& line = lines[i];
        const bool lit = stepper.step() == i;
        if (lit)
            list.AddRectFilled({frame.min.x + look.px(5), line.y - pitch / 2 + 1},
                               {frame.max.x - look.px(5), line.y + pitch / 2 - 1},
                               mixed(look.theme.panel, look.theme.grip, 0.12f), look.px(5));
        const Spread& spread = slide.spreads[i];
        const std::string numbers = text_of(spread);
        const bool tall = pitch >= look.px(50);
        const float name_height = look.fonts.strong->FontSize, small = look.fonts.small->FontSize,
                    block = name_height + look.fonts.mono->FontSize + look.px(2) + (tall ? small : 0);
        float y = line.y - block / 2;
        draw_symbols(look, list, look.fonts.strong, {area.min.x, y}, look.theme.text, names[i]);
        y += name_height + look.px(1);
        if (tall) {
            plot::text(list, look.fonts.small, {area.min.x, y}, look.theme.muted, notes[i].c_str());
            y += small + look.px(1);
        }
        plot::text(list, look.fonts.mono, {area.min.x, y}, look.theme.twin_words[0], numbers.c_str());

        list.AddRectFilled({left, line.y}, {right, line.y + 1}, look.theme.control_border);
        for (const plot::Tick& tick : ticks) {
            const float x = std::round(x_of(tick.value));
            list.AddRectFilled({x, line.y - look.px(3)}, {x + 1, line.y + look.px(4)},
                               look.theme.control_border);
        }
        const float strength = i == 0 ? 1 : not_reached + (1 - not_reached) * stepper.reached(i);
        const float low = std::clamp(x_of(spread.mean - spread.deviation), left, right),
                    high = std::clamp(x_of(spread.mean + spread.deviation), left, right);
        list.AddRectFilled({low, line.y - look.px(4)}, {high, line.y + look.px(5)},
                           faded(look.theme.muted, 0.4f * strength), look.px(2));
    }
    for (const plot::Tick& tick : ticks) {
        const ImVec2 size = plot::text_size(look.fonts.small, tick.label.c_str());
        const float x = std::clamp(x_of(tick.value) - size.x / 2, left - size.x / 2, right - size.x / 2);
        plot::text(list, look.fonts.small, {x, area.max.y - size.y}, look.theme.muted, tick.label.c_str());
    }

    // Trails, as far as the dots have come along them.
    size_t followed = 0;
    const float trail = slide.values.size() > 64 ? 0.2f : 0.42f;
    const auto along = [&](size_t i, size_t dot, float t) {
        const ImVec2 a = lines[i - 1].dots[dot], b = lines[i].dots[dot];
        return ImVec2{a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t};
    };
    for (size_t dot = 0; dot < slide.values.size(); ++dot) {
        if (slide.values[dot] == slide.chosen) followed = dot;
        for (size_t i = 1; i < lines.size(); ++i)
            if (const float t = stepper.reached(i); t > 0)
                list.AddLine(lines[i - 1].dots[dot], along(i, dot, t),
                             faded(slide.class_color(slide.values[dot]), trail), look.px(1));
    }
    for (size_t i = 1; i < lines.size(); ++i)
        if (const float t = stepper.reached(i); t > 0)
            list.AddLine(lines[i - 1].dots[followed], along(i, followed, t), look.theme.text, look.px(2));

    std::optional<size_t> hovered;
    const ImVec2 mouse = ImGui::GetMousePos();
    float nearest = radius + look.px(5);
    const Color rim = look.theme.panel;
    const auto dot_at = [&](size_t dot, ImVec2 at, float strength) {
        const bool chosen = dot == followed;
        const float r = chosen ? radius + look.px(1.2f) : radius;
        const Color color = faded(slide.class_color(slide.values[dot]), strength);
        plot::disc(list, look.fonts, at, r + look.px(chosen ? 2.0f : 0.8f),
                   chosen ? faded(look.theme.text, strength) : faded(rim, strength));
        plot::disc(list, look.fonts, at, r, color);
    };
    for (size_t i = 0; i < lines.size(); ++i) {
        const Line& line = lines[i];
        const float reached = i == 0 ? 1 : stepper.reached(i);
        for (size_t pass = 0; pass < 2; ++pass)  // the followed one on top
            for (size_t dot = 0; dot < slide.values.size(); ++dot) {
                if ((dot == followed) != (pass == 1)) continue;
                dot_at(dot, line.dots[dot], reached >= 1 ? 1.0f : not_reached);
                const float apart = std::hypot(mouse.x - line.dots[dot].x, mouse.y - line.dots[dot].y);
                if (apart < nearest) nearest = apart, hovered = slide.values[dot];
                if (i > 0 && reached > 0 && reached < 1) dot_at(dot, along(i, dot, reached), 1);
            }
        const float mean = x_of(slide.spreads[i].mean);
        if (mean >= left && mean <= right)
            list.AddRectFilled({std::round(mean) - look.px(1), line.y - look.px(10)},
                               {std::round(mean) + look.px(1), line.y + look.px(11)}, look.theme.text);
        if (line.pile.empty()) continue;
        const ImVec2 size = plot::text_size(look.fonts.small, line.pile.c_str());
        float x = line.pile_x - radius - look.px(8) - size.x;
        if (x < left) x = line.pile_x + radius + look.px(8);
        const float y = line.y - pitch / 2 + look.px(2);
        list.AddRectFilled({x - look.px(3), y}, {x + size.x + look.px(3), y + size.y + look.px(1)},
                           faded(look.theme.panel, 0.85f), look.px(3));
        plot::text(list, look.fonts.small, {x, y}, look.theme.text, line.pile.c_str());
    }
    return ImGui::IsWindowHovered() && frame.contains(mouse) ? hovered : std::nullopt;
}

}  // namespace lab
