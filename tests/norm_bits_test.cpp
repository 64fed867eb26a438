// The bitwise promises of the whole family: run to run, every workgroup size, both layouts, and the
// statistics on every CPU device.
#include <cstdio>
#include <cstring>
#include <gtest/gtest.h>
#include <list>
#include <map>

#include <vknorm/vknorm.hpp>

#include "device_fixture.hpp"
#include "ops/norm_operation.hpp"
#include "safetensors.hpp"

namespace vknorm::testing {
namespace {

using Results = std::map<std::string, std::vector<float>>;

const std::map<Storage, Dtype> dtypes{
    {Storage::float32, Dtype::f32}, {Storage::float16, Dtype::f16}, {Storage::bfloat16, Dtype::bf16}};

/// Tensors of one call on one device; results by name.
class Call {
  public:
    explicit Call(Device& device) : device_(device), stream_(device) {}

    Device& device() { return device_; }
    Recorder& recorder() { return stream_.record(); }
    BufferView in(const std::vector<float>& values, Storage storage = Storage::float32) {
        const Tensor tensor({values.size()}, values, dtypes.at(storage));
        buffers_.emplace_back(device_, tensor.bytes.size(), "input");
        stream_.upload(buffers_.back(), tensor.bytes);
        return buffers_.back();
    }
    BufferView out(const std::string& name, uint64_t count, Storage storage = Storage::float32) {
        buffers_.emplace_back(device_, count * storage_bytes(storage), name);
        wanted_[name] = {buffers_.back(), storage};
        return buffers_.back();
    }
    BufferView scratch(VkDeviceSize bytes) {
        buffers_.emplace_back(device_, bytes, "scratch");
        return buffers_.back();
    }
    Results results() {
        Results results;
        for (const auto& [name, wanted] : wanted_) {
            Tensor tensor;
            tensor.dtype = dtypes.at(wanted.storage);
            tensor.bytes = stream_.download<std::byte>(wanted.view);
            tensor.shape = {wanted.view.bytes / storage_bytes(wanted.storage)};
            results[name] = tensor.floats();
        }
        return results;
    }

  private:
    struct Wanted {
        BufferView view{};
        Storage storage{};
    };

    Device& device_;
    Stream stream_;
    std::list<Buffer> buffers_;
    std::map<std::string, Wanted> wanted_;
};

/// x and dy as [N, C, L], and one value each for C channels.
struct Data {
    Storage storage = Storage::float32;
    uint32_t images = 5, channels = 12, positions = 391;
    std::vector<float> x, dy, gamma, beta;

    explicit Data(std::mt19937_64& random) {
        const size_t count = size_t{images} * channels * positions;
        x = random_floats(random, count, 99, 101);
        dy = random_floats(random, count);
        gamma = random_floats(random, channels);
        beta = random_floats(random, channels);
    }
    std::vector<uint32_t> shape(Layout layout) const {
        if (layout == Layout::channels_last) return {images, positions, channels};
        return {images, channels, positions};
    }
    std::vector<float> as(Layout layout, const std::vector<float>& values) const {
        return layout == Layout::channels_last ? transposed(values, channels, positions) : values;
    }
};

using Run = void (*)(Call& call, const Data& data, Layout layout);

void batch(Call& call, const Data& data, Layout layout) {
    const BatchNorm op(call.device(),
                       {.shape = data.shape(layout), .layout = layout, .storage = data.storage});
    const BufferView x = call.in(data.as(layout, data.x), data.storage), gamma = call.in(data.gamma);
    const BufferView mean = call.out("mean", 2 * data.channels), inv_std = call.out("inv_std", data.channels);
    const BufferView scratch = call.scratch(op.scratch_bytes());
    op.forward_training(call.recorder(), {.x = x,
                                          .y = call.out("y", data.x.size(), data.storage),
                                          .gamma = gamma,
                                          .beta = call.in(data.beta),
                                          .mean = mean,
                                          .inv_std = inv_std,
                                          .scratch = scratch});
    op.backward(call.recorder(), {.x = x,
                                  .dy = call.in(data.as(layout, data.dy), data.storage),
                                  .mean = mean,
                                  .inv_std = inv_std,
                                  .gamma = gamma,
                                  .dx = call.out("dx", data.x.size(), data.storage),
                                  .dgamma = call.out("dgamma", data.channels),
                                  .dbeta = call.out("dbeta", data.channels),
                                  .scratch = scratch});
}

void group_of(Call& call, const Data& data, Layout layout, uint32_t groups) {
    const GroupNorm op(
        call.device(),
        {.shape = data.shape(layout), .layout = layout, .groups = groups, .storage = data.storage});
    const BufferView x = call.in(data.as(layout, data.x), data.storage), gamma = call.in(data.gamma);
    const BufferView mean = call.out("mean", 2 * op.sets()), inv_std = call.out("inv_std", op.sets());
    const BufferView scratch = call.scratch(op.scratch_bytes());
    op.forward(call.recorder(), {.x = x,
                                 .y = call.out("y", data.x.size(), data.storage),
                                 .gamma = gamma,
                                 .beta = call.in(data.beta),
                                 .mean = mean,
                                 .inv_std = inv_std,
                                 .scratch = scratch});
    op.backward(call.recorder(), {.x = x,
                                  .dy = call.in(data.as(layout, data.dy), data.storage),
                                  .mean = mean,
                                  .inv_std = inv_std,
                                  .gamma = gamma,
                                  .dx = call.out("dx", data.x.size(), data.storage),
                                  .dgamma = call.out("dgamma", data.channels),
                                  .dbeta = call.out("dbeta", data.channels),
                                  .scratch = scratch});
}

void group(Call& call, const Data& data, Layout layout) {
    group_of(call, data, layout, 3);
}

void instance(Call& call, const Data& data, Layout layout) {
    group_of(call, data, layout, data.channels);
}

/// Over the positions of every channel: rows of (N, C, L).
void layer(Call& call, const Data& data, Layout) {
    const LayerNorm op(call.device(),
                       {.shape = {data.images, data.channels, data.positions}, .storage = data.storage});
    const std::vector<float> parameters(data.x.begin(), data.x.begin() + data.positions);
    const BufferView x = call.in(data.x, data.storage), gamma = call.in(parameters);
    const BufferView mean = call.out("mean", 2 * op.rows()), inv_std = call.out("inv_std", op.rows());
    const BufferView scratch = call.scratch(op.scratch_bytes());
    op.forward(call.recorder(), {.x = x,
                                 .y = call.out("y", data.x.size(), data.storage),
                                 .gamma = gamma,
                                 .beta = gamma,
                                 .mean = mean,
                                 .inv_std = inv_std,
                                 .scratch = scratch});
    op.backward(call.recorder(), {.x = x,
                                  .dy = call.in(data.dy, data.storage),
                                  .mean = mean,
                                  .inv_std = inv_std,
                                  .gamma = gamma,
                                  .dx = call.out("dx", data.x.size(), data.storage),
                                  .dgamma = call.out("dgamma", data.positions),
                                  .dbeta = call.out("dbeta", data.positions),
                                  .scratch = scratch});
}

void rms(Call& call, const Data& data, Layout) {
    const RmsNorm op(call.device(),
                     {.shape = {data.images, data.channels, data.positions}, .storage = data.storage});
    const BufferView x = call.in(data.x, data.storage), inv_rms = call.out("inv_rms", op.rows());
    const BufferView scratch = call.scratch(op.scratch_bytes());
    op.forward(
        call.recorder(),
        {.x = x, .y = call.out("y", data.x.size(), data.storage), .inv_rms = inv_rms, .scratch = scratch});
    op.backward(call.recorder(), {.x = x,
                                  .dy = call.in(data.dy, data.storage),
                                  .inv_rms = inv_rms,
                                  .dx = call.out("dx", data.x.size(), data.storage),
                                  .dgamma = call.out("dgamma", data.positions),
                                  .scratch = scratch});
}

const std::vector<std::pair<const char*, Run>> operations{{"batch_norm", batch},
                                                          {"group_norm", group},
                                                          {"instance_norm", instance},
                                                          {"layer_norm", layer},
                                                          {"rms_norm", rms}};

Results run(Device& device, Run operation, const Data& data, Layout layout = Layout::channels_first) {
    Call call(device);
    operation(call, data, layout);
    return call.results();
}

/// What the device can store.
std::vector<Storage> storages() {
    if (!test_device().capabilities().storage_16_bit) return {Storage::float32};
    return {Storage::float32, Storage::float16, Storage::bfloat16};
}

void expect_same_bits(const Results& a, const Results& b) {
    for (const auto& [name, values] : a) {
        SCOPED_TRACE(name);
        ASSERT_EQ(values.size(), b.at(name).size());
        EXPECT_EQ(std::memcmp(values.data(), b.at(name).data(), values.size() * sizeof(float)), 0);
    }
}

/// The passes of batch normalization with workgroups of `size` in walks.
Results passes(const Data& data, uint32_t size) {
    using namespace detail;
    Call call(test_device());
    PlanLimits limits = limits_of(test_device());
    limits.workgroup = size;
    const NormPlan plan = plan_norm(
        "batch_norm", batch_extent("batch_norm", data.shape(Layout::channels_first), false), 4, limits);
    const BufferView x = call.in(data.x), dy = call.in(data.dy), gamma = call.in(data.gamma);
    const BufferView mean = call.out("mean", 2 * data.channels), inv_std = call.out("inv_std", data.channels);
    const BufferView partials = call.scratch(plan.partial_bytes()),
                     means = call.out("means", 2 * data.channels);
    const detail::Statistics statistics{.mean = mean, .deviation = inv_std};
    Recorder& recorder = call.recorder();
    record(recorder, plan, {}, StatisticsPass{.x = x, .partials = partials});
    record(recorder, plan,
           FinalizePass{.from = partials_of_sets(plan, 1, partials), .mean = mean, .inv_std = inv_std});
    record(
        recorder, plan, {},
        ApplyPass{
            .x = x, .y = call.out("y", data.x.size()), .affine = {gamma, gamma}, .statistics = statistics});
    record(recorder, plan, {},
           BackwardSumsPass{.x = x, .dy = dy, .statistics = statistics, .partials = partials});
    record(recorder, plan,
           BackwardFinalizePass{
               .from = partials_of_sets(plan, 1, partials), .means = means, .values = {.known = 1955}});
    record(recorder, plan, {},
           BackwardApplyPass{.x = x,
                             .dy = dy,
                             .dx = call.out("dx", data.x.size()),
                             .affine = {.gamma = gamma},
                             .statistics = statistics,
                             .means = means});
    return call.results();
}

TEST(NormBits, EveryWorkgroupSize) {
    std::mt19937_64 random = random_generator();
    const Data data(random);
    const Results usual = passes(data, 128);
    for (const uint32_t size : {8u, 32u, 96u}) expect_same_bits(usual, passes(data, size));
}

TEST(NormBits, RunToRunAndWithFewWorkgroups) {
    std::mt19937_64 random = random_generator();
    const Data data(random);
    DeviceOptions options = test_device_options();
    options.clamp = [clamp = options.clamp](Capabilities& capabilities) {
        if (clamp) clamp(capabilities);
        capabilities.max_workgroups = 3;
    };
    Device few(options);
    for (const auto& [name, operation] : operations) {
        SCOPED_TRACE(name);
        const Results usual = run(test_device(), operation, data);
        expect_same_bits(usual, run(test_device(), operation, data));
        expect_same_bits(usual, run(few, operation, data));
    }
}

// In slices the strands are cut where the bindings end, which the layouts do at different places.
TEST(NormBits, BothLayouts) {
    if (mode().small_limits) GTEST_SKIP() << "needs tensors that fit a binding";
    std::mt19937_64 random = random_generator();
    Data data(random);
    for (const Storage storage : storages()) {
        data.storage = storage;
        for (const auto& [name, operation] : operations) {
            if (operation == layer || operation == rms) continue;  // have no layouts
            SCOPED_TRACE(name);
            const Results first = run(test_device(), operation, data);
            Results last = run(test_device(), operation, data, Layout::channels_last);
            for (const char* tensor : {"y", "dx"})
                last[tensor] = transposed(last[tensor], data.positions, data.channels);
            expect_same_bits(first, last);
        }
    }
}

// As texels where the device gains by it, else in storage buffers: there the caller's tensors always are.
TEST(NormBits, HoweverBlocksAreReached) {
    DeviceOptions options = test_device_options();
    options.clamp = [clamp = options.clamp](Capabilities& capabilities) {
        if (clamp) clamp(capabilities);
        capabilities.texel_blocks = false;
    };
    Device without(options);
    std::mt19937_64 random = random_generator();
    Data data(random);
    const auto compare = [&](auto operation, uint32_t images, uint32_t positions) {
        data.images = images;
        data.positions = positions;
        const size_t count = size_t{images} * data.channels * positions;
        data.x = random_floats(random, count, 99, 101);
        data.dy = random_floats(random, count);
        for (const Storage storage : storages()) {
            data.storage = storage;
            expect_same_bits(run(test_device(), operation, data), run(without, operation, data));
        }
    };
    compare(batch, 5, 388);
    compare(batch, 1000, 1);
    compare(layer, 5, 388);
}

// Additions, multiplications and divisions only: what drivers on CPUs round alike.
TEST(NormBits, MeanAndSquaresAreThoseOfEveryCpuDevice) {
    std::vector<DeviceInfo> devices = enumerate_devices();
    std::erase_if(devices, [](const DeviceInfo& device) {
        return device.type != VK_PHYSICAL_DEVICE_TYPE_CPU || !device.rejected.empty();
    });
    if (devices.size() < 2) GTEST_SKIP() << "needs two CPU devices";
    std::mt19937_64 random = random_generator();
    const Data data(random);
    std::vector<Results> results;
    for (const DeviceInfo& info : devices) {
        DeviceOptions options = test_device_options();
        options.select = info.uuid_text();
        Device device(options);
        Call call(device);
        const BatchNormStages op(device, {.shape = data.shape(Layout::channels_first)});
        op.measure(call.recorder(), {.x = call.in(data.x),
                                     .moments = call.out("moments", 4 * data.channels),
                                     .scratch = call.scratch(op.scratch_bytes())});
        results.push_back(call.results());
    }
    for (size_t i = 1; i < devices.size(); ++i) {
        std::printf("count, mean and squares: %s and %s\n", devices[0].name.c_str(), devices[i].name.c_str());
        expect_same_bits(results[0], results[i]);
    }
}

}  // namespace
}  // namespace vknorm::testing
