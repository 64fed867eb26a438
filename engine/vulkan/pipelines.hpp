// Compute pipelines are made on first use and kept.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "shaders/embedded.hpp"
#include "vulkan/owned.hpp"
#include "vulkan/pipeline_cache.hpp"
#include "vulkan/spirv.hpp"

namespace vknorm::detail {

VkDescriptorType descriptor_type(const Bindings& bindings, uint32_t binding);

struct PipelineLayout {
    OwnedDescriptorSetLayout set;
    OwnedPipelineLayout layout;
    Bindings bindings;
};

struct Pipeline {
    OwnedPipeline pipeline;
    const PipelineLayout* layout;
};

/// Any thread may use it. A pipeline is compiled by one thread: who wants the same one waits, and nobody else
/// does.
class Pipelines {
  public:
    explicit Pipelines(const DeviceState& device) : device_(device) {}

    /// Keeps what the driver compiles in a file, see PipelineCache. To be called before anything is compiled.
    void keep_cache_in(const std::filesystem::path& file) {
        cache_ = std::make_unique<PipelineCache>(device_, file);
    }
    /// Keeps what was compiled so far; no failure is heard of.
    void save_cache() noexcept {
        if (cache_) cache_->save();
    }

    /// Returns the pipeline whose `constants[i]` is constant_id i; `push_bytes` is the size of the push
    /// constant block. The result lives as long as this object, and binds what these constants leave of the
    /// shader. Throws Unsupported where that is more storage buffers than the device has.
    const Pipeline& get(const shaders::Shader& shader, std::span<const uint32_t> constants,
                        uint32_t push_bytes);

  private:
    using Key = std::tuple<const uint32_t*, std::vector<uint32_t>, uint32_t>;  // words, constants, push bytes
    struct Slot {
        std::mutex compiling;
        std::optional<Pipeline> pipeline;
    };

    Slot& slot(const Key& key);
    const PipelineLayout& layout(const Bindings& bindings, uint32_t push_bytes);
    OwnedPipeline create(const char* name, std::span<const uint32_t> words, const PipelineLayout& layout);

    const DeviceState& device_;
    std::unique_ptr<PipelineCache> cache_;  // null: an adopted device may bring its own
    std::mutex mutex_;                      // of the maps; nobody compiles under it
    std::map<std::pair<Bindings, uint32_t>, PipelineLayout> layouts_;
    std::map<Key, Slot> slots_;
};

}  // namespace vknorm::detail
