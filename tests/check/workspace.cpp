#include "check/workspace.hpp"

#include <algorithm>
#include <cstddef>

namespace vknorm::check {

Workspace::Workspace(Device& device, const Call& call, bool timed)
    : device_(device), call_(call), stream_(device, {.timestamps = timed}) {}

BufferView Workspace::add(const std::string& name, std::span<const std::byte> contents) {
    if (contents.empty()) return {};
    // Operations may write whole words.
    buffers_.emplace_back(device_, (contents.size() + 3) / 4 * 4, name);
    const BufferView view = buffers_.back().view(0, contents.size());
    stream_.upload(view, contents);
    return view;
}

// A float whose bytes are all 0xff is a NaN, and a whole number is -1.
BufferView Workspace::unwritten(const std::string& name, VkDeviceSize bytes) {
    return add(name, std::vector<std::byte>(bytes, std::byte{0xff}));
}

BufferView Workspace::in(const std::string& tensor) {
    if (!call_.has(tensor)) return {};
    const auto [place, added] = inputs_.try_emplace(tensor);
    if (added) place->second = add(tensor, call_.inputs.at(tensor).bytes);
    return place->second;
}

uint64_t Workspace::bytes_of_tensor(const std::string& tensor) const {
    return element_count(call_.shape_of(tensor)) * bytes_of(call_.dtype_of(tensor));
}

BufferView Workspace::out(const std::string& tensor) {
    return outputs_[tensor] = unwritten(tensor, bytes_of_tensor(tensor));
}

BufferView Workspace::saved(const std::string& tensor) {
    if (call_.has(tensor)) return in(tensor);
    const auto [place, added] = saved_.try_emplace(tensor);
    if (added) {
        const bool given = std::ranges::find(call_.mode->gives, tensor) != call_.mode->gives.end();
        place->second = given ? out(tensor) : scratch(bytes_of_tensor(tensor));
    }
    return place->second;
}

BufferView Workspace::in_out(const std::string& tensor) {
    if (!call_.has(tensor)) return {};
    return outputs_[tensor] = in(tensor);
}

BufferView Workspace::scratch(VkDeviceSize bytes) {
    return unwritten("scratch", bytes);
}

std::vector<Timing> Workspace::timings() {
    const Ticket ticket = stream_.submit();
    stream_.wait(ticket);
    return stream_.timings(ticket);
}

HostTensors Workspace::results() {
    HostTensors results;
    for (const auto& [name, view] : outputs_) {
        HostTensor& tensor = results[name];
        tensor.dtype = call_.dtype_of(name);
        tensor.shape = call_.shape_of(name);
        tensor.bytes.resize(view.bytes);
        if (view) stream_.download(view, tensor.bytes);
    }
    return results;
}

}  // namespace vknorm::check
