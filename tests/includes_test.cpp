// What the sources must not do, read as text: include against the arrows between folders, or give two types
// one name.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "support/places.hpp"

namespace vknorm::testing {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

const fs::path root = project_file("");

// What each folder may include of the project, of Vulkan and of ImGui, itself and its own folders included; a
// folder stands for those within it, too.
const std::map<std::string, Names> allowed = {
    {"engine/vulkan", {"engine/vulkan", "engine/data", "shaders", "Vulkan"}},
    {"engine/data", {"engine/data"}},
    {"engine/ops", {"engine/ops", "engine/vulkan", "engine/data", "shaders", "Vulkan"}},
    {"engine/nn", {"engine/nn", "engine/ops", "engine/vulkan", "engine/data", "shaders", "Vulkan"}},
    {"engine/mpi", {"engine/mpi", "engine/nn"}},
    {"app/experiment", {"app/experiment", "engine"}},
    {"app/ui", {"app/ui", "engine", "ImGui"}},
    {"app/gpu", {"app/gpu", "app/ui", "engine", "ImGui", "Vulkan"}},
    {"app/plot", {"app/plot", "app/ui", "engine", "ImGui"}},
    {"app/lab", {"app/lab", "app/plot", "app/gpu", "app/ui", "app/experiment", "engine", "ImGui"}},
    {"app", {"app", "engine", "ImGui", "Vulkan"}},
    {"shaders/norm", {"shaders/norm", "shaders/*"}},
    {"shaders/nn", {"shaders/nn", "shaders/*"}},
    {"shaders", {"shaders/*"}},
};

// Public headers of the folders that are not ops, which has one for each operation.
const std::map<std::string, Names> public_headers = {
    {"engine/vulkan", {"buffer", "device", "error", "prepare", "state_pointer", "stream", "tuning"}},
    {"engine/data", {"cifar", "csv", "data", "file", "idx", "images", "npy", "safetensors"}},
    {"engine/mpi", {"mpi"}},
    {"engine/nn", {"checkpoint", "exchange", "graph", "learning_rate", "models", "network", "vknorm"}},
};

std::string folder_of_public_header(const std::string& name) {
    for (const auto& [folder, names] : public_headers)
        if (std::find(names.begin(), names.end(), name) != names.end()) return folder;
    return "engine/ops";
}

bool within(const std::string& path, const std::string& folder) {
    return path == folder || path.rfind(folder + "/", 0) == 0;
}

// The folder that rules know for a file, given by its path from the root.
std::string folder_of(const std::string& file) {
    if (within(file, "engine/include")) return folder_of_public_header(fs::path(file).stem().string());
    std::string found;
    for (const auto& [folder, unused] : allowed)
        if (within(file, folder) && folder.size() > found.size()) found = folder;
    return found;
}

// What `included` is, in the words of the rules; empty for what no rule speaks of.
std::string target_of(const std::string& file, bool quoted, const std::string& included) {
    const std::string first = included.substr(0, included.find('/'));
    if (first == "vknorm") return folder_of_public_header(fs::path(included).stem().string());
    if (!quoted) {
        if (first == "vulkan") return "Vulkan";
        const bool draws = first == "GLFW" || included.find("imgui") != std::string::npos;
        return draws ? "ImGui" : "";
    }
    if (within(file, "shaders")) return first == included ? "shaders/*" : "shaders/" + first;
    if (first == "app" || first == "shaders") return fs::path(included).parent_path().string();
    return within(file, "engine") ? "engine/" + first : "the engine's own " + included;
}

// Nothing, or why `file` must not include it.
std::string complaint(const std::string& file, bool quoted, const std::string& included) {
    const std::string folder = folder_of(file), target = target_of(file, quoted, included);
    if (target.empty()) return "";
    if (folder.empty()) return file + ": no rule knows its folder\n";
    const Names& may = allowed.at(folder);
    if (std::any_of(may.begin(), may.end(), [&](const std::string& name) { return within(target, name); }))
        return "";
    return file + " includes " + included + ": " + folder + " must not know " + target + "\n";
}

TEST(Includes, GoOneWay) {
    const std::regex include(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
    std::map<std::string, int> read;
    std::string complaints;
    for (const char* top : {"engine", "app", "shaders"}) {
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / top)) {
            const std::string extension = entry.path().extension().string();
            if (extension != ".cpp" && extension != ".hpp" && extension != ".h" && extension != ".comp" &&
                extension != ".glsl")
                continue;
            const std::string file = entry.path().lexically_relative(root).generic_string();
            std::ifstream stream(entry.path());
            std::smatch match;
            for (std::string line; std::getline(stream, line);) {
                if (line.find("include") == std::string::npos || !std::regex_search(line, match, include))
                    continue;
                ++read[folder_of(file)];
                complaints += complaint(file, match[1] == "\"", match[2]);
            }
        }
    }
    EXPECT_EQ(complaints, "");
    for (const auto& [folder, unused] : allowed) {
        if (folder == "shaders") continue;  // none of its files needs to include anything
        EXPECT_GT(read[folder], 0) << folder << ": nothing to read, mend the rules";
    }
}

TEST(Includes, ThatGoTheOtherWayAreRefused) {
    const auto refused = [](const char* file, bool quoted, const char* included) {
        return !complaint(file, quoted, included).empty();
    };
    EXPECT_FALSE(refused("engine/nn/network.cpp", true, "ops/linear.hpp"));
    EXPECT_FALSE(refused("app/lab/tabs/live.cpp", false, "vknorm/network.hpp"));
    EXPECT_FALSE(refused("shaders/norm/apply.comp", true, "types.h"));
    EXPECT_TRUE(refused("engine/ops/optimizer.hpp", false, "vknorm/network.hpp"));
    EXPECT_TRUE(refused("engine/vulkan/create.cpp", true, "ops/norm/tuning.hpp"));
    EXPECT_TRUE(refused("engine/data/csv.cpp", false, "vulkan/vulkan_core.h"));
    EXPECT_TRUE(refused("engine/data/csv.cpp", false, "vknorm/device.hpp"));
    EXPECT_TRUE(refused("engine/include/vknorm/linear.hpp", false, "vknorm/network.hpp"));
    EXPECT_TRUE(refused("app/headless.cpp", true, "ops/linear.hpp"));
    EXPECT_TRUE(refused("app/experiment/session.cpp", true, "app/lab/cards.hpp"));
    EXPECT_TRUE(refused("app/experiment/session.cpp", true, "app/options.hpp"));
    EXPECT_TRUE(refused("app/experiment/report.cpp", false, "imgui.h"));
    EXPECT_TRUE(refused("app/plot/boundary.cpp", true, "app/experiment/snapshot.hpp"));
    EXPECT_TRUE(refused("app/ui/widgets.cpp", true, "app/plot/decimate.hpp"));
    EXPECT_TRUE(refused("app/lab/cards.cpp", true, "app/options.hpp"));
    EXPECT_TRUE(refused("shaders/norm/apply.comp", true, "nn/activation.glsl"));
    EXPECT_TRUE(refused("shaders/nn/gemm.comp", true, "norm/tree.glsl"));
}

// Two types of one name in one namespace link without a word, and one takes the other's destructor.
TEST(Types, OfOneNamespaceHaveNamesOfTheirOwn) {
    const std::regex space(R"re(^namespace ([\w:]+) \{)re");
    const std::regex type(R"re(^(class|struct|enum class) (\w+)( final)?( : .*)? \{)re");
    std::map<std::string, std::string> defined;
    std::string complaints;
    for (const char* top : {"engine", "app", "tests"}) {
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / top)) {
            if (entry.path().extension() != ".hpp") continue;
            const std::string file = entry.path().lexically_relative(root).generic_string();
            std::ifstream stream(entry.path());
            std::string current;
            std::smatch match;
            for (std::string line; std::getline(stream, line);) {
                if (std::regex_search(line, match, space)) current = match[1];
                if (!std::regex_search(line, match, type)) continue;
                const auto [first, added] = defined.insert({current + "::" + match[2].str(), file});
                if (!added) complaints += first->first + ": " + first->second + " and " + file + "\n";
            }
        }
    }
    EXPECT_EQ(complaints, "");
    EXPECT_GT(defined.size(), 100u) << "nothing to read, mend the rules";
}

}  // namespace
}  // namespace vknorm::testing
