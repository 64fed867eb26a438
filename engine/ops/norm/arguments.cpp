#include "ops/norm/arguments.hpp"

#include "ops/sizes.hpp"

namespace vknorm::detail {

void check_running(Arguments& check, const BatchNormConvention& convention, bool guard,
                   uint64_t channel_bytes, const RunningBuffers& running) {
    const bool updates = running.mean || running.var;
    if (updates) {
        check.output("running_mean", running.mean, channel_bytes);
        check.output("running_var", running.var, channel_bytes);
    }
    if (updates && convention.momentum_form == Momentum::cumulative)
        check.output("num_batches_tracked", running.num_batches_tracked, sizeof(int64_t));
    else
        check.optional_output("num_batches_tracked", running.num_batches_tracked, sizeof(int64_t));
    check_refused(check, guard, running.num_batches_refused);
}

void check_refused(Arguments& check, bool guard, const BufferView& num_batches_refused) {
    if (num_batches_refused && !guard)
        check.refuse("num_batches_refused", "a buffer", "none without the option guard: nothing is refused");
    check.optional_output("num_batches_refused", num_batches_refused, sizeof(int64_t));
}

RunningUpdate running_update(const BatchNormConvention& convention, uint32_t least,
                             const RunningBuffers& running, const BufferView& staging) {
    const float rest = static_cast<float>(1.0 - double{convention.momentum});
    const bool weighs_new = convention.momentum_form == Momentum::weighs_new;
    return {.mean = running.mean,
            .var = running.var,
            .keep = weighs_new ? rest : convention.momentum,
            .take = weighs_new ? convention.momentum : rest,
            .cumulative = running.mean && convention.momentum_form == Momentum::cumulative,
            .unbiased = convention.running_variance == RunningVariance::unbiased,
            .least = least,
            .num_batches_tracked = running.num_batches_tracked,
            .staging = running ? staging : BufferView{},
            .num_batches_refused = running.num_batches_refused};
}

BufferView counted_at_once(const RunningUpdate& update) {
    return update.staging ? BufferView{} : update.num_batches_tracked;
}

NormArguments::NormArguments(const Recorder& recorder, const NormPasses& norm, const char* call)
    : Arguments(norm.plan().operation + "." + call, recorder, &norm.device()), plan_(norm.plan()) {}

void NormArguments::tensor(const char* name, const BufferView& view) {
    offsets(plan_.element_bytes());
    input(name, view, plan_.tensor_bytes());
    offsets(sizeof(float));
}

void NormArguments::output_tensor(const char* name, const BufferView& view, Names in_place) {
    offsets(plan_.element_bytes());
    output(name, view, plan_.tensor_bytes(), in_place);
    offsets(sizeof(float));
}

BufferView ScratchRange::of(const BufferView& scratch) const {
    if (bytes == 0) return {};
    return {scratch.buffer, round_up<uint64_t>(scratch.offset, partial_bytes) + offset, bytes};
}

ScratchRange Scratch::add(uint64_t bytes) {
    const ScratchRange range{end_, bytes};
    end_ += round_up<uint64_t>(bytes, partial_bytes);
    return range;
}

VkDeviceSize Scratch::bytes() const {
    return end_ + partial_bytes - sizeof(float);
}

std::string explain_scratch(VkDeviceSize bytes) {
    return "scratch: " + std::to_string(bytes) + " bytes\n";
}

}  // namespace vknorm::detail
