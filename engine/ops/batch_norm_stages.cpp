#include "vknorm/batch_norm_stages.hpp"

#include <algorithm>

#include "ops/norm/arguments.hpp"
#include "ops/norm/options.hpp"
#include "ops/sizes.hpp"

namespace vknorm {

namespace {

using namespace detail;

constexpr const char* name = "batch_norm_stages";

static_assert(sizeof(ChannelMoments) == partial_bytes && sizeof(ChannelSums) == partial_bytes);
constexpr uint32_t count_pitch = sizeof(ChannelMoments) / sizeof(uint32_t);

}  // namespace

struct BatchNormStages::Impl {
    Impl(Device& device, const BatchNormOptions& options)
        : convention(options.convention),
          norm(device, plan_norm(name, extent_of(name, options), options.storage, limits_of(device))),
          partials(scratch.add(plan().partial_bytes())),
          means(scratch.add(2 * channel_bytes())),
          staging(scratch.add(options.guard ? 2 * channel_bytes() : 0)) {}

    BatchNormConvention convention;
    NormPasses norm;
    Scratch scratch{};
    ScratchRange partials, means;
    ScratchRange staging;  ///< with a guard

    bool guards() const { return staging.bytes > 0; }

    const NormPlan& plan() const { return norm.plan(); }
    uint64_t channels() const { return plan().extent.channels; }
    uint64_t channel_bytes() const { return plan().channel_bytes(); }
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
void BatchNormStages::Impl::merge(Recorder& recorder, Merged what, uint32_t parts, const BufferView& from,
                                  const BufferView& result) const {
    const uint64_t held = plan().limits.binding_bytes() / result_bytes();
    const uint64_t most = std::min<uint64_t>(held, merge_workgroup * (maximum_trips / 2));
    for (uint64_t first = 0; first < parts; first += most) {
        const uint64_t count = std::min(most, parts - first);
        const BufferView some{from.buffer, from.offset + first * result_bytes(), count * result_bytes()};
        norm.merge(recorder, {.what = what,
                              .from = partials_of_parts(some, count, channels()),
                              .result = result,
                              .accumulate = first > 0});
    }
}

BatchNormStages::BatchNormStages(Device& device, const BatchNormOptions& options)
    : impl_("BatchNormStages", std::make_shared<const Impl>(device, options)) {}

uint32_t BatchNormStages::channels() const {
    return static_cast<uint32_t>(impl_->channels());
}
uint64_t BatchNormStages::elements() const {
    return impl_->plan().extent.elements();
}
VkDeviceSize BatchNormStages::scratch_bytes() const {
    return impl_->scratch.bytes();
}

void BatchNormStages::measure(Recorder& recorder, const Measure& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "measure");
    check.tensor("x", arguments.x);
    impl.results_out(check, "moments", arguments.moments);
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView partials = impl.partials.of(arguments.scratch);
    impl.norm.statistics(recorder, {.x = arguments.x, .partials = partials});
    impl.norm.merge(recorder, {.what = Merged::moments,
                               .from = partials_of_sets(impl.plan(), partials),
                               .result = arguments.moments,
                               .accumulate = arguments.accumulate});
}

void BatchNormStages::merge(Recorder& recorder, const MergeMoments& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "merge");
    if (arguments.parts == 0) check.refuse("parts", "0", "at least 1");
    impl.results(check, "from", arguments.from, arguments.parts);
    impl.results_out(check, "moments", arguments.moments);
    check.check_overlap();
    impl.merge(recorder, Merged::moments, arguments.parts, arguments.from, arguments.moments);
}

void BatchNormStages::finish(Recorder& recorder, const Finish& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "finish");
    const BatchNormConvention& convention = impl.convention;
    impl.results(check, "moments", arguments.moments);
    check.output("mean", arguments.mean, 2 * impl.channel_bytes());
    check.output("inv_std", arguments.inv_std, impl.channel_bytes());
    const auto running = RunningBuffers::of(arguments);
    check_running(check, convention, impl.guards(), impl.channel_bytes(), running);
    if (impl.guards()) check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const RunningUpdate update = running_update(convention, 2, running, impl.staging.of(arguments.scratch));
    impl.norm.count_batch(recorder, counted_at_once(update));
    impl.norm.finalize(recorder, {.from = impl.one(arguments.moments),
                                  .mean = arguments.mean,
                                  .inv_std = arguments.inv_std,
                                  .epsilon = convention.epsilon,
                                  .running = update});
}

void BatchNormStages::normalize(Recorder& recorder, const Normalize& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "normalize");
    check.tensor("x", arguments.x);
    check.output_tensor("y", arguments.y, {"x"});
    check.optional_input("gamma", arguments.gamma, impl.channel_bytes());
    check.optional_input("beta", arguments.beta, impl.channel_bytes());
    impl.statistics(check, arguments.mean, arguments.inv_std);
    check.check_overlap();
    impl.norm.apply(recorder, {.x = arguments.x,
                               .y = arguments.y,
                               .affine = {arguments.gamma, arguments.beta},
                               .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std}});
}

void BatchNormStages::sum(Recorder& recorder, const Sum& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "sum");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    impl.statistics(check, arguments.mean, arguments.inv_std);
    impl.results_out(check, "sums", arguments.sums);
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView partials = impl.partials.of(arguments.scratch);
    impl.norm.backward_sums(recorder, {.x = arguments.x,
                                       .dy = arguments.dy,
                                       .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std},
                                       .partials = partials});
    impl.norm.merge(recorder, {.what = Merged::sums,
                               .from = partials_of_sets(impl.plan(), partials),
                               .result = arguments.sums,
                               .accumulate = arguments.accumulate});
}

void BatchNormStages::merge(Recorder& recorder, const MergeSums& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "merge");
    if (arguments.parts == 0) check.refuse("parts", "0", "at least 1");
    impl.results(check, "from", arguments.from, arguments.parts);
    impl.results_out(check, "sums", arguments.sums);
    check.check_overlap();
    impl.merge(recorder, Merged::sums, arguments.parts, arguments.from, arguments.sums);
}

void BatchNormStages::parameter_gradients(Recorder& recorder, const ParameterGradients& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "parameter_gradients");
    impl.results(check, "sums", arguments.sums);
    check.optional_output("dgamma", arguments.dgamma, impl.channel_bytes());
    check.optional_output("dbeta", arguments.dbeta, impl.channel_bytes());
    check.check_overlap();
    if (!arguments.dgamma && !arguments.dbeta) return;
    impl.norm.backward_finalize(recorder, {.from = impl.one(arguments.sums),
                                           .dgamma = arguments.dgamma,
                                           .dbeta = arguments.dbeta,
                                           .accumulate = arguments.accumulate});
}

void BatchNormStages::differentiate(Recorder& recorder, const Differentiate& arguments) const {
    const Impl& impl = *impl_;
    NormArguments check(recorder, impl.norm, "differentiate");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    impl.statistics(check, arguments.mean, arguments.inv_std);
    check.optional_input("gamma", arguments.gamma, impl.channel_bytes());
    impl.results(check, "moments", arguments.moments);
    impl.results(check, "sums", arguments.sums);
    check.output_tensor("dx", arguments.dx, {"dy"});
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();

    const BufferView means = impl.means.of(arguments.scratch);
    impl.norm.backward_finalize(recorder,
                                {.from = impl.one(arguments.sums),
                                 .means = means,
                                 .values = {.count = arguments.moments, .count_pitch = count_pitch}});
    impl.norm.backward_apply(recorder,
                             {.x = arguments.x,
                              .dy = arguments.dy,
                              .dx = arguments.dx,
                              .affine = {.gamma = arguments.gamma},
                              .statistics = {.mean = arguments.mean, .deviation = arguments.inv_std},
                              .means = means});
}

}  // namespace vknorm
