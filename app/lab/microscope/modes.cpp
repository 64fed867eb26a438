// The same batch in train, eval and frozen mode, side by side.
#include <algorithm>
#include <cmath>

#include "app/lab/microscope/slide.hpp"
#include "app/lab/microscope/symbols.hpp"
#include "app/ui/focus.hpp"
#include "app/ui/scale.hpp"

namespace lab {

namespace {

/// What a card says, in lines of a word and what holds.
std::array<std::pair<const char*, const char*>, 3> facts_of(const Specimen& s, NormMode mode,
                                                            bool updates_running) {
    const char* const takes[] = {"terms 1, 2, 3", "none taken", "term 1 only"};
    if (!vknorm::keeps_running_statistics(s.kind)) {
        const char* const all = s.kind == vknorm::Norm::rms ? "terms 1, 3" : takes[0];
        return {{{"statistics", "of each example"},
                 {"running", "has none"},
                 {"gradient", mode == NormMode::eval ? takes[1] : all}}};
    }
    if (mode == NormMode::train)
        return {{{"statistics", s.kind == vknorm::Norm::ghost ? "of the ghost" : "of the batch"},
                 {"running", updates_running ? "updated" : "kept: switched off"},
                 {"gradient", takes[0]}}};
    return {{{"statistics", "running"},
             {"running", "kept"},
             {"gradient", mode == NormMode::eval ? takes[1] : takes[2]}}};
}

struct Strip {
    plot::Range range;
    float left, right;

    float x(double value) const {
        return left + (right - left) * static_cast<float>(plot::to_unit(range, plot::Scale::linear, value));
    }
};

void draw_strip(const Slide& slide, const Examination& exact, const Strip& strip, float y, float bottom) {
    const Look& look = slide.look;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const Spread spread = spread_of(slide.whole, [&](size_t i) { return exact.y[i]; });
    list.AddRectFilled({strip.left, y}, {strip.right, y + 1}, look.theme.control_border);
    list.AddRectFilled({strip.x(spread.mean - spread.deviation), y - look.px(4)},
                       {strip.x(spread.mean + spread.deviation), y + look.px(5)},
                       faded(look.theme.muted, 0.4f), look.px(2));
    const auto ticks = plot::ticks(strip.range, plot::Scale::linear,
                                   static_cast<int>((strip.right - strip.left) / look.px(42)));
    float free_from = strip.left - look.px(20);
    for (const plot::Tick& tick : ticks) {
        const float x = std::round(strip.x(tick.value));
        list.AddRectFilled({x, y - look.px(3)}, {x + 1, y + look.px(4)}, look.theme.control_border);
        const ImVec2 size = plot::text_size(look.fonts.small, tick.label.c_str());
        const float at = std::clamp(x - size.x / 2, strip.left, strip.right - size.x);
        if (bottom - y < size.y + look.px(5) || at < free_from) continue;
        plot::text(list, look.fonts.small, {at, y + look.px(7)}, look.theme.muted, tick.label.c_str());
        free_from = at + size.x + look.px(4);
    }
    const auto dot = [&](size_t i, float radius, Color rim) {
        plot::disc(list, look.fonts, {strip.x(exact.y[i]), y}, radius + look.px(0.8f), rim);
        plot::disc(list, look.fonts, {strip.x(exact.y[i]), y}, radius, slide.class_color(i));
    };
    for (const size_t i : slide.values) dot(i, look.px(3.2f), look.theme.panel);
    list.AddRectFilled({std::round(strip.x(spread.mean)) - look.px(1), y - look.px(9)},
                       {std::round(strip.x(spread.mean)) + look.px(1), y + look.px(10)}, look.theme.text);
    dot(slide.chosen, look.px(4.5f), look.theme.text);
}

}  // namespace

std::optional<NormMode> draw_modes(const Slide& slide, const plot::Rect& frame,
                                   const std::array<Examination, 3>& modes, bool updates_running) {
    const Look& look = slide.look;
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const plot::Rect area = draw_titled_card(look, frame, "Same batch, three modes", "the output y");
    const char* const keys = "T train / eval \u00B7 F freeze";
    const ImVec2 keys_size = plot::text_size(look.fonts.small, keys);
    if (frame.width() > look.px(440))
        plot::text(list, look.fonts.small,
                   {area.max.x - keys_size.x, frame.min.y + look.px(17) - keys_size.y / 2}, look.theme.muted,
                   keys);

    plot::Range range{0, 0};
    for (const Examination& exact : modes)
        for (const size_t i : slide.values) {
            range.low = std::min(range.low, exact.y[i]);
            range.high = std::max(range.high, exact.y[i]);
        }
    const double pad = 0.06 * std::max(range.length(), 1e-6);
    range = plot::sane({range.low - pad, range.high + pad}, plot::Scale::linear);

    std::optional<NormMode> chosen;
    const float gap = look.px(7), width = (area.width() - 2 * gap) / 3;
    for (size_t k = 0; k < norm_modes.size(); ++k) {
        const NormMode mode = norm_modes[k];
        const Examination& exact = modes[k];
        const float left = area.min.x + (width + gap) * static_cast<float>(k);
        const plot::Rect card{{left, area.min.y}, {left + width, area.max.y}};
        ImGui::SetCursorScreenPos(card.min);
        if (press_area(look, name(mode), {card.width(), card.height()})) chosen = mode;
        const bool now = mode == slide.exact.mode, hovered = ImGui::IsItemHovered();
        list.AddRectFilled(card.min, card.max,
                           mixed(look.theme.panel, look.theme.control, now || hovered ? 0.8f : 0.0f),
                           look.px(6));
        list.AddRect(card.min, card.max, now ? look.theme.grip : look.theme.border, look.px(6), 0,
                     look.px(now ? 1.6f : 1.0f));

        const float inset = look.px(9), l = card.min.x + inset, r = card.max.x - inset, room = card.height();
        const float row = std::clamp((room - look.px(58)) / 5, look.px(14), look.px(18));
        float y = card.min.y + look.px(5);
        plot::text(list, look.fonts.strong, {l, y}, look.theme.text, name(mode));
        if (now) {
            const char* const shown = "shown above";
            const ImVec2 size = plot::text_size(look.fonts.small, shown);
            if (r - size.x > l + look.px(50))
                plot::text(list, look.fonts.small, {r - size.x, y + look.px(1)}, look.theme.muted, shown);
        }
        y += look.px(18);
        for (const auto& [word, fact] : facts_of(slide.specimen, mode, updates_running)) {
            const float word_width = plot::text_size(look.fonts.small, word).x;
            plot::text(list, look.fonts.small, {l, y}, look.theme.muted, word);
            const std::string words = plot::fitted(look.fonts.small, fact, r - l - word_width - look.px(6));
            plot::text(list, look.fonts.small, {r - plot::text_size(look.fonts.small, words.c_str()).x, y},
                       look.theme.text, words.c_str());
            y += row;
        }
        const uint32_t set = exact.set[slide.chosen];
        const auto pair = [&](float at, const char* symbol, double value, bool right_aligned) {
            const std::string number = figure(value);
            const float symbol_width = plot::text_size(look.fonts.small, symbol).x + look.px(5),
                        number_width = plot::text_size(look.fonts.mono, number.c_str()).x;
            const float x = right_aligned ? at - symbol_width - number_width : at;
            plot::text(list, look.fonts.small, {x, y}, look.theme.muted, symbol);
            plot::text(list, look.fonts.mono, {x + symbol_width, y}, look.theme.text, number.c_str());
        };
        if (slide.specimen.kind == vknorm::Norm::rms) {
            pair(l, "mean of z\u00B2", exact.variance[set], false);
        } else {
            pair(l, "\u03BC", exact.mean[set], false);
            pair(r, "\u03C3\u00B2", exact.variance[set], true);
        }
        y += row;

        const float bottom = card.max.y - look.px(5) - look.fonts.mono->FontSize;
        if (bottom - y > look.px(18))
            draw_strip(slide, exact, {range, l, r},
                       std::round(y + (bottom - y > look.px(44) ? (bottom - y) * 0.35f : (bottom - y) / 2)),
                       bottom);
        const Spread spread = spread_of(slide.whole, [&](size_t i) { return exact.y[i]; });
        const std::string numbers = text_of(spread);
        const char* const words = "mean \u00B1 \u03C3";
        const float numbers_width = plot::text_size(look.fonts.mono, numbers.c_str()).x;
        if (r - numbers_width - look.px(6) > l + plot::text_size(look.fonts.small, words).x)
            plot::text(list, look.fonts.small, {l, bottom}, look.theme.muted, words);
        plot::text(list, look.fonts.mono, {r - numbers_width, bottom}, look.theme.twin_words[0],
                   numbers.c_str());
    }
    return chosen;
}

}  // namespace lab
