// Share strings in the window: copied, opened, and what somebody hides with them.
#include <algorithm>
#include <gtest/gtest.h>

#include "app/experiment/presets.hpp"
#include "app/experiment/share.hpp"
#include "app/lab/palette_entries.hpp"
#include "lab/stage.hpp"

namespace {

using namespace lab;
using lab::testing::center;
using lab::testing::Stage;

void press_with_control(Stage& stage, char letter) {
    stage.screen.input().key(Key::control, true);
    stage.press(key(letter));
    stage.screen.input().key(Key::control, false);
    stage.settle();
}

size_t shown(Stage& stage, const std::string& words, bool strong = false) {
    const Fonts& fonts = stage.screen.look().fonts;
    return stage.find(words, strong ? fonts.strong : fonts.small).size() +
           stage.find(words, fonts.body).size();
}

Settings hiding(const std::string& words) {
    Settings settings;
    read(field_named("hide"), settings, 0, words);
    return settings;
}

TEST(ShareScreen, CopiesAndOpens) {
    Settings settings;
    settings.batch = 64;
    Stage stage(settings);
    press_with_control(stage, 'C');
    EXPECT_STREQ(ImGui::GetClipboardText(), "vknorm:batch=64&end");
    EXPECT_EQ(shown(stage, "Copied: vknorm:batch=64&end"), 1u);

    ImGui::SetClipboardText("like this: vknorm:batch=2&norm-b=group&end");
    press_with_control(stage, 'V');
    EXPECT_EQ(share_string(stage.commands.applied), "vknorm:norm-b=group&batch=2&end");
    EXPECT_EQ(stage.calls("reset"), 0u) << "another norm begins a run by itself";
    ImGui::SetClipboardText("vknorm:norm-b=group&batch=16&end");
    press_with_control(stage, 'V');
    EXPECT_EQ(stage.commands.applied.batch, 16u);
    EXPECT_EQ(stage.calls("reset"), 1u) << "a run of its own";
}

TEST(ShareScreen, OpensTheTabThatIsMeasured) {
    Stage stage;
    ImGui::SetClipboardText("vknorm:plan=on&end");
    press_with_control(stage, 'V');
    EXPECT_EQ(shown(stage, "A step of twin A", true), 1u);
}

TEST(ShareScreen, RefusesWhatCannotBeAndChangesNothing) {
    Stage stage;
    const std::pair<const char*, const char*> cases[] = {
        {"", "Not opened: got nothing, needs a line that begins with vknorm:"},
        {"vknorm:batch=0&end", "Not opened: batch: got '0', needs a whole number from 1 to 256"},
        {"vknorm:batch=12", "Not opened: got 'batch=12', needs &end behind it: the string was cut short"}};
    for (const auto& [text, answer] : cases) {
        ImGui::SetClipboardText(text);
        press_with_control(stage, 'V');
        EXPECT_EQ(shown(stage, answer), 1u) << text;
    }
    EXPECT_EQ(stage.calls("apply") + stage.calls("reset"), 0u);
}

TEST(Concealed, ControlsAreNotThere) {
    const std::pair<const char*, const char*> cases[] = {{"lr", "Learning rate"},
                                                         {"data", "Spiral"},
                                                         {"noise", "Noise"},
                                                         {"seed", "Seed"},
                                                         {"hidden", "Units in each"},
                                                         {"norm-a", "BatchNorm"},
                                                         {"norm-b", "None"},
                                                         {"activation", "ReLU"},
                                                         {"optimizer", "SGD"},
                                                         {"schedule", "Constant"},
                                                         {"norm-momentum", "Momentum of running statistics"},
                                                         {"unit", "Unit"},
                                                         {"smoothing", "Smoothing"},
                                                         {"speed", "Normal"},
                                                         {"presets", "Spiral, 4 x 48"},
                                                         {"experiments", "Experiments"}};
    const ImVec2 tall{1600, 1300};  // nothing is scrolled away
    Stage open({}, 600, tall);
    open.frame();
    for (const auto& [word, label] : cases) {
        Stage stage(hiding(word), 600, tall);
        stage.frame();
        EXPECT_LT(shown(stage, label), shown(open, label)) << word;
    }
}

TEST(Concealed, KeysMenusAndPaletteDoNotReachThem) {
    Stage stage(hiding("norm,statistics,update-running,lr,twins"));
    for (const char letter : {'B', 'T', 'F'}) stage.press(key(letter));
    EXPECT_EQ(stage.calls("apply"), 0u);
    const auto right_click = [&](ImVec2 at) {
        stage.screen.input().move(at.x, at.y);
        for (const bool down : {true, false}) stage.screen.input().button(1, down);
        stage.settle();
    };
    right_click(center(stage.the("hidden 1", stage.screen.look().fonts.small)));
    right_click(center(stage.the("Twin B", stage.screen.look().fonts.strong)));
    EXPECT_EQ(shown(stage, "Add a twin"), 0u);
    EXPECT_EQ(ImGui::GetIO().WantTextInput, false);

    Settings settings = hiding("norm,lr,presets,experiments");
    const auto find = [&](const std::string& words) {
        const auto entries = palette_entries({.shortcuts = {}, .settings = settings, .panels = {}});
        return std::any_of(entries.begin(), entries.end(), [&](const PaletteEntry& entry) {
            return (entry.kind + " " + entry.name).find(words) != std::string::npos;
        });
    };
    EXPECT_TRUE(find("set Batch size"));
    for (const char* words :
         {"set Learning rate", "set Twin A, Norm", "preset", "experiment", "set Hidden controls"})
        EXPECT_FALSE(find(words)) << words;
}

TEST(Concealed, WhatWouldChangeThemIsRefused) {
    Stage stage(hiding("hidden"));
    const Settings before = stage.shell.settings();
    press_with_control(stage, 'P');
    for (const char letter : std::string("depth spiral"))
        stage.screen.input().text(static_cast<unsigned char>(letter));
    stage.settle();
    stage.press(Key::enter);
    EXPECT_EQ(stage.shell.settings(), before);
    EXPECT_EQ(stage.calls("apply") + stage.calls("reset"), 0u);
    EXPECT_EQ(shown(stage, "Hidden here, and left as it is: Hidden layers"), 1u);

    // A preset that leaves them alone is taken, and hides what was hidden.
    Stage other(hiding("seed"));
    press_with_control(other, 'P');
    for (const char letter : std::string("depth spiral"))
        other.screen.input().text(static_cast<unsigned char>(letter));
    other.settle();
    other.press(Key::enter);
    EXPECT_EQ(other.commands.applied.hidden.size(), 10u);
    EXPECT_EQ(other.commands.applied.concealed, std::set<std::string>{"seed"});
}

TEST(Concealed, AnotherShareStringMaySetThem) {
    Stage stage(hiding("norm-b"));
    ImGui::SetClipboardText("vknorm:norm-b=layer&hide=norm-b&end");
    press_with_control(stage, 'V');
    EXPECT_EQ(share_string(stage.commands.applied), "vknorm:norm-b=layer&hide=norm-b&end");
    ImGui::SetClipboardText("vknorm:norm-b=rms&end");
    press_with_control(stage, 'V');
    EXPECT_EQ(share_string(stage.commands.applied), "vknorm:norm-b=rms&end");
    EXPECT_EQ(shown(stage, "RMSNorm"), 1u) << "and show them again";
}

}  // namespace
