// What the benchmark may be asked to time: one operation on one shape, and the named sets of these.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <vknorm/normalization.hpp>

namespace vknorm::bench {

enum class Direction { inference, forward, backward };
const char* name_of(Direction direction);
/// float32, float16, bfloat16: in the order of Storage.
const std::vector<std::string>& type_names();

struct Case {
    std::string operation;  ///< one of operation_names()
    std::vector<uint32_t> shape;
    Layout layout = Layout::channels_first;
    uint32_t groups = 1;  ///< of group_norm
    Storage storage = Storage::float32;

    uint64_t elements() const;
    uint64_t tensor_bytes() const { return elements() * storage_bytes(storage); }
    bool normalizes_rows() const { return operation == "layer_norm" || operation == "rms_norm"; }
    bool adds_residual() const { return operation == "batch_norm_add_relu"; }
    std::vector<Direction> directions() const;
    /// By a fixed model: inference reads and writes a tensor, a forward pass in training reads
    /// it twice, a backward pass reads two tensors twice; a residual is one more each way.
    double bytes_per_element(Direction direction) const;
    const std::string& type() const { return type_names()[static_cast<size_t>(storage)]; }
    std::string text() const;
    bool operator==(const Case&) const = default;
};

const std::vector<std::string>& operation_names();
const std::vector<std::string>& set_names();

/// The cases of that set, with the channels last where an operation has channels.
std::vector<Case> cases_of(const std::string& set, Layout layout);
/// This shape, as `layout` lists it, with group_norm in that many groups.
Case case_of(const std::string& operation, const std::vector<uint32_t>& shape, Layout layout,
             uint32_t groups);

}  // namespace vknorm::bench
