#include "app/lab/notice.hpp"

namespace lab {

void draw_notice(const Look& look, const plot::Rect& area, const std::vector<std::string>& lines) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    plot::card(look, list, area, look.px(8), look.theme.panel, look.theme.border, 1);
    float y = (area.min.y + area.max.y) / 2 - look.px(11) * static_cast<float>(lines.size());
    for (size_t i = 0; i < lines.size(); ++i, y += look.px(22)) {
        ImFont* const font = i == 0 ? look.fonts.strong : look.fonts.small;
        const std::string shown = plot::fitted(font, lines[i], area.width() - look.px(24));
        const ImVec2 size = plot::text_size(font, shown.c_str());
        plot::text(list, font, {(area.min.x + area.max.x - size.x) / 2, y},
                   i == 0 ? look.theme.text : look.theme.muted, shown.c_str());
    }
}

}  // namespace lab
