// Devices without push descriptors get their descriptor sets from pools, which grow and are emptied all at
// once.
#pragma once

#include <vector>

#include "vulkan/owned.hpp"

namespace vknorm::detail {

class DescriptorPools {
  public:
    explicit DescriptorPools(const DeviceState& device) : device_(device) {}

    /// Returns a set of `bindings` buffers that is valid until reset().
    VkDescriptorSet allocate(VkDescriptorSetLayout layout, uint32_t bindings);
    /// Frees every set; the pools are kept.
    void reset();

  private:
    struct Pool {
        OwnedDescriptorPool pool;
        uint32_t sets_left, descriptors_left;
    };

    const DeviceState& device_;
    std::vector<Pool> pools_;
    size_t current_ = 0;
};

}  // namespace vknorm::detail
