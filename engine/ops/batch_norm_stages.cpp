#include "vknorm/batch_norm_stages.hpp"

#include <algorithm>

#include "ops/norm/options.hpp"

namespace vknorm {

namespace {

using namespace detail;

constexpr const char* name = "batch_norm_stages";

static_assert(sizeof(ChannelMoments) == partial_bytes && sizeof(ChannelSums) == partial_bytes);
constexpr uint32_t count_pitch = sizeof(ChannelMoments) / sizeof(uint32_t);

}  // namespace

struct BatchNormStages::Plan {
    Plan(Device& from, const BatchNormOptions& given)
        : device(&from.state()),
          options(checked(name, from, given)),
          work(plan_norm(name, extent_of(name, given), storage_bytes(given.storage), limits_of(from))),
          counting{.operation = name, .limits = work.limits},
          tensors{.bfloat16 = given.storage == Storage::bfloat16},
          partials(scratch.add(work.partial_bytes())),
          means(scratch.add(2 * channel_bytes())) {}

    const DeviceState* device;
    BatchNormOptions options;
    NormPlan work;
    NormPlan counting;  ///< of nothing: its statistics pass counts a batch, and no more
    Tensors tensors;
    Scratch scratch{};
    Piece partials, means;

    uint64_t channels() const { return work.extent.channels; }
    uint64_t channel_bytes() const { return channels() * sizeof(float); }
    uint64_t result_bytes() const { return channels() * partial_bytes; }

    /// ChannelMoments or ChannelSums, of so many parts.
    void results(Arguments& check, const char* argument, const BufferView& view, uint64_t parts = 1) const {
        check.offsets(partial_bytes);
        check.input(argument, view, parts * result_bytes());
        check.offsets(sizeof(float));
    }
    void results_out(Arguments& check, const char* argument, const BufferView& view) const {
        check.offsets(partial_bytes);
        check.output(argument, view, result_bytes());
        check.offsets(sizeof(float));
    }
    void statistics(Arguments& check, const BufferView& mean, const BufferView& inv_std) const {
        check.input("mean", mean, 2 * channel_bytes());
        check.input("inv_std", inv_std, channel_bytes());
    }

    PartialSets one(const BufferView& results) const { return partials_of_parts(results, 1, channels()); }
    void merge(Recorder& recorder, Merged what, uint32_t parts, const BufferView& from,
               const BufferView& result) const;
};

/// As many parts at once as a binding holds.
void BatchNormStages::Plan::merge(Recorder& recorder, Merged what, uint32_t parts, const BufferView& from,
                                  const BufferView& result) const {
    const uint64_t held = (work.limits.range - work.limits.alignment) / result_bytes();
    const uint64_t most = std::min<uint64_t>(held, merge_workgroup * (maximum_trips / 2));
    for (uint64_t first = 0; first < parts; first += most) {
        const uint64_t count = std::min(most, parts - first);
        const BufferView some{from.buffer, from.offset + first * result_bytes(), count * result_bytes()};
        record(recorder, work, what,
               MergePass{.from = partials_of_parts(some, count, channels()),
                         .result = result,
                         .accumulate = first > 0});
    }
}

BatchNormStages::BatchNormStages(Device& device, const BatchNormOptions& options)
    : plan_(std::make_unique<const Plan>(device, options)) {}

BatchNormStages::~BatchNormStages() = default;
BatchNormStages::BatchNormStages(BatchNormStages&&) noexcept = default;
BatchNormStages& BatchNormStages::operator=(BatchNormStages&&) noexcept = default;

uint32_t BatchNormStages::channels() const {
    return static_cast<uint32_t>(plan_->channels());
}
uint64_t BatchNormStages::elements() const {
    return plan_->work.extent.elements();
}
VkDeviceSize BatchNormStages::scratch_bytes() const {
    return plan_->scratch.bytes();
}

void BatchNormStages::measure(Recorder& recorder, const Measure& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "measure");
    check.tensor("x", arguments.x);
    plan.results_out(check, "moments", arguments.moments);
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView partials = plan.partials.of(arguments.scratch);
    record(recorder, plan.work, plan.tensors, StatisticsPass{.x = arguments.x, .partials = partials});
    record(recorder, plan.work, Merged::moments,
           MergePass{.from = partials_of_sets(plan.work, 1, partials),
                     .result = arguments.moments,
                     .accumulate = arguments.accumulate});
}

void BatchNormStages::merge(Recorder& recorder, const MergeMoments& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "merge");
    if (arguments.parts == 0) check.refuse("parts", "0", "at least 1");
    plan.results(check, "from", arguments.from, arguments.parts);
    plan.results_out(check, "moments", arguments.moments);
    check.check_overlap();
    plan.merge(recorder, Merged::moments, arguments.parts, arguments.from, arguments.moments);
}

void BatchNormStages::finish(Recorder& recorder, const Finish& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "finish");
    const BatchNormConvention& convention = plan.options.convention;
    plan.results(check, "moments", arguments.moments);
    check.output("mean", arguments.mean, 2 * plan.channel_bytes());
    check.output("inv_std", arguments.inv_std, plan.channel_bytes());
    check_running(check, convention, plan.channel_bytes(), arguments.running_mean, arguments.running_var,
                  arguments.num_batches_tracked);
    check.check_overlap();

    if (arguments.num_batches_tracked) {
        record(recorder, plan.counting, {},
               StatisticsPass{.num_batches_tracked = arguments.num_batches_tracked});
    }
    record(recorder, plan.work,
           FinalizePass{.from = plan.one(arguments.moments),
                        .mean = arguments.mean,
                        .inv_std = arguments.inv_std,
                        .epsilon = convention.epsilon,
                        .running = running_update(convention, 2, arguments.running_mean,
                                                  arguments.running_var, arguments.num_batches_tracked)});
}

void BatchNormStages::normalize(Recorder& recorder, const Normalize& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "normalize");
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    check.optional_input("beta", arguments.beta, plan.channel_bytes());
    plan.statistics(check, arguments.mean, arguments.inv_std);
    check.check_overlap();
    record(recorder, plan.work, plan.tensors,
           ApplyPass{.x = arguments.x,
                     .y = arguments.y,
                     .affine = {arguments.gamma, arguments.beta},
                     .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std}});
}

void BatchNormStages::sum(Recorder& recorder, const Sum& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "sum");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    plan.statistics(check, arguments.mean, arguments.inv_std);
    plan.results_out(check, "sums", arguments.sums);
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView partials = plan.partials.of(arguments.scratch);
    record(recorder, plan.work, plan.tensors,
           BackwardSumsPass{.x = arguments.x,
                            .dy = arguments.dy,
                            .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std},
                            .partials = partials});
    record(recorder, plan.work, Merged::sums,
           MergePass{.from = partials_of_sets(plan.work, 1, partials),
                     .result = arguments.sums,
                     .accumulate = arguments.accumulate});
}

void BatchNormStages::merge(Recorder& recorder, const MergeSums& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "merge");
    if (arguments.parts == 0) check.refuse("parts", "0", "at least 1");
    plan.results(check, "from", arguments.from, arguments.parts);
    plan.results_out(check, "sums", arguments.sums);
    check.check_overlap();
    plan.merge(recorder, Merged::sums, arguments.parts, arguments.from, arguments.sums);
}

void BatchNormStages::parameter_gradients(Recorder& recorder, const ParameterGradients& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "parameter_gradients");
    plan.results(check, "sums", arguments.sums);
    check.optional_output("dgamma", arguments.dgamma, plan.channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, plan.channel_bytes());
    check.check_overlap();
    if (!arguments.dgamma && !arguments.dbeta) return;
    record(recorder, plan.work,
           BackwardFinalizePass{.from = plan.one(arguments.sums),
                                .dgamma = arguments.dgamma,
                                .dbeta = arguments.dbeta,
                                .accumulate = arguments.accumulate});
}

void BatchNormStages::differentiate(Recorder& recorder, const Differentiate& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "differentiate");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    plan.statistics(check, arguments.mean, arguments.inv_std);
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    plan.results(check, "moments", arguments.moments);
    plan.results(check, "sums", arguments.sums);
    check.output_tensor("dx", arguments.dx, {"dy"});
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView means = plan.means.of(arguments.scratch);
    record(recorder, plan.work,
           BackwardFinalizePass{.from = plan.one(arguments.sums),
                                .means = means,
                                .values = {.count = arguments.moments, .count_pitch = count_pitch}});
    record(recorder, plan.work, plan.tensors,
           BackwardApplyPass{.x = arguments.x,
                             .dy = arguments.dy,
                             .dx = arguments.dx,
                             .affine = {.gamma = arguments.gamma},
                             .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std},
                             .means = means});
}

}  // namespace vknorm
