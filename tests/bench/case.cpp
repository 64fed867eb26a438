#include "bench/case.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <stdexcept>

namespace vknorm::bench {

namespace {

using Shape = std::vector<uint32_t>;

/// The normalizations of ResNet-50: inside a block a ReLU follows, at its end the sum with the shortcut and a
/// ReLU, and on a shortcut nothing.
std::vector<Case> resnet50() {
    std::vector<Case> result;
    for (const uint32_t images : {32u, 50u}) {
        const auto add = [&](const char* operation, uint32_t channels, uint32_t side) {
            result.push_back({"batch_norm", {images, channels, side, side}});
            result.push_back({operation, {images, channels, side, side}});
        };
        add("batch_norm_relu", 64, 112);
        for (const auto& [channels, side] : {std::pair{64u, 56u}, {128u, 28u}, {256u, 14u}, {512u, 7u}}) {
            add("batch_norm_relu", channels, side);
            add("batch_norm_add_relu", 4 * channels, side);
            if (side > 7) add("batch_norm_relu", 2 * channels, side);  // before the stride of the next stage
        }
    }
    return result;
}

std::vector<Case> mlp() {
    return {{"batch_norm", {128, 256}}, {"batch_norm", {4096, 1024}}};
}

std::vector<Case> odd() {
    return {{"batch_norm", {32, 13, 19, 31}}, {"batch_norm", {32, 13, 50}}, {"batch_norm", {33, 13, 7, 7}}};
}

std::vector<Case> transformer() {
    std::vector<Case> result;
    for (const Shape& shape : {Shape{8, 512, 768}, {8, 197, 1024}, {4096, 4096}}) {
        for (const char* operation : {"layer_norm", "rms_norm"}) result.push_back({operation, shape});
    }
    return result;
}

std::vector<Case> diffusion() {
    std::vector<Case> result;
    for (const Shape& shape :
         {Shape{2, 320, 64, 64}, {2, 640, 32, 32}, {2, 1280, 16, 16}, {2, 1280, 8, 8}, {1, 128, 512, 512}})
        result.push_back({"group_norm", shape, Layout::channels_first, 32});
    return result;
}

std::vector<Case> style() {
    return {{"instance_norm", {4, 64, 128, 128}}, {"instance_norm", {4, 128, 64, 64}}};
}

/// One or two of everything.
std::vector<Case> standard() {
    return {{"batch_norm", {32, 64, 56, 56}},
            {"batch_norm_relu", {32, 64, 56, 56}},
            {"batch_norm", {32, 256, 56, 56}},
            {"batch_norm_add_relu", {32, 1024, 14, 14}},
            {"batch_norm", {32, 128, 28, 28}},
            {"batch_norm", {32, 512, 7, 7}},
            {"batch_norm", {128, 256}},
            {"batch_norm", {4096, 1024}},
            {"batch_norm", {32, 13, 19, 31}},
            {"layer_norm", {8, 512, 768}},
            {"layer_norm", {4096, 4096}},
            {"rms_norm", {8, 512, 768}},
            {"group_norm", {2, 320, 64, 64}, Layout::channels_first, 32},
            {"instance_norm", {4, 64, 128, 128}}};
}

struct Set {
    const char* name;
    std::vector<Case> (*cases)();
};

std::vector<Case> all();

constexpr Set sets[] = {
    {"default", standard},        {"resnet50", resnet50},   {"mlp", mlp},     {"odd", odd},
    {"transformer", transformer}, {"diffusion", diffusion}, {"style", style}, {"all", all}};

std::vector<Case> all() {
    std::vector<Case> result;
    for (const Set& set : sets) {
        if (set.cases == all) continue;
        for (const Case& each : set.cases())
            if (std::ranges::find(result, each) == result.end()) result.push_back(each);
    }
    return result;
}

}  // namespace

const char* name_of(Direction direction) {
    constexpr const char* names[] = {"inference", "forward", "backward"};
    return names[static_cast<size_t>(direction)];
}

const std::vector<std::string>& type_names() {
    static const std::vector<std::string> names{"float32", "float16", "bfloat16"};
    return names;
}

uint64_t Case::elements() const {
    return std::accumulate(shape.begin(), shape.end(), uint64_t{1}, std::multiplies<>());
}

std::vector<Direction> Case::directions() const {
    // Only the statistics of batches are replaced by running ones.
    if (operation.starts_with("batch_norm"))
        return {Direction::inference, Direction::forward, Direction::backward};
    return {Direction::forward, Direction::backward};
}

double Case::bytes_per_element(Direction direction) const {
    constexpr double tensors[] = {2, 3, 5};
    return storage_bytes(storage) * (tensors[static_cast<size_t>(direction)] + adds_residual());
}

std::string Case::text() const {
    std::string text;
    for (const uint32_t length : shape) text += (text.empty() ? "(" : ", ") + std::to_string(length);
    text = operation + " " + text + ")";
    if (operation == "group_norm") text += ", " + std::to_string(groups) + " groups";
    if (storage != Storage::float32) text += ", " + type();
    return text;
}

const std::vector<std::string>& operation_names() {
    static const std::vector<std::string> names{"batch_norm", "batch_norm_relu", "batch_norm_add_relu",
                                                "group_norm", "instance_norm",   "layer_norm",
                                                "rms_norm"};
    return names;
}

const std::vector<std::string>& set_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> result;
        for (const Set& set : sets) result.emplace_back(set.name);
        return result;
    }();
    return names;
}

std::vector<Case> cases_of(const std::string& set, Layout layout) {
    const Set* const found = std::ranges::find(sets, set, &Set::name);
    if (found == std::end(sets)) throw std::invalid_argument("there is no set of shapes \"" + set + "\"");
    std::vector<Case> result = found->cases();
    for (Case& each : result) {
        if (layout == Layout::channels_first || each.normalizes_rows()) continue;
        std::rotate(each.shape.begin() + 1, each.shape.begin() + 2, each.shape.end());
        each.layout = layout;
    }
    return result;
}

Case case_of(const std::string& operation, const std::vector<uint32_t>& shape, Layout layout,
             uint32_t groups) {
    Case result{.operation = operation, .shape = shape};
    if (!result.normalizes_rows()) result.layout = layout;
    if (operation == "group_norm") result.groups = groups;
    return result;
}

}  // namespace vknorm::bench
