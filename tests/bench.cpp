// vknorm-bench: how fast the kernels are on a device, against copying the same bytes in the same run.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bench_batch_norm.hpp"

namespace {

using vknorm::bench::BenchOptions;
using vknorm::bench::Row;

struct Arguments {
    std::string device, json;
    std::vector<uint32_t> shape;
    uint32_t batch = 8;
    size_t rounds = 15;
    uint64_t max_bytes = 512u << 20;
    bool channels_last = false, resident = false, list = false;
};

BenchOptions case_of(const Arguments& arguments, const std::vector<uint32_t>& shape) {
    using vknorm::Layout;
    return {.shape = shape,
            .layout = arguments.channels_last ? Layout::channels_last : Layout::channels_first,
            .rounds = arguments.rounds,
            .resident = arguments.resident};
}

/// Shapes of ResNet-50's normalizations, and of fully connected layers.
std::vector<BenchOptions> cases(const Arguments& arguments) {
    const uint32_t n = arguments.batch;
    if (!arguments.shape.empty()) return {case_of(arguments, arguments.shape)};
    std::vector<std::vector<uint32_t>> shapes;
    for (const auto& [channels, side] : {std::pair{64u, 112u},
                                         {256u, 56u},
                                         {64u, 56u},
                                         {512u, 28u},
                                         {128u, 28u},
                                         {1024u, 14u},
                                         {256u, 14u},
                                         {2048u, 7u},
                                         {512u, 7u}}) {
        shapes.push_back(arguments.channels_last ? std::vector{n, side, side, channels}
                                                 : std::vector{n, channels, side, side});
    }
    shapes.push_back({128, 256});
    shapes.push_back({4096, 1024});
    std::vector<BenchOptions> result;
    for (const std::vector<uint32_t>& shape : shapes) {
        uint64_t bytes = sizeof(float);
        for (const uint32_t length : shape) bytes *= length;
        if (bytes > arguments.max_bytes) continue;
        result.push_back(case_of(arguments, shape));
    }
    return result;
}

std::string text_of(const std::vector<uint32_t>& shape) {
    std::string text;
    for (const uint32_t length : shape) text += (text.empty() ? "" : " x ") + std::to_string(length);
    return text;
}

void print(const Row& row) {
    std::printf("%-22s %-10s %-10s %9.3f %9.3f %6.1f %% %9.3f %8.2f %8.2f\n", text_of(row.shape).c_str(),
                row.operation.c_str(), row.direction.c_str(), row.times.median_ms, row.times.best_ms,
                100 * row.times.spread, row.times.cpu_ms, row.gbps, row.copy_ratio);
    std::fflush(stdout);
}

nlohmann::json json_of(const Row& row) {
    return {{"operation", row.operation},  {"direction", row.direction}, {"shape", row.shape},
            {"layout", row.layout},        {"type", row.type},           {"plan", row.plan},
            {"ms", row.times.median_ms},   {"spread", row.times.spread}, {"gbps", row.gbps},
            {"copy_ratio", row.copy_ratio}};
}

/// Of the largest tensor, where memcpy has no more start-up to speak of; 0 on devices that are no CPU.
double memcpy_gbps(const std::vector<Row>& rows) {
    double result = 0, slowest = 0;
    for (const Row& row : rows) {
        if (row.direction != "memcpy" || row.times.median_ms <= slowest) continue;
        slowest = row.times.median_ms;
        result = row.gbps;
    }
    return result;
}

void run(const Arguments& arguments) {
    vknorm::Device device({.select = arguments.device});
    std::printf("%s, %s\n", device.info().name.c_str(), device.info().driver.c_str());
    std::printf("%zu rounds; GB/s by bytes per element: copy and inference 8, forward 12, backward 20%s\n\n",
                arguments.rounds, arguments.resident ? "; tensors may stay in a cache" : "");
    std::printf("%-22s %-10s %-10s %9s %9s %8s %9s %8s %8s\n", "shape", "operation", "direction", "median ms",
                "best ms", "spread", "cpu ms", "GB/s", "of copy");
    std::vector<Row> rows;
    for (const BenchOptions& options : cases(arguments)) {
        for (Row& row : bench_batch_norm(device, options)) {
            print(row);
            rows.push_back(std::move(row));
        }
        std::printf("\n");
    }
    if (arguments.json.empty()) return;
    nlohmann::json document{{"device", device.info().name},
                            {"driver", device.info().driver},
                            {"memcpy_gbps", memcpy_gbps(rows)},
                            {"rows", nlohmann::json::array()}};
    for (const Row& row : rows) document["rows"].push_back(json_of(row));
    std::ofstream file(arguments.json);
    file << document.dump(2) << '\n';
    if (!file.flush()) throw std::runtime_error("cannot write " + arguments.json);
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    CLI::App app("Speed of vknorm's kernels, verified against a float64 reference first");
    app.add_option("--device", arguments.device, "part of a device's name or driver, or its UUID");
    app.add_flag("--list", arguments.list, "list the devices and exit");
    app.add_option("--shape", arguments.shape, "this shape only, such as 8,64,56,56")->delimiter(',');
    app.add_option("--batch", arguments.batch, "images in a batch")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--rounds", arguments.rounds, "timed rounds")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--max-bytes", arguments.max_bytes, "skip larger tensors")->capture_default_str();
    app.add_flag("--channels-last", arguments.channels_last, "NHWC in place of NCHW");
    app.add_flag("--resident", arguments.resident, "let tensors stay in a cache");
    app.add_option("--json", arguments.json, "write the results to this file");
    CLI11_PARSE(app, argc, argv);
    try {
        if (arguments.list) {
            for (const vknorm::DeviceInfo& info : vknorm::enumerate_devices()) {
                std::cout << info.name << (info.rejected.empty() ? "" : ": " + info.rejected) << '\n';
            }
            return 0;
        }
        run(arguments);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
