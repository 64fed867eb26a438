// The dialog that opens data: by the keyboard alone, at every size, in every theme.
#include "app/lab/open_dialog.hpp"

#include <fstream>
#include <gtest/gtest.h>

#include "lab/stage.hpp"
#include "support/data_files.hpp"

namespace {

using namespace lab;
using namespace lab::testing;
using vknorm::test::TemporaryDirectory;
namespace fs = std::filesystem;

void press_with_control(Stage& stage, char letter) {
    stage.screen.input().key(Key::control, true);
    stage.press(key(letter));
    stage.screen.input().key(Key::control, false);
    stage.settle();
}

void type(Stage& stage, const std::string& words) {
    for (const char letter : words) stage.screen.input().text(static_cast<unsigned char>(letter));
    stage.settle();
}

/// Two classes of pictures, a table, and what is no data.
void fill(const fs::path& folder) {
    for (const char* name : {"pets/cats/1.png", "pets/dogs/1.png", "table.csv", "notes.pdf"}) {
        fs::create_directories((folder / name).parent_path());
        std::ofstream(folder / name) << "";
    }
}

/// The dialog, open there.
void open(Stage& stage, const fs::path& folder) {
    press_with_control(stage, 'O');
    type(stage, folder.string() + "/");
}

size_t shown(Stage& stage, const std::string& words) {
    const Fonts& fonts = stage.screen.look().fonts;
    return stage.find(words, fonts.body).size() + stage.find(words, fonts.small).size() +
           stage.find(words, fonts.mono).size();
}

TEST(OpenDialog, OpensAFileByItsNameAndAFolderFromWithin) {
    const TemporaryDirectory folder;
    fill(folder.path());
    Stage stage;
    open(stage, folder.path());
    type(stage, "tab#2");
    stage.press(Key::enter);
    EXPECT_EQ(stage.commands.applied.data_file, "csv:" + (folder.path() / "table.csv").string() + "#2");
    EXPECT_EQ(shown(stage, "notes.pdf"), 0u) << "closed";

    press_with_control(stage, 'O');
    EXPECT_EQ(shown(stage, "notes.pdf"), 1u) << "the folder is remembered";
    stage.press(Key::enter);  // pets, the first below ..
    EXPECT_EQ(shown(stage, "dogs"), 1u);
    stage.press(Key::enter);  // this folder
    EXPECT_EQ(stage.commands.applied.data_file, "images:" + (folder.path() / "pets").string());
    EXPECT_EQ(stage.commands.applied.batch, 128u);

    press_with_control(stage, 'O');
    stage.press(Key::down);
    stage.press(Key::enter);  // ..
    EXPECT_EQ(shown(stage, "notes.pdf"), 1u);
    stage.press(Key::escape);
    EXPECT_EQ(shown(stage, "notes.pdf"), 0u);
}

TEST(OpenDialog, WhatIsNoDataSaysWhyAndIsNotOpened) {
    const TemporaryDirectory folder;
    fill(folder.path());
    Stage stage;
    open(stage, folder.path());
    EXPECT_EQ(shown(stage, "not data"), 1u);
    type(stage, "notes");
    EXPECT_EQ(shown(stage, "got a file of another kind"), 1u);
    stage.press(Key::enter);
    EXPECT_EQ(shown(stage, "got a file of another kind"), 1u);
    EXPECT_EQ(stage.calls("apply") + stage.calls("reset"), 0u);
}

TEST(OpenDialog, NamesThatAreNotThereAndFoldersThatCannotBeReadAreSaid) {
    Stage stage;
    press_with_control(stage, 'O');
    type(stage, "/no/such/");
    EXPECT_EQ(shown(stage, "/no/such: cannot be read: No such file or directory"), 1u);
    for (size_t i = 0; i < 9; ++i) stage.press(Key::backspace);
    type(stage, "qqqq");
    EXPECT_EQ(shown(stage, "Nothing here is called qqqq"), 1u);
}

TEST(OpenDialog, IsNotThereWhereDataAreHidden) {
    Settings settings;
    settings.concealed = {"data"};
    Stage stage(settings);
    press_with_control(stage, 'O');
    EXPECT_EQ(shown(stage, "Type a name or a path"), 0u);
    const TemporaryDirectory folder;
    fill(folder.path());
    stage.screen.input().drop({(folder.path() / "table.csv").string()});
    stage.settle();
    EXPECT_EQ(stage.calls("apply"), 0u);
    EXPECT_EQ(shown(stage, "Hidden here, and left as it is: Data"), 1u);
}

TEST(OpenDialog, FitsItsScreenWithLettersApart) {
    const TemporaryDirectory folder;
    fill(folder.path());
    for (int i = 0; i < 30; ++i) std::ofstream(folder.path() / ("table" + std::to_string(i) + ".csv")) << "";
    const std::string longest(90, 'w');
    std::ofstream(folder.path() / (longest + ".csv")) << "";
    for (const ImVec2 size : {ImVec2{1280, 800}, ImVec2{1600, 1000}, ImVec2{2560, 1440}})
        for (const ThemeChoice theme : {ThemeChoice::dark, ThemeChoice::light, ThemeChoice::projector}) {
            Stage stage({}, 600, size);
            stage.screen.set_theme(theme_of(theme));
            open(stage, folder.path());
            std::vector<plot::Rect> letters;
            for (const Glyph& glyph : stage.glyphs())
                if (glyph.list == stage.glyphs().back().list) letters.push_back(glyph.rect);
            EXPECT_GT(letters.size(), 100u);
            const ImVec2 screen = ImGui::GetIO().DisplaySize;
            for (size_t i = 0; i < letters.size(); ++i) {
                const plot::Rect& at = letters[i];
                EXPECT_TRUE(at.min.x >= 0 && at.max.x <= screen.x && at.min.y >= 0 && at.max.y <= screen.y);
                for (size_t k = 0; k < i; ++k) {
                    const plot::Rect& other = letters[k];
                    const float wide = std::min(at.max.x, other.max.x) - std::max(at.min.x, other.min.x),
                                high = std::min(at.max.y, other.max.y) - std::max(at.min.y, other.min.y);
                    ASSERT_FALSE(wide > 2 && high > 2) << at.min.x << ", " << at.min.y;
                }
            }
        }
}

}  // namespace
