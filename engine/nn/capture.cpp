#include "nn/capture.hpp"

#include <cstring>

#include "vulkan/dispatch.hpp"

namespace vknorm::detail {

void Capture::place(Device& device, const DeviceGraph& graph, size_t node, uint32_t rows) {
    node_ = node;
    source_ = graph.source(node);
    reads_alone_ = graph.reads_alone(node);
    rows_ = rows;
    taken_ = 0;
    parts_.clear();
    constexpr VkDeviceSize tensors = 4;  // x, y and their gradients
    VkDeviceSize most = tensors * 4 * VkDeviceSize{rows} * graph.elements(node);
    const auto find = [&](const char* tensor) {
        for (const StoreLayout::Entry& entry : graph.store().layout.entries())
            if (entry.node == graph.name(node) && entry.tensor == tensor) {
                most += 2 * 4 * entry.stored.count;  // a parameter has a gradient, too
                return entry.stored;
            }
        return StoredTensor{};
    };
    gamma_ = find("weight");
    beta_ = find("bias");
    running_mean_ = find("running_mean");
    running_variance_ = find("running_var");
    mean_ = find("mean");
    inv_std_ = find("inv_std");
    r_ = find("r");
    d_ = find("d");
    if (most > readback_.bytes()) readback_ = Buffer(device, most, "norm capture", Memory::readback);
}

void Capture::take(Recorder& recorder, Member member, const BufferView& source) {
    if (!source) return;
    copy(recorder, source, readback_.view(taken_, source.bytes));
    parts_.push_back({member, taken_, source.bytes});
    taken_ += source.bytes;
}

void Capture::record_found(Recorder& recorder, const Store& store) {
    take(recorder, &NormCapture::gamma, store.parameter(gamma_));
    take(recorder, &NormCapture::beta, store.parameter(beta_));
    take(recorder, &NormCapture::running_mean, store.updated(running_mean_));
    take(recorder, &NormCapture::running_variance, store.updated(running_variance_));
}

void Capture::record_gradient(Recorder& recorder, const DeviceGraph& graph, size_t node) {
    if (node == node_) take(recorder, &NormCapture::dy, graph.gradient(node, rows_));
    if (node == source_ && reads_alone_) take(recorder, &NormCapture::dx, graph.gradient(node, rows_));
}

void Capture::record_parameter_gradients(Recorder& recorder, const Store& store) {
    take(recorder, &NormCapture::dgamma, store.gradient(gamma_));
    take(recorder, &NormCapture::dbeta, store.gradient(beta_));
}

void Capture::record_results(Recorder& recorder, const DeviceGraph& graph, const BufferView& x,
                             bool by_running) {
    take(recorder, &NormCapture::x, graph.output(source_, rows_, x));
    take(recorder, &NormCapture::y, graph.output(node_, rows_, x));
    if (by_running && running_mean_) return;
    const Store& store = graph.store();
    take(recorder, &NormCapture::mean, store.kept(mean_));
    take(recorder, &NormCapture::inv_std, store.kept(inv_std_));
    take(recorder, &NormCapture::r, store.kept(r_));
    take(recorder, &NormCapture::d, store.kept(d_));
}

NormCapture Capture::result() const {
    NormCapture capture;
    capture.rows = rows_;
    for (const Part& part : parts_) {
        std::vector<float>& values = capture.*part.member;
        values.resize(part.bytes / sizeof(float));
        std::memcpy(values.data(), readback_.mapped() + part.offset, part.bytes);
    }
    return capture;
}

}  // namespace vknorm::detail
