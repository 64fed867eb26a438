#include "app/lab/microscope/symbols.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "app/ui/drawn_plots.hpp"

namespace lab {

namespace {

std::string without_hats(const std::string& words) {
    std::string plain = words;
    plain.erase(std::remove(plain.begin(), plain.end(), '^'), plain.end());
    return plain;
}

std::string printed(const char* pattern, double value) {
    std::array<char, 40> text;
    std::snprintf(text.data(), text.size(), pattern, value);
    std::string result = text.data();
    // "1.4e-05" is "1.4e-5"
    const size_t e = result.find('e');
    if (e == std::string::npos) return result;
    const size_t first = result.find_first_not_of('0', e + 2);
    result.erase(e + 2, (first == std::string::npos ? result.size() - 1 : first) - e - 2);
    if (result[e + 1] == '+') result.erase(e + 1, 1);
    return result;
}

}  // namespace

ImVec2 symbols_size(ImFont* font, const std::string& words) {
    return plot::text_size(font, without_hats(words).c_str());
}

void draw_symbols(const Look& look, ImDrawList& list, ImFont* font, ImVec2 at, Color color,
                  const std::string& words) {
    plot::text(list, font, at, color, without_hats(words).c_str());
    std::string before;
    for (size_t i = 0; i < words.size(); ++i) {
        if (words[i] != '^') {
            before += words[i];
            continue;
        }
        const float size = font->FontSize, left = std::round(at.x) + plot::text_size(font, before.c_str()).x,
                    width = plot::text_size(font, words.substr(i + 1, 1).c_str()).x;
        const float middle = left + width / 2, top = std::round(at.y) + size * 0.13f, half = size * 0.19f;
        const ImVec2 hat[3] = {
            {middle - half, top + size * 0.14f}, {middle, top}, {middle + half, top + size * 0.14f}};
        plot::stroke(list, hat, color, std::max(look.px(1.2f), size * 0.08f));
    }
}

std::string figure(double value) {
    if (value == 0) return "0.000";
    const double size = std::abs(value);
    if (!std::isfinite(value)) return std::isnan(value) ? "NaN" : value > 0 ? "inf" : "-inf";
    if (size < 1e-2 || size >= 1e5) return printed("%.3e", value);
    return printed(size < 100 ? "%.3f" : size < 1000 ? "%.2f" : "%.1f", value);
}

std::string digits(double value) {
    return printed("%.7g", value);
}

plot::Rect draw_titled_card(const Look& look, const plot::Rect& frame, const std::string& title,
                            const std::string& subtitle) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    plot::card(look, list, frame, look.px(8), look.theme.panel, look.theme.border, 1);
    look.plots.add({title, title, frame.min, frame.max});
    const float inset = look.px(12), middle = frame.min.y + look.px(17);
    const ImVec2 size = plot::text_size(look.fonts.strong, title.c_str());
    plot::text(list, look.fonts.strong, {frame.min.x + inset, middle - size.y / 2}, look.theme.text,
               title.c_str());
    const float left = frame.min.x + inset + size.x + look.px(9);
    const std::string shown = plot::fitted(look.fonts.small, subtitle, frame.max.x - inset - left);
    plot::text(list, look.fonts.small,
               {left, middle - plot::text_size(look.fonts.small, shown.c_str()).y / 2 + look.px(1)},
               look.theme.muted, shown.c_str());
    return {{frame.min.x + inset, frame.min.y + look.px(card_title_height)},
            {frame.max.x - inset, frame.max.y - look.px(8)}};
}

void draw_tick(ImDrawList& list, ImVec2 center, float reach, float width, Color color) {
    const ImVec2 tick[3] = {{center.x - reach, center.y},
                            {center.x - reach * 0.25f, center.y + reach * 0.7f},
                            {center.x + reach, center.y - reach * 0.75f}};
    plot::stroke(list, tick, color, width);
}

}  // namespace lab
