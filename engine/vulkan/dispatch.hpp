// What an operation may do with a Recorder: dispatch a kernel over bound ranges.
//
// One call is one dispatch. The hazard tracker decides whether a barrier comes first; the pipeline is bound
// every time; ranges are pushed (or written to a set); everything is checked against the device's limits
// here, so that no kernel can be launched out of bounds.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <type_traits>

#include <vknorm/stream.hpp>

#include "shaders/embedded.hpp"

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

/// A shader with its specialization constants: `constants[i]` is constant_id i. Constant 0 is, by convention,
/// the workgroup size (local_size_x_id = 0).
struct Kernel {
    const shaders::Shader& shader;
    std::span<const uint32_t> constants;
};

/// Workgroups in x; y and z for grids that are small in those dimensions (at most 65 535).
struct Groups {
    uint32_t x = 1, y = 1, z = 1;
};

/// The element that a binding starts at and the view bound for it: storage buffer offsets have an alignment,
/// so a kernel is given the aligned-down range and the number of elements to skip.
struct AlignedView {
    BufferView view;
    uint32_t first;  ///< elements of `element_bytes` between the bound start and the wanted start
};
AlignedView align_down(const Device& device, const BufferView& view, uint32_t element_bytes);

/// Whether parts of a tensor may be bound to a shader's texel buffers: if it is in one of the engine's
/// buffers, on a device that can. Such bindings start and end on a texel.
bool may_be_texels(const DeviceState& device, const BufferView& tensor);

/// Bindings are numbered in order from 0 in set 0; those after the shader's last are left out. An absent view
/// is bound to a small dummy buffer: the kernel must not touch it. Throws std::logic_error when a limit is
/// exceeded, which is a planning error of the operation.
void dispatch(Recorder& recorder, const Kernel& kernel, std::span<const Binding> bindings,
              std::span<const std::byte> push_constants, Groups groups);

template <class Push>
requires(!std::convertible_to<Push, std::span<const std::byte>>) void dispatch(
    Recorder& recorder, const Kernel& kernel, std::span<const Binding> bindings, const Push& push,
    Groups groups) {
    static_assert(std::is_trivially_copyable_v<Push> && sizeof(Push) <= 128 && sizeof(Push) % 4 == 0);
    dispatch(recorder, kernel, bindings, std::as_bytes(std::span<const Push, 1>(&push, 1)), groups);
}

template <class Push>
void dispatch(Recorder& recorder, const Kernel& kernel, std::initializer_list<Binding> bindings,
              const Push& push, Groups groups) {
    dispatch(recorder, kernel, std::span(bindings.begin(), bindings.size()), push, groups);
}

/// vkCmdFillBuffer (offset and bytes multiples of 4) and vkCmdCopyBuffer, hazards included.
void fill(Recorder& recorder, const BufferView& target, uint32_t word);
void copy(Recorder& recorder, const BufferView& source, const BufferView& target);

/// Opens a labelled stretch (debug label, and a timing where the stream measures); closes when destroyed.
class Label {
  public:
    Label(Recorder& recorder, const char* name);
    ~Label();
    Label(const Label&) = delete;
    Label& operator=(const Label&) = delete;

  private:
    RecorderState& recorder_;
    size_t stretch_ = 0;  // of the timestamps, when there are any
};

}  // namespace vknorm::detail
