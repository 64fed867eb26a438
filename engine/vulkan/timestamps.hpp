// The device writes timestamps around labelled stretches of one command buffer.
#pragma once

#include <string>
#include <vector>

#include <vknorm/stream.hpp>

#include "vulkan/owned.hpp"

namespace vknorm::detail {

class Timestamps {
  public:
    explicit Timestamps(const DeviceState& device) : device_(device) {}

    /// Opens a stretch and returns its number.
    size_t begin(VkCommandBuffer commands, const char* label);
    void end(VkCommandBuffer commands, size_t stretch);
    /// Returns the timings in the order of begin(). The commands must have run and every stretch must be
    /// closed.
    std::vector<Timing> read() const;
    void reset();

  private:
    void write(VkCommandBuffer commands, uint32_t query);

    const DeviceState& device_;
    std::vector<OwnedQueryPool> pools_;  // stretch i has the queries 2i and 2i + 1
    std::vector<Timing> stretches_;      // they are not measured yet
    uint32_t open_ = 0;
};

}  // namespace vknorm::detail
