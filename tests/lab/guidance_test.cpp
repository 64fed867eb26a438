// What explains the screen: marks behind titles, notes of controls, help, glossary, linter, palette, and the
// first minute.
#include <algorithm>
#include <gtest/gtest.h>
#include <imgui_internal.h>
#include <set>
#include <string_view>

#include "app/experiment/presets.hpp"
#include "app/lab/explanations.hpp"
#include "app/lab/match.hpp"
#include "app/lab/palette_entries.hpp"
#include "lab/drawing.hpp"

namespace {

using namespace lab;
using namespace lab::testing;

const Fonts& fonts(Stage& stage) {
    return stage.screen.look().fonts;
}

void type(Stage& stage, const std::string& words) {
    for (const char character : words) stage.screen.input().text(static_cast<uint32_t>(character));
    stage.settle();
}

void press_with_control(Stage& stage, char letter) {
    stage.screen.input().key(Key::control, true);
    stage.press(key(letter));
    stage.screen.input().key(Key::control, false);
    stage.settle();
}

size_t shown(Stage& stage, const std::string& words, ImFont* font) {
    return stage.find(words, font).size();
}

// Whether its note is on the screen, by the first words of it.
bool explains(Stage& stage, const Explanation& explanation) {
    return shown(stage, std::string(explanation.why).substr(0, 24), fonts(stage).small) > 0;
}

ImVec2 behind(const plot::Rect& title) {
    return {title.max.x + 6 + info_width / 2, center(title).y};
}

TEST(Explanations, HaveAName) {
    std::set<std::string_view> names;
    for (const Explanation& row : explanations) {
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_GT(std::string_view(row.why).size(), 20u) << row.name;
        EXPECT_EQ(std::string_view(row.why).find('\n'), std::string_view::npos) << row.name;
    }
}

// What a first hour of use asks about.
TEST(Explanations, TellWhatNewcomersAsk) {
    for (const char* word :
         {"twin", "pre-activation", "test, eval", "batch statistics", "running statistics", "deviation",
          "unit", "epoch", "dead unit", "inv_std", "momentum of running", "gamma"}) {
        const bool found = std::any_of(std::begin(explanations), std::end(explanations),
                                       [&](const Explanation& row) { return match(word, row.name); });
        EXPECT_TRUE(found) << word;
    }
}

TEST(Guidance, EveryTitleHasAMarkThatExplainsIt) {
    Stage stage;
    const std::pair<const char*, const char*> titles[] = {{"loss", "Training loss"},
                                                          {"accuracy", "Test accuracy"},
                                                          {"data", "Decision boundary"},
                                                          {"distribution A", "Pre-activations, hidden 2"},
                                                          {"distribution B", "Pre-activations, hidden 2"},
                                                          {"percentiles", "Unit 3 of hidden 2: 15, 50, 85 %"},
                                                          {"mean", "Batch vs running mean"},
                                                          {"variance", "Batch vs running variance"},
                                                          {"gradient", "Gradient norm"}};
    ASSERT_EQ(std::size(titles), stage.shell.panels().size());
    for (const auto& [id, title] : titles) {
        const plot::Rect frame = stage.panel(id);
        const Panel& panel = *std::find_if(stage.shell.panels().begin(), stage.shell.panels().end(),
                                           [id = id](const Panel& one) { return one.id == id; });
        for (const plot::Rect& words : stage.find(title, fonts(stage).strong)) {
            if (!frame.contains(words.min)) continue;
            stage.hover(behind(words));
            EXPECT_TRUE(explains(stage, panel.explanation)) << id;
        }
        stage.hover(center(frame));
        EXPECT_FALSE(explains(stage, panel.explanation)) << id;
    }
}

TEST(Guidance, AClickOnAMarkHoldsItsNote) {
    Stage stage;
    const Explanation& loss = explained("Training loss");
    stage.click(behind(stage.the("Training loss", fonts(stage).strong)));
    stage.hover({5, 5});
    EXPECT_TRUE(explains(stage, loss));
    stage.press(Key::escape);
    EXPECT_FALSE(explains(stage, loss));
}

TEST(Guidance, MarksAreReachedByTab) {
    Stage stage;
    for (int i = 0; i < 80 && !explains(stage, explained("Training loss")); ++i) stage.press(Key::tab);
    EXPECT_TRUE(explains(stage, explained("Training loss")));
    stage.press(Key::tab);
    EXPECT_FALSE(explains(stage, explained("Training loss")));
}

TEST(Guidance, NotesOfMarksLeaveTheTitleBarFree) {
    for (const ImVec2 size : {ImVec2{1600, 1000}, ImVec2{1280, 800}, least_window}) {
        Stage stage({}, 600, size);
        stage.hover(behind(stage.the("Gradient norm", fonts(stage).strong)));
        const plot::Rect frame = stage.panel("gradient");
        const plot::Rect note = stage.the("How steep the loss is", fonts(stage).small);
        EXPECT_GT(note.min.y, frame.min.y + 32);
        EXPECT_LT(note.max.x, size.x);
        EXPECT_GT(note.min.x, 0);
    }
}

TEST(Guidance, ControlsExplainThemselvesToTheKeyboardToo) {
    Stage stage;
    stage.press(Key::tab);
    for (int i = 0; i < 20; ++i) stage.frame();
    EXPECT_EQ(shown(stage, "run or pause: Space", fonts(stage).small), 1u);
    stage.press(Key::escape);
    EXPECT_EQ(shown(stage, "run or pause: Space", fonts(stage).small), 0u);
}

TEST(Guidance, TheGlossaryIsSearched) {
    Stage stage;
    stage.press(key('G'));
    EXPECT_EQ(shown(stage, "Training loss", fonts(stage).strong), 2u) << "panel and word";
    type(stage, "inv_std");
    EXPECT_EQ(shown(stage, "inv_std", fonts(stage).strong), 1u);
    EXPECT_EQ(shown(stage, "Epoch", fonts(stage).strong), 0u);
    type(stage, "zzz");
    EXPECT_EQ(shown(stage, "No such word here", fonts(stage).body), 1u);
    stage.press(Key::escape);
    EXPECT_EQ(shown(stage, "No such word here", fonts(stage).body), 0u) << "one press closes it";
    EXPECT_TRUE(stage.commands.calls.empty()) << "letters typed are no commands";
}

TEST(Guidance, DialogsAreWholeInEverySize) {
    for (const ImVec2 size : {ImVec2{1600, 1000}, ImVec2{1280, 800}, least_window, ImVec2{2560, 1440}})
        for (const char opened_by : {'?', 'G', 'W', 'P'}) {
            Settings settings;
            settings.batch = 4;
            Stage stage(settings, 600, size);
            if (opened_by == '?')
                type(stage, "?");
            else if (opened_by == 'P')
                press_with_control(stage, 'P');
            else
                stage.press(key(opened_by));
            const ImGuiWindow& dialog = *ImGui::GetCurrentContext()->OpenPopupStack.back().Window;
            EXPECT_GE(dialog.Pos.x, 0) << opened_by;
            EXPECT_GE(dialog.Pos.y, 0) << opened_by << " at " << size.y;
            EXPECT_LE(dialog.Pos.x + dialog.Size.x, size.x) << opened_by;
            EXPECT_LE(dialog.Pos.y + dialog.Size.y, size.y) << opened_by << " at " << size.y;
        }
}

TEST(Guidance, TheLinterMendsWhatItFinds) {
    Settings settings;
    settings.batch = 4;
    for (const bool by_key : {true, false}) {
        Stage stage(settings, 600);
        EXPECT_EQ(shown(stage, "1 finding", fonts(stage).small), 1u);
        by_key ? stage.press(key('W')) : stage.click(center(stage.the("1 finding", fonts(stage).small)));
        EXPECT_EQ(shown(stage, "Twin A: statistics of 4 examples are mostly noise", fonts(stage).body), 1u);
        EXPECT_EQ(shown(stage, "192 biases", fonts(stage).body), 1u) << "a note";
        if (by_key) {
            stage.press(Key::tab);
            stage.press(Key::enter);
        } else {
            stage.click(center(stage.the("Fix it: Batch size 32", fonts(stage).body)));
        }
        Settings mended = settings;
        mended.batch = 32;
        EXPECT_EQ(stage.commands.applied, mended);
        EXPECT_EQ(stage.calls("reset"), 0u);
        EXPECT_EQ(stage.shell.settings(), mended);
    }
}

TEST(Guidance, ADivergedTwinBeginsAgainWithASmallerRate) {
    Stage stage;
    stage.commands.shown().twins[1].divergence = Divergence{412, "a loss that is not a number"};
    stage.frame();
    stage.press(key('W'));
    stage.click(center(stage.the("Fix it: Learning rate 0.03", fonts(stage).body)));
    EXPECT_FLOAT_EQ(stage.commands.applied.learning_rate, 0.03f);
    EXPECT_EQ(stage.commands.calls, (std::vector<std::string>{"apply", "reset"}));
}

void choose(Stage& stage, const std::string& typed) {
    press_with_control(stage, 'P');
    type(stage, typed);
    stage.press(Key::enter);
}

TEST(Palette, FindsEverythingByTheKeyboardAlone) {
    Stage stage;
    choose(stage, "one step");
    EXPECT_EQ(stage.calls("step"), 1u);
    choose(stage, "adamw");
    EXPECT_EQ(stage.commands.applied.optimizer, OptimizerKind::adamw);
    choose(stage, "twin b norm group");
    EXPECT_EQ(stage.commands.applied.twins[1].norm, vknorm::Norm::group);
    choose(stage, "covariate");
    EXPECT_TRUE(same_experiment(stage.commands.applied, presets()[1].settings));
    choose(stage, "plot: gradient norm");
    EXPECT_TRUE(stage.plot("gradient").panel.full);
    choose(stage, "experiment: injected");
    EXPECT_EQ(stage.calls("conduct"), 1u);
    EXPECT_EQ(stage.calls("run"), 0u) << "nobody could inject noise into a run that goes on";
    stage.the("What am I seeing?", fonts(stage).strong);
    stage.press(Key::escape);
    choose(stage, "word: ghost");
    EXPECT_EQ(shown(stage, "Ghost batches", fonts(stage).strong), 1u);
    EXPECT_EQ(shown(stage, "Epoch", fonts(stage).strong), 0u);
}

TEST(Palette, TakesNumbersAndRefusesOthers) {
    Stage stage;
    choose(stage, "learning rate");
    EXPECT_EQ(stage.calls("apply"), 0u);
    type(stage, "12");
    stage.press(Key::enter);
    EXPECT_EQ(shown(stage, "got '12', needs a number from 0.0001 to 10", fonts(stage).small), 1u);
    EXPECT_EQ(stage.calls("apply"), 0u);
    for (int i = 0; i < 2; ++i) stage.press(Key::backspace);
    type(stage, "0.05");
    stage.press(Key::enter);
    EXPECT_FLOAT_EQ(stage.commands.applied.learning_rate, 0.05f);
    EXPECT_EQ(shown(stage, "got", fonts(stage).small), 0u) << "closed";
}

TEST(Palette, OffersEveryShortcutSettingPresetPlotAndWord) {
    Settings settings;
    bool acted = false;
    const Shortcut shortcut{.key = key('X'), .keys = "X", .meaning = "act", .act = [&] { acted = true; }};
    const std::vector<Panel> panels = all_panels(2);
    const PaletteSources sources{.shortcuts = {&shortcut, 1},
                                 .settings = settings,
                                 .panels = panels,
                                 .take_preset = [](const Preset&) {},
                                 .show_experiment = [](const Experiment&) {},
                                 .show_panel = [](const std::string&) {},
                                 .explain = [](const char*) {}};
    const std::vector<PaletteEntry> entries = palette_entries(sources);
    const auto has = [&](const std::string& kind, const std::string& name) {
        return std::any_of(entries.begin(), entries.end(), [&](const PaletteEntry& entry) {
            return entry.kind == kind && entry.name.find(name) != std::string::npos;
        });
    };
    EXPECT_TRUE(has("do", "Act"));
    for (const Field& field : fields) {
        const bool offered = !field.applies || field.applies(settings, 0);
        EXPECT_EQ(has("set", field.label), offered) << field.label;
    }
    for (const Preset& preset : presets()) EXPECT_TRUE(has("preset", preset.name));
    for (const Experiment& experiment : experiments()) EXPECT_TRUE(has("experiment", experiment.title));
    for (const Panel& panel : panels) EXPECT_TRUE(has("plot", panel.explanation.name));
    for (const Explanation& row : explanations) EXPECT_TRUE(has("word", row.name));
    for (const PaletteEntry& entry : entries)
        if (entry.kind != "set" || entry.form.empty()) entry.act("");
    EXPECT_TRUE(acted);
}

TEST(Palette, ArrowsChooseAmongWhatFits) {
    Stage stage;
    press_with_control(stage, 'P');
    type(stage, "optimiser");
    stage.press(Key::down);
    stage.press(Key::enter);
    EXPECT_EQ(stage.commands.applied.optimizer, OptimizerKind::adam);
    press_with_control(stage, 'P');
    stage.press(Key::escape);
    EXPECT_EQ(shown(stage, "Find an action", fonts(stage).body), 0u);
}

TEST(Match, PrefersBeginningsOfWords) {
    EXPECT_FALSE(match("xyz", "Batch size"));
    EXPECT_LT(*match("batch", "Batch size"), *match("atch", "Batch size"));
    EXPECT_LT(*match("size", "Batch size"), *match("bsz", "Batch size"));
    EXPECT_TRUE(match("SIZE bat", "Batch size")) << "words in any order, capitals or not";
    EXPECT_FALSE(match("bz", "a b here, and the other letter far away: z"));
    EXPECT_EQ(match("", "Batch size"), 0.0f);
}

TEST(FirstMinute, TrainsSlowlyAndExplainsWithThreeCards) {
    for (const ImVec2 size : {ImVec2{1600, 1000}, ImVec2{1280, 800}, least_window}) {
        Stage stage({}, 600, size);
        stage.shell.introduce();
        stage.settle();
        EXPECT_EQ(stage.calls("run"), 1u);
        EXPECT_EQ(stage.commands.applied.speed, Speed::slow);
        for (const char* title : {"One of three", "Two of three", "Three of three"}) {
            stage.settle();
            ASSERT_EQ(shown(stage, title, fonts(stage).strong), 1u) << title;
            expect_letters_apart(stage);
            EXPECT_FALSE(stage.requests.introduced);
            stage.click(center(
                stage.the(title == std::string("Three of three") ? "Done" : "Next", fonts(stage).body)));
        }
        EXPECT_TRUE(stage.requests.introduced);
        EXPECT_EQ(shown(stage, "of three", fonts(stage).strong), 0u);
        EXPECT_EQ(stage.calls("run"), 1u);
    }
}

TEST(FirstMinute, CanBeSkipped) {
    Stage stage;
    stage.shell.introduce();
    stage.settle();
    stage.click(center(stage.the("Skip", fonts(stage).body)));
    EXPECT_TRUE(stage.requests.introduced);
    EXPECT_EQ(shown(stage, "of three", fonts(stage).strong), 0u);
}

TEST(FirstMinute, TheSpeedIsChosenInTheToolbar) {
    Stage stage;
    stage.click(center(stage.the("Normal", fonts(stage).body)));
    stage.click(center(stage.the("Fast", fonts(stage).body)));
    EXPECT_EQ(stage.commands.applied.speed, Speed::fast);
    EXPECT_EQ(stage.commands.calls, std::vector<std::string>{"apply"});
}

}  // namespace
