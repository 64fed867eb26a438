// Statistics, merging, and normalization.
#include "ops/norm/bind.hpp"

namespace vknorm::detail {

namespace {

const NormModules statistics_modules{.walk = Walk::strands,
                                     .thirty_two = {VKNORM_FORMS(norm_statistics, VKNORM_READER)},
                                     .sixteen = {VKNORM_FORMS(norm_statistics_sixteen, VKNORM_READER)}};
const NormModules apply_modules{
    .walk = Walk::sweep,
    .quad_features = shaders::norm_gamma | shaders::norm_beta | shaders::norm_residual | shaders::norm_relu,
    .thirty_two = VKNORM_SWEEP_FORMS(norm_apply),
    .sixteen = VKNORM_SWEEP_FORMS(norm_apply_sixteen)};

}  // namespace

void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors, const StatisticsPass& pass) {
    const Label label(recorder, (plan.operation + ".statistics").c_str());
    const Parts parts(recorder);
    const uint32_t features =
        feature(shaders::norm_valid, bool(pass.valid)) | feature(shaders::norm_health, bool(pass.health));
    const auto module = statistics_modules.choose(recorder.device().state(), plan, features, {pass.x});
    const auto constants = walk_constants(plan, tensors, {}, features);
    const AlignedView health = parts.all(pass.health);
    AlignedView count = parts.elements(pass.num_batches_tracked, 0, 2);
    const auto run = [&](const Slice* slice) {
        shaders::NormStatistics push{.counts = flag(bool(count.view)), .batches_first = count.first};
        std::vector<Binding> bindings{read({}), write({}), read_write(count.view), read({}), read_write({})};
        if (slice) {
            const AlignedView x = parts.box(plan, *slice, module.form, pass.x);
            const AlignedView partials = parts.partials(plan, *slice, pass.partials);
            const AlignedView valid = parts.valid(plan, *slice, pass.valid);
            push.walk = walk(plan, *slice, module.walk, module.form);
            push.strands = strands_of(plan, *slice, partials);
            push.x_first = x.first;
            push.valid_first = valid.first;
            push.health_first = narrow(health.first + 3 * slice->channel);
            push.value_first = narrow(slice->first_value(plan.extent));
            bindings = {read(x.view), write(partials.view), read_write(count.view), read(valid.view),
                        read_write(health.view)};
        }
        dispatch(recorder, {module.shader, constants}, bindings, push,
                 slice ? walk_groups(plan, push.walk) : Groups{});
        count.view = {};
    };
    for (const Slice& slice : plan.slices) run(&slice);
    if (plan.slices.empty() && count.view) run(nullptr);
}

void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors, const ApplyPass& pass) {
    const Label label(recorder, (plan.operation + ".apply").c_str());
    const Parts parts(recorder);
    const uint32_t features = feature(shaders::norm_gamma, bool(pass.affine.gamma)) |
                              feature(shaders::norm_beta, bool(pass.affine.beta)) |
                              feature(shaders::norm_by_position, pass.affine.by_position) |
                              feature(shaders::norm_residual, bool(pass.residual)) |
                              feature(shaders::norm_relu, pass.extras.relu) |
                              feature(shaders::norm_mask, bool(pass.extras.relu_mask)) |
                              feature(shaders::norm_valid, bool(pass.extras.valid));
    const auto module =
        apply_modules.choose(recorder.device().state(), plan, features, {pass.x, pass.y, pass.residual},
                             numbers_of(plan, tensors, pass.statistics, pass.affine));
    const auto constants = walk_constants(plan, tensors, pass.statistics, features);
    const BufferView& bits = pass.extras.relu_mask;
    const AlignedView mask = parts.mask(plan, bits);
    // What the caller gave may be longer.
    if (mask.view) fill(recorder, {bits.buffer, bits.offset, plan.mask_bytes()}, 0);
    for (const Slice& slice : plan.slices) {
        const shaders::NormWalk sweep = walk(plan, slice, module.walk, module.form);
        const AlignedView x = parts.box(plan, slice, module.form, pass.x);
        const AlignedView y = parts.box(plan, slice, module.form, pass.y);
        const AlignedView residual = parts.box(plan, slice, module.form, pass.residual);
        const AlignedView valid = parts.valid(plan, slice, pass.extras.valid);
        const BoundStatistics statistics = bind(parts, plan, tensors, slice, pass.statistics);
        const auto gamma = bind_affine(parts, plan, slice, pass.affine.gamma, pass.affine.by_position);
        const auto beta = bind_affine(parts, plan, slice, pass.affine.beta, pass.affine.by_position);
        const shaders::NormApply push{.walk = sweep,
                                      .sets = statistics.push,
                                      .mask = mask_of(plan, slice, mask),
                                      .x_first = x.first,
                                      .y_first = y.first,
                                      .gamma_first = gamma.first,
                                      .beta_first = beta.first,
                                      .residual_first = residual.first,
                                      .valid_first = valid.first};
        const std::array bindings{read(x.view),         write(y.view),         statistics.mean,
                                  statistics.deviation, gamma.binding,         beta.binding,
                                  read(residual.view),  read_write(mask.view), read(valid.view)};
        dispatch(recorder, {module.shader, constants}, bindings, push, walk_groups(plan, sweep));
    }
}

std::string forward_kernels(const DeviceState& device, const NormPlan& plan, const Tensors& tensors,
                            const Affine& affine) {
    const auto apply = apply_modules.choose(device, plan, shaders::norm_gamma | shaders::norm_beta, {},
                                            numbers_of(plan, tensors, {}, affine));
    return std::string(statistics_modules.choose(device, plan, 0, {}).shader.name) + ", norm_finalize, " +
           apply.shader.name;
}

}  // namespace vknorm::detail
