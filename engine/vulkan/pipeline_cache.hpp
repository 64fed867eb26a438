// A VkPipelineCache that lives on in a file.
#pragma once

#include <filesystem>
#include <vector>

#include "vulkan/owned.hpp"

namespace vknorm::detail {

class PipelineCache {
  public:
    /// Starts with what `file` holds, where this device wrote it with this driver; else empty. Throws
    /// FileError when there is something else than a readable regular file, or no folder for it.
    PipelineCache(const DeviceState& device, std::filesystem::path file);
    ~PipelineCache() { save(); }
    PipelineCache(const PipelineCache&) = delete;
    PipelineCache& operator=(const PipelineCache&) = delete;

    /// Writes the file when there is something new. That may fail, and nobody would hear of it: then the file
    /// stays what it was.
    void save() noexcept;

    VkPipelineCache get() const { return cache_.get(); }

  private:
    using Data = std::vector<std::byte>;
    /// The driver's data in the file; empty where they are not this device's.
    Data read() const;
    Data data() const;

    const DeviceState& device_;
    std::filesystem::path file_;
    Data kept_;  // the file holds these
    OwnedPipelineCache cache_;
};

}  // namespace vknorm::detail
