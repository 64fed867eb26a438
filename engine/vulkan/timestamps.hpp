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

    /// Opens a stretch inside those that are open, and returns its number.
    size_t open(const std::string& label);
    /// Closes the one that was opened last.
    void close() { --open_; }
    /// They are so many.
    size_t size() const { return stretches_.size(); }
    /// Drops all but the first so many.
    void resize(size_t size) { stretches_.resize(size); }
    /// Records the timestamps of a stretch; those with lower numbers begin before it.
    void begin(VkCommandBuffer commands, size_t stretch) const;
    void end(VkCommandBuffer commands, size_t stretch) const;
    /// Returns the timings in the order of begin(). The commands must have run and every stretch must be
    /// closed.
    std::vector<Timing> read() const;
    void reset();

  private:
    void write(VkCommandBuffer commands, size_t query) const;

    const DeviceState& device_;
    std::vector<OwnedQueryPool> pools_;  // stretch i has the queries 2i and 2i + 1
    std::vector<Timing> stretches_;      // they are not measured yet
    uint32_t open_ = 0;
};

}  // namespace vknorm::detail
