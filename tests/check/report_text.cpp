#include "check/report_text.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <nlohmann/json.hpp>

#include "bench/findings.hpp"

namespace vknorm::check {

namespace {

using bench::append;
using nlohmann::json;

constexpr size_t failures_shown = 20;

const char* name_of(VkPhysicalDeviceType type) {
    constexpr std::array names{"other device", "integrated GPU", "discrete GPU", "virtual GPU", "CPU"};
    return names.at(std::min<size_t>(type, names.size() - 1));
}

std::string version_text(uint32_t version) {
    return std::to_string(VK_API_VERSION_MAJOR(version)) + "." +
           std::to_string(VK_API_VERSION_MINOR(version)) + "." +
           std::to_string(VK_API_VERSION_PATCH(version));
}

std::string hexadecimal(uint64_t value) {
    std::string text;
    append(text, "%016" PRIx64, value);
    return text;
}

/// "(32, 64, 56, 56)"
std::string shape_of(const bench::Case& what) {
    return shape_text({what.shape.begin(), what.shape.end()});
}

const bench::Copy& copy_kernel_of(const bench::Result& result) {
    return *std::ranges::find(result.copies, "kernel", &bench::Copy::name);
}

void append_device(std::string& text, const Report& report) {
    const DeviceInfo& device = report.device;
    const Capabilities& can = report.capabilities;
    append(text, "%s, %s, %s, Vulkan %s, ", device.name.c_str(), name_of(device.type), device.driver.c_str(),
           version_text(device.api_version).c_str());
    if (can.subgroup_size > 0)
        append(text, "subgroups of %u, ", can.subgroup_size);
    else
        text += "no subgroups, ";
    append(text, "%u KiB of shared memory, %s16-bit storage, %.1f GiB of memory; vknorm %s\n",
           can.max_shared_bytes >> 10, can.storage_16_bit ? "" : "no ",
           static_cast<double>(report.memory_bytes) / (1u << 30), VKNORM_VERSION);
}

void append_operations(std::string& text, const Report& report) {
    text +=
        "\n| operation | passed | failed | not supported | worst error / bound |\n"
        "|---|---|---|---|---|\n";
    for (const auto& [name, summary] : report.operations) {
        append(text, "| %s | %d | %d | %d | ", name.c_str(), summary.cases - summary.failed, summary.failed,
               summary.skipped);
        if (summary.ratio.tensor.empty())
            text += "- |\n";
        else
            append(text, "%.2f (%s) |\n", summary.ratio.value, summary.ratio.tensor.c_str());
    }
}

void append_bits(std::string& text, const BitHashes& bits) {
    append(text,
           "\n| bits | hash |\n|---|---|\n"
           "| means and squares, the same on every device whose divisions round as IEEE 754 has it | %s |\n"
           "| all results, the same each time on this device: %d of %d calls were when they ran again | %s "
           "|\n",
           hexadecimal(bits.moments).c_str(), bits.calls - bits.calls_changed, bits.calls,
           hexadecimal(bits.results).c_str());
}

void append_speeds(std::string& text, const Report& report) {
    append(text,
           "\n| median of %zu rounds | ms | GB/s | of the copy kernel | of the best copy |\n"
           "|---|---|---|---|---|\n",
           report.rounds);
    for (const bench::Result& result : report.speeds) {
        const std::string shape = result.what.operation + " " + shape_of(result.what);
        for (const bench::Row& row : result.rows)
            append(text, "| %s %s | %.3f | %.1f | %.2f | %.2f |\n", shape.c_str(),
                   bench::name_of(row.direction), row.times.median_ms, row.gbps,
                   row.gbps / copy_kernel_of(result).gbps, row.gbps / result.best_copy().gbps);
        const bench::Copy& copy = copy_kernel_of(result);
        append(text, "| its copy kernel | %.3f | %.1f | | |\n", copy.times.median_ms, copy.gbps);
    }
    if (!report.speeds.empty())
        append(text, "\nAn empty dispatch takes %.3f ms.\n", report.speeds.front().empty.median_ms);
    for (const bench::Result& result : report.speeds)
        if (!result.contention.empty())
            append(text, "%s: something else used the machine: %s.\n", result.what.text().c_str(),
                   result.contention.c_str());
    for (const std::string& reason : report.unmeasured)
        append(text, "Not all was timed: %s.\n", reason.c_str());
}

json json_of(const std::string& name, const Summary& summary) {
    return {{"operation", name},
            {"passed", summary.cases - summary.failed},
            {"failed", summary.failed},
            {"not_supported", summary.skipped},
            {"reason", summary.reason},
            {"worst_over_bound", summary.ratio.value},
            {"worst_tensor", summary.ratio.tensor},
            {"worst_ulps", summary.ulps.value}};
}

json json_of(const bench::Result& result) {
    json shape{{"operation", result.what.operation},
               {"shape", result.what.shape},
               {"plan", result.plan},
               {"worst_over_bound", result.worst},
               {"contention", result.contention},
               {"empty_dispatch_ms", result.empty.median_ms},
               {"copies", json::object()},
               {"directions", json::array()}};
    for (const bench::Copy& copy : result.copies) shape["copies"][copy.name] = copy.gbps;
    for (const bench::Row& row : result.rows)
        shape["directions"].push_back({{"direction", bench::name_of(row.direction)},
                                       {"ms", row.times.median_ms},
                                       {"best_ms", row.times.best_ms},
                                       {"spread", row.times.spread},
                                       {"gbps", row.gbps},
                                       {"of_copy_kernel", row.gbps / copy_kernel_of(result).gbps},
                                       {"of_best_copy", row.gbps / result.best_copy().gbps}});
    return shape;
}

json device_json(const Report& report) {
    const Capabilities& can = report.capabilities;
    return {{"name", report.device.name},
            {"driver", report.device.driver},
            {"type", name_of(report.device.type)},
            {"vulkan", version_text(report.device.api_version)},
            {"subgroup_size", can.subgroup_size},
            {"shared_bytes", can.max_shared_bytes},
            {"workgroup_invocations", can.max_workgroup_invocations},
            {"storage_buffer_range", can.max_storage_buffer_range},
            {"storage_16_bit", can.storage_16_bit},
            {"shader_int64", can.shader_int64},
            {"texel_blocks", can.texel_blocks},
            {"push_descriptors", can.push_descriptors},
            {"timestamps", can.timestamp_period_ns > 0},
            {"memory_bytes", report.memory_bytes},
            {"tuning", report.tuning}};
}

}  // namespace

std::string markdown_of(const Report& report) {
    std::string text;
    append_device(text, report);
    int passed = 0, failed = 0, skipped = 0;
    for (const auto& [name, summary] : report.operations) {
        passed += summary.cases - summary.failed;
        failed += summary.failed;
        skipped += summary.skipped;
    }
    append(text, "\n**%s**: %d calls passed, %d failed, %d not supported.\n",
           report.passed() ? "Passed" : "FAILED", passed, failed, skipped);
    const size_t shown = std::min(report.failures.size(), failures_shown);
    for (size_t i = 0; i < shown; ++i) append(text, "- %s\n", report.failures[i].c_str());
    if (shown < report.failures.size())
        append(text, "- and %zu more failures\n", report.failures.size() - shown);
    append_operations(text, report);
    append_bits(text, report.bits);
    append_speeds(text, report);
    return text;
}

json json_of(const Report& report) {
    json document{
        {"vknorm", VKNORM_VERSION},
        {"passed", report.passed()},
        {"failures", report.failures},
        {"device", device_json(report)},
        {"operations", json::array()},
        {"bits",
         {{"mean_and_squares", hexadecimal(report.bits.moments)},
          {"results", hexadecimal(report.bits.results)},
          {"calls", report.bits.calls},
          {"calls_changed", report.bits.calls_changed}}},
        {"speed", {{"rounds", report.rounds}, {"unmeasured", report.unmeasured}, {"shapes", json::array()}}}};
    for (const auto& [name, summary] : report.operations)
        document["operations"].push_back(json_of(name, summary));
    for (const bench::Result& result : report.speeds) document["speed"]["shapes"].push_back(json_of(result));
    return document;
}

}  // namespace vknorm::check
