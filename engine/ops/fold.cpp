#include "vknorm/fold.hpp"

#include "ops/arguments.hpp"
#include "ops/grid.hpp"
#include "ops/norm/bind.hpp"
#include "ops/norm/options.hpp"
#include "shaders/batch_norm.h"

namespace vknorm {

using namespace detail;

void fold_batch_norm(Recorder& recorder, const FoldBatchNorm& arguments) {
    const std::string operation = "fold_batch_norm";
    const uint32_t channels = arguments.channels, weights_per_channel = arguments.weights_per_channel;
    Arguments check(operation, recorder);
    if (channels == 0) check.refuse("channels", "0", "at least 1");
    if (weights_per_channel == 0) check.refuse("weights_per_channel", "0", "at least 1");
    check_epsilon(operation, arguments.epsilon);
    const Capabilities& capabilities = recorder.device().capabilities();
    const uint64_t most =
        capabilities.max_storage_buffer_range - capabilities.storage_buffer_offset_alignment;
    const uint64_t weights = uint64_t{channels} * weights_per_channel;
    if (weights > most / sizeof(float)) {
        check.refuse("weight", std::to_string(weights) + " elements",
                     "at most " + std::to_string(most / sizeof(float)) +
                         " on this device (max_storage_buffer_range " +
                         std::to_string(capabilities.max_storage_buffer_range) + ")");
    }
    const uint64_t channel_bytes = channels * sizeof(float);
    check.input("weight", arguments.weight, weights * sizeof(float));
    check.optional_input("bias", arguments.bias, channel_bytes);
    check.optional_input("gamma", arguments.gamma, channel_bytes);
    check.optional_input("beta", arguments.beta, channel_bytes);
    check.input("running_mean", arguments.running_mean, channel_bytes);
    check.input("running_var", arguments.running_var, channel_bytes);
    check.output("folded_weight", arguments.folded_weight, weights * sizeof(float), {"weight"});
    check.output("folded_bias", arguments.folded_bias, channel_bytes, {"bias"});
    check.check_overlap();

    const Label label(recorder, operation);
    const Device& device = recorder.device();
    const auto of_channels = [&, count = channels](const BufferView& view) {
        return bind_elements(device, view, 0, count);
    };
    const AlignedView weight = bind_elements(device, arguments.weight, 0, weights);
    const AlignedView bias = of_channels(arguments.bias), gamma = of_channels(arguments.gamma);
    const AlignedView beta = of_channels(arguments.beta), mean = of_channels(arguments.running_mean);
    const AlignedView var = of_channels(arguments.running_var);
    const AlignedView folded_weight = bind_elements(device, arguments.folded_weight, 0, weights);
    const AlignedView folded_bias = of_channels(arguments.folded_bias);
    const Grid grid = strided_grid(capabilities, weights);
    const uint32_t constants[] = {grid.workgroup};
    const shaders::FoldBatchNorm push{.weights = narrow(weights),
                                      .weights_per_channel = weights_per_channel,
                                      .channels = channels,
                                      .given = bit_if(bool(bias.view), shaders::fold_bias) |
                                               bit_if(bool(gamma.view), shaders::fold_gamma) |
                                               bit_if(bool(beta.view), shaders::fold_beta),
                                      .epsilon = arguments.epsilon,
                                      .weight_first = weight.first,
                                      .bias_first = bias.first,
                                      .gamma_first = gamma.first,
                                      .beta_first = beta.first,
                                      .running_mean_first = mean.first,
                                      .running_var_first = var.first,
                                      .folded_weight_first = folded_weight.first,
                                      .folded_bias_first = folded_bias.first};
    dispatch(recorder, {shaders::fold_batch_norm, constants},
             {read(weight.view), read(bias.view), read(gamma.view), read(beta.view), read(mean.view),
              read(var.view), write(folded_weight.view), write(folded_bias.view)},
             push, grid.groups);
}

}  // namespace vknorm
