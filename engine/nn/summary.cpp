#include "nn/summary.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace vknorm::detail {

namespace {

using Row = std::array<std::string, 4>;

/// With spaces between groups of three digits.
std::string grouped(uint64_t number) {
    std::string text = std::to_string(number);
    for (size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, " ");
    return text;
}

std::string unless_zero(uint64_t number) {
    return number == 0 ? "" : grouped(number);
}

/// The first two columns to the left, numbers to the right.
std::string aligned(const std::vector<Row>& rows) {
    std::array<size_t, 4> widths{};
    for (const Row& row : rows)
        for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string text;
    for (const Row& row : rows) {
        std::string line;
        for (size_t i = 0; i < row.size(); ++i) {
            const std::string padding(widths[i] - row[i].size(), ' ');
            line += (i == 0 ? "" : "  ") + (i < 2 ? row[i] + padding : padding + row[i]);
        }
        text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return text;
}

std::string mebibytes(VkDeviceSize bytes) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
    return text.data();
}

}  // namespace

std::string summary_of(const DeviceGraph& graph, VkDeviceSize optimizer_bytes) {
    std::vector<Row> rows = {{"layer", "output", "parameters", "multiply-adds"}};
    const StoreLayout& layout = graph.store().layout;
    uint64_t multiply_adds = 0;
    for (size_t n = 0; n < graph.node_count(); ++n) {
        const Layer& layer = graph.layer(n);
        rows.push_back({graph.name(n), text_of(layer.output_shape()),
                        unless_zero(layout.parameter_count(graph.name(n))),
                        unless_zero(layer.multiply_adds())});
        multiply_adds += layer.multiply_adds();
    }
    rows.push_back({"together", "", grouped(layout.parameter_count()), grouped(multiply_adds)});

    const DeviceGraph::Memory memory = graph.memory();
    const std::pair<const char*, VkDeviceSize> parts[] = {
        {"parameters", memory.parameters},   {"their gradient", memory.gradient},
        {"optimizer", optimizer_bytes},      {"running statistics", memory.running},
        {"outputs", memory.outputs},         {"their gradients", memory.output_gradients},
        {"kept for backward", memory.saved}, {"scratch", memory.scratch}};
    VkDeviceSize bytes = 0;
    std::string list;
    for (const auto& [name, size] : parts) {
        bytes += size;
        list += std::string(list.empty() ? "" : ", ") + name + " " + mebibytes(size);
    }
    return aligned(rows) + "device memory for batches of " + std::to_string(graph.options().max_batch) +
           ": " + mebibytes(bytes) + " (" + list + ")\n";
}

}  // namespace vknorm::detail
