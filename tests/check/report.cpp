#include "check/report.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <stdexcept>

#include <vknorm/batch_norm_stages.hpp>

#include "data/hash.hpp"
#include "vulkan/device_state.hpp"

namespace vknorm::check {

namespace {

VkDeviceSize local_memory(const Device& device) {
    VkPhysicalDeviceMemoryProperties2 memory = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2};
    const detail::DeviceState& state = device.state();
    state.vk.GetPhysicalDeviceMemoryProperties2(state.physical_device, &memory);
    VkDeviceSize bytes = 0;
    for (uint32_t heap = 0; heap < memory.memoryProperties.memoryHeapCount; ++heap)
        if (memory.memoryProperties.memoryHeaps[heap].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT)
            bytes += memory.memoryProperties.memoryHeaps[heap].size;
    return bytes;
}

class Reporter {
  public:
    Reporter(Device& device, const ReportOptions& options)
        : device_(device),
          options_(options),
          report_{.device = device.info(),
                  .capabilities = device.capabilities(),
                  .memory_bytes = local_memory(device),
                  .tuning = device.tuning().text(),
                  .rounds = options.rounds} {}

    Report report() {
        for (size_t i = 0; i < options_.cases.size(); ++i) {
            options_.progress("call " + std::to_string(i + 1) + " of " +
                              std::to_string(options_.cases.size()));
            const Request& request = options_.cases[i].request;
            attempt(request.text, [&] { run_twice(request); });
        }
        report_.bits.results = results_.value();
        attempt("moments", [&] { hash_moments(); });
        measure();
        return std::move(report_);
    }

  private:
    /// What `work` throws is a failure, which leaves the rest to be tried, unless the device is lost.
    template <class Work>
    void attempt(const std::string& what, Work work) {
        if (device_.lost()) return;
        try {
            work();
        } catch (const std::exception& error) {
            report_.failures.push_back(what + ": " + error.what());
            if (device_.lost()) report_.failures.emplace_back("the device is lost: the rest was left out");
        }
    }

    void run_twice(const Request& request) {
        const Call call = generate(request);
        const std::optional<Outcome> outcome = check(device_, call, report_.operations);
        if (!outcome) return;
        for (const std::string& failure : outcome->failures)
            report_.failures.push_back(request.text + ": " + failure);
        bool same = true;
        const HostTensors again = run(device_, call);
        for (const auto& [name, tensor] : outcome->results) {
            for (const std::byte byte : tensor.bytes) results_.add(std::to_integer<uint64_t>(byte));
            same = same && again.at(name).bytes == tensor.bytes;
        }
        ++report_.bits.calls;
        if (same) return;
        ++report_.bits.calls_changed;
        report_.failures.push_back(request.text + ": gave other bits when it ran again");
    }

    void hash_moments() {
        detail::Fnv1a hash;
        // Blocks of positions, lone positions, and blocks of channels.
        for (const char* shape : {"4x13x40x36", "33x13x7x7", "1030x20"}) {
            const Call call = generate(parse_request(
                std::string("--op batch_norm_stages --mode training --mean 100 --shape ") + shape));
            const std::vector<float> values = call.floats("x");
            const TensorShape lengths = call.shape();
            const BatchNormStages stages(device_, {.shape = {lengths.begin(), lengths.end()}});
            const Buffer x(device_, values.size() * sizeof(float), "x"),
                moments(device_, stages.channels() * sizeof(ChannelMoments), "moments"),
                scratch(device_, stages.scratch_bytes(), "scratch");
            Stream stream(device_);
            stream.upload(x, values);
            stages.measure(stream.record(), {.x = x, .moments = moments, .scratch = scratch});
            for (const ChannelMoments& each : stream.download<ChannelMoments>(moments)) {
                hash.add(each.count);
                for (const float value : {each.mean, each.mean_lost, each.squares})
                    hash.add(std::bit_cast<uint32_t>(value));
            }
        }
        report_.bits.moments = hash.value();
    }

    /// As attempt(), but for want of memory, which is no failure.
    template <class Work>
    void attempt_to_measure(const std::string& what, Work work) {
        options_.progress(what);
        attempt(what, [&] {
            try {
                work();
            } catch (const Error& error) {
                const bool full = error.result() == VK_ERROR_OUT_OF_DEVICE_MEMORY ||
                                  error.result() == VK_ERROR_OUT_OF_HOST_MEMORY;
                if (!full) throw;
                report_.unmeasured.push_back(what + ": " + error.what());
            }
        });
    }

    void measure() {
        const auto& shapes = options_.shapes;
        if (shapes.empty()) return;
        std::optional<bench::Pool> pool;
        attempt_to_measure("tensors for the speed", [&] {
            const bench::Case& largest = *std::ranges::max_element(shapes, {}, &bench::Case::tensor_bytes);
            pool.emplace(device_, largest.tensor_bytes(), options_.resident, false, Storage::float32);
        });
        if (!pool) return;
        for (const bench::Case& shape : shapes)
            attempt_to_measure("speed of " + shape.text(), [&] {
                report_.speeds.push_back(bench::run(device_, shape, *pool, {}, options_.rounds));
            });
    }

    Device& device_;
    const ReportOptions& options_;
    Report report_;
    detail::Fnv1a results_;
};

}  // namespace

std::vector<bench::Case> report_shapes() {
    return {{.operation = "batch_norm", .shape = {32, 64, 56, 56}},
            {.operation = "batch_norm", .shape = {32, 512, 7, 7}},
            {.operation = "batch_norm", .shape = {4096, 1024}},
            {.operation = "batch_norm", .shape = {128, 256}},
            {.operation = "layer_norm", .shape = {8, 512, 768}}};
}

Report make_report(Device& device, const ReportOptions& options) {
    return Reporter(device, options).report();
}

}  // namespace vknorm::check
