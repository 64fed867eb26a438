// What the benchmark found: a table for people, JSON for machines.
#pragma once

#include <string>
#include <vector>

#include <vknorm/device.hpp>

#include "bench/run.hpp"

namespace vknorm::bench {

struct JsonFile;

/// Says what the columns mean.
void print_heading(const DeviceInfo& device, size_t rounds, bool resident);
void print(const Result& result);

/// As write_file() does.
void write_json(const JsonFile& file, const DeviceInfo& device, const std::vector<Result>& results);

}  // namespace vknorm::bench
