#include "vulkan/descriptors.hpp"

#include <algorithm>
#include <iterator>

namespace vknorm::detail {

namespace {

constexpr uint32_t sets_per_pool = 64;
constexpr uint32_t descriptors_per_pool = 512;

VkDescriptorPool create_pool(const DeviceState& device) {
    const VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, descriptors_per_pool},
                                          {VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, descriptors_per_pool}};
    VkDescriptorPoolCreateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO};
    info.maxSets = sets_per_pool;
    info.poolSizeCount = std::size(sizes);
    info.pPoolSizes = sizes;
    VkDescriptorPool pool = VK_NULL_HANDLE;
    device.check(device.vk.CreateDescriptorPool(device.device, &info, nullptr, &pool),
                 "vkCreateDescriptorPool");
    return pool;
}

}  // namespace

VkDescriptorSet DescriptorPools::allocate(VkDescriptorSetLayout layout, uint32_t bindings) {
    const auto fits = [layout](const Set& set) { return set.layout == layout; };
    auto set = std::find_if(sets_.begin() + static_cast<ptrdiff_t>(used_), sets_.end(), fits);
    if (set == sets_.end()) set = sets_.insert(sets_.end(), {layout, allocate_from_pools(layout, bindings)});
    std::swap(*set, sets_[used_]);
    return sets_[used_++].set;
}

VkDescriptorSet DescriptorPools::allocate_from_pools(VkDescriptorSetLayout layout, uint32_t bindings) {
    // The engine counts, because not every driver notices that a pool is exhausted.
    while (current_ < pools_.size() &&
           (pools_[current_].sets_left == 0 || pools_[current_].descriptors_left < bindings))
        ++current_;
    if (current_ == pools_.size())
        pools_.push_back(
            {OwnedDescriptorPool(device_, create_pool(device_)), sets_per_pool, descriptors_per_pool});
    Pool& pool = pools_[current_];
    VkDescriptorSetAllocateInfo info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO};
    info.descriptorPool = pool.pool.get();
    info.descriptorSetCount = 1;
    info.pSetLayouts = &layout;
    VkDescriptorSet set = VK_NULL_HANDLE;
    device_.check(device_.vk.AllocateDescriptorSets(device_.device, &info, &set), "vkAllocateDescriptorSets");
    --pool.sets_left;
    pool.descriptors_left -= bindings;
    return set;
}

void DescriptorPools::reset() {
    sets_.clear();
    used_ = 0;
    for (Pool& pool : pools_) {
        device_.check(device_.vk.ResetDescriptorPool(device_.device, pool.pool.get(), 0),
                      "vkResetDescriptorPool");
        pool.sets_left = sets_per_pool;
        pool.descriptors_left = descriptors_per_pool;
    }
    current_ = 0;
}

}  // namespace vknorm::detail
