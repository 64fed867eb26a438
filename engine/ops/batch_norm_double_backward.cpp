// The backward pass of batch normalization's backward pass; the equations are in
// batch_norm_double_coefficients.comp.
#include "ops/batch_norm_plan.hpp"
#include "ops/launch.hpp"
#include "ops/norm/bind.hpp"
#include "shaders/batch_norm.h"

namespace vknorm {

namespace {

using namespace detail;

const NormModules products_modules{.walk = Walk::strands,
                                   .thirty_two = {.rows = &shaders::norm_products_rows,
                                                  .columns = &shaders::norm_products_columns,
                                                  .vectors = {&shaders::norm_products_vectors}}};
const NormModules combine_modules{.walk = Walk::strands,
                                  .thirty_two = {.rows = &shaders::norm_combine_rows,
                                                 .columns = &shaders::norm_combine_columns,
                                                 .vectors = {&shaders::norm_combine_vectors}}};

/// The pairs of a slice's channels.
AlignedView pairs_of(const Parts& parts, const Slice& slice, const BufferView& means) {
    return parts.elements(means, 2 * slice.channel, 2 * slice.channels);
}

struct ProductsPass {
    BufferView dy{}, ddx{};
    BufferView dy_means{}, ddx_means{};
    BufferView partials{};  ///< out
};

void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors, const ProductsPass& pass) {
    const Label label(recorder, "batch_norm.double_products");
    const Parts parts(recorder);
    const auto module = products_modules.choose(recorder.device().state(), plan, 0, {pass.dy, pass.ddx});
    const auto constants = walk_constants(plan, tensors, {}, 0);
    for (const Slice& slice : plan.slices) {
        const shaders::NormWalk strands = walk(plan, slice, module.walk, module.form);
        const AlignedView dy = parts.box(plan, slice, module.form, pass.dy),
                          ddx = parts.box(plan, slice, module.form, pass.ddx);
        const AlignedView dy_means = pairs_of(parts, slice, pass.dy_means);
        const AlignedView ddx_means = pairs_of(parts, slice, pass.ddx_means);
        const AlignedView partials = parts.partials(plan, slice, pass.partials);
        dispatch(
            recorder, {module.shader, constants},
            {read(dy.view), read(ddx.view), read(dy_means.view), read(ddx_means.view), write(partials.view)},
            shaders::NormProducts{.walk = strands,
                                  .strands = strands_of(plan, slice, partials),
                                  .dy_first = dy.first,
                                  .ddx_first = ddx.first,
                                  .dy_means_first = dy_means.first,
                                  .ddx_means_first = ddx_means.first},
            walk_groups(plan, strands));
    }
}

/// Absent means count as zeros.
struct CoefficientsPass {
    BufferView dy_means{}, ddx_means{}, product_means{};
    BufferView inv_std{}, gamma{}, ddgamma{}, ddbeta{};
    BufferView of_grad_dy{}, of_grad_x{}, grad_gamma{};  ///< out
};

void record(Recorder& recorder, const NormPlan& plan, const CoefficientsPass& pass) {
    const Label label(recorder, "batch_norm.double_coefficients");
    const Parts parts(recorder);
    const uint64_t channels = plan.extent.channels;
    const auto floats = [&](const BufferView& view) { return parts.elements(view, 0, channels); };
    const auto pairs = [&](const BufferView& view) { return parts.elements(view, 0, 2 * channels); };
    const auto fours = [&](const BufferView& view) {
        return parts.elements(view, 0, channels, 4 * sizeof(float));
    };
    const AlignedView dy_means = pairs(pass.dy_means), ddx_means = pairs(pass.ddx_means);
    const AlignedView product_means = pairs(pass.product_means), inv_std = floats(pass.inv_std);
    const AlignedView gamma = floats(pass.gamma), ddgamma = floats(pass.ddgamma);
    const AlignedView ddbeta = floats(pass.ddbeta), grad_gamma = floats(pass.grad_gamma);
    const AlignedView of_grad_dy = fours(pass.of_grad_dy), of_grad_x = fours(pass.of_grad_x);
    const Launch launch = spread(recorder.device().capabilities(), channels);
    const uint32_t constants[] = {launch.workgroup};
    const shaders::BatchNormDoubleCoefficients push{
        .channels = narrow(channels),
        .given = feature(shaders::double_dy, bool(dy_means.view)) |
                 feature(shaders::double_ddx, bool(ddx_means.view)) |
                 feature(shaders::double_both, bool(product_means.view)) |
                 feature(shaders::double_gamma, bool(gamma.view)) |
                 feature(shaders::double_ddgamma, bool(ddgamma.view)) |
                 feature(shaders::double_ddbeta, bool(ddbeta.view)) |
                 feature(shaders::double_grad_gamma, bool(grad_gamma.view)),
        .values = static_cast<float>(plan.extent.values_per_line()),
        .dy_means_first = dy_means.first,
        .ddx_means_first = ddx_means.first,
        .product_means_first = product_means.first,
        .inv_std_first = inv_std.first,
        .gamma_first = gamma.first,
        .ddgamma_first = ddgamma.first,
        .ddbeta_first = ddbeta.first,
        .of_grad_dy_first = of_grad_dy.first,
        .of_grad_x_first = of_grad_x.first,
        .grad_gamma_first = grad_gamma.first};
    dispatch(recorder, {shaders::batch_norm_double_coefficients, constants},
             {read(dy_means.view), read(ddx_means.view), read(product_means.view), read(inv_std.view),
              read(gamma.view), read(ddgamma.view), read(ddbeta.view), write(of_grad_dy.view),
              write(of_grad_x.view), write(grad_gamma.view)},
             push, launch.groups);
}

/// out = a combination of x^ and, where given, of dy and ddx about their means.
struct CombinePass {
    BufferView x{}, dy{}, ddx{}, out{};
    Statistics statistics{};
    BufferView coefficients{}, dy_means{}, ddx_means{};
};

void record(Recorder& recorder, const NormPlan& plan, const Tensors& tensors, const CombinePass& pass) {
    const Label label(recorder, "batch_norm.double_combine");
    const Parts parts(recorder);
    const uint32_t features =
        feature(shaders::norm_dy, bool(pass.dy)) | feature(shaders::norm_ddx, bool(pass.ddx));
    const auto module = combine_modules.choose(recorder.device().state(), plan, features,
                                               {pass.x, pass.dy, pass.ddx, pass.out});
    const auto constants = walk_constants(plan, tensors, pass.statistics, features);
    for (const Slice& slice : plan.slices) {
        const shaders::NormWalk strands = walk(plan, slice, module.walk, module.form);
        const AlignedView x = parts.box(plan, slice, module.form, pass.x),
                          dy = parts.box(plan, slice, module.form, pass.dy);
        const AlignedView ddx = parts.box(plan, slice, module.form, pass.ddx),
                          out = parts.box(plan, slice, module.form, pass.out);
        const AlignedView coefficients =
            parts.elements(pass.coefficients, slice.channel, slice.channels, 4 * sizeof(float));
        const AlignedView dy_means = pairs_of(parts, slice, pass.dy_means);
        const AlignedView ddx_means = pairs_of(parts, slice, pass.ddx_means);
        const BoundStatistics statistics = bind(parts, plan, tensors, slice, pass.statistics);
        dispatch(recorder, {module.shader, constants},
                 {read(x.view), read(dy.view), read(ddx.view), write(out.view), statistics.mean,
                  statistics.deviation, read(coefficients.view), read(dy_means.view), read(ddx_means.view)},
                 shaders::NormCombine{.walk = strands,
                                      .sets = statistics.push,
                                      .x_first = x.first,
                                      .dy_first = dy.first,
                                      .ddx_first = ddx.first,
                                      .out_first = out.first,
                                      .coefficients_first = coefficients.first,
                                      .dy_means_first = dy_means.first,
                                      .ddx_means_first = ddx_means.first},
                 walk_groups(plan, strands));
    }
}

}  // namespace

void BatchNorm::double_backward(Recorder& recorder, const DoubleBackward& arguments) const {
    const Plan& plan = *plan_;
    NormArguments check(recorder, plan.device, plan.work, "double_backward");
    if (plan.options.storage != Storage::float32) check.refuse("storage", "16 bits", "float32");
    check.tensor("x", arguments.x);
    check.tensor("dy", arguments.dy);
    check.input("mean", arguments.mean, 2 * plan.channel_bytes());
    check.input("inv_std", arguments.inv_std, plan.channel_bytes());
    check.optional_input("gamma", arguments.gamma, plan.channel_bytes());
    if (arguments.ddx) check.tensor("ddx", arguments.ddx);
    check.optional_input("ddgamma", arguments.ddgamma, plan.channel_bytes());
    check.optional_input("ddbeta", arguments.ddbeta, plan.channel_bytes());
    if (arguments.grad_dy) check.output_tensor("grad_dy", arguments.grad_dy);
    if (arguments.grad_x) check.output_tensor("grad_x", arguments.grad_x);
    check.optional_output("grad_gamma", arguments.grad_gamma, plan.channel_bytes());
    check.output("scratch", arguments.scratch, scratch_bytes());
    check.check_overlap();
    if (!arguments.grad_dy && !arguments.grad_x && !arguments.grad_gamma) return;

    const Statistics statistics{.mean = arguments.mean, .deviation = arguments.inv_std};
    const auto piece = [&](const Piece& of) { return of.of(arguments.scratch); };
    const BufferView partials = piece(plan.partials);
    const auto means_of_partials = [&](const BufferView& means) {
        record(recorder, plan.work,
               BackwardFinalizePass{.from = partials_of_sets(plan.work, 1, partials),
                                    .means = means,
                                    .values = {.known = plan.values()}});
        return means;
    };
    const auto means_of = [&](const BufferView& tensor, const BufferView& means) {
        record(
            recorder, plan.work, plan.tensors,
            BackwardSumsPass{.x = arguments.x, .dy = tensor, .statistics = statistics, .partials = partials});
        return means_of_partials(means);
    };
    const bool beyond_dy = arguments.grad_x || arguments.grad_gamma;
    BufferView dy_means, ddx_means, product_means;
    if (beyond_dy) dy_means = means_of(arguments.dy, piece(plan.twice.dy_means));
    if (arguments.ddx) ddx_means = means_of(arguments.ddx, piece(plan.twice.ddx_means));
    if (beyond_dy && arguments.ddx) {
        record(recorder, plan.work, plan.tensors,
               ProductsPass{.dy = arguments.dy,
                            .ddx = arguments.ddx,
                            .dy_means = dy_means,
                            .ddx_means = ddx_means,
                            .partials = partials});
        product_means = means_of_partials(piece(plan.twice.product_means));
    }
    record(recorder, plan.work,
           CoefficientsPass{.dy_means = dy_means,
                            .ddx_means = ddx_means,
                            .product_means = product_means,
                            .inv_std = arguments.inv_std,
                            .gamma = arguments.gamma,
                            .ddgamma = arguments.ddgamma,
                            .ddbeta = arguments.ddbeta,
                            .of_grad_dy = piece(plan.twice.of_grad_dy),
                            .of_grad_x = piece(plan.twice.of_grad_x),
                            .grad_gamma = arguments.grad_gamma});
    if (arguments.grad_dy) {
        record(recorder, plan.work, plan.tensors,
               CombinePass{.x = arguments.x,
                           .ddx = arguments.ddx,
                           .out = arguments.grad_dy,
                           .statistics = statistics,
                           .coefficients = piece(plan.twice.of_grad_dy),
                           .ddx_means = ddx_means});
    }
    if (arguments.grad_x) {
        record(recorder, plan.work, plan.tensors,
               CombinePass{.x = arguments.x,
                           .dy = arguments.dy,
                           .ddx = arguments.ddx,
                           .out = arguments.grad_x,
                           .statistics = statistics,
                           .coefficients = piece(plan.twice.of_grad_x),
                           .dy_means = dy_means,
                           .ddx_means = ddx_means});
    }
}

}  // namespace vknorm
