// How the screen behaves: keyboard, lists, notes, sizes.
#include <gtest/gtest.h>

#include "app/experiment/presets.hpp"
#include "lab/drawing.hpp"

namespace {

using namespace lab;
using namespace lab::testing;

const Fonts& fonts(Stage& stage) {
    return stage.screen.look().fonts;
}

void right_click(Stage& stage, ImVec2 at) {
    stage.hover(at);
    for (const bool down : {true, false}) stage.screen.input().button(1, down);
    stage.settle();
}

void press_with(Stage& stage, Key modifier, Key key) {
    stage.screen.input().key(modifier, true);
    stage.press(key);
    stage.screen.input().key(modifier, false);
    stage.settle();
}

size_t rows(Stage& stage, const char* words) {
    return stage.find(words, fonts(stage).body).size();
}

TEST(Manners, EscClosesListsAndMenus) {
    Stage stage;
    stage.click(center(stage.the("BatchNorm", fonts(stage).body)));
    EXPECT_EQ(rows(stage, "GhostNorm"), 1u);
    stage.press(Key::escape);
    EXPECT_EQ(rows(stage, "GhostNorm"), 0u);

    right_click(stage, center(stage.the("hidden 3", fonts(stage).small)));
    EXPECT_EQ(stage.find("hidden 3", fonts(stage).strong).size(), 1u);
    stage.press(Key::escape);
    EXPECT_EQ(stage.find("hidden 3", fonts(stage).strong).size(), 0u);

    right_click(stage, center(stage.the("Twin B", fonts(stage).strong)));
    EXPECT_EQ(rows(stage, "Add a twin"), 1u);
    stage.press(Key::escape);
    EXPECT_EQ(rows(stage, "Add a twin"), 0u);
    EXPECT_TRUE(stage.commands.calls.empty());
}

TEST(Manners, TheLastRowOfEveryListIsWhole) {
    const std::pair<const char*, const char*> lists[] = {{"BatchNorm", "GhostNorm"},
                                                         {"Spiral", "Digits 28 x 28"},
                                                         {"ReLU", "Sigmoid"},
                                                         {presets()[0].name, presets().back().name}};
    for (const ImVec2 size : {ImVec2{1600, 1000}, ImVec2{1280, 800}})
        for (const auto& [shown, last] : lists) {
            Stage stage({}, 600, size);
            const auto preview = stage.find(shown, fonts(stage).body);
            ASSERT_FALSE(preview.empty()) << shown;
            // "Spiral" begins a preset's name, too, which comes first.
            stage.click(center(shown == std::string("Spiral") ? preview.back() : preview.front()));
            const plot::Rect row = stage.find(last, fonts(stage).body).back();
            for (const Glyph& glyph : stage.glyphs()) {
                if (!row.contains(center(glyph.rect)) || glyph.clip.max.y > size.y - 5) continue;
                EXPECT_LE(row.max.y + 3, glyph.clip.max.y) << last;
                EXPECT_LE(glyph.rect.max.x, glyph.clip.max.x) << last;
            }
            EXPECT_LT(row.max.y, size.y) << last;
        }
}

TEST(Manners, ItQuitsWhileTheHelpIsOpen) {
    Stage stage;
    stage.screen.input().text('?');
    stage.settle();
    EXPECT_EQ(stage.find("Keys and gestures", fonts(stage).body).size(), 1u);
    press_with(stage, Key::control, key('Q'));
    EXPECT_TRUE(stage.requests.close);
}

TEST(Manners, TheHelpIsWholeInTheSmallestWindow) {
    Stage stage({}, 600, least_window);
    stage.screen.input().text('?');
    stage.settle();
    for (const char* words :
         {"The test set is evaluated every 5 steps", "undo a change of settings", "A twin that diverges"})
        EXPECT_EQ(stage.find(words, fonts(stage).body).size(), 1u) << words;
    for (const Glyph& glyph : stage.glyphs())
        EXPECT_TRUE(glyph.rect.min.y > 0 && glyph.rect.max.y < least_window.y &&
                    glyph.rect.max.x < least_window.x);
}

TEST(Manners, RunAndPauseAreEquallyWide) {
    Stage stage;
    const float before = stage.the("Step", fonts(stage).body).min.x;
    stage.commands.shown().running = true;
    stage.frame();
    EXPECT_EQ(stage.find("Pause", fonts(stage).body).size(), 1u);
    EXPECT_EQ(stage.the("Step", fonts(stage).body).min.x, before);
}

TEST(Manners, NumbersSayOfWhatTheyAre) {
    for (const ImVec2 size : {ImVec2{1600, 1000}, ImVec2{1280, 800}}) {
        Stage stage({}, 600, size);
        EXPECT_EQ(stage.find("samples/s per twin", fonts(stage).small).size(), 1u);
        EXPECT_EQ(stage.find("drawing", fonts(stage).small).size(), size.x > 1400 ? 1u : 0u) << "goes first";
    }
}

TEST(Manners, TheSmallestWindowHasRoomForAll) {
    for (const size_t twins : {2u, 4u})
        for (const bool plan : {false, true}) {
            Settings settings;
            set_twin_count(settings, twins);
            settings.plan = plan;
            Stage stage(settings, 600, least_window);
            Snapshot& run = stage.commands.shown();
            run.run = 2;
            run.kept = {keep(run, 1, "Noise 0.16 to 0.3")};
            run.events = {{200, EventKind::setting, "Learning rate 0.3 to 1"}};
            stage.frame();
            expect_letters_apart(stage);
            expect_letters_whole(stage);
        }
}

TEST(Manners, BelowTheSmallestWindowEverythingShrinks) {
    for (const ImVec2 size : {ImVec2{900, 600}, ImVec2{640, 700}, ImVec2{320, 200}}) {
        Stage stage({}, 600, size);
        expect_letters_apart(stage);
        expect_letters_whole(stage);
        const Picture picture = stage.picture();
        EXPECT_EQ(picture.width, static_cast<uint32_t>(size.x));
        // What is clicked is what is seen: the button lies where it is drawn, smaller.
        const float shrinking = size.x / ImGui::GetIO().DisplaySize.x;
        EXPECT_LT(shrinking, 0.9f);
        const ImVec2 at = center(stage.the("Run", fonts(stage).body));
        stage.click({at.x * shrinking, at.y * shrinking});
        EXPECT_EQ(stage.calls("run"), 1u);
        const Theme& theme = stage.screen.look().theme;
        const plot::Rect panel = stage.panel("loss");
        const plot::Rect drawn{{panel.min.x * shrinking, panel.min.y * shrinking},
                               {panel.max.x * shrinking, panel.max.y * shrinking}};
        EXPECT_GT(count(picture, drawn, theme.panel),
                  static_cast<size_t>(drawn.width() * drawn.height() / 3));
    }
}

// Words are in the small font.
plot::Rect note_at(Stage& stage, ImVec2 at, const char* words) {
    stage.hover({at.x - 1, at.y});
    stage.hover(at);
    for (int i = 0; i < 30; ++i) stage.frame();
    return stage.the(words, fonts(stage).small);
}

TEST(Manners, NotesHideNoOtherControl) {
    Stage stage;
    const plot::Rect controls = stage.layout().controls, toolbar = stage.layout().toolbar;
    const plot::Rect noise = stage.the("Noise", fonts(stage).small);
    const plot::Rect of_noise =
        note_at(stage, {noise.min.x + 60, noise.min.y + 22}, "Of the points in the plane");
    EXPECT_GT(of_noise.min.x, controls.max.x);
    const plot::Rect of_norm =
        note_at(stage, center(stage.the("BatchNorm", fonts(stage).body)), "Each unit by");
    EXPECT_GT(of_norm.min.x, controls.max.x);
    const plot::Rect of_tab =
        note_at(stage, center(stage.the("Plan", fonts(stage).body)), "How the device does");
    EXPECT_GT(of_tab.min.y, toolbar.max.y - 8);
    const plot::Rect of_card =
        note_at(stage, center(stage.the("hidden 2", fonts(stage).small)), "A click inspects this layer");
    EXPECT_GT(of_card.min.y, stage.layout().cards.max.y);
}

TEST(Manners, TabGoesFromControlToControl) {
    Stage stage;
    stage.press(Key::tab);
    stage.press(Key::enter);
    EXPECT_EQ(stage.calls("run"), 1u) << "the first control";
    stage.press(Key::tab);
    stage.press(key(' '));
    EXPECT_EQ(stage.calls("step"), 1u);
    EXPECT_EQ(stage.calls("run"), 1u) << "Space presses what has the keyboard";
    press_with(stage, Key::shift, Key::tab);
    stage.press(Key::enter);
    EXPECT_EQ(stage.calls("run"), 2u) << "back";
    stage.press(Key::escape);
    stage.press(Key::enter);
    EXPECT_EQ(stage.commands.calls.size(), 3u) << "let go";
    stage.press(key(' '));
    EXPECT_EQ(stage.calls("run"), 3u) << "Space is run and pause again";
}

void tab(Stage& stage, int times) {
    for (int i = 0; i < times; ++i) stage.press(Key::tab);
}
// Run, Step, Reset, experiments, speed, presets, help, theme, palette and the tabs come before the controls.
constexpr int before_controls = 9 + static_cast<int>(std::size(all_tabs));

TEST(Manners, ListsAreChosenFromByKeys) {
    Stage stage;
    tab(stage, before_controls + 2);  // the heading of the section, the list
    stage.press(Key::enter);
    ASSERT_EQ(rows(stage, "Circles"), 1u) << "open";
    stage.press(Key::down);
    stage.press(Key::down);
    stage.press(Key::enter);
    EXPECT_EQ(stage.commands.applied.data, Data::moons);
    EXPECT_EQ(rows(stage, "Circles"), 0u) << "closed";
    stage.press(Key::enter);
    ASSERT_EQ(rows(stage, "Circles"), 1u) << "it has the keyboard again";
    stage.press(Key::escape);
    EXPECT_EQ(rows(stage, "Circles"), 0u);
    EXPECT_EQ(stage.commands.applied.data, Data::moons);
}

TEST(Manners, SlidersAreMovedAndTypedByKeys) {
    Stage stage;
    tab(stage, before_controls + 3);
    stage.press(Key::right);
    EXPECT_NEAR(stage.commands.applied.noise, 0.165f, 1e-5f);
    press_with(stage, Key::shift, Key::left);
    EXPECT_NEAR(stage.commands.applied.noise, 0.115f, 1e-5f);
    tab(stage, 1);
    stage.press(Key::up);
    EXPECT_EQ(stage.commands.applied.batch, 33u);
    stage.press(Key::enter);
    for (const char character : std::string("128"))
        stage.screen.input().text(static_cast<uint32_t>(character));
    stage.press(Key::enter);
    EXPECT_EQ(stage.commands.applied.batch, 128u);
}

TEST(Manners, PlotsAreReadAndZoomedByKeys) {
    Stage stage;
    int presses = 0;
    while (!stage.plot("loss").has_keyboard && presses++ < 80) stage.press(Key::tab);
    ASSERT_TRUE(stage.plot("loss").has_keyboard);
    stage.settle();
    ASSERT_TRUE(stage.plot("loss").reading);
    const double before = stage.plot("loss").reading->x;
    for (int i = 0; i < 3; ++i) stage.press(Key::right);
    EXPECT_GT(stage.plot("loss").reading->x, before);
    EXPECT_LT(stage.plot("loss").reading->x, before + 40);
    const plot::Range all = stage.plot("loss").mapping.x;
    for (int i = 0; i < 3; ++i) stage.press(Key::up);
    EXPECT_LT(stage.plot("gradient").mapping.x.length(), all.length() * 0.6);
    stage.press(Key::home);
    EXPECT_EQ(stage.plot("gradient").mapping.x, all);
    stage.press(key('L'));
    EXPECT_EQ(stage.plot("loss").mapping.y_scale, plot::Scale::linear) << "it is the plot that keys mean";
}

TEST(Manners, EveryControlIsReached) {
    Stage stage;
    for (int i = 0; i < 120; ++i) {
        stage.press(Key::tab);
        if (stage.plot("gradient").has_keyboard) return;  // the last panel
    }
    ADD_FAILURE() << "the last panel never has the keyboard";
}

TEST(Manners, MenusAreOpenedByKeys) {
    Stage stage;
    for (int i = 0; i < 60 && rows(stage, "Add a twin") == 0; ++i) {
        stage.press(Key::tab);
        press_with(stage, Key::shift, Key::enter);
    }
    ASSERT_EQ(rows(stage, "Add a twin"), 1u);
    stage.press(Key::down);
    stage.press(Key::enter);
    EXPECT_EQ(stage.commands.applied.twins.size(), 3u);
}

TEST(Manners, RightAndWrongDifferInShape) {
    Stage stage(presets()[1].settings, 600);
    Theme plain = dark_theme();
    plain.good = plain.bad = plain.text;
    plain.twins.fill(plain.text);
    stage.screen.set_theme(plain);
    const vknorm::Dataset& test = *stage.commands.shown().test;
    const auto picture_of = [&](bool right) {
        for (TwinView& twin : stage.commands.shown().twins) twin.predicted.assign(40, 0);
        auto labels = std::make_shared<vknorm::Dataset>(test);
        labels->labels.assign(labels->size(), right ? 0 : 1);
        stage.commands.shown().test = labels;
        stage.frame();
        return stage.picture();
    };
    const Picture right = picture_of(true), wrong = picture_of(false);
    size_t different = 0;
    const plot::Rect panel = stage.panel("data");
    for (auto y = static_cast<uint32_t>(panel.min.y); y < static_cast<uint32_t>(panel.max.y); ++y)
        for (auto x = static_cast<uint32_t>(panel.min.x); x < static_cast<uint32_t>(panel.max.x); ++x)
            different += !std::equal(right.pixel(x, y), right.pixel(x, y) + 3, wrong.pixel(x, y));
    EXPECT_GT(different, 24u * 2 * 8);
}

}  // namespace
