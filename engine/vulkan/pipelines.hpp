// Compute pipelines are made on first use and kept.
#pragma once

#include <map>
#include <mutex>
#include <tuple>
#include <utility>
#include <vector>

#include "shaders/embedded.hpp"
#include "vulkan/owned.hpp"
#include "vulkan/spirv.hpp"

namespace vknorm::detail {

VkDescriptorType descriptor_type(const Bindings& bindings, uint32_t binding);

struct PipelineLayout {
    OwnedDescriptorSetLayout set;  ///< numbered from 0
    OwnedPipelineLayout layout;
    Bindings bindings;
};

struct Pipeline {
    OwnedPipeline pipeline;
    const PipelineLayout* layout;
};

/// Any thread may use it.
class Pipelines {
  public:
    explicit Pipelines(const DeviceState& device) : device_(device) {}

    /// Returns the pipeline whose `constants[i]` is constant_id i; `push_bytes` is the size of the push
    /// constant block. The result lives as long as this object.
    const Pipeline& get(const shaders::Shader& shader, std::span<const uint32_t> constants,
                        uint32_t push_bytes);

  private:
    using Key = std::tuple<const uint32_t*, std::vector<uint32_t>, uint32_t>;  // words, constants, push bytes

    const PipelineLayout& layout(const Bindings& bindings, uint32_t push_bytes);
    OwnedPipeline create(const shaders::Shader& shader, std::span<const uint32_t> constants,
                         const PipelineLayout& layout);

    const DeviceState& device_;
    std::mutex mutex_;
    std::map<std::pair<Bindings, uint32_t>, PipelineLayout> layouts_;
    std::map<Key, Pipeline> pipelines_;
};

}  // namespace vknorm::detail
