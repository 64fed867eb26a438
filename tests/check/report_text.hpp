// A report as people paste it into an issue, and as programs read it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "check/report.hpp"

namespace vknorm::check {

/// In Markdown: the device in one line, and tables.
std::string markdown_of(const Report& report);

/// {"vknorm": "0.1.0", "passed": true, "failures": ["..."],
///  "device": {"name", "driver", "type", "vulkan", "subgroup_size", "shared_bytes", "workgroup_invocations",
///             "storage_buffer_range", "storage_16_bit", "shader_int64", "texel_blocks", "push_descriptors",
///             "timestamps", "memory_bytes", "tuning"},
///  "operations": [{"operation", "passed", "failed", "not_supported", "reason", "worst_over_bound",
///                  "worst_tensor", "worst_ulps"}, ...],
///  "bits": {"mean_and_squares": "16 digits", "results": "16 digits", "calls", "calls_changed"},
///  "speed": {"rounds", "unmeasured": ["..."],
///            "shapes": [{"operation", "shape", "plan", "worst_over_bound", "contention",
///            "empty_dispatch_ms",
///                        "copies": {"kernel": GB/s, ...},
///                        "directions": [{"direction", "ms", "best_ms", "spread", "gbps", "of_copy_kernel",
///                                        "of_best_copy"}, ...]}, ...]}}
/// A number that is infinite or none is null.
nlohmann::json json_of(const Report& report);

}  // namespace vknorm::check
