#include "gpu/plan_table.hpp"

#include <functional>
#include <ostream>

#include <vknorm/vknorm.hpp>

#include "gpu/wrapper_driver.hpp"

namespace vknorm::testing {

namespace {

using Shape = std::vector<uint32_t>;

struct Work {
    const char* name;
    std::function<void(Device&, Recorder&)> record;
};

/// Memory that lasts as long as the device compiles.
class Memory {
  public:
    explicit Memory(Device& device) : device_(device) {}
    BufferView operator()(uint64_t floats) {
        return buffers_.emplace_back(device_, floats * sizeof(float), "tensor");
    }

  private:
    Device& device_;
    std::vector<Buffer> buffers_;
};

void train_batch_norm(Device& device, Recorder& recorder, const Shape& shape) {
    uint64_t elements = 1;
    for (const uint32_t length : shape) elements *= length;
    const uint32_t channels = shape[1];
    Memory memory(device);
    const BatchNorm norm(device, {.shape = shape});
    const BufferView x = memory(elements), mean = memory(2 * channels), inv_std = memory(channels),
                     gamma = memory(channels), scratch = memory(norm.scratch_bytes() / sizeof(float) + 1);
    norm.forward_training(recorder, {.x = x,
                                     .y = memory(elements),
                                     .gamma = gamma,
                                     .beta = memory(channels),
                                     .mean = mean,
                                     .inv_std = inv_std,
                                     .scratch = scratch});
    norm.backward(recorder, {.x = x,
                             .dy = memory(elements),
                             .mean = mean,
                             .inv_std = inv_std,
                             .gamma = gamma,
                             .dx = memory(elements),
                             .dgamma = memory(channels),
                             .dbeta = memory(channels),
                             .scratch = scratch});
}

void train_linear(Device& device, Recorder& recorder, uint32_t rows, uint32_t inputs, uint32_t outputs) {
    Memory memory(device);
    const Linear linear(device, {.rows = rows, .inputs = inputs, .outputs = outputs});
    const BufferView x = memory(rows * inputs), weight = memory(inputs * outputs);
    linear.forward(recorder,
                   {.x = x, .weight = weight, .bias = memory(outputs), .y = memory(rows * outputs)});
    linear.backward(recorder, {.x = x,
                               .dy = memory(rows * outputs),
                               .weight = weight,
                               .dx = memory(rows * inputs),
                               .dweight = memory(inputs * outputs),
                               .dbias = memory(outputs)});
}

const Work works[] = {
    {"batch_norm 32 x 64 x 56 x 56",
     [](Device& d, Recorder& r) {
         train_batch_norm(d, r, {32, 64, 56, 56});
     }},
    {"batch_norm 32 x 512 x 7 x 7",
     [](Device& d, Recorder& r) {
         train_batch_norm(d, r, {32, 512, 7, 7});
     }},
    {"batch_norm 4096 x 1024",
     [](Device& d, Recorder& r) {
         train_batch_norm(d, r, {4096, 1024});
     }},
    {"linear 128 x 784 to 256", [](Device& d, Recorder& r) { train_linear(d, r, 128, 784, 256); }},
};

/// What AMD's compiler and what Intel's tells: "24 / 32" of VGPRs and subgroups, or of lanes and
/// instructions.
std::string cost_of(const wrapper::CompiledPipeline& pipeline) {
    std::string text;
    const auto add = [&](const char* statistic) {
        const auto found = pipeline.statistics.find(statistic);
        if (found == pipeline.statistics.end()) return;
        text += (text.empty() ? "" : " / ") + std::to_string(static_cast<uint64_t>(found->second));
    };
    add("VGPRs");
    add("Subgroups per SIMD");
    if (text.empty()) {
        add("Subgroup size");
        add("Instruction Count");
    }
    return text;
}

}  // namespace

void print_plans(std::ostream& out) {
    for (const Work& work : works) {
        Device device;
        wrapper::take_compiled();
        prepare(device, [&](Recorder& recorder) { work.record(device, recorder); });
        for (const wrapper::CompiledPipeline& pipeline : wrapper::take_compiled())
            out << device.info().name << '\t' << work.name << '\t' << pipeline.name << '\t'
                << cost_of(pipeline) << '\n';
    }
}

}  // namespace vknorm::testing
