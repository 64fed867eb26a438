// What a mode of the benchmark other than the races of kernels found: a table for people, JSON for machines.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include <vknorm/device.hpp>
#include <vknorm/file.hpp>

namespace vknorm::bench {

struct Findings {
    std::string table;
    nlohmann::json rows = nlohmann::json::array();
    std::string contention;  ///< why the times mean little; empty when they are good
};

/// Adds what printf would print.
[[gnu::format(printf, 2, 3)]] void append(std::string& text, const char* format, ...);

/// A file for machines, and what becomes of one that is there already.
struct JsonFile {
    std::string name;
    Existing existing;
};

/// As write_file() does.
void write_json(const JsonFile& file, const nlohmann::json& document);
void write_json(const JsonFile& file, const DeviceInfo& device, const std::string& mode,
                const Findings& findings);

}  // namespace vknorm::bench
