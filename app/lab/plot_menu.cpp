#include "app/lab/plot_menu.hpp"

#include <imgui_internal.h>

#include "app/ui/drawn_plots.hpp"
#include "app/ui/focus.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

std::optional<PlotRequest> PlotMenu::draw(const Look& look) {
    constexpr const char* menu = "plot";
    std::optional<ImVec2> at;
    if (ImGui::GetCurrentContext()->OpenPopupStack.Size == 0) {
        at = look.focus.menu_asked_at();
        if (ImGui::IsMouseClicked(ImGuiMouseButton_Right) && ImGui::IsWindowHovered())
            at = ImGui::GetMousePos();
    }
    if (const DrawnPlot* const plot = at ? look.plots.at(*at) : nullptr) {
        id_ = plot->id;
        title_ = plot->title;
        ImGui::SetNextWindowPos(*at);
        ImGui::OpenPopup(menu);
    }
    std::optional<PlotRequest> chosen;
    ImGui::PushStyleVar(ImGuiStyleVar_WindowPadding, {look.px(12), look.px(10)});
    if (ImGui::BeginPopup(menu)) {
        ImGui::PushFont(look.fonts.strong);
        ImGui::TextUnformatted(title_.c_str());
        ImGui::PopFont();
        for (const PlotFormatName& format : plot_formats)
            if (menu_row(look, (std::string("Save as ") + format.name).c_str()))
                chosen = PlotRequest{id_, &format};
        ImGui::EndPopup();
    }
    ImGui::PopStyleVar();
    return chosen;
}

}  // namespace lab
