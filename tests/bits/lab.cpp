// The Lab: what a headless run of each preset leaves, and pictures of its screen.
//
// The program itself is run for the reports; what it measures of time is taken out of them. Pictures are of
// formula-made runs, drawn off-screen by the device.
#include <algorithm>
#include <cctype>
#include <sstream>
#include <stdexcept>

#include <vknorm/file.hpp>

#include "app/experiment/presets.hpp"
#include "bits/bits.hpp"
#include "lab/stage.hpp"
#include "support/places.hpp"
#include "support/program.hpp"

namespace vknorm::bits {

namespace {

using lab::testing::Stage;
using std::filesystem::path;

constexpr const char* steps = "60";

/// Lower case letters and digits of `name`, the rest as single hyphens.
std::string file_name(const std::string& name) {
    std::string result;
    for (const char character : name) {
        const auto code = static_cast<unsigned char>(character);
        if (std::isalnum(code))
            result += static_cast<char>(std::tolower(code));
        else if (!result.empty() && result.back() != '-')
            result += '-';
    }
    while (result.ends_with('-')) result.pop_back();
    return result;
}

void drop_speed(const path& summary) {
    std::istringstream lines(testing::read_text(summary));
    std::string kept;
    for (std::string line; std::getline(lines, line);)
        if (line.find("\"steps_per_second\"") == std::string::npos) kept += line + '\n';
    write_file(summary, kept);
}

void run_lab(const path& out, const std::string& device, const std::vector<std::string>& more) {
    make_folder(out);
    std::vector<std::string> command = {
        testing::built_program("vknorm-lab"), "--headless", "--steps", steps, "--out", out.string()};
    if (!device.empty()) command.insert(command.end(), {"--device", device});
    command.insert(command.end(), more.begin(), more.end());
    testing::Program program(out, command);
    if (program.wait(std::chrono::minutes(10)) != 0)
        throw std::runtime_error(out.filename().string() + ": the Lab failed: " + program.error());
    for (const char* file : {"report.png", "stdout.txt", "stderr.txt"}) std::filesystem::remove(out / file);
    drop_speed(out / "summary.json");
}

/// A screen and what is done to it before its picture is taken.
struct Scene {
    const char* name;
    lab::Settings settings;
    uint64_t steps;
    void (*prepare)(Stage& stage);
};

void leave(Stage&) {}

void open_help(Stage& stage) {
    stage.screen.input().text('?');
    stage.settle();
}

void open_norms(Stage& stage) {
    const auto found = stage.find("BatchNorm", stage.screen.look().fonts.body);
    if (found.empty()) throw std::runtime_error("the screen has no choice of norms");
    stage.click(lab::testing::center(found.front()));
}

std::vector<Scene> scenes() {
    lab::Settings plain, plan, digits = lab::presets()[2].settings, depth = lab::presets()[3].settings;
    plan.plan = true;
    return {{"live", plain, 600, leave},      {"start", plain, 0, leave},
            {"plan", plan, 600, leave},       {"digits", digits, 600, leave},
            {"depth", depth, 20'000, leave},  {"help", plain, 600, open_help},
            {"norms", plain, 600, open_norms}};
}

}  // namespace

void record_lab(const path& folder, const std::string& device) {
    for (const lab::Preset& preset : lab::presets())
        run_lab(folder / "lab" / file_name(preset.name), device, {"--preset", preset.name});
    run_lab(folder / "lab" / "norms-by-layer", device,
            {"--norm-a", "batch,layer,group,rms", "--norm-b", "renorm,ghost,none,batch", "--optimizer",
             "adam", "--lr", "0.01"});
}

void record_pictures(const path& folder, const std::string& device) {
    make_folder(folder / "pictures");
    lab::testing::select_test_gpu(device);
    for (const bool dark : {true, false})
        for (const ImVec2 size : {ImVec2{1600, 1000}, ImVec2{1280, 800}})
            for (const Scene& scene : scenes()) {
                Stage stage(scene.settings, scene.steps, size);
                stage.screen.set_theme(dark ? lab::dark_theme() : lab::light_theme());
                stage.settle();
                scene.prepare(stage);
                const std::string name = std::string(scene.name) + (dark ? "-dark-" : "-light-") +
                                         std::to_string(static_cast<int>(size.x)) + ".png";
                write_png(stage.picture(), folder / "pictures" / name);
            }
    if (!lab::testing::destroy_test_gpu())
        throw std::runtime_error("the validation layer complained about the drawing");
}

}  // namespace vknorm::bits
