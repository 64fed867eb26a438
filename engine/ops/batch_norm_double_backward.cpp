#include "ops/batch_norm_double_backward.hpp"

#include "ops/grid.hpp"
#include "ops/norm/bind.hpp"
#include "shaders/batch_norm.h"

namespace vknorm::detail {

namespace {

const NormModules products_modules{.thirty_two = {.buffers = &shaders::norm_products}};
const NormModules combine_modules{.thirty_two = {.buffers = &shaders::norm_combine}};

/// The pairs of a slice's channels.
AlignedView pairs_of(const Device& device, const Slice& slice, const BufferView& means) {
    return bind_elements(device, means, 2 * slice.channel, 2 * slice.channels);
}

struct ProductsPass {
    BufferView dy{}, ddx{};
    BufferView dy_means{}, ddx_means{};
    BufferView partials{};  ///< out
};

void record_products(Recorder& recorder, const NormPlan& plan, const ProductsPass& pass) {
    const Label label(recorder, "batch_norm.double_products");
    const Device& device = recorder.device();
    const WalkChoice choice =
        choose_walk(device.state(), plan, products_modules, Walk::strands, {pass.dy, pass.ddx});
    for (const Slice& slice : plan.slices) {
        const SliceBinder bind(recorder, plan, slice, choice.aligned());
        const SliceWalk walk = walk_of(plan, slice, choice);
        const auto constants = walk_constants(plan, walk, choice, {}, 0);
        const AlignedView dy = bind.tensor(pass.dy), ddx = bind.tensor(pass.ddx);
        const AlignedView dy_means = pairs_of(device, slice, pass.dy_means);
        const AlignedView ddx_means = pairs_of(device, slice, pass.ddx_means);
        const AlignedView partials = bind.partials(pass.partials);
        dispatch(
            recorder, {choice.shader, constants},
            {read(dy.view), read(ddx.view), read(dy_means.view), read(ddx_means.view), write(partials.view)},
            shaders::NormProducts{.walk = walk.push,
                                  .strands = bind.strands(partials),
                                  .dy_first = dy.first,
                                  .ddx_first = ddx.first,
                                  .dy_means_first = dy_means.first,
                                  .ddx_means_first = ddx_means.first},
            walk.groups);
    }
}

/// Absent means count as zeros.
struct CoefficientsPass {
    BufferView dy_means{}, ddx_means{}, product_means{};
    BufferView inv_std{}, gamma{}, ddgamma{}, ddbeta{};
    BufferView of_grad_dy{}, of_grad_x{}, grad_gamma{};  ///< out
};

void record_coefficients(Recorder& recorder, const NormPlan& plan, const CoefficientsPass& pass) {
    const Label label(recorder, "batch_norm.double_coefficients");
    const Device& device = recorder.device();
    const uint64_t channels = plan.extent.channels;
    const auto floats = [&](const BufferView& view) { return bind_elements(device, view, 0, channels); };
    const auto pairs = [&](const BufferView& view) { return bind_elements(device, view, 0, 2 * channels); };
    const auto fours = [&](const BufferView& view) {
        return bind_elements(device, view, 0, channels, 4 * sizeof(float));
    };
    const AlignedView dy_means = pairs(pass.dy_means), ddx_means = pairs(pass.ddx_means);
    const AlignedView product_means = pairs(pass.product_means), inv_std = floats(pass.inv_std);
    const AlignedView gamma = floats(pass.gamma), ddgamma = floats(pass.ddgamma);
    const AlignedView ddbeta = floats(pass.ddbeta), grad_gamma = floats(pass.grad_gamma);
    const AlignedView of_grad_dy = fours(pass.of_grad_dy), of_grad_x = fours(pass.of_grad_x);
    const Grid grid = strided_grid(device.capabilities(), channels);
    const uint32_t constants[] = {grid.workgroup};
    const shaders::BatchNormDoubleCoefficients push{
        .channels = narrow(channels),
        .given = bit_if(bool(dy_means.view), shaders::double_dy) |
                 bit_if(bool(ddx_means.view), shaders::double_ddx) |
                 bit_if(bool(product_means.view), shaders::double_both) |
                 bit_if(bool(gamma.view), shaders::double_gamma) |
                 bit_if(bool(ddgamma.view), shaders::double_ddgamma) |
                 bit_if(bool(ddbeta.view), shaders::double_ddbeta) |
                 bit_if(bool(grad_gamma.view), shaders::double_grad_gamma),
        .values = static_cast<float>(plan.extent.values_per_channel()),
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
             push, grid.groups);
}

/// out = a combination of x^ and, where given, of dy and ddx about their means.
struct CombinePass {
    BufferView x{}, dy{}, ddx{}, out{};
    StatisticsView statistics{};
    BufferView coefficients{}, dy_means{}, ddx_means{};
};

void record_combination(Recorder& recorder, const NormPlan& plan, const CombinePass& pass) {
    const Label label(recorder, "batch_norm.double_combine");
    const Device& device = recorder.device();
    const uint32_t features =
        bit_if(bool(pass.dy), shaders::norm_dy) | bit_if(bool(pass.ddx), shaders::norm_ddx);
    const WalkChoice choice = choose_walk(device.state(), plan, combine_modules, Walk::sweep,
                                          {pass.x, pass.dy, pass.ddx, pass.out});
    for (const Slice& slice : plan.slices) {
        const SliceBinder bind(recorder, plan, slice, choice.aligned());
        const SliceWalk walk = walk_of(plan, slice, choice);
        const auto constants = walk_constants(plan, walk, choice, pass.statistics, features);
        const AlignedView x = bind.tensor(pass.x), dy = bind.tensor(pass.dy);
        const AlignedView ddx = bind.tensor(pass.ddx), out = bind.tensor(pass.out);
        const AlignedView coefficients =
            bind_elements(device, pass.coefficients, slice.channel, slice.channels, 4 * sizeof(float));
        const AlignedView dy_means = pairs_of(device, slice, pass.dy_means);
        const AlignedView ddx_means = pairs_of(device, slice, pass.ddx_means);
        const BoundStatistics statistics = bind.statistics(pass.statistics);
        dispatch(recorder, {choice.shader, constants},
                 {read(x.view), read(dy.view), read(ddx.view), write(out.view), statistics.mean,
                  statistics.deviation, read(coefficients.view), read(dy_means.view), read(ddx_means.view)},
                 shaders::NormCombine{.walk = walk.push,
                                      .sets = statistics.push,
                                      .x_first = x.first,
                                      .dy_first = dy.first,
                                      .ddx_first = ddx.first,
                                      .out_first = out.first,
                                      .coefficients_first = coefficients.first,
                                      .dy_means_first = dy_means.first,
                                      .ddx_means_first = ddx_means.first},
                 walk.groups);
    }
}

}  // namespace

BatchNormDoubleBackward::BatchNormDoubleBackward(const NormPlan& plan, Scratch& scratch)
    : dy_means_(scratch.add(2 * plan.channel_bytes())),
      ddx_means_(scratch.add(2 * plan.channel_bytes())),
      product_means_(scratch.add(2 * plan.channel_bytes())),
      of_grad_dy_(scratch.add(4 * plan.channel_bytes())),
      of_grad_x_(scratch.add(4 * plan.channel_bytes())) {}

void BatchNormDoubleBackward::record(Recorder& recorder, const NormPasses& norm, const BufferView& partials,
                                     const BatchNorm::DoubleBackward& arguments) const {
    const NormPlan& plan = norm.plan();
    const StatisticsView statistics{.mean = arguments.mean, .deviation = arguments.inv_std};
    const auto range = [&](const ScratchRange& of) { return of.of(arguments.scratch); };
    const auto means_of_partials = [&](const BufferView& means) {
        norm.backward_finalize(recorder, {.from = partials_of_sets(plan, partials),
                                          .means = means,
                                          .values = {.known = plan.extent.values_per_channel()}});
        return means;
    };
    const auto means_of = [&](const BufferView& tensor, const BufferView& means) {
        norm.backward_sums(recorder,
                           {.x = arguments.x, .dy = tensor, .statistics = statistics, .partials = partials});
        return means_of_partials(means);
    };
    const bool beyond_dy = arguments.grad_x || arguments.grad_gamma;
    BufferView dy_means, ddx_means, product_means;
    if (beyond_dy) dy_means = means_of(arguments.dy, range(dy_means_));
    if (arguments.ddx) ddx_means = means_of(arguments.ddx, range(ddx_means_));
    if (beyond_dy && arguments.ddx) {
        record_products(recorder, plan,
                        {.dy = arguments.dy,
                         .ddx = arguments.ddx,
                         .dy_means = dy_means,
                         .ddx_means = ddx_means,
                         .partials = partials});
        product_means = means_of_partials(range(product_means_));
    }
    record_coefficients(recorder, plan,
                        {.dy_means = dy_means,
                         .ddx_means = ddx_means,
                         .product_means = product_means,
                         .inv_std = arguments.inv_std,
                         .gamma = arguments.gamma,
                         .ddgamma = arguments.ddgamma,
                         .ddbeta = arguments.ddbeta,
                         .of_grad_dy = range(of_grad_dy_),
                         .of_grad_x = range(of_grad_x_),
                         .grad_gamma = arguments.grad_gamma});
    if (arguments.grad_dy) {
        record_combination(recorder, plan,
                           {.x = arguments.x,
                            .ddx = arguments.ddx,
                            .out = arguments.grad_dy,
                            .statistics = statistics,
                            .coefficients = range(of_grad_dy_),
                            .ddx_means = ddx_means});
    }
    if (arguments.grad_x) {
        record_combination(recorder, plan,
                           {.x = arguments.x,
                            .dy = arguments.dy,
                            .ddx = arguments.ddx,
                            .out = arguments.grad_x,
                            .statistics = statistics,
                            .coefficients = range(of_grad_x_),
                            .dy_means = dy_means,
                            .ddx_means = ddx_means});
    }
}

}  // namespace vknorm::detail
