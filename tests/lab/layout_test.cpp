// Nothing lies on anything else, and nothing is cut, at any size of the window, in any theme.
#include <gtest/gtest.h>

#include "lab/drawing.hpp"

namespace {

using namespace lab;
using namespace lab::testing;

struct Window {
    const char* name;
    ImVec2 size;
    float scale;
};
const Window windows[] = {{"Least", least_window, 1},
                          {"Small", {1280, 800}, 1},
                          {"Usual", {1600, 1000}, 1},
                          {"Large", {2560, 1440}, 1},
                          {"Doubled", {3200, 2000}, 2}};

class EveryWindow : public ::testing::TestWithParam<std::tuple<Window, ThemeChoice>> {};
INSTANTIATE_TEST_SUITE_P(Layout, EveryWindow,
                         ::testing::Combine(::testing::ValuesIn(windows),
                                            ::testing::Values(ThemeChoice::dark, ThemeChoice::light,
                                                              ThemeChoice::projector)),
                         [](const ::testing::TestParamInfo<EveryWindow::ParamType>& tested) {
                             return std::string(std::get<0>(tested.param).name) +
                                    theme_of(std::get<1>(tested.param)).name;
                         });

void expect_apart(const std::vector<plot::Rect>& rects, const plot::Rect& within) {
    for (size_t i = 0; i < rects.size(); ++i) {
        const plot::Rect& a = rects[i];
        EXPECT_TRUE(a.min.x >= within.min.x && a.min.y >= within.min.y && a.max.x <= within.max.x &&
                    a.max.y <= within.max.y)
            << i;
        for (size_t k = 0; k < i; ++k) {
            const plot::Rect& b = rects[k];
            EXPECT_TRUE(a.max.x <= b.min.x || b.max.x <= a.min.x || a.max.y <= b.min.y || b.max.y <= a.min.y)
                << k << ", " << i;
        }
    }
}

TEST_P(EveryWindow, HasRoomForAll) {
    const auto& [window, theme] = GetParam();
    for (const size_t twins : {2u, 4u}) {
        Settings settings;
        set_twin_count(settings, twins);
        Stage stage(settings, 600, window.size, all_tabs, window.scale);
        stage.screen.set_theme(theme_of(theme));
        stage.commands.shown().run = 1;
        stage.frame();
        Snapshot& run = stage.commands.shown();
        run.run = 2;
        run.kept = {keep(run, 1, "Momentum of running statistics 0.1 to 0.01 and 3 more")};
        run.events = {{200, EventKind::setting, "Learning rate 0.3 to 1"},
                      {412, EventKind::diverged, "B diverged: a loss that is not a number"}};
        remember(run, 100);
        stage.frame();
        stage.press(key(','));
        const ShellLayout at = stage.layout();
        const ImVec2 screen = ImGui::GetIO().DisplaySize;
        expect_apart({at.toolbar, at.tabs, at.controls, at.runs, at.cards, at.tab, at.time, at.status},
                     {{0, 0}, screen});
        std::vector<plot::Rect> panels;
        for (const Panel& panel : stage.shell.panels()) panels.push_back(panel.frame);
        EXPECT_EQ(panels.size(), 7 + twins);
        expect_apart(panels, at.tab);
        EXPECT_GE(panels[0].height(), stage.screen.look().px(130)) << "of a plot";
        expect_letters_apart(stage);
        expect_letters_whole(stage);
    }
}

}  // namespace
