// An operation may do this with a Recorder: dispatch a kernel over bound ranges.
//
// One call is one dispatch. The hazard tracker decides whether a barrier comes first; the pipeline is bound
// every time; ranges are pushed (or written to a set); everything is checked against the device's limits
// here, so that no kernel can be launched out of bounds. A call is recorded when its Transaction ends.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include <vknorm/stream.hpp>

#include "shaders/embedded.hpp"
#include "vulkan/transaction.hpp"

namespace vknorm::detail {

enum class Access { read, write, read_write };

struct Binding {
    BufferView view;
    Access access;
};

inline Binding read(const BufferView& view) {
    return {view, Access::read};
}
inline Binding write(const BufferView& view) {
    return {view, Access::write};
}
inline Binding read_write(const BufferView& view) {
    return {view, Access::read_write};
}

/// A kernel is a shader with its specialization constants: `constants[i]` is constant_id i. Constant 0 is, by
/// convention, the workgroup size (local_size_x_id = 0).
struct Kernel {
    const shaders::Shader& shader;
    std::span<const uint32_t> constants;
};

/// Workgroups of a dispatch.
struct Groups {
    uint32_t x = 1, y = 1, z = 1;
};

/// Storage buffer offsets have an alignment, so a kernel is given the aligned-down range and the number of
/// elements to skip.
struct AlignedView {
    BufferView view;
    uint32_t first;  ///< elements of `element_bytes` between the bound start and the wanted start
};
AlignedView align_down(const Device& device, const BufferView& view, uint32_t element_bytes);

/// Tells whether parts of a tensor may be bound to a shader's texel buffers: they may if it is in one of the
/// engine's buffers, on a device that can. Such bindings start and end on a texel.
bool may_be_texels(const DeviceState& device, const BufferView& tensor);

/// Bindings are numbered in order from 0 in set 0; those that the kernel does not use with its constants are
/// left out. An absent view is bound to a small dummy buffer: the kernel must not touch it. Throws
/// std::logic_error when a limit is exceeded, which is a planning error of the operation, and Unsupported for
/// more storage buffers than the device has.
void dispatch(Recorder& recorder, const Kernel& kernel, std::span<const Binding> bindings,
              std::span<const std::byte> push_constants, Groups groups);

/// Every device has so many bytes of push constants at least.
constexpr size_t push_bytes_everywhere = 128;

template <class Push>
requires(!std::convertible_to<Push, std::span<const std::byte>>) void dispatch(
    Recorder& recorder, const Kernel& kernel, std::span<const Binding> bindings, const Push& push,
    Groups groups) {
    static_assert(std::is_trivially_copyable_v<Push> && sizeof(Push) <= push_bytes_everywhere &&
                  sizeof(Push) % sizeof(uint32_t) == 0);
    dispatch(recorder, kernel, bindings, std::as_bytes(std::span<const Push, 1>(&push, 1)), groups);
}

template <class Push>
void dispatch(Recorder& recorder, const Kernel& kernel, std::initializer_list<Binding> bindings,
              const Push& push, Groups groups) {
    dispatch(recorder, kernel, std::span(bindings.begin(), bindings.size()), push, groups);
}

/// These are vkCmdFillBuffer (offset and bytes are multiples of 4) and vkCmdCopyBuffer, hazards included.
void fill(Recorder& recorder, const BufferView& target, uint32_t word);
void copy(Recorder& recorder, const BufferView& source, const BufferView& target);

/// Opens a labelled stretch (a debug label, and a timing where the stream measures), which its destructor
/// closes. The stretch is a Transaction.
class Label {
  public:
    Label(Recorder& recorder, std::string name);
    ~Label();
    Label(const Label&) = delete;

  private:
    const Transaction transaction_;
    RecorderState& recorder_;
    std::optional<size_t> command_;  // the stretch is the pending command of that number
};

}  // namespace vknorm::detail
