// vknorm-check --report: whether all of vknorm works on a device, and how fast it is there.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <vknorm/device.hpp>

#include "bench/run.hpp"
#include "check/cases.hpp"
#include "check/summary.hpp"

namespace vknorm::check {

/// Shapes that need different kernels: large images, rows and columns too short for them, large and small
/// matrices, rows.
std::vector<bench::Case> report_shapes();

struct ReportOptions {
    std::vector<Case> cases = committed_cases();
    std::vector<bench::Case> shapes = report_shapes();
    size_t rounds = 9;
    bool resident = false;  ///< tensors whose speed is measured may stay in a cache
    /// Called now and then with what comes next.
    std::function<void(const std::string&)> progress = [](const std::string&) {};
};

/// Hashes of results that are promised to have the same bits.
struct BitHashes {
    /// Count, mean and squares of channels take additions, multiplications and divisions only: the same on
    /// every device that rounds these as IEEE 754 has it, which for divisions Vulkan does not ask of it.
    uint64_t moments = 0;
    /// All that the cases gave, which the same device and driver give again.
    uint64_t results = 0;
    int calls = 0;          ///< they ran twice
    int calls_changed = 0;  ///< they gave other bits when they ran again
};

struct Report {
    DeviceInfo device;
    Capabilities capabilities;
    VkDeviceSize memory_bytes = 0;  ///< local to the device
    std::string tuning;
    Summaries operations{};
    BitHashes bits{};
    std::vector<bench::Result> speeds{};
    size_t rounds = 0;
    std::vector<std::string> failures{};
    std::vector<std::string> unmeasured{};  ///< shapes, and why, which is no failure

    bool passed() const { return failures.empty(); }
};

/// Whatever fails is a failure of the report. Shapes are verified before they are timed.
Report make_report(Device& device, const ReportOptions& options);

}  // namespace vknorm::check
