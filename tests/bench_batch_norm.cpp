#include "bench_batch_norm.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>

#include "reference/batch_norm.hpp"
#include "shaders/embedded.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::bench {

namespace {

constexpr size_t rotation_bytes = 256u << 20;  // more than any last-level cache
constexpr size_t verified_values = 1u << 20;

std::vector<float> random_values(size_t count, uint32_t seed) {
    std::minstd_rand generator(seed);
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(generator() % 4096) / 1024 - 1.5f;
    return values;
}

/// Tensors of one shape: x and dy in, `out` for y, dx or the copy.
struct Tensors {
    Buffer x, dy, out;

    Tensors(Device& device, VkDeviceSize bytes)
        : x(device, bytes, "x"), dy(device, bytes, "dy"), out(device, bytes, "out") {}
};

class Bench {
  public:
    Bench(Device& device, const BenchOptions& options)
        : device_(device),
          options_(options),
          op_(device, {.shape = options.shape, .layout = options.layout}),
          bytes_(op_.elements() * sizeof(float)),
          x_(random_values(op_.elements(), 1)),
          dy_(random_values(op_.elements(), 2)),
          channel_values_(random_values(op_.channels(), 3)),
          parameters_(device, 9 * stride(), "parameters"),
          scratch_(device, op_.scratch_bytes(), "scratch") {
        const size_t sets = options.resident ? 1 : std::clamp<size_t>(rotation_bytes / (3 * bytes_), 1, 32);
        Stream stream(device);
        for (size_t i = 0; i < sets; ++i) {
            tensors_.push_back(std::make_unique<Tensors>(device, bytes_));
            stream.upload(tensors_.back()->x, x_);
            stream.upload(tensors_.back()->dy, dy_);
        }
        std::vector<float> positive = channel_values_;
        for (float& value : positive) value += 2;
        stream.upload(part(gamma), channel_values_);
        stream.upload(part(running_mean), channel_values_);
        stream.upload(part(running_var), positive);
        stream.wait(stream.submit());
    }

    void verify();
    std::vector<Row> run();

  private:
    enum Part { gamma, mean, mean_low, inv_std, running_mean, running_var, dgamma, dbeta, parts };

    VkDeviceSize stride() const { return op_.channels() * sizeof(float); }
    BufferView part(Part index, VkDeviceSize count = 1) {
        return parameters_.view(index * stride(), count * stride());
    }
    Tensors& tensors(size_t round) { return *tensors_[round % tensors_.size()]; }

    void forward(Recorder& recorder, size_t round) {
        op_.forward_training(recorder, {.x = tensors(round).x,
                                        .y = tensors(round).out,
                                        .gamma = part(gamma),
                                        .beta = part(gamma),
                                        .mean = part(mean, 2),
                                        .inv_std = part(inv_std),
                                        .scratch = scratch_});
    }
    void inference(Recorder& recorder, size_t round) {
        op_.forward_inference(recorder, {.x = tensors(round).x,
                                         .y = tensors(round).out,
                                         .gamma = part(gamma),
                                         .beta = part(gamma),
                                         .running_mean = part(running_mean),
                                         .running_var = part(running_var)});
    }
    void backward(Recorder& recorder, size_t round) {
        op_.backward(recorder, {.x = tensors(round).x,
                                .dy = tensors(round).dy,
                                .mean = part(mean, 2),
                                .inv_std = part(inv_std),
                                .gamma = part(gamma),
                                .dx = tensors(round).out,
                                .dgamma = part(dgamma),
                                .dbeta = part(dbeta),
                                .scratch = scratch_});
    }
    void copy_kernel(Recorder& recorder, size_t round) {
        const uint64_t vectors = bytes_ / 16;
        const Capabilities& capabilities = device_.capabilities();
        const uint32_t workgroup = 128;
        for (uint64_t first = 0; first < vectors; first += capabilities.max_storage_buffer_range / 16) {
            const uint64_t count =
                std::min<uint64_t>(vectors - first, capabilities.max_storage_buffer_range / 16);
            const auto groups = static_cast<uint32_t>(std::min<uint64_t>(
                (count + workgroup - 1) / workgroup, std::min(capabilities.max_workgroups, 256u)));
            detail::dispatch(recorder, {shaders::copy, std::span(&workgroup, 1)},
                             {detail::read(tensors(round).x.view(first * 16, count * 16)),
                              detail::write(tensors(round).out.view(first * 16, count * 16))},
                             static_cast<uint32_t>(count), {.x = groups});
        }
    }

    std::vector<float> download_out() {
        Stream stream(device_);
        return stream.download<float>(tensors(0).out);
    }
    std::vector<float> run_once(void (Bench::*operation)(Recorder&, size_t)) {
        Stream stream(device_);
        (this->*operation)(stream.record(), 0);
        stream.wait(stream.submit());
        return download_out();
    }

    Device& device_;
    BenchOptions options_;
    BatchNorm op_;
    VkDeviceSize bytes_;
    std::vector<float> x_, dy_, channel_values_;
    Buffer parameters_, scratch_;
    std::vector<std::unique_ptr<Tensors>> tensors_;
};

/// The first channels of a tensor, as a tensor of their own.
std::vector<float> first_channels(const reference::Geometry& geometry, size_t channels,
                                  const std::vector<float>& values) {
    reference::Geometry part = geometry;
    part.channels = channels;
    std::vector<float> result(part.elements());
    for (size_t n = 0; n < geometry.images; ++n) {
        for (size_t c = 0; c < channels; ++c) {
            for (size_t s = 0; s < geometry.positions; ++s)
                result[part.at(n, c, s)] = values[geometry.at(n, c, s)];
        }
    }
    return result;
}

void require_near(const char* what, const std::vector<float>& got, const reference::Values& expected,
                  double share) {
    double largest = 0, error = 0;
    for (size_t i = 0; i < got.size(); ++i) {
        largest = std::max(largest, std::abs(expected[i]));
        const double off = std::abs(got[i] - expected[i]);
        error = off <= error ? error : off;
    }
    if (error <= share * largest) return;
    throw std::runtime_error(std::string(what) + " is wrong by " + std::to_string(error) + " of " +
                             std::to_string(largest));
}

void Bench::verify() {
    const reference::Geometry whole(options_.shape, options_.layout);
    const size_t channels =
        std::clamp<size_t>(verified_values / whole.values_per_channel(), 1, whole.channels);
    reference::Geometry geometry = whole;
    geometry.channels = channels;
    const auto part_of = [&](const std::vector<float>& values) {
        return first_channels(whole, channels, values);
    };
    const std::vector<float> x = part_of(x_), dy = part_of(dy_);
    const reference::Moments batch = reference::moments(geometry, x);
    const reference::Values scale = reference::inv_std(geometry, batch.variance, 1e-5f);
    const std::span<const float> weight(channel_values_);
    require_near("y of training", part_of(run_once(&Bench::forward)),
                 reference::normalize(geometry, x, batch.mean, scale, weight, weight), 1e-6);
    require_near("dx", part_of(run_once(&Bench::backward)),
                 reference::backward(geometry, x, dy, batch.mean, scale, weight).dx, 5e-6);
    const reference::Values running(weight.begin(), weight.end());
    reference::Values positive = running;
    for (double& value : positive) value += 2;
    require_near("y of inference", part_of(run_once(&Bench::inference)),
                 reference::normalize(geometry, x, running, reference::inv_std(geometry, positive, 1e-5f),
                                      weight, weight),
                 1e-6);
}

std::vector<Row> Bench::run() {
    struct Entry {
        const char *operation, *direction;
        double bytes_per_element;
        Contestant contestant;
    };
    const auto on_device = [this](void (Bench::*operation)(Recorder&, size_t)) {
        return Contestant{.record = [this, operation](Recorder& recorder, size_t round) {
            (this->*operation)(recorder, round);
        }};
    };
    std::vector<Entry> entries{
        {"copy", "kernel", 8, on_device(&Bench::copy_kernel)},
        {"copy",
         "command",
         8,
         {.record = [this](Recorder& recorder,
                           size_t round) { detail::copy(recorder, tensors(round).x, tensors(round).out); }}},
        {"batch_norm", "inference", 8, on_device(&Bench::inference)},
        {"batch_norm", "forward", 12, on_device(&Bench::forward)},
        {"batch_norm", "backward", 20, on_device(&Bench::backward)},
    };
    // Two more copies of the tensor on the host, as far apart as the device's.
    std::vector<float> sources, targets;
    if (device_.info().type == VK_PHYSICAL_DEVICE_TYPE_CPU) {
        const size_t sets = tensors_.size();
        sources.resize(x_.size() * sets, 1);
        targets.resize(x_.size() * sets, 1);
        entries.push_back({"copy", "memcpy", 8, {.run = [&, sets](size_t round) {
                               const size_t first = round % sets * x_.size();
                               copy_in_parallel(targets.data() + first, sources.data() + first, bytes_);
                           }}});
    }
    std::vector<Contestant> contestants;
    for (const Entry& entry : entries) contestants.push_back(entry.contestant);
    const std::vector<Times> times = race(device_, contestants, options_.rounds);

    const auto gbps = [&](size_t i) {
        return entries[i].bytes_per_element * static_cast<double>(op_.elements()) / times[i].median_ms * 1e-6;
    };
    const std::string explanation = op_.explain();
    std::vector<Row> rows;
    for (size_t i = 0; i < entries.size(); ++i) {
        const bool copies = entries[i].operation == std::string("copy");
        rows.push_back(
            {.operation = entries[i].operation,
             .direction = entries[i].direction,
             .shape = options_.shape,
             .layout = options_.layout == Layout::channels_first ? "channels_first" : "channels_last",
             .type = "float32",
             .plan = copies ? "" : explanation.substr(0, explanation.find('\n')),
             .times = times[i],
             .gbps = gbps(i),
             .copy_ratio = gbps(i) / gbps(0)});
    }
    return rows;
}

}  // namespace

std::vector<Row> bench_batch_norm(Device& device, const BenchOptions& options) {
    Bench bench(device, options);
    bench.verify();
    return bench.run();
}

}  // namespace vknorm::bench
