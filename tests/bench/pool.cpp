#include "bench/pool.hpp"

#include <algorithm>
#include <random>
#include <unistd.h>

#include <vknorm/safetensors.hpp>

namespace vknorm::bench {

namespace {

constexpr VkDeviceSize alignment = 4096;

VkDeviceSize rounded_up(VkDeviceSize bytes) {
    return (bytes + alignment - 1) / alignment * alignment;
}

/// The contents repeat after these many values.
constexpr size_t period = 4u << 20;

const std::vector<float>& pattern(Pool::Content content) {
    static std::vector<float> patterns[3];
    std::vector<float>& values = patterns[content];
    if (!values.empty()) return values;
    std::minstd_rand generator(1 + content);
    values.resize(period);
    for (float& value : values) value = static_cast<float>(generator() % 4096) / 1024 - 1.5f;
    return values;
}

void fill(Stream& stream, const Buffer& buffer, Pool::Content content, Storage storage) {
    const std::vector<std::byte> values = stored(pattern(content), storage);
    for (VkDeviceSize offset = 0; offset < buffer.bytes(); offset += values.size()) {
        const VkDeviceSize bytes = std::min<VkDeviceSize>(buffer.bytes() - offset, values.size());
        stream.upload(buffer.view(offset, bytes), std::span(values).first(bytes));
    }
}

Dtype dtype_of(Storage storage) {
    constexpr Dtype dtypes[] = {Dtype::f32, Dtype::f16, Dtype::bf16};
    return dtypes[static_cast<size_t>(storage)];
}

}  // namespace

std::vector<std::byte> stored(std::span<const float> values, Storage storage) {
    return HostTensor({values.size()}, values, dtype_of(storage)).bytes;
}

std::vector<float> loaded(std::span<const std::byte> bytes, Storage storage) {
    HostTensor tensor;
    tensor.dtype = dtype_of(storage);
    tensor.shape = {bytes.size() / storage_bytes(storage)};
    tensor.bytes.assign(bytes.begin(), bytes.end());
    return tensor.floats();
}

VkDeviceSize Pool::rotation_bytes(const Device& device) {
    constexpr VkDeviceSize least = 256u << 20;
    if (device.info().type != VK_PHYSICAL_DEVICE_TYPE_CPU) return least;
    const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return std::max(least, cache > 0 ? static_cast<VkDeviceSize>(cache) / 2 : 0);
}

Pool::Pool(Device& device, VkDeviceSize largest, bool resident, bool with_residuals, Storage storage)
    : rotation_(resident ? 0 : rotation_bytes(device)), bytes_(rounded_up(largest)) {
    if (!resident) bytes_ *= rotation_ / bytes_ + 1;
    bytes_ = std::max(bytes_, large_copy);
    x_ = {device, bytes_, "x"};
    dy_ = {device, bytes_, "dy"};
    out_ = {device, bytes_, "out"};
    if (with_residuals) {
        residual_ = {device, bytes_, "residual"};
        dresidual_ = {device, bytes_, "dresidual"};
    }
    // The outputs, too: else their pages would be made while the clock runs.
    Stream stream(device);
    for (const Buffer* buffer : {&x_, &out_}) fill(stream, *buffer, x, storage);
    fill(stream, dy_, dy, storage);
    for (const Buffer* buffer : {&residual_, &dresidual_})
        if (buffer->bytes() > 0) fill(stream, *buffer, residual, storage);
    stream.wait(stream.submit());
}

Tensors Pool::next(VkDeviceSize bytes) {
    const VkDeviceSize stride = rounded_up(bytes);
    const size_t turn = rotation_ == 0 ? 0 : turn_++ % (bytes_ / stride);
    return at(turn * stride, bytes);
}

Tensors Pool::at(VkDeviceSize offset, VkDeviceSize bytes) const {
    const auto part = [&](const Buffer& buffer) {
        return buffer.bytes() == 0 ? BufferView{} : buffer.view(offset, bytes);
    };
    const auto host = [&](const Buffer& buffer) {
        return buffer.mapped() ? buffer.mapped() + offset : nullptr;
    };
    return {part(x_), part(dy_), part(residual_), part(out_), part(dresidual_), host(x_), host(out_)};
}

std::vector<float> Pool::first_values(Content content, size_t count, Storage storage) {
    const std::span<const float> repeated = std::span(pattern(content)).first(std::min(count, period));
    const std::vector<float> values = loaded(stored(repeated, storage), storage);
    std::vector<float> result(count);
    for (size_t i = 0; i < count; ++i) result[i] = values[i % period];
    return result;
}

}  // namespace vknorm::bench
