// Sums over dy, and the gradient of x.
#include "ops/norm/bind.hpp"

namespace vknorm::detail {

namespace {

#define VKNORM_SUMS_FORMS(NAME) \
    { VKNORM_FORMS(NAME, VKNORM_READER), .aligned_vectors = VKNORM_READER(NAME##_aligned_vectors) }
const NormModules sums_modules{.walk = Walk::strands,
                               .quad_features = shaders::norm_gamma | shaders::norm_beta |
                                                shaders::norm_relu | shaders::norm_x | shaders::norm_by_image,
                               .thirty_two = VKNORM_SUMS_FORMS(norm_backward_sums),
                               .sixteen = VKNORM_SUMS_FORMS(norm_backward_sums_sixteen)};
const NormModules apply_modules{.walk = Walk::sweep,
                                .quad_features = shaders::norm_gamma | shaders::norm_beta |
                                                 shaders::norm_relu | shaders::norm_x | shaders::norm_dx |
                                                 shaders::norm_dresidual | shaders::norm_weighted,
                                .thirty_two = VKNORM_SWEEP_FORMS(norm_backward_apply),
                                .sixteen = VKNORM_SWEEP_FORMS(norm_backward_apply_sixteen)};

uint32_t features_of(const Affine& affine, bool weighted, const Statistics& statistics, const Extras& extras,
                     bool x) {
    const bool recomputes = extras.relu && !extras.relu_mask;
    return feature(shaders::norm_gamma, bool(affine.gamma)) |
           feature(shaders::norm_beta, recomputes && affine.beta) |
           feature(shaders::norm_by_position, affine.by_position) |
           feature(shaders::norm_by_image, statistics.by_image) | feature(shaders::norm_relu, recomputes) |
           feature(shaders::norm_mask, bool(extras.relu_mask)) |
           feature(shaders::norm_valid, bool(extras.valid)) | feature(shaders::norm_x, x) |
           feature(shaders::norm_weighted, weighted);
}

}  // namespace

void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors, const BackwardSumsPass& pass) {
    const Label label(recorder, (plan.operation + ".backward_sums").c_str());
    const Parts parts(recorder);
    const uint32_t features =
        features_of(pass.affine, pass.weighted, pass.statistics, pass.extras, bool(pass.x));
    const auto module = sums_modules.choose(recorder.device().state(), plan, features, {pass.x, pass.dy},
                                            numbers_of(plan, tensors, pass.statistics, pass.affine));
    const auto constants = walk_constants(plan, tensors, pass.statistics, features);
    const AlignedView mask = parts.mask(plan, pass.extras.relu_mask);
    for (const Slice& slice : plan.slices) {
        const shaders::NormWalk strands = walk(plan, slice, module.walk, module.form);
        const AlignedView x = parts.box(plan, slice, module.form, pass.x);
        const AlignedView dy = parts.box(plan, slice, module.form, pass.dy);
        const AlignedView partials = parts.partials(plan, slice, pass.partials);
        const AlignedView valid = parts.valid(plan, slice, pass.extras.valid);
        const BoundStatistics statistics = bind(parts, plan, tensors, slice, pass.statistics);
        const auto gamma = bind_affine(parts, plan, slice, pass.affine.gamma, pass.affine.by_position);
        const auto beta = bind_affine(parts, plan, slice, pass.affine.beta, pass.affine.by_position);
        const shaders::NormBackwardSums push{.walk = strands,
                                             .sets = statistics.push,
                                             .mask = mask_of(plan, slice, mask),
                                             .strands = strands_of(plan, slice, partials),
                                             .x_first = x.first,
                                             .dy_first = dy.first,
                                             .gamma_first = gamma.first,
                                             .beta_first = beta.first,
                                             .valid_first = valid.first};
        const std::array bindings{read(x.view),         read(dy.view),        statistics.mean,
                                  statistics.deviation, write(partials.view), gamma.binding,
                                  beta.binding,         read(mask.view),      read(valid.view)};
        dispatch(recorder, {module.shader, constants}, bindings, push, walk_groups(plan, strands));
    }
}

void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors, const BackwardApplyPass& pass) {
    const Label label(recorder, (plan.operation + ".backward_apply").c_str());
    const Parts parts(recorder);
    const uint32_t features =
        features_of(pass.affine, pass.weighted, pass.statistics, pass.extras, bool(pass.x)) |
        feature(shaders::norm_dx, bool(pass.dx)) | feature(shaders::norm_dresidual, bool(pass.dresidual));
    // Absent tensors stand nowhere, and so are aligned.
    const auto module = apply_modules.choose(
        recorder.device().state(), plan, features, {pass.x, pass.dy, pass.dx, pass.dresidual},
        numbers_of(plan, tensors, pass.statistics, pass.affine, pass.means));
    const auto constants = walk_constants(plan, tensors, pass.statistics, features);
    const AlignedView mask = parts.mask(plan, pass.extras.relu_mask);
    const AlignedView means = parts.all(pass.means);
    for (const Slice& slice : plan.slices) {
        const shaders::NormWalk sweep = walk(plan, slice, module.walk, module.form);
        const AlignedView x = parts.box(plan, slice, module.form, pass.x);
        const AlignedView dy = parts.box(plan, slice, module.form, pass.dy);
        const AlignedView dx = parts.box(plan, slice, module.form, pass.dx);
        const AlignedView dresidual = parts.box(plan, slice, module.form, pass.dresidual);
        const AlignedView valid = parts.valid(plan, slice, pass.extras.valid);
        const BoundStatistics statistics = bind(parts, plan, tensors, slice, pass.statistics);
        const auto gamma = bind_affine(parts, plan, slice, pass.affine.gamma, pass.affine.by_position);
        const auto beta = bind_affine(parts, plan, slice, pass.affine.beta, pass.affine.by_position);
        const uint64_t sample_sets = plan.extent.channels / tensors.group;
        const shaders::NormBackwardApply push{
            .walk = sweep,
            .sets = statistics.push,
            .mask = mask_of(plan, slice, mask),
            .x_first = x.first,
            .dy_first = dy.first,
            .dx_first = dx.first,
            .dresidual_first = dresidual.first,
            .gamma_first = gamma.first,
            .beta_first = beta.first,
            .means_first = narrow(means.first / 2 + slice.sample * sample_sets),
            .valid_first = valid.first};
        const std::array bindings{read(x.view),     read(dy.view),        write(dx.view),
                                  statistics.mean,  statistics.deviation, gamma.binding,
                                  read(means.view), beta.binding,         read(mask.view),
                                  read(valid.view), write(dresidual.view)};
        dispatch(recorder, {module.shader, constants}, bindings, push, walk_groups(plan, sweep));
    }
}

std::string backward_kernels(const DeviceState& device, const NormPlan& plan, const Tensors& tensors,
                             const Affine& affine) {
    const auto numbers = numbers_of(plan, tensors, {}, affine);
    return std::string(sums_modules.choose(device, plan, shaders::norm_x, {}, numbers).shader.name) +
           ", norm_backward_finalize, " +
           apply_modules.choose(device, plan, shaders::norm_x | shaders::norm_dx, {}, numbers).shader.name;
}

}  // namespace vknorm::detail
