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
    /// So many sets are in use.
    size_t used() const { return used_; }
    /// All sets but the first so many were not used in the end: allocate() gives them again.
    void drop(size_t used) { used_ = used; }
    /// Frees every set; the pools are kept. Throws Error when a pool does not let them go.
    void reset();

  private:
    struct Pool {
        OwnedDescriptorPool pool;
        uint32_t sets_left, descriptors_left;
    };
    struct Set {
        VkDescriptorSetLayout layout;
        VkDescriptorSet set;
    };

    VkDescriptorSet allocate_from_pools(VkDescriptorSetLayout layout, uint32_t bindings);

    const DeviceState& device_;
    std::vector<Pool> pools_;
    size_t current_ = 0;
    std::vector<Set> sets_;  // those in use come first
    size_t used_ = 0;
};

}  // namespace vknorm::detail
