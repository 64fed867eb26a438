// Batch normalization of one shape as the benchmark runs it: verified against the reference, then raced.
#pragma once

#include <string>
#include <vector>

#include <vknorm/batch_norm.hpp>

#include "bench_measure.hpp"

namespace vknorm::bench {

/// One line of the result.
struct Row {
    std::string operation, direction;
    std::vector<uint32_t> shape;
    std::string layout, type, plan;
    Times times;
    double gbps =
        0;  ///< by the fixed model of bytes per element: copy 8, inference 8, forward 12, backward 20
    double copy_ratio = 0;  ///< gbps over that of the copy kernel in the same race
};

struct BenchOptions {
    std::vector<uint32_t> shape;
    Layout layout = Layout::channels_first;
    size_t rounds = 15;
    bool resident =
        false;  ///< one set of tensors, which may stay in a cache, instead of a rotation through many
};

/// Throws std::runtime_error when a result is wrong.
std::vector<Row> bench_batch_norm(Device& device, const BenchOptions& options);

}  // namespace vknorm::bench
