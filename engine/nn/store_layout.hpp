// Where the tensors of a network stand in its flat buffers: pure arithmetic, no Vulkan.
//
// One buffer holds all parameters (another, alike, their gradient): first weights and biases, then gamma and
// beta, so that training without the latter means a shorter range. Another holds all running statistics, then
// the counters of batches; a third what the norms save of the latest batch. Every tensor starts at a multiple
// of 256 bytes, which any device can bind; what lies between tensors stays zero.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace vknorm::detail {

/// Elements [first, first + count) of four bytes of a flat buffer.
struct Range {
    uint64_t first = 0, count = 0;

    uint64_t end() const { return first + count; }
    bool holds(uint64_t element) const { return element >= first && element < end(); }
};

/// In this order in the buffers.
enum class TensorGroup {
    weights,   ///< of the parameters: weights and biases
    affine,    ///< of the parameters: gamma and beta
    running,   ///< of the running statistics
    counters,  ///< of the running statistics: int64
    watched,   ///< of what is saved: whole in every batch, so that a step can look for what is not finite
    reported,  ///< of what is saved: statistics that a step reports
    kept,      ///< of what is saved: the rest
};

/// A tensor of a group; absent when empty.
struct StoredTensor {
    TensorGroup group = TensorGroup::weights;
    uint64_t first = 0, count = 0;  ///< elements of four bytes, within the group

    explicit operator bool() const { return count > 0; }
};

/// What a tensor holds before the first step.
struct InitialValues {
    float value = 0;
    uint32_t fan_in = 0;  ///< above 0: uniform within +-scale / sqrt(fan_in) instead, as torch.nn.Linear
};

class StoreLayout {
  public:
    struct Entry {
        std::string node, tensor;  ///< names
        StoredTensor stored;
        InitialValues initial;
        std::vector<uint64_t> shape;  ///< as torch has it; that of a counter is empty

        /// As torch's state_dict has it.
        std::string name() const { return node + "." + tensor; }
    };

    /// The next elements of the group, for a tensor of that shape.
    StoredTensor take(TensorGroup group, const std::string& node, const char* tensor,
                      const std::vector<uint64_t>& shape, const InitialValues& initial = {});
    /// The next `count` elements: a vector, or a counter, which is two of them.
    StoredTensor take(TensorGroup group, const std::string& node, const char* tensor, uint64_t count,
                      const InitialValues& initial = {});

    /// In the order in which they were taken.
    const std::vector<Entry>& entries() const { return entries_; }
    /// The state: parameters, running statistics and counters.
    std::vector<Entry> state() const;
    /// That of `group` which holds `element` of the flat buffer; null when that lies between tensors.
    const Entry* find(TensorGroup group, uint64_t element) const;

    /// In the flat buffer; holds once all tensors have been taken.
    Range range(const StoredTensor& tensor) const {
        return {base(tensor.group) + tensor.first, tensor.count};
    }
    /// Of a group, or several that follow each other in a buffer, with what lies between tensors.
    Range range(TensorGroup first, TensorGroup last) const {
        return {base(first), base(last) + size(last) - base(first)};
    }
    Range range(TensorGroup group) const { return range(group, group); }
    Range parameters() const { return range(TensorGroup::weights, TensorGroup::affine); }
    Range running_words() const { return range(TensorGroup::running, TensorGroup::counters); }
    Range saved() const { return range(TensorGroup::watched, TensorGroup::kept); }

    /// Of the parameters up to group `last` those of nodes that are not frozen, in as few ranges as can be.
    std::vector<Range> parameters_without(const std::set<std::string>& frozen, TensorGroup last) const;
    uint64_t parameter_count() const;  ///< without padding
    uint64_t parameter_count(const std::string& node) const;
    bool has_parameters(const std::string& node) const { return parameter_count(node) > 0; }
    bool has_running_statistics(const std::string& node) const;

  private:
    uint64_t base(TensorGroup group) const;
    uint64_t size(TensorGroup group) const { return sizes_[static_cast<size_t>(group)]; }

    std::array<uint64_t, 7> sizes_{};  // of the groups
    std::vector<Entry> entries_;
};

/// Parameters at the start, padding included. The random ones of a node depend on `seed`, on how many nodes
/// before it have random ones, and on their sizes only.
std::vector<float> initial_parameters(const StoreLayout& layout, uint64_t seed, float scale);
/// Running statistics and counters at the start.
std::vector<uint32_t> initial_running(const StoreLayout& layout);

}  // namespace vknorm::detail
