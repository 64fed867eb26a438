// How two recordings differ. They are folders of the same files, or a file that only one of them has is a
// difference; a recording may hold a later one in its folder "now", which is no part of it.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <png.h>
#include <set>
#include <stdexcept>

#include "app/gpu/png.hpp"
#include "bits/bits.hpp"
#include "support/program.hpp"

namespace vknorm::bits {

namespace {

using std::filesystem::path;

struct Count {
    size_t equal = 0, differ = 0;

    void add(bool same) { ++(same ? equal : differ); }
};

std::set<path> files_of(const path& folder) {
    std::set<path> files;
    for (auto each = std::filesystem::recursive_directory_iterator(folder);
         each != std::filesystem::recursive_directory_iterator(); ++each) {
        const path file = each->path().lexically_relative(folder);
        if (file == "now") each.disable_recursion_pending();
        if (each->is_regular_file()) files.insert(file);
    }
    return files;
}

std::vector<std::string> lines_of(const path& file) {
    std::ifstream stream(file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

using Results = std::map<std::string, std::string>;

Results results_of(const path& file) {
    Results results;
    for (const std::string& line : lines_of(file)) {
        const size_t colon = std::min(line.find(": "), line.size());
        results[line.substr(0, colon)] = line.substr(std::min(colon + 2, line.size()));
    }
    return results;
}

void compare_results(const std::string& name, const path& before, const path& now, Count& count) {
    const Results old_ones = results_of(before), new_ones = results_of(now);
    Results all = old_ones;
    all.insert(new_ones.begin(), new_ones.end());
    const auto value = [](const Results& results, const std::string& key) {
        const auto found = results.find(key);
        return found == results.end() ? std::string("nothing") : found->second;
    };
    for (const auto& [key, any] : all) {
        const std::string old_one = value(old_ones, key), new_one = value(new_ones, key);
        count.add(old_one == new_one);
        if (old_one != new_one)
            std::printf("%s: %s: was %s, is %s\n", name.c_str(), key.c_str(), old_one.c_str(),
                        new_one.c_str());
    }
}

lab::Picture read_png(const path& file) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_file(&image, file.c_str()))
        throw std::runtime_error(file.string() + ": " + image.message);
    image.format = PNG_FORMAT_RGBA;
    lab::Picture picture{image.width, image.height, std::vector<uint8_t>(PNG_IMAGE_SIZE(image))};
    if (!png_image_finish_read(&image, nullptr, picture.rgba.data(), 0, nullptr))
        throw std::runtime_error(file.string() + ": " + image.message);
    return picture;
}

/// How the pictures differ, for people; empty when they do not.
std::string difference_of_pictures(const path& before, const path& now) {
    const lab::Picture a = read_png(before), b = read_png(now);
    if (a.width != b.width || a.height != b.height) return "the size differs";
    uint32_t left = a.width, top = a.height, right = 0, bottom = 0;
    size_t pixels = 0;
    for (uint32_t y = 0; y < a.height; ++y)
        for (uint32_t x = 0; x < a.width; ++x) {
            if (std::equal(a.pixel(x, y), a.pixel(x, y) + 4, b.pixel(x, y))) continue;
            ++pixels;
            left = std::min(left, x), right = std::max(right, x);
            top = std::min(top, y), bottom = std::max(bottom, y);
        }
    if (pixels == 0) return {};
    char text[160];
    std::snprintf(text, sizeof text, "%zu pixels differ, from (%u, %u) to (%u, %u); see %s", pixels, left,
                  top, right, bottom, now.c_str());
    return text;
}

std::string difference_of_files(const path& before, const path& now) {
    if (testing::read_text(before) == testing::read_text(now)) return {};
    const std::vector<std::string> a = lines_of(before), b = lines_of(now);
    const auto [in_a, in_b] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    const std::string line = std::to_string(in_a - a.begin() + 1);
    return "from line " + line + " on: was " + (in_a == a.end() ? "nothing" : *in_a) + ", is " +
           (in_b == b.end() ? "nothing" : *in_b);
}

}  // namespace

bool compare_recordings(const path& before, const path& now) {
    const std::set<path> old_files = files_of(before), new_files = files_of(now);
    std::set<path> all = old_files;
    all.insert(new_files.begin(), new_files.end());
    std::map<std::string, Count> counts;
    for (const path& file : all) {
        Count& count = counts[file.begin()->stem().string()];
        std::string difference;
        if (!new_files.contains(file)) {
            difference = "is no more";
        } else if (!old_files.contains(file)) {
            difference = "was not there";
        } else if (file.extension() == ".txt") {
            compare_results(file.stem().string(), before / file, now / file, count);
            continue;
        } else {
            difference = file.extension() == ".png" ? difference_of_pictures(before / file, now / file)
                                                    : difference_of_files(before / file, now / file);
        }
        count.add(difference.empty());
        if (!difference.empty()) std::printf("%s: %s\n", file.c_str(), difference.c_str());
    }
    bool same = true;
    const char* separator = "";
    for (const auto& [part, count] : counts) {
        std::printf("%s%s: %zu equal, %zu differ", separator, part.c_str(), count.equal, count.differ);
        same = same && count.differ == 0;
        separator = "; ";
    }
    std::printf("\n");
    return same;
}

}  // namespace vknorm::bits
