#include "check_workspace.hpp"

#include <cstddef>

namespace vknorm::check {

Workspace::Workspace(Device& device, const Call& call) : device_(device), call_(call), stream_(device) {}

BufferView Workspace::add(const std::string& tensor, std::span<const std::byte> contents) {
    if (contents.empty()) return {};
    buffers_.emplace_back(device_, contents.size(), tensor);
    stream_.upload(buffers_.back(), contents);
    return buffers_.back();
}

BufferView Workspace::in(const std::string& tensor) {
    return call_.has(tensor) ? add(tensor, call_.inputs.at(tensor).bytes) : BufferView{};
}

BufferView Workspace::out(const std::string& tensor) {
    const bool whole = call_.operation->find_tensor(tensor)->dtype == Dtype::i64;
    const uint64_t bytes = testing::elements(call_.shape_of(tensor)) * (whole ? 8 : 4);
    // Every byte 0xff is a NaN, and -1.
    return outputs_[tensor] = add(tensor, std::vector<std::byte>(bytes, std::byte{0xff}));
}

BufferView Workspace::in_out(const std::string& tensor) {
    if (!call_.has(tensor)) return {};
    return outputs_[tensor] = in(tensor);
}

BufferView Workspace::scratch(VkDeviceSize bytes) {
    return add("scratch", std::vector<std::byte>(bytes, std::byte{0xff}));
}

Tensors Workspace::results() {
    Tensors results;
    for (const auto& [name, view] : outputs_) {
        Tensor& tensor = results[name];
        tensor.dtype = call_.operation->find_tensor(name)->dtype;
        tensor.shape = call_.shape_of(name);
        tensor.bytes.resize(view.bytes);
        if (view) stream_.download(view, tensor.bytes);
    }
    return results;
}

}  // namespace vknorm::check
