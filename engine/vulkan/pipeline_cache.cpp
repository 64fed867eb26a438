#include "vulkan/pipeline_cache.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include <vknorm/file.hpp>

#include "data/file.hpp"
#include "data/hash.hpp"

namespace vknorm::detail {

namespace {

namespace fs = std::filesystem;

// The driver's data stand behind their hash: not every driver survives data that were damaged.
using Hash = uint64_t;

Hash hash_of(std::span<const std::byte> data) {
    Fnv1a hash;
    for (const std::byte byte : data) hash.add(static_cast<unsigned char>(byte));
    return hash.value();
}

// Every driver's data begin like this.
VkPipelineCacheHeaderVersionOne header_of(const DeviceState& device) {
    VkPhysicalDeviceProperties properties;
    device.vk.GetPhysicalDeviceProperties(device.physical_device, &properties);
    VkPipelineCacheHeaderVersionOne header = {
        sizeof header, VK_PIPELINE_CACHE_HEADER_VERSION_ONE, properties.vendorID, properties.deviceID, {}};
    std::memcpy(header.pipelineCacheUUID, properties.pipelineCacheUUID, sizeof header.pipelineCacheUUID);
    return header;
}

}  // namespace

PipelineCache::PipelineCache(const DeviceState& device, fs::path file)
    : device_(device), file_(std::move(file)), kept_(read()) {
    VkPipelineCacheCreateInfo info = {VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO};
    info.initialDataSize = kept_.size();
    info.pInitialData = kept_.data();
    VkPipelineCache cache = VK_NULL_HANDLE;
    device.check(device.vk.CreatePipelineCache(device.device, &info, nullptr, &cache),
                 "vkCreatePipelineCache");
    cache_ = {device, cache};
}

void PipelineCache::save() noexcept {
    try {
        const Data data = this->data();
        // SwiftShader has nothing to keep: it puts a header before what it was given, each time one more.
        if (!kept_.empty() && data.size() >= kept_.size() &&
            std::equal(kept_.rbegin(), kept_.rend(), data.rbegin()))
            return;
        const Hash hash = hash_of(data);
        Data bytes(sizeof hash + data.size());
        std::memcpy(bytes.data(), &hash, sizeof hash);
        std::memcpy(bytes.data() + sizeof hash, data.data(), data.size());
        write_file(file_, bytes);
    } catch (const std::exception&) {
    }
}

PipelineCache::Data PipelineCache::read() const {
    const fs::path folder = file_.parent_path();
    if (!folder.empty()) require_folder(folder, "written to");
    std::error_code error;
    if (!fs::exists(file_, error)) return {};
    const Bytes bytes = read_file(file_);
    const VkPipelineCacheHeaderVersionOne header = header_of(device_);
    Hash hash = 0;
    if (bytes.size() < sizeof hash + sizeof header) return {};
    std::memcpy(&hash, bytes.data(), sizeof hash);
    Data data(bytes.begin() + sizeof hash, bytes.end());
    if (hash != hash_of(data) || std::memcmp(data.data(), &header, sizeof header) != 0) return {};
    return data;
}

PipelineCache::Data PipelineCache::data() const {
    size_t size = 0;
    device_.check(device_.vk.GetPipelineCacheData(device_.device, get(), &size, nullptr),
                  "vkGetPipelineCacheData");
    Data data(size);
    device_.check(device_.vk.GetPipelineCacheData(device_.device, get(), &size, data.data()),
                  "vkGetPipelineCacheData");
    data.resize(size);
    return data;
}

}  // namespace vknorm::detail
