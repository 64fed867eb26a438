// The bitwise promises of the whole family: run to run, every tuning, both layouts, and the statistics on
// every CPU device.
#include <cstdio>
#include <cstring>
#include <gtest/gtest.h>
#include <list>
#include <map>

#include <vknorm/vknorm.hpp>

#include "ops/norm/options.hpp"
#include "ops/norm/tune.hpp"
#include "support/device_fixture.hpp"
#include "vulkan/device_state.hpp"

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
        const HostTensor tensor({values.size()}, values, dtypes.at(storage));
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
            HostTensor tensor;
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

struct Lengths {
    uint32_t images = 5, channels = 12, positions = 391;
};

/// x and dy as [N, C, L], and one value each for C channels.
struct Data : Lengths {
    Storage storage = Storage::float32;
    std::vector<float> x, dy, gamma, beta;

    explicit Data(std::mt19937_64& random, const Lengths& lengths = {}) : Lengths(lengths) {
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

/// With all that may be fused: training, its gradients, inference.
void fused(Call& call, const Data& data, Layout layout) {
    const BatchNorm op(call.device(), {.shape = data.shape(layout), .layout = layout});
    const BufferView x = call.in(data.as(layout, data.x)), residual = call.in(data.as(layout, data.dy));
    const BufferView gamma = call.in(data.gamma), beta = call.in(data.beta);
    const BufferView mean = call.out("mean", 2 * data.channels), inv_std = call.out("inv_std", data.channels);
    const BufferView mask = call.out("mask", op.relu_mask_bytes() / sizeof(float));
    const BufferView scratch = call.scratch(op.scratch_bytes());
    op.forward_training(call.recorder(), {.x = x,
                                          .y = call.out("y", data.x.size()),
                                          .gamma = gamma,
                                          .beta = beta,
                                          .mean = mean,
                                          .inv_std = inv_std,
                                          .residual = residual,
                                          .relu = true,
                                          .relu_mask = mask,
                                          .scratch = scratch});
    op.backward(call.recorder(), {.x = x,
                                  .dy = residual,
                                  .mean = mean,
                                  .inv_std = inv_std,
                                  .gamma = gamma,
                                  .dx = call.out("dx", data.x.size()),
                                  .dgamma = call.out("dgamma", data.channels),
                                  .dbeta = call.out("dbeta", data.channels),
                                  .relu = true,
                                  .relu_mask = mask,
                                  .dresidual = call.out("dresidual", data.x.size()),
                                  .scratch = scratch});
    op.backward(call.recorder(), {.x = x,
                                  .dy = residual,
                                  .mean = mean,
                                  .inv_std = inv_std,
                                  .gamma = gamma,
                                  .dx = call.out("dx without a mask", data.x.size()),
                                  .relu = true,
                                  .beta = beta,
                                  .scratch = scratch});
    op.forward_inference(call.recorder(), {.x = x,
                                           .y = call.out("inference", data.x.size()),
                                           .gamma = gamma,
                                           .beta = beta,
                                           .running_mean = gamma,
                                           .running_var = residual,
                                           .residual = residual,
                                           .relu = true});
}

/// With values that do not count, a residual, and a ReLU whose mask is written and read.
void masked(Call& call, const Data& data, Layout layout) {
    const BatchNorm op(call.device(),
                       {.shape = data.shape(layout), .layout = layout, .storage = data.storage});
    std::vector<float> words(size_t{data.images} * data.positions);
    for (size_t i = 0; i < words.size(); ++i) words[i] = i % 3 == 0 ? 0 : 1;  // all bits but those of 0 count
    const BufferView x = call.in(data.as(layout, data.x), data.storage), gamma = call.in(data.gamma);
    const BufferView dy = call.in(data.as(layout, data.dy), data.storage), valid = call.in(words);
    const BufferView mean = call.out("mean", 2 * data.channels), inv_std = call.out("inv_std", data.channels);
    const BufferView scratch = call.scratch(op.scratch_bytes()), count = call.out("count", 1);
    const BufferView mask = call.out("mask", op.relu_mask_bytes() / sizeof(float));
    op.forward_training(call.recorder(), {.x = x,
                                          .y = call.out("y", data.x.size(), data.storage),
                                          .gamma = gamma,
                                          .mean = mean,
                                          .inv_std = inv_std,
                                          .residual = dy,
                                          .relu = true,
                                          .relu_mask = mask,
                                          .valid = valid,
                                          .count = count,
                                          .scratch = scratch});
    op.backward(call.recorder(), {.x = x,
                                  .dy = dy,
                                  .mean = mean,
                                  .inv_std = inv_std,
                                  .gamma = gamma,
                                  .dx = call.out("dx", data.x.size(), data.storage),
                                  .dgamma = call.out("dgamma", data.channels),
                                  .dbeta = call.out("dbeta", data.channels),
                                  .relu = true,
                                  .relu_mask = mask,
                                  .dresidual = call.out("dresidual", data.x.size(), data.storage),
                                  .valid = valid,
                                  .count = count,
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

const std::vector<std::pair<const char*, Run>> operations{
    {"batch_norm", batch},       {"masked batch_norm", masked}, {"group_norm", group},
    {"instance_norm", instance}, {"layer_norm", layer},         {"rms_norm", rms}};

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

/// All of `member` of a tuning that are measured for each of some.
std::vector<Tuning> with_variants(const Device& device, const std::vector<Tuning>& tunings, size_t member) {
    std::vector<Tuning> all;
    for (const Tuning& tuning : tunings)
        for (const Tuning& variant : detail::variants(device, tuning, member)) all.push_back(variant);
    return all;
}

/// How much one dispatch does: nothing, or whatever it can.
void fuse(Tuning& tuning, bool all) {
    tuning.fused_rows = all ? 1024 : 0;
    tuning.fused_elements = all ? 1u << 30 : 0;
    tuning.fused_row = all ? 1u << 30 : 0;
}

/// Those of every other member that are measured, with the ways to load and store dealt out to them.
std::vector<Tuning> every_tuning(const Device& device) {
    const std::vector<Tuning> accesses =
        with_variants(device, detail::variants(device, device.tuning(), 0), 1);
    std::vector<Tuning> tunings;
    for (size_t member = 2; member < detail::tuning_members; ++member) {
        for (Tuning tuning : detail::variants(device, device.tuning(), member)) {
            const size_t turn = tunings.size();
            tuning.loads = accesses[turn % accesses.size()].loads;
            tuning.stores = accesses[turn % accesses.size()].stores;
            fuse(tuning, turn / accesses.size() % 2 == 0);
            tunings.push_back(tuning);
        }
    }
    return tunings;
}

// Shapes for every walk: across the images and along rows, with blocks that are whole and that are not, and
// what one dispatch can do.
TEST(NormBits, EveryTuning) {
    std::mt19937_64 random = random_generator();
    std::vector<Data> all{Data(random), Data(random, {9, 12, 200}), Data(random, {2, 12, 400}),
                          Data(random, {3, 6, 411}), Data(random, {130, 24, 1})};
    Device device(test_device_options());
    const Tuning usual = device.tuning();
    std::vector<Tuning> others = with_variants(device, detail::variants(device, usual, 0), 1);
    for (const bool fused : {false, true}) fuse(others.emplace_back(usual), fused);
    const auto compare = [&](const Data& data, auto operation, const std::vector<Tuning>& tunings) {
        device.state().tuning = usual;
        const Results expected = run(device, operation, data);
        for (const Tuning& tuning : tunings) {
            SCOPED_TRACE(tuning.text());
            device.state().tuning = tuning;
            expect_same_bits(expected, run(device, operation, data));
        }
    };
    for (Data& data : all) {
        SCOPED_TRACE(std::to_string(data.positions) + " positions");
        compare(data, fused, every_tuning(device));
        if (data.positions == 400) continue;  // its walks are those of others
        for (const auto& [name, operation] : operations) {
            SCOPED_TRACE(name);
            for (const Storage storage : storages()) {
                if (storage != Storage::float32 && operation != batch && operation != layer) continue;
                data.storage = storage;
                compare(data, operation, others);
            }
        }
    }
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
            for (const char* tensor : {"y", "dx", "dresidual"}) {
                if (!last.contains(tensor)) continue;
                last[tensor] = transposed(last[tensor], data.positions, data.channels);
            }
            expect_same_bits(first, last);
        }
    }
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
