#include "ops/arguments.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include "vulkan/device_state.hpp"

namespace vknorm::detail {

void refuse(const std::string& operation, const std::string& argument, const std::string& got,
            const std::string& needed) {
    throw std::invalid_argument(operation + ": " + argument + ": got " + got + ", needs " + needed);
}

void require_positive(const std::string& operation, const std::string& argument, uint32_t got) {
    if (got == 0) refuse(operation, argument, "0", "at least 1");
}

void require_range(const Capabilities& capabilities, const std::string& tensor, uint64_t bytes) {
    if (bytes > capabilities.max_storage_buffer_range)
        throw Unsupported(tensor + ": got " + std::to_string(bytes) +
                          " bytes, needs at most the device's storage buffer range of " +
                          std::to_string(capabilities.max_storage_buffer_range));
}

void check_device(const Recorder& recorder, const DeviceState* device, const std::string& operation) {
    if (&recorder.device().state() != device)
        refuse(operation, "recorder", "one of another device", "one of the plan's");
}

Arguments::Arguments(std::string operation, const Recorder& recorder)
    : transaction_(recorder), operation_(std::move(operation)), device_(recorder.device().state()) {}

Arguments::Arguments(std::string operation, const Recorder& recorder, const DeviceState* device)
    : Arguments(std::move(operation), recorder) {
    check_device(recorder, device, operation_);
}

void Arguments::refuse(const char* name, const std::string& got, const std::string& needed) const {
    detail::refuse(operation_, name, got, needed);
}

bool Arguments::Argument::may_be(const Argument& other) const {
    return std::ranges::any_of(in_place, [&](std::string_view allowed) { return allowed == other.name; });
}

BufferView Arguments::add(const Argument& argument, uint64_t bytes) {
    if (bytes == 0) return {};
    const BufferView& view = argument.view;
    if (!view) refuse(argument.name, "no buffer", std::to_string(bytes) + " bytes");
    if (view.bytes < bytes)
        refuse(argument.name, std::to_string(view.bytes) + " bytes", std::to_string(bytes));
    if (const auto refusal = device_.refusal_of(view)) refuse(argument.name, refusal->got, refusal->needed);
    if (view.offset % multiple_ != 0) {
        refuse(argument.name, "offset " + std::to_string(view.offset),
               "a multiple of " + std::to_string(multiple_));
    }
    arguments_.push_back(argument);
    arguments_.back().view.bytes = bytes;
    return arguments_.back().view;
}

BufferView Arguments::input(const char* name, const BufferView& view, uint64_t bytes) {
    return add({name, view, false, {}}, bytes);
}

BufferView Arguments::output(const char* name, const BufferView& view, uint64_t bytes, Names in_place) {
    return add({name, view, true, in_place}, bytes);
}

BufferView Arguments::optional_input(const char* name, const BufferView& view, uint64_t bytes) {
    return view ? input(name, view, bytes) : BufferView{};
}

BufferView Arguments::optional_output(const char* name, const BufferView& view, uint64_t bytes,
                                      Names in_place) {
    return view ? output(name, view, bytes, in_place) : BufferView{};
}

void Arguments::check_overlap() const {
    for (const Argument& output : arguments_) {
        if (!output.written) continue;
        for (const Argument& other : arguments_) {
            if (&other == &output || other.view.buffer != output.view.buffer) continue;
            if (output.view.offset >= other.view.offset + other.view.bytes) continue;
            if (other.view.offset >= output.view.offset + output.view.bytes) continue;
            const bool allowed = output.may_be(other);
            if (allowed && output.view.offset == other.view.offset) continue;
            // The other side of an allowed pair is reported from the output's side.
            if (other.may_be(output)) continue;
            refuse(output.name, std::string("memory that overlaps ") + other.name,
                   allowed ? std::string(other.name) + " itself or memory of its own" : "memory of its own");
        }
    }
}

}  // namespace vknorm::detail
