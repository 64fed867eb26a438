#include "app/lab/introduction.hpp"

#include <cmath>
#include <string>

#include "app/ui/explanation.hpp"
#include "app/ui/focus.hpp"

namespace lab {

namespace {

using Place = Introduction::Place;

struct Card {
    Place place;
    const char *title, *words;
};

constexpr std::array<Card, 3> cards = {{
    {Place::twins, "One of three",
     "Two networks learn the same points: same first weights, same batches. They differ only in the norm. "
     "What differs in the plots, the norm did. It goes slowly now: Speed, at the top, lets it run."},
    {Place::learning_rate, "Two of three",
     "How far a step goes. Pull it up to 1: with the norm the network goes on learning, the plain one hardly "
     "begins."},
    {Place::batch, "Three of three",
     "The norm averages over so many examples. Set it to 2 and press R: with statistics of two it does not "
     "learn at all. Every title has an i that explains it; ? lists keys and words."},
}};

constexpr float padding = 12, button_height = 26, gap = 8;

// Returns whether it was pressed.
bool draw_button(const Look& look, const char* label, ImVec2 at, ImVec2 size, bool filled) {
    ImGui::SetCursorScreenPos(at);
    const bool pressed = press_area(look, label, size);
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const ImVec2 end{at.x + size.x, at.y + size.y}, words = plot::text_size(look.fonts.body, label);
    if (filled || ImGui::IsItemHovered())
        list.AddRectFilled(at, end, faded(look.theme.on_accent, filled ? 1.0f : 0.15f), look.px(5));
    plot::text(list, look.fonts.body, {at.x + (size.x - words.x) / 2, at.y + (size.y - words.y) / 2},
               filled ? look.theme.accent : look.theme.on_accent, label);
    return pressed;
}

}  // namespace

void Introduction::draw_below(const Look& look, Place place) {
    if (!at_ || cards[*at_].place != place) return;
    const Card& card = cards[*at_];
    const bool last = *at_ + 1 == cards.size();
    const ImVec2 begin = ImGui::GetCursorScreenPos();
    const float width = ImGui::GetContentRegionAvail().x, inset = look.px(padding), tip = look.px(7);
    const WrappedText words{look.fonts.small, width - 2 * inset};
    const float title_height = look.fonts.strong->FontSize + look.px(6),
                words_height = words.height(card.words);
    const ImVec2 at{begin.x, begin.y + tip};
    const ImVec2 end{at.x + width,
                     at.y + 2 * inset + title_height + words_height + look.px(10 + button_height)};

    ImDrawList& list = *ImGui::GetWindowDrawList();
    list.AddTriangleFilled({at.x + look.px(22), at.y}, {at.x + look.px(29), begin.y},
                           {at.x + look.px(36), at.y}, look.theme.accent);
    list.AddRectFilled(at, end, look.theme.accent, look.px(8));
    plot::text(list, look.fonts.strong, {at.x + inset, at.y + inset}, look.theme.on_accent, card.title);
    words.draw(list, {at.x + inset, at.y + inset + title_height}, look.theme.on_accent, card.words);

    const ImVec2 size{look.px(62), look.px(button_height)};
    const float top = end.y - inset - size.y;
    for (size_t i = 0; i < cards.size(); ++i)
        plot::disc(list, look.fonts,
                   {at.x + inset + look.px(4 + 14 * static_cast<float>(i)), top + size.y / 2}, look.px(3.5f),
                   faded(look.theme.on_accent, i == *at_ ? 1.0f : 0.5f));
    const float right = end.x - inset - size.x;
    const bool skip = !last && draw_button(look, "Skip", {right - look.px(gap) - size.x, top}, size, false);
    const bool next = draw_button(look, last ? "Done" : "Next", {right, top}, size, true);

    if (reveal_) ImGui::SetScrollFromPosY((begin.y + end.y) / 2 - ImGui::GetWindowPos().y, 0.5f);
    reveal_ = next;
    if (skip || (next && last))
        at_.reset();
    else if (next)
        ++*at_;
    ImGui::SetCursorScreenPos({begin.x, end.y + look.px(gap)});
}

}  // namespace lab
