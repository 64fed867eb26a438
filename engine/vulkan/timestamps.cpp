#include "vulkan/timestamps.hpp"

#include <array>

namespace vknorm::detail {

namespace {
constexpr uint32_t queries_per_pool = 256;
}

size_t Timestamps::open(const std::string& label) {
    const size_t stretch = stretches_.size();
    if (2 * stretch / queries_per_pool == pools_.size()) {
        VkQueryPoolCreateInfo info = {VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO};
        info.queryType = VK_QUERY_TYPE_TIMESTAMP;
        info.queryCount = queries_per_pool;
        VkQueryPool created = VK_NULL_HANDLE;
        device_.check(device_.vk.CreateQueryPool(device_.device, &info, nullptr, &created),
                      "vkCreateQueryPool");
        pools_.push_back({device_, created});
    }
    stretches_.push_back({.label = label, .milliseconds = 0, .depth = open_});
    ++open_;
    return stretch;
}

void Timestamps::begin(VkCommandBuffer commands, size_t stretch) const {
    const size_t first_query = 2 * stretch;
    if (first_query % queries_per_pool == 0)
        device_.vk.CmdResetQueryPool(commands, pools_[first_query / queries_per_pool].get(), 0,
                                     queries_per_pool);
    write(commands, first_query);
}

void Timestamps::end(VkCommandBuffer commands, size_t stretch) const {
    write(commands, 2 * stretch + 1);
}

// Both are written at the bottom of the pipe: a stretch starts when everything before it has ended.
void Timestamps::write(VkCommandBuffer commands, size_t query) const {
    device_.vk.CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT,
                                 pools_[query / queries_per_pool].get(),
                                 static_cast<uint32_t>(query % queries_per_pool));
}

std::vector<Timing> Timestamps::read() const {
    const uint64_t mask =
        device_.timestamp_bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << device_.timestamp_bits) - 1;
    std::vector<Timing> timings = stretches_;
    for (size_t stretch = 0; stretch < timings.size(); ++stretch) {
        const auto query = static_cast<uint32_t>(2 * stretch);
        std::array<uint64_t, 2> ticks = {};
        device_.check(device_.vk.GetQueryPoolResults(device_.device, pools_[query / queries_per_pool].get(),
                                                     query % queries_per_pool, 2, sizeof ticks, ticks.data(),
                                                     sizeof ticks[0], VK_QUERY_RESULT_64_BIT),
                      "vkGetQueryPoolResults");
        const double nanoseconds = static_cast<double>((ticks[1] - ticks[0]) & mask) *
                                   static_cast<double>(device_.capabilities.timestamp_period_ns);
        timings[stretch].milliseconds = nanoseconds * 1e-6;
    }
    return timings;
}

void Timestamps::reset() {
    stretches_.clear();
    open_ = 0;
}

}  // namespace vknorm::detail
