#include "app/lab/number_card.hpp"

#include "app/ui/explanation.hpp"

namespace lab {

namespace {
constexpr float inset = 10, heading = 34, line = 19, second_column = 74;
}

NumberCard::NumberCard(const Look& look, const std::string& title, const char* note, size_t rows, bool lit)
    : look_(look), list_(*ImGui::GetWindowDrawList()) {
    const ImVec2 at = ImGui::GetCursorScreenPos();
    const float height = look.px(heading + line * static_cast<float>(rows) + 6);
    frame_ = {at, {at.x + ImGui::GetContentRegionAvail().x, at.y + height}};
    list_.AddRectFilled(frame_.min, frame_.max, mixed(look.theme.panel, look.theme.control, 0.6f),
                        look.px(6));
    list_.AddRect(frame_.min, frame_.max, lit ? look.theme.text : look.theme.grip, look.px(6));
    left_ = at.x + look.px(inset);
    right_ = frame_.max.x - look.px(inset);
    middle_ = right_ - look.px(second_column);
    y_ = at.y + look.px(8);
    draw_formula(look, list_, look.fonts.strong, {left_, y_}, look.theme.text, title.c_str());
    right_aligned(look.fonts.small, right_, look.theme.muted, note);
    y_ = at.y + look.px(32);
}

void NumberCard::right_aligned(ImFont* font, float edge, Color color, const std::string& words) {
    plot::text(list_, font, {edge - plot::text_size(font, words.c_str()).x, y_}, color, words.c_str());
}

void NumberCard::heads(const char* first, const char* second) {
    right_aligned(look_.fonts.small, middle_, look_.theme.muted, first);
    right_aligned(look_.fonts.small, right_, look_.theme.muted, second);
    y_ += look_.px(line);
}

void NumberCard::row(const char* words, const std::string& first, const std::string& second) {
    plot::text(list_, look_.fonts.small, {left_, y_}, look_.theme.text, words);
    right_aligned(look_.fonts.mono, middle_, look_.theme.text, first);
    right_aligned(look_.fonts.mono, right_, look_.theme.text, second);
    y_ += look_.px(line);
}

void NumberCard::end() {
    ImGui::Dummy({frame_.width(), frame_.height() + look_.px(6)});
}

}  // namespace lab
