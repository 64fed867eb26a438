// What a mode of the benchmark other than the races of kernels found: a table for people, JSON for machines.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include <vknorm/device.hpp>

namespace vknorm::bench {

struct Findings {
    std::string table;
    nlohmann::json rows = nlohmann::json::array();
    std::string contention;  ///< why the times mean little; empty when they are good
};

/// Adds what printf would print.
[[gnu::format(printf, 2, 3)]] void append(std::string& text, const char* format, ...);

/// Throw std::runtime_error when the file cannot be written.
void write_json(const std::string& file, const nlohmann::json& document);
void write_json(const std::string& file, const DeviceInfo& device, const std::string& mode,
                const Findings& findings);

}  // namespace vknorm::bench
