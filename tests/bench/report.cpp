#include "bench/report.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "bench/findings.hpp"

namespace vknorm::bench {

namespace {

using nlohmann::json;

std::string ratios_to_copies(const Row& row, const Result& result) {
    std::string text;
    for (const Copy& copy : result.copies) {
        char column[32];
        std::snprintf(column, sizeof column, " %8.2f", row.gbps / copy.gbps);
        text += column;
    }
    return text;
}

void print_peers(const Result& result) {
    std::set<std::string> names;
    for (const Row& row : result.rows)
        for (const auto& [name, milliseconds] : row.peers) names.insert(name);
    if (names.empty()) return;
    std::printf("  %-18s", "peers");
    for (const Row& row : result.rows) std::printf(" %19s", name_of(row.direction));
    std::printf("\n");
    for (const std::string& name : names) {
        std::printf("    %-16s", name.c_str());
        for (const Row& row : result.rows) {
            const auto found = row.peers.find(name);
            if (found == row.peers.end())
                std::printf(" %19s", "-");
            else
                std::printf(" %10.4f (%5.2fx)", found->second, found->second / row.times.median_ms);
        }
        std::printf("\n");
    }
}

const char* layout_text(const Case& what) {
    if (what.normalizes_rows()) return "rows";
    return what.layout == Layout::channels_first ? "channels_first" : "channels_last";
}

json row_of(const Case& what, const char* operation, const std::string& direction, const std::string& plan,
            const Times& times, double gbps, double copy_ratio) {
    return {{"operation", operation},      {"direction", direction}, {"shape", what.shape},
            {"layout", layout_text(what)}, {"type", what.type()},    {"plan", plan},
            {"ms", times.median_ms},       {"spread", times.spread}, {"gbps", gbps},
            {"copy_ratio", copy_ratio},    {"peers", json::object()}};
}

void add_rows(const Result& result, json& rows) {
    const Case& what = result.what;
    const double best = result.best_copy().gbps;
    for (const Copy& copy : result.copies)
        rows.push_back(row_of(what, "copy", copy.name, "", copy.times, copy.gbps, copy.gbps / best));
    for (const Row& row : result.rows) {
        rows.push_back(row_of(what, what.operation.c_str(), name_of(row.direction), result.plan, row.times,
                              row.gbps, row.gbps / best));
        rows.back()["peers"].update(row.peers);
    }
}

}  // namespace

void print_heading(const DeviceInfo& device, size_t rounds, bool resident) {
    const bool cpu = device.type == VK_PHYSICAL_DEVICE_TYPE_CPU;
    std::printf("%s, %s\n", device.name.c_str(), device.driver.c_str());
    std::printf(
        "Median and best of %zu rounds by %s; spread: interquartile range over the median;%s tensors %s.\n",
        rounds, cpu ? "the wall clock" : "device timestamps", cpu ? " cpu: of this process;" : "",
        resident ? "may stay in a cache" : "are rotated beyond the last-level cache");
    std::printf(
        "GB/s by tensors read and written: copy and inference 2, forward 3, backward 5; 1 more with add.\n"
        "best, kernel, command, memcpy: GB/s over those of that copy of as many bytes in the same race.\n"
        "Peers: their ms and (how many times ours that is).\n\n");
}

void print(const Result& result) {
    const Copy& best = result.best_copy();
    std::printf("%s%s\n  %s; worst error/bound %.2f\n", result.what.text().c_str(),
                result.what.layout == Layout::channels_last ? ", channels last" : "", result.plan.c_str(),
                result.worst);
    std::string copies;
    for (const Copy& copy : result.copies) {
        char text[64];
        std::snprintf(text, sizeof text, "%s %.2f, ", copy.name.c_str(), copy.gbps);
        copies += text;
    }
    std::printf("  best copy: %s; GB/s of copies: %sempty dispatch %.4f ms\n", best.name.c_str(),
                copies.c_str(), result.empty.median_ms);
    for (const std::string& note : result.notes) std::printf("  %s\n", note.c_str());
    if (!result.contention.empty()) std::printf("  CONTENDED: %s\n", result.contention.c_str());

    std::printf("  %-18s %9s %9s %7s %9s %8s %6s", "", "ms", "best ms", "spread", "cpu ms", "GB/s", "best");
    for (const Copy& copy : result.copies) std::printf(" %8s", copy.name.c_str());
    std::printf("\n");
    for (const Row& row : result.rows) {
        std::printf("  %-18s %9.4f %9.4f %5.1f %% %9.4f %8.2f %6.2f%s\n", name_of(row.direction),
                    row.times.median_ms, row.times.best_ms, 100 * row.times.spread, row.times.cpu_ms,
                    row.gbps, row.gbps / best.gbps, ratios_to_copies(row, result).c_str());
    }
    print_peers(result);
    std::printf("\n");
    std::fflush(stdout);
}

void write_json(const JsonFile& file, const DeviceInfo& device, const std::vector<Result>& results) {
    std::vector<double> memcpy_gbps;
    json document{{"device", device.name}, {"driver", device.driver}, {"rows", json::array()}};
    for (const Result& result : results) {
        add_rows(result, document["rows"]);
        memcpy_gbps.push_back(result.memcpy_gbps);
        if (!result.contention.empty()) document["contended"] = true;
    }
    std::ranges::sort(memcpy_gbps);
    document["memcpy_gbps"] = memcpy_gbps.empty() ? 0 : memcpy_gbps[memcpy_gbps.size() / 2];
    write_json(file, document);
}

}  // namespace vknorm::bench
