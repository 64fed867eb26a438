// What the Live screen draws: geometry and pixels, with no golden pictures.
#include <array>
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <png.h>

#include "app/experiment/measured_layers.hpp"
#include "app/experiment/presets.hpp"
#include "app/lab/picture.hpp"
#include "app/plot/boundary.hpp"
#include "lab/drawing.hpp"

namespace {

using namespace lab;
using lab::testing::center;
using lab::testing::count;
using lab::testing::expect_letters_apart;
using lab::testing::expect_letters_whole;
using lab::testing::is;
using lab::testing::Stage;

const ImVec2 large{1600, 1000}, small{1280, 800};

class EveryRun : public ::testing::TestWithParam<std::tuple<size_t, uint64_t, bool>> {
  protected:
    Stage stage{presets()[std::get<0>(GetParam())].settings, std::get<1>(GetParam()),
                std::get<2>(GetParam()) ? large : small};
};

TEST_P(EveryRun, NoLetterLiesOnAnother) {
    ASSERT_GT(stage.glyphs().size(), 300u);
    expect_letters_apart(stage);
}

TEST_P(EveryRun, NoLetterIsCutOrOutsideItsCard) {
    expect_letters_whole(stage);
}

TEST_P(EveryRun, GeometryIsFiniteAndWithinBudget) {
    const ImDrawData& data = stage.draw_data();
    EXPECT_LT(data.TotalVtxCount, 90'000);
    EXPECT_LT(data.TotalIdxCount / 3, 70'000);
    for (int l = 0; l < data.CmdListsCount; ++l)
        for (const ImDrawVert& vertex : data.CmdLists[l]->VtxBuffer)
            ASSERT_TRUE(std::isfinite(vertex.pos.x) && std::isfinite(vertex.pos.y) &&
                        std::abs(vertex.pos.x) < 2e4f && std::abs(vertex.pos.y) < 2e4f);
}

std::string run_name(const ::testing::TestParamInfo<EveryRun::ParamType>& info) {
    return "Preset" + std::to_string(std::get<0>(info.param)) + "Step" +
           std::to_string(std::get<1>(info.param)) + (std::get<2>(info.param) ? "Large" : "Small");
}

INSTANTIATE_TEST_SUITE_P(LiveDrawing, EveryRun,
                         ::testing::Combine(::testing::Values(0u, 1u, 3u, 4u),
                                            ::testing::Values(0u, 1u, 115u, 20'000u), ::testing::Bool()),
                         run_name);

/// A model for pictures, before or after the first step, and the size of the screen.
class EveryModel : public ::testing::TestWithParam<std::tuple<Model, uint64_t, bool>> {};

TEST_P(EveryModel, HasCardsAndFeatureMapsWithRoomForAllWords) {
    const auto [model, steps, is_large] = GetParam();
    for (const size_t twins : {size_t{2}, size_t{limits::max_twins}}) {
        Settings settings;
        settings.data = Data::digits;
        settings.model = model;
        set_twin_count(settings, twins);
        Stage stage(settings, steps, is_large ? large : small);
        expect_letters_apart(stage);
        expect_letters_whole(stage);
        EXPECT_LT(stage.draw_data().TotalVtxCount, 120'000);
        const MeasuredLayer inspected = measured_layers(settings, 0)[settings.inspected_layer];
        const std::string title = "Channel 3 of " + inspected.name + ": maps";
        EXPECT_EQ(stage.find(title, stage.screen.look().fonts.strong).size(), steps > 0 ? 1u : 0u) << title;
    }
}

INSTANTIATE_TEST_SUITE_P(LiveDrawing, EveryModel,
                         ::testing::Combine(::testing::Values(Model::classifier, Model::classifier_small,
                                                              Model::resnet8, Model::resnet20,
                                                              Model::preresnet20),
                                            ::testing::Values(0u, 115u), ::testing::Bool()),
                         [](const auto& run) {
                             return "Model" + std::to_string(static_cast<int>(std::get<0>(run.param))) +
                                    "Step" + std::to_string(std::get<1>(run.param)) +
                                    (std::get<2>(run.param) ? "Large" : "Small");
                         });

/// Hidden layers, before or after the first step, and the size of the screen.
class EveryPlan : public ::testing::TestWithParam<std::tuple<size_t, uint64_t, bool>> {};

TEST_P(EveryPlan, HasItsCardWithRoomForAllWords) {
    const auto [layers, steps, is_large] = GetParam();
    Settings settings;
    settings.plan = true;
    settings.hidden.assign(layers, 100);
    Stage stage(settings, steps, is_large ? large : small);
    expect_letters_apart(stage);
    expect_letters_whole(stage);
    EXPECT_EQ(stage.find("scratch: 24588 bytes", stage.screen.look().fonts.small).size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(LiveDrawing, EveryPlan,
                         ::testing::Combine(::testing::Values(1u, 4u, 10u), ::testing::Values(0u, 600u),
                                            ::testing::Bool()),
                         [](const auto& run) {
                             return "Layers" + std::to_string(std::get<0>(run.param)) + "Step" +
                                    std::to_string(std::get<1>(run.param)) +
                                    (std::get<2>(run.param) ? "Large" : "Small");
                         });

class EveryTheme : public ::testing::TestWithParam<bool> {
  protected:
    void set(Stage& stage) const { stage.screen.set_theme(GetParam() ? dark_theme() : light_theme()); }
};

INSTANTIATE_TEST_SUITE_P(LiveDrawing, EveryTheme, ::testing::Bool(),
                         [](const auto& theme) { return theme.param ? "Dark" : "Light"; });

// Whatever they say: a curve may stay where it is, and the pointer may look at it as closely as it likes.
TEST_P(EveryTheme, LabelsOfConstantCurvesAreInTheirCard) {
    for (const float accuracy : {0.5f, 0.0f, 1.0f, 0.1234567f})
        for (const int turns : {0, 60}) {
            Stage stage({}, 600, small);
            set(stage);
            for (TwinView& twin : stage.commands.shown().twins) {
                twin.test.clear();
                for (const uint64_t step : {1u, 300u, 600u}) twin.test.push(step, {accuracy, accuracy, 0.7f});
            }
            stage.frame();
            const plot::Rect panel = stage.panel("accuracy");
            stage.hover(center(panel));
            stage.screen.input().key(Key::shift, true);
            stage.screen.input().wheel(0, static_cast<float>(turns));
            stage.screen.input().key(Key::shift, false);
            stage.hover({2, 2});
            std::vector<Glyph> beside;  // the card before has none here
            for (const Glyph& glyph : stage.glyphs())
                if (glyph.rect.min.y > panel.min.y + 40 && glyph.rect.max.y < panel.max.y - 30 &&
                    glyph.rect.min.x > panel.min.x - 30 && glyph.rect.max.x < panel.max.x)
                    beside.push_back(glyph);
            ASSERT_GE(beside.size(), 5u) << accuracy;
            for (const Glyph& glyph : beside)
                EXPECT_GT(glyph.rect.min.x, panel.min.x + 4) << accuracy << ", " << turns;
        }
}

// Hides one twin in one panel after the other, zoomed so that the data leave the frame on all sides: what
// changes lies inside that panel, and something changes.
TEST_P(EveryTheme, InkIsInsideItsPanelAndNowhereElse) {
    Stage stage({}, 600, small);
    set(stage);
    stage.frame();
    const std::array<std::pair<const char*, const char*>, 6> entries = {{{"loss", "A BatchNorm"},
                                                                         {"accuracy", "A"},
                                                                         {"data", "A BatchNorm"},
                                                                         {"percentiles", "A"},
                                                                         {"mean", "running"},
                                                                         {"gradient", "A BatchNorm"}}};
    for (const auto& [panel, entry] : entries) {
        stage.hover(center(stage.panel(panel)));
        stage.screen.input().wheel(0, 0.5f);
        stage.screen.input().key(Key::shift, true);
        stage.screen.input().wheel(0, 3);
        stage.screen.input().key(Key::shift, false);
        stage.hover({2, 2});
        const Picture before = stage.picture();
        const plot::Rect frame = stage.panel(panel);
        plot::Rect legend{};
        for (const plot::Rect& found : stage.find(entry, stage.screen.look().fonts.small))
            if (frame.contains(found.min)) legend = found;
        ASSERT_TRUE(frame.contains(legend.min)) << panel << " has no legend entry " << entry;
        stage.click(center(legend));
        stage.hover({2, 2});
        const Picture after = stage.picture();
        size_t changed = 0, strayed = 0;
        for (uint32_t y = 0; y < before.height; ++y)
            for (uint32_t x = 0; x < before.width; ++x) {
                const uint8_t *a = before.pixel(x, y), *b = after.pixel(x, y);
                if (a[0] == b[0] && a[1] == b[1] && a[2] == b[2]) continue;
                ++changed;
                strayed += !frame.contains({static_cast<float>(x), static_cast<float>(y)});
            }
        EXPECT_GT(changed, 400u) << panel;
        EXPECT_EQ(strayed, 0u) << panel;
    }
}

TEST_P(EveryTheme, TheTwinsColoursAreThere) {
    Stage stage;
    set(stage);
    stage.frame();
    const Picture picture = stage.picture();
    const Theme& theme = stage.screen.look().theme;
    for (const char* panel : {"loss", "accuracy", "percentiles", "gradient"})
        for (size_t twin = 0; twin < stage.commands.shown().twins.size(); ++twin)
            EXPECT_GT(count(picture, stage.panel(panel), theme.twins[twin]), 150u) << panel;
    EXPECT_GT(count(picture, stage.panel("distribution A"), theme.twins[0]), 500u);
    EXPECT_EQ(count(picture, stage.panel("distribution A"), theme.twins[1]), 0u);
    EXPECT_GT(count(picture, stage.panel("distribution B"), theme.twins[1]), 500u);
    EXPECT_EQ(count(picture, stage.panel("distribution B"), theme.twins[0]), 0u);
    EXPECT_GT(count(picture, stage.panel("loss"), theme.panel), 30'000u);
    EXPECT_TRUE(is(picture.pixel(3, 500), theme.ground, 0));
}

// One class owns the lower left quarter of the plane and nothing else.
TEST_P(EveryTheme, TheBoundaryShowsTheMostLikelyClassWhereItBelongs) {
    Stage stage({}, 600, large);
    set(stage);
    Boundary& boundary = stage.commands.shown().twins[0].boundary;
    for (uint32_t row = 0; row < boundary.rows; ++row)
        for (uint32_t column = 0; column < boundary.columns; ++column) {
            const bool corner = row < boundary.rows / 2 && column < boundary.columns / 2;
            float* const p = &boundary.probability[(size_t{row} * boundary.columns + column) * 2];
            p[0] = corner ? 1.0f : 0.0f;
            p[1] = corner ? 0.0f : 1.0f;
        }
    stage.commands.shown().train = nullptr;
    stage.frame();
    const Picture picture = stage.picture();
    const Theme& theme = stage.screen.look().theme;
    const plot::Rect panel = stage.panel("data");
    const plot::Rect left_half{panel.min, {center(panel).x, panel.max.y}};
    const std::array<float, 2> first = {1, 0}, second = {0, 1};
    // The square is where its two colours are.
    ImVec2 low{1e9f, 1e9f}, high{0, 0};
    ImVec2 first_low{1e9f, 1e9f}, first_high{0, 0};
    for (auto y = static_cast<uint32_t>(left_half.min.y); y < static_cast<uint32_t>(left_half.max.y); ++y)
        for (auto x = static_cast<uint32_t>(left_half.min.x); x < static_cast<uint32_t>(left_half.max.x);
             ++x) {
            const ImVec2 at{static_cast<float>(x), static_cast<float>(y)};
            const auto extend = [&](ImVec2& l, ImVec2& h) {
                l = {std::min(l.x, at.x), std::min(l.y, at.y)};
                h = {std::max(h.x, at.x), std::max(h.y, at.y)};
            };
            const bool one = is(picture.pixel(x, y), plot::class_color(theme, first), 3);
            if (one) extend(first_low, first_high);
            if (one || is(picture.pixel(x, y), plot::class_color(theme, second), 3)) extend(low, high);
        }
    const float side = high.x - low.x;
    ASSERT_GT(side, 120);
    EXPECT_NEAR(high.y - low.y, side, 2);
    EXPECT_NEAR(first_low.x, low.x, 1);
    EXPECT_NEAR(first_high.y, high.y, 1);
    EXPECT_NEAR(first_high.x, low.x + side * 0.5f, side / 32);
    EXPECT_NEAR(first_low.y, high.y - side * 0.5f, side / 32);
}

TEST_P(EveryTheme, PicturesAreMarkedRightAndWrong) {
    Stage stage(presets()[1].settings, 600, large);
    set(stage);
    stage.frame();
    const Theme& theme = stage.screen.look().theme;
    const plot::Rect panel = stage.panel("data");
    const Picture mixed = stage.picture();
    EXPECT_GT(count(mixed, panel, theme.good, 40), 20u);
    EXPECT_GT(count(mixed, panel, theme.bad), 100u);
    for (TwinView& twin : stage.commands.shown().twins) twin.predicted = stage.commands.shown().test->labels;
    stage.frame();
    EXPECT_EQ(count(stage.picture(), panel, theme.bad), 0u);
}

// On the first frame of a screen, whose lists have nothing reserved yet.
TEST(LiveDrawing, ASingleStepIsADot) {
    Stage stage({}, 1);
    const plot::PlotState& plot = stage.plot("gradient");
    const plot::Rect inside{{plot.mapping.left, plot.mapping.top},
                            {plot.mapping.left + plot.mapping.width, plot.mapping.top + plot.mapping.height}};
    EXPECT_GT(count(stage.picture(), inside, stage.screen.look().theme.twins[0]), 8u);
}

TEST(LiveDrawing, ACardStaysInItsFrame) {
    Screen screen(1);
    screen.begin(large, 1.0f / 30);
    ImDrawList& list = *ImGui::GetForegroundDrawList();
    const plot::Rect frame{{200, 100}, {500, 300}};
    plot::card(screen.look(), list, frame, 9, 0xFF202020, 0xFF404040, 1);
    ASSERT_GT(list.VtxBuffer.Size, 0);
    for (const ImDrawVert& vertex : list.VtxBuffer)
        EXPECT_TRUE(vertex.pos.x > frame.min.x - 2 && vertex.pos.x < frame.max.x + 2 &&
                    vertex.pos.y > frame.min.y - 2 && vertex.pos.y < frame.max.y + 2)
            << vertex.pos.x << ", " << vertex.pos.y;
    screen.end();
}

TEST(LiveDrawing, TheSameFrameGivesTheSamePicture) {
    Stage stage({}, 600, small);
    EXPECT_EQ(stage.picture().rgba, stage.picture().rgba);
}

TEST(LiveDrawing, APictureNeedsNoScreen) {
    const auto run = lab::testing::synthetic_run({}, 300);
    const Picture picture = live_picture(lab::testing::test_gpu(), *run, 1280, 800, light_theme());
    EXPECT_EQ(picture.width, 1280u);
    EXPECT_GT(count(picture, {{0, 0}, {1280, 800}}, light_theme().twins[0]), 1000u);
}

TEST(LiveDrawing, PngFilesHoldThePicture) {
    Picture picture{3, 2, {}};
    for (uint8_t i = 0; i < 24; ++i) picture.rgba.push_back(i % 4 == 3 ? 255 : static_cast<uint8_t>(i * 9));
    const std::filesystem::path file = std::filesystem::temp_directory_path() / "vknorm-lab-test.png";
    write_png(picture, file);
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    ASSERT_TRUE(png_image_begin_read_from_file(&image, file.c_str()));
    image.format = PNG_FORMAT_RGBA;
    std::vector<uint8_t> read(PNG_IMAGE_SIZE(image));
    ASSERT_TRUE(png_image_finish_read(&image, nullptr, read.data(), 0, nullptr));
    EXPECT_EQ(image.width, 3u);
    EXPECT_EQ(read, picture.rgba);
    std::filesystem::remove(file);
    EXPECT_THROW(write_png(picture, "/nowhere/at/all.png"), std::runtime_error);
}

}  // namespace
