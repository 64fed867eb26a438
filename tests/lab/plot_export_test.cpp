// Any plot as a file: which can be asked for, and that what is written is what is drawn.
#include <algorithm>
#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <png.h>
#include <set>
#include <sstream>

#include "app/exports.hpp"
#include "lab/stage.hpp"
#include "support/data_files.hpp"
#include "support/program.hpp"

namespace {

using namespace lab;
using lab::testing::center;
using lab::testing::Stage;
using lab::testing::synthetic_run;
using lab::testing::test_gpu;
using vknorm::test::TemporaryDirectory;
using vknorm::testing::read_text;

const PlotFormatName& form(PlotFormat format) {
    return *std::find_if(plot_formats.begin(), plot_formats.end(),
                         [&](const PlotFormatName& one) { return one.format == format; });
}

/// The text, or the bytes, of the file that comes of it.
std::string saved(Stage& stage, const std::string& id, PlotFormat format) {
    const TemporaryDirectory folder;
    const std::string said = export_plot(folder.path(), {id, &form(format)}, stage.shell, stage.screen,
                                         stage.size, 600, test_gpu());
    const size_t name = said.find(folder.path().string());
    if (name == std::string::npos) {
        ADD_FAILURE() << said;
        return "";
    }
    return read_text(said.substr(name));
}

/// Why `text` is no XML of elements and attributes; empty: it is.
std::string flaw_of_xml(const std::string& text) {
    std::vector<std::string> open;
    size_t roots = 0;
    for (size_t at = 0; at < text.size();) {
        if (text[at] == '&') {
            const std::string entity = text.substr(at, text.find(';', at) - at);
            if (entity != "&amp" && entity != "&lt" && entity != "&gt") return "entity " + entity;
        }
        if (text[at] != '<') {
            if (open.empty() && !std::isspace(static_cast<unsigned char>(text[at]))) return "words outside";
            ++at;
            continue;
        }
        const size_t end = text.find('>', at);
        if (end == std::string::npos) return "a tag without an end";
        std::string tag = text.substr(at + 1, end - at - 1);
        at = end + 1;
        if (tag[0] == '/') {
            if (open.empty() || open.back() != tag.substr(1)) return "closes " + tag;
            open.pop_back();
            continue;
        }
        const bool empty = tag.back() == '/';
        if (empty) tag.pop_back();
        std::istringstream parts(tag);
        std::string name, rest;
        parts >> name;
        std::getline(parts, rest);
        std::set<std::string> attributes;
        for (size_t i = 0; (i = rest.find_first_not_of(' ', i)) != std::string::npos;) {
            const size_t equals = rest.find("=\"", i), close = rest.find('"', equals + 2);
            if (equals == std::string::npos || close == std::string::npos) return "attributes " + rest;
            if (!attributes.insert(rest.substr(i, equals - i)).second) return "twice in " + rest;
            if (rest.find_first_of("<&", i) < close) return "marks in " + rest;
            i = close + 1;
        }
        if (open.empty() && ++roots > 1) return "two roots";
        if (!empty) open.push_back(name);
    }
    return open.empty() ? "" : "open " + open.back();
}

TEST(PlotMenu, OpensByPointerAndKeyboardAndFromThePalette) {
    Stage stage;
    stage.frame();
    const auto rows = [&] { return stage.find("Save as PNG", stage.screen.look().fonts.body).size(); };
    const ImVec2 at = center(stage.panel("gradient"));
    stage.screen.input().move(at.x, at.y);
    for (const bool down : {true, false}) stage.screen.input().button(1, down);
    stage.settle();
    ASSERT_EQ(rows(), 1u);
    stage.click(center(stage.the("Save as SVG", stage.screen.look().fonts.body)));
    ASSERT_TRUE(stage.requests.plot);
    EXPECT_EQ(stage.requests.plot->id, "gradient");
    EXPECT_EQ(stage.requests.plot->format->format, PlotFormat::svg);
    EXPECT_EQ(rows(), 0u);

    for (int i = 0; i < 90 && !stage.plot("loss").has_keyboard; ++i) stage.press(Key::tab);
    ASSERT_TRUE(stage.plot("loss").has_keyboard);
    stage.screen.input().key(Key::shift, true);
    stage.press(Key::enter);
    stage.screen.input().key(Key::shift, false);
    stage.settle();
    ASSERT_EQ(rows(), 1u);
    stage.press(Key::down);
    stage.press(Key::enter);
    EXPECT_EQ(stage.requests.plot->id, "loss");
    EXPECT_EQ(stage.requests.plot->format->format, PlotFormat::png);

    stage.screen.input().key(Key::control, true);
    stage.press(key('P'));
    stage.screen.input().key(Key::control, false);
    stage.settle();
    for (const char letter : std::string("accuracy csv"))
        stage.screen.input().text(static_cast<unsigned char>(letter));
    stage.settle();
    stage.press(Key::enter);
    EXPECT_EQ(stage.requests.plot->id, "accuracy");
    EXPECT_EQ(stage.requests.plot->format->format, PlotFormat::csv);
}

TEST(PlotExport, EveryPanelOfEveryTabHasAllForms) {
    Settings settings;
    settings.twins[1].norm = vknorm::Norm::layer;  // every tensor is there
    settings.plan = settings.microscope = settings.distributions = settings.landscape = true;
    for (const float scale : {1.0f, 2.0f}) {
        Stage stage(settings, 600, {1600 * scale, 1000 * scale}, all_tabs, scale);
        using Tabs = std::vector<std::pair<MakeTab, size_t>>;
        for (const auto& [tab, least] : Tabs{{live_tab, 6},
                                             {distributions_tab, 6},
                                             {statistics_tab, 6},
                                             {landscape_tab, 5},
                                             {plan_tab, 6},
                                             {checks_tab, 4}}) {
            stage.open(tab);
            const std::vector<DrawnPlot> plots = stage.screen.plots().all();
            EXPECT_GE(plots.size(), least) << tab;
            for (const DrawnPlot& plot : plots) {
                SCOPED_TRACE(plot.id);
                const std::string svg = saved(stage, plot.id, PlotFormat::svg);
                EXPECT_EQ(flaw_of_xml(svg), "");
                EXPECT_NE(svg.find("</text>"), std::string::npos);
                EXPECT_EQ(svg.find("nan"), std::string::npos);
                EXPECT_LT(svg.size(), 1'500'000u);
                if (scale > 1) continue;
                const std::string csv = saved(stage, plot.id, PlotFormat::csv);
                EXPECT_GT(std::count(csv.begin(), csv.end(), '\n'), 1);
            }
        }
    }
}

TEST(PlotExport, ATableHasTheValuesOfTheHistory) {
    Stage stage;
    stage.frame();
    std::istringstream csv(saved(stage, "loss", PlotFormat::csv));
    std::string line;
    std::getline(csv, line);
    EXPECT_EQ(
        line,
        "step,B batch (nats),A batch (nats),B smoothed (nats),A smoothed (nats),\"A test set, eval mode "
        "(nats)\",\"B test set, eval mode (nats)\"");
    std::array<std::map<std::string, TrainingRow>, 2> history;  // of each twin, by step
    for (size_t twin = 0; twin < 2; ++twin)
        for (const auto& entry : stage.commands.shown().twins[twin].training)
            history[twin][std::to_string(entry.step)] = entry.value;
    const auto expect = [](const std::string& cell, float value) {
        EXPECT_EQ(cell.empty() ? INFINITY : std::stof(cell), value);
    };
    size_t rows = 0;
    for (; std::getline(csv, line); ++rows) {
        std::vector<std::string> cells;
        std::istringstream parts(line + ",");
        for (std::string cell; std::getline(parts, cell, ',');) cells.push_back(cell);
        ASSERT_EQ(cells.size(), 7u);
        expect(cells[1], history[1].at(cells[0]).loss);
        expect(cells[2], history[0].at(cells[0]).loss);
        expect(cells[3], history[1].at(cells[0]).lightly_smoothed_loss);
        expect(cells[4], history[0].at(cells[0]).lightly_smoothed_loss);
    }
    EXPECT_EQ(rows, history[0].size());
}

TEST(PlotExport, WhatIsSwitchedOffOrOutOfSightIsNotInIt) {
    Stage stage;
    stage.frame();
    const ImVec2 at = center(stage.panel("loss"));
    stage.hover(at);
    stage.screen.input().wheel(0, 3);
    stage.settle();
    const std::string zoomed = saved(stage, "loss", PlotFormat::csv);
    EXPECT_LT(std::count(zoomed.begin(), zoomed.end(), '\n'), 500);
    EXPECT_EQ(zoomed.find("\n1,"), std::string::npos);
    stage.click(center(stage.the("B no norm", stage.screen.look().fonts.small)));
    const std::string without = saved(stage, "loss", PlotFormat::csv);
    EXPECT_EQ(without.find("B batch"), std::string::npos);
    EXPECT_NE(without.find("A batch"), std::string::npos);
}

TEST(PlotExport, VectorsHaveWordsLinesAndMarks) {
    Stage stage;
    stage.frame();
    const std::string svg = saved(stage, "loss", PlotFormat::svg);
    for (const char* words : {">Training loss</text>", ">step</text>", ">A BatchNorm</text>",
                              ">test, eval</text>", "stroke=\"#56b4e9\"", "stroke=\"#e69f00\"", "<clipPath"})
        EXPECT_NE(svg.find(words), std::string::npos) << words;
    EXPECT_LT(svg.size(), 300'000u);
}

TEST(PlotExport, APictureIsThePlotAloneAtTwiceItsSize) {
    Stage stage;
    stage.frame();
    const plot::Rect panel = stage.panel("loss");
    const std::string bytes = saved(stage, "loss", PlotFormat::png);
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    ASSERT_TRUE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()));
    EXPECT_NEAR(static_cast<double>(image.width), 2.0 * static_cast<double>(panel.width()), 2);
    EXPECT_NEAR(static_cast<double>(image.height), 2.0 * static_cast<double>(panel.height()), 2);
    png_image_free(&image);
    // The screen goes on as before.
    stage.frame();
    EXPECT_EQ(stage.panel("loss").width(), panel.width());
}

TEST(PlotExport, NamesSayPlotAndStepAndNothingIsReplaced) {
    Stage stage;
    stage.frame();
    const TemporaryDirectory folder;
    for (const char* name : {"distribution-A-step-600-1.csv", "distribution-A-step-600-2.csv"}) {
        export_plot(folder.path(), {"distribution A", &form(PlotFormat::csv)}, stage.shell, stage.screen,
                    stage.size, 600, test_gpu());
        EXPECT_TRUE(std::filesystem::exists(folder.path() / name)) << name;
    }
    lab::testing::remember(stage.commands.shown(), 100);
    stage.frame();
    stage.press(key(','));
    export_plot(folder.path(), {"distribution A", &form(PlotFormat::csv)}, stage.shell, stage.screen,
                stage.size, 600, test_gpu());
    const auto earlier = folder.path() / "distribution-A-step-500-of-600-1.csv";
    ASSERT_TRUE(std::filesystem::exists(earlier));
    EXPECT_EQ(read_text(earlier).find("\n600,"), std::string::npos) << "of later steps it has nothing";
}

TEST(PlotExport, WhatHasNoNumbersSaysSo) {
    Stage stage({}, 0);
    stage.frame();
    const TemporaryDirectory folder;
    EXPECT_EQ(export_plot(folder.path(), {"loss", &form(PlotFormat::csv)}, stage.shell, stage.screen,
                          stage.size, 0, test_gpu()),
              "Training loss: there are no numbers to write");
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
