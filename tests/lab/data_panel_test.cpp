// The panel of the data: classes by their names, and what was found out about a file.
#include <gtest/gtest.h>

#include "lab/drawing.hpp"

namespace {

using namespace lab;
using lab::testing::expect_letters_apart;
using lab::testing::expect_letters_whole;
using lab::testing::Stage;

DataOrigin origin() {
    return {.facts = {"150 examples of 4 features", "2 classes: cat, dog", "label: column 5 ('kind')"},
            .test_set = "one fifth of the examples (30 of 150), drawn with seed 7",
            .table = {}};
}

size_t said(Stage& stage, const char* words) {
    return stage.find(words, stage.screen.look().fonts.small).size();
}

/// Of the run on the screen, with its classes named.
std::shared_ptr<const vknorm::Dataset> named(const Stage& stage, std::vector<std::string> names) {
    auto data = std::make_shared<vknorm::Dataset>(*stage.commands.snapshot()->train);
    data->class_names = std::move(names);
    return data;
}

TEST(DataPanel, SaysWhatATableIs) {
    for (const ImVec2 size : {ImVec2{1600, 1000}, ImVec2{1280, 800}}) {
        Stage stage({}, 600, size);
        auto table = std::make_shared<vknorm::Dataset>();
        table->features = 4;
        table->classes = 2;
        Snapshot& run = stage.commands.shown();
        run.train = run.test = table;
        run.origin = origin();
        run.batch_note = batch_note(128, 48);
        stage.frame();
        for (const char* line : {"No plane to draw: the data have 4 features", "150 examples of 4 features",
                                 "2 classes: cat, dog", "label: column 5 ('kind')",
                                 "Test set: one fifth of the examples (30 of 150)",
                                 "Batch size: 48, all examples to train on, in place of 128"})
            EXPECT_EQ(said(stage, line), 1u) << line;
        expect_letters_apart(stage);
        expect_letters_whole(stage);
    }
}

TEST(DataPanel, CallsClassesByTheirNames) {
    Stage stage;
    stage.commands.shown().train = named(stage, {"cat", "dog"});
    stage.commands.shown().origin = origin();
    stage.frame();
    EXPECT_EQ(said(stage, "2 classes: cat, dog"), 1u);
    const plot::Rect panel = stage.panel("data");
    stage.hover({panel.min.x + panel.width() / 4, panel.min.y + panel.height() / 2});
    EXPECT_EQ(said(stage, "class 1"), 0u);
    EXPECT_EQ(said(stage, "dog"), 2u) << "below the plane, and beside the pointer";
    expect_letters_whole(stage);
}

TEST(DataPanel, LongNamesOfGuessesAreShortened) {
    Settings settings;
    settings.data = Data::digits;
    Stage stage(settings);
    const std::string name = "an exceedingly long name \xC3\xA9t\xC3\xA9";
    stage.commands.shown().test = named(stage, std::vector<std::string>(10, name));
    stage.frame();
    EXPECT_EQ(stage.find(name, stage.screen.look().fonts.mono).size(), 0u);
    EXPECT_GT(stage.find("..", stage.screen.look().fonts.mono).size(), 20u);
    expect_letters_apart(stage);
    expect_letters_whole(stage);
}

TEST(DataPanel, PicturesInColourKeepTheirColoursAndTellTheirSize) {
    Settings settings;
    settings.data = Data::digits;
    Stage stage(settings);
    auto coloured = std::make_shared<vknorm::Dataset>(vknorm::make_shapes(64, 1));
    for (size_t i = 0; i < coloured->inputs.size(); ++i)
        coloured->inputs[i] = i % coloured->features < 1024 ? 1.f : 0.2f;  // a strong red
    stage.commands.shown().test = coloured;
    stage.frame();
    EXPECT_EQ(said(stage, "32 x 32 in colour"), 1u);
    const ImDrawData& drawn = stage.draw_data();
    size_t red = 0;
    for (int list = 0; list < drawn.CmdListsCount; ++list)
        for (const ImDrawVert& vertex : drawn.CmdLists[list]->VtxBuffer)
            red += (vertex.col & 0xffffff) == (51u << 16 | 51u << 8 | 255u);
    EXPECT_GT(red, 10'000u);
}

TEST(DataPanel, LargePicturesAreDrawnNoFinerThanTheScreen) {
    Settings settings;
    settings.data = Data::digits;
    Stage stage(settings);
    auto large = std::make_shared<vknorm::Dataset>(*stage.commands.snapshot()->test);
    large->image_width = 190;
    large->image_height = 158;
    large->features = 190 * 158;
    large->inputs.assign(large->size() * large->features, 0.5f);
    stage.commands.shown().test = large;
    stage.frame();
    EXPECT_LT(stage.draw_data().TotalVtxCount, 200'000);
}

}  // namespace
