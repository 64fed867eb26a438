// Commands wait here until their operation is whole. All that they need is at hand: writing them into a
// command buffer cannot fail.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "vulkan/dispatch.hpp"
#include "vulkan/pipelines.hpp"
#include "vulkan/timestamps.hpp"

namespace vknorm::detail {

/// A kernel's bindings have no higher numbers.
constexpr size_t most_bindings = 16;

struct DispatchCommand {
    const Pipeline* pipeline = nullptr;
    std::array<VkDescriptorBufferInfo, most_bindings> buffers;  ///< by number,
    std::array<VkBufferView, most_bindings> texels;             ///< and these
    VkDescriptorSet set = VK_NULL_HANDLE;                       ///< it holds those; null: they are pushed
    std::array<std::byte, push_bytes_everywhere> push_constants;
    uint32_t push_bytes = 0;
    Groups groups;
};

struct FillCommand {
    BufferView target;
    uint32_t word;
};

struct CopyCommand {
    BufferView source, target;
};

/// It encloses the commands behind it, up to number `end`.
struct StretchCommand {
    std::string label;
    std::optional<size_t> timed;  ///< as what number among the timestamps
    size_t end = 0;
};

struct Command {
    bool barrier = false;  ///< one comes first
    std::variant<DispatchCommand, FillCommand, CopyCommand, StretchCommand> what;
};

/// They are what is bound to set 0, as Vulkan wants it: the first Bindings::count(). They point into the
/// command.
std::array<VkWriteDescriptorSet, most_bindings> descriptor_writes(const DispatchCommand& command);

class CommandWriter {
  public:
    CommandWriter(const DeviceState& device, VkCommandBuffer target, Timestamps* timestamps)
        : device_(device), target_(target), timestamps_(timestamps) {}

    /// Orders everything so far before all later compute shaders and transfers and, if `host`, makes it
    /// visible to the host.
    void barrier(bool host) const;
    void write(const std::vector<Command>& commands) const { write(commands, 0, commands.size()); }

  private:
    void write(const std::vector<Command>& commands, size_t first, size_t end) const;
    void write(const DispatchCommand& command) const;
    void write(const FillCommand& command) const;
    void write(const CopyCommand& command) const;
    void begin(const StretchCommand& stretch) const;
    void end(const StretchCommand& stretch) const;

    const DeviceState& device_;
    VkCommandBuffer target_;
    Timestamps* timestamps_;
};

}  // namespace vknorm::detail
