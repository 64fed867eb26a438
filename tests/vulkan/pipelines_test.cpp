// Pipelines are compiled once, ahead of time where wanted, beside one another, and kept in a file.
#include "vulkan/pipelines.hpp"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

#include <vknorm/batch_norm.hpp>
#include <vknorm/file.hpp>
#include <vknorm/prepare.hpp>

#include "data/file.hpp"
#include "data/hash.hpp"
#include "support/data_files.hpp"
#include "support/device_fixture.hpp"
#include "support/replaced_function.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::testing {
namespace {

namespace fs = std::filesystem;
using detail::Functions;

constexpr uint32_t workgroup[] = {64};

const detail::Pipeline& copy_pipeline(Device& device, std::span<const uint32_t> constants = workgroup) {
    return device.state().pipelines->get(shaders::copy, constants, sizeof(uint32_t));
}

/// The first thread that compiles waits for release().
class HeldCompilation {
  public:
    explicit HeldCompilation(Device& device)
        : original_(std::exchange(real_, device.state().vk.CreateComputePipelines)),
          replaced_(device.state().vk.CreateComputePipelines, create) {
        held_ = true;
        compilations_ = 0;
    }
    ~HeldCompilation() { real_ = original_; }
    void release() { held_ = false; }
    int compilations() const { return compilations_; }
    void wait_for_the_first() const {
        while (compilations_ == 0) std::this_thread::yield();
    }

  private:
    static VKAPI_ATTR VkResult VKAPI_CALL create(VkDevice device, VkPipelineCache cache, uint32_t count,
                                                 const VkComputePipelineCreateInfo* info,
                                                 const VkAllocationCallbacks* callbacks,
                                                 VkPipeline* pipelines) {
        if (++compilations_ == 1)
            while (held_) std::this_thread::yield();
        return real_(device, cache, count, info, callbacks, pipelines);
    }

    static inline PFN_vkCreateComputePipelines real_ = nullptr;
    static inline std::atomic<bool> held_ = false;
    static inline std::atomic<int> compilations_ = 0;
    PFN_vkCreateComputePipelines original_;
    ReplacedFunction<PFN_vkCreateComputePipelines> replaced_;
};

TEST(Pipelines, AreHadWhileOthersCompile) {
    Device device(test_device_options());
    const detail::Pipeline& had = copy_pipeline(device);
    HeldCompilation held(device);
    const uint32_t other[] = {32}, another[] = {16};
    std::thread compiling([&] { copy_pipeline(device, other); });
    held.wait_for_the_first();
    EXPECT_EQ(&copy_pipeline(device), &had);
    copy_pipeline(device, another);
    EXPECT_EQ(held.compilations(), 2);
    held.release();
    compiling.join();
}

TEST(Pipelines, AreCompiledOnceForAllThreads) {
    Device device(test_device_options());
    HeldCompilation held(device);
    const detail::Pipeline *first = nullptr, *second = nullptr;
    std::thread one([&] { first = &copy_pipeline(device); });
    held.wait_for_the_first();
    std::thread two([&] { second = &copy_pipeline(device); });
    held.release();
    one.join();
    two.join();
    EXPECT_EQ(first, second);
    EXPECT_EQ(held.compilations(), 1);
}

TEST(Prepare, CompilesWhatARecordingNeedsAndRecordsNothing) {
    Device device(test_device_options());
    const BatchNorm norm(device, {.shape = {4, 8, 6}});
    const Buffer x(device, 4096, "x"), y(device, 4096, "y"), statistics(device, 4096, "statistics"),
        batches(device, 8, "batches"), scratch(device, norm.scratch_bytes(), "scratch");
    Stream stream(device);
    stream.upload(batches, std::vector<int64_t>{7});
    const auto record = [&](Recorder& recorder) {
        norm.forward_training(recorder, {.x = x,
                                         .y = y,
                                         .mean = statistics,
                                         .inv_std = statistics.view(1024, 1024),
                                         .num_batches_tracked = batches,
                                         .scratch = scratch});
    };
    stream.wait(stream.submit());
    {
        const CountedCalls<&Functions::CmdDispatch> dispatches(device);
        prepare(device, record);
        EXPECT_EQ(dispatches.count(), 0);
    }
    const CountedCalls<&Functions::CreateComputePipelines> compilations(device);
    record(stream.record());
    EXPECT_EQ(compilations.count(), 0);
    EXPECT_EQ(stream.download<int64_t>(batches), std::vector<int64_t>{8});
}

class PipelineCacheFile : public ::testing::Test {
  protected:
    PipelineCacheFile() {
        DeviceOptions options = test_device_options();
        options.pipeline_cache_file = file;
        Device device(options);
        copy_pipeline(device);
    }

    /// How many bytes of the file a driver is given.
    size_t bytes_used() const {
        Device device(test_device_options());
        real_ = device.state().vk.CreatePipelineCache;
        const ReplacedFunction<PFN_vkCreatePipelineCache> replaced(device.state().vk.CreatePipelineCache,
                                                                   note);
        device.state().pipelines->keep_cache_in(file);
        return given_;
    }
    std::vector<std::byte> contents() const { return detail::read_file(file); }
    void refuses() const {
        DeviceOptions options = test_device_options();
        options.pipeline_cache_file = file;
        EXPECT_THROW(Device device(options), fs::filesystem_error);
    }

    test::TemporaryDirectory folder;
    fs::path file = folder.path() / "pipelines";
    static constexpr size_t hash_bytes = sizeof(uint64_t);

  private:
    static VKAPI_ATTR VkResult VKAPI_CALL note(VkDevice device, const VkPipelineCacheCreateInfo* info,
                                               const VkAllocationCallbacks* callbacks,
                                               VkPipelineCache* cache) {
        given_ = info->initialDataSize;
        return real_(device, info, callbacks, cache);
    }
    static inline size_t given_ = 0;
    static inline PFN_vkCreatePipelineCache real_ = nullptr;
};

TEST_F(PipelineCacheFile, IsReadByTheNextDevice) {
    const std::vector<std::byte> first = contents();
    EXPECT_GE(first.size(), hash_bytes + sizeof(VkPipelineCacheHeaderVersionOne));
    EXPECT_EQ(bytes_used(), first.size() - hash_bytes);
    EXPECT_EQ(contents(), first) << "nothing was new";
    EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST_F(PipelineCacheFile, IsIgnoredWhenItIsNotThisDevices) {
    const std::vector<std::byte> good = contents();
    const auto with = [&](std::vector<std::byte> data) {
        write_file(file, data);
        return bytes_used();
    };
    EXPECT_EQ(with({}), 0u);
    EXPECT_EQ(with(std::vector<std::byte>(100'000, std::byte{0x5a})), 0u);
    EXPECT_EQ(with({good.begin(), good.end() - 1}), 0u);
    std::vector<std::byte> flipped = good;
    flipped.back() ^= std::byte{1};
    EXPECT_EQ(with(flipped), 0u);

    // Another driver's, with a right hash.
    std::vector<std::byte> others = good;
    others[hash_bytes + offsetof(VkPipelineCacheHeaderVersionOne, pipelineCacheUUID)] ^= std::byte{1};
    detail::Fnv1a hash;
    for (size_t i = hash_bytes; i < others.size(); ++i) hash.add(static_cast<unsigned char>(others[i]));
    const uint64_t value = hash.value();
    std::memcpy(others.data(), &value, sizeof value);
    EXPECT_EQ(with(others), 0u);
    EXPECT_EQ(contents(), good) << "it was replaced";
}

TEST_F(PipelineCacheFile, IsARegularFile) {
    fs::remove(file);
    ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
    refuses();
    fs::remove(file);
    fs::create_directory(file);
    refuses();
    file /= "missing/file";
    refuses();
}

}  // namespace
}  // namespace vknorm::testing
