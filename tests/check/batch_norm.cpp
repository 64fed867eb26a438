// vknorm-check knows batch normalization so: this is its entry, and its forward passes.
#include "check/batch_norm.hpp"

#include <bit>
#include <utility>

#include "check/norm_arguments.hpp"

namespace vknorm::check {

namespace {

/// A channel has mean / std, which is a float32, and three whole numbers.
constexpr size_t health_words = sizeof(ChannelHealth) / sizeof(uint32_t);
std::vector<double> health_numbers(const HostTensor& tensor) {
    std::vector<double> numbers;
    for (const uint32_t word : tensor.words())
        numbers.push_back(numbers.size() % health_words == 0 ? std::bit_cast<float>(word)
                                                             : static_cast<double>(word));
    return numbers;
}

/// Drops what depends on options of the call, not only on its tensors.
void drop_unasked(const Call& call, Expectations& expectations) {
    if (relu_of(call) != Relu::mask) expectations.erase("relu_mask");
    if (!wants_health(call)) expectations.erase("health");
}

void run_training(const Call& call, Workspace& workspace) {
    record_training(BatchNorm(workspace.device(), batch_norm_options(call)), call, workspace);
}

Expectations expect_batch_norm_training(const Call& call) {
    const reference::BatchNormData data = batch_norm_data(call);
    Expectations forward = reference::expected_forward_training(data);
    drop_unasked(call, forward);
    return expect_training(call, std::move(forward), [&] { return reference::expected_backward(data); });
}

void run_inference(const Call& call, Workspace& workspace) {
    BatchNorm(workspace.device(), batch_norm_options(call))
        .forward_inference(workspace.recorder(), NormArguments(call, workspace));
}

Expectations expect_inference(const Call& call) {
    Expectations result = reference::expected_forward_inference(batch_norm_data(call));
    drop_unasked(call, result);
    return result;
}

std::string from_onnx(const std::map<std::string, double>& attributes, HostTensors&, HostTensors&) {
    // Before operator set 7 is_test told inference; from 14 on training_mode tells training.
    const bool training =
        onnx_attribute(attributes, "training_mode", 0) != 0 || onnx_attribute(attributes, "is_test", 1) == 0;
    const BatchNormConvention defaults = BatchNormConvention::onnx();
    return std::string("--preset onnx --mode ") + (training ? "training" : "inference") + " --eps " +
           number_text(onnx_attribute(attributes, "epsilon", defaults.epsilon)) + " --momentum " +
           number_text(onnx_attribute(attributes, "momentum", defaults.momentum));
}

/// This is MeanVarianceNormalization over all axes but the channels'.
std::string from_onnx_mvn(const std::map<std::string, double>&, HostTensors&, HostTensors&) {
    return "--mode training --eps 1e-9";
}

std::vector<TensorKind> tensors() {
    return with(
        with(family_tensors("(C)", "C"), running_tensors()),
        {{.name = "residual", .fill = Fill::shift, .help = "added to y", .stored = true},
         {.name = "valid",
          .fill = Fill::valid,
          .help = "x without channels: where 0, x is left out",
          .dtype = Dtype::u32},
         {.name = "ddx", .fill = Fill::gradient, .help = "gradient of dx"},
         {.name = "ddgamma", .fill = Fill::gradient, .help = "gradient of dgamma"},
         {.name = "ddbeta", .fill = Fill::gradient, .help = "gradient of dbeta"},
         {.name = "relu_mask",
          .help = "(C, ceil(values / 32)): bits where y was above 0",
          .dtype = Dtype::u32},
         {.name = "count", .help = "(1): valid values of a channel", .dtype = Dtype::u32},
         {.name = "health",
          .help = "(C, 4): |mean| / std as a float32, variance below eps, first value that is not finite, "
                  "whether the variance of finite values is none of float32",
          .dtype = Dtype::u32,
          .numbers = health_numbers},
         {.name = "dresidual", .help = "gradient of residual", .stored = true},
         {.name = "grad_dy", .help = "gradient of dy"},
         {.name = "grad_x", .help = "gradient of x, through dx, dgamma and dbeta"},
         {.name = "grad_gamma", .help = "gradient of gamma, through dx"}});
}

}  // namespace

BatchNormOptions batch_norm_options(const Call& call) {
    const Settings& settings = call.settings;
    return {.shape = lengths_of(call),
            .layout = layout_of(settings),
            .convention = convention_of(settings),
            .single_value = single_value_of(settings),
            .per_activation = settings.word(per_activation_option, 0) != 0,
            .storage = storage_of(settings),
            .guard = has_guard(call)};
}

reference::BatchNormData batch_norm_data(const Call& call) {
    const auto words = [&](const char* tensor) {
        return call.has(tensor) ? call.inputs.at(tensor).words() : std::vector<uint32_t>{};
    };
    reference::BatchNormData data;
    read(call, data);
    data.options = batch_norm_options(call);
    data.running_mean = call.floats("running_mean");
    data.running_var = call.floats("running_var");
    data.batches = batches_of(call);
    data.residual = call.floats("residual");
    data.relu = relu_of(call) != Relu::none;
    if (relu_of(call) == Relu::mask) data.relu_mask = words("relu_mask");
    if (relu_of(call) == Relu::output) data.output = call.floats("y");
    data.valid = words("valid");
    data.ddx = call.floats("ddx");
    data.ddgamma = call.floats("ddgamma");
    data.ddbeta = call.floats("ddbeta");
    return data;
}

TensorShape batch_norm_shape(const std::string& tensor, const TensorShape& x, const Settings& settings) {
    require_images("batch_norm", x);
    for (const char* like_x : {"x", "y", "dx", "dy", "residual", "dresidual", "ddx", "grad_dy", "grad_x"})
        if (tensor == like_x) return x;
    if (tensor.starts_with("num_batches_")) return {};
    const bool per_activation = settings.word(per_activation_option, 0) != 0;
    const uint64_t activations = element_count(TensorShape(x.begin() + 1, x.end()));
    const uint64_t channels = per_activation ? activations : channels_of(x, settings);
    if (tensor == "valid") {
        if (per_activation) return {x[0]};
        TensorShape positions = x;
        positions.erase(layout_of(settings) == Layout::channels_first ? positions.begin() + 1
                                                                      : positions.end() - 1);
        return positions;
    }
    if (tensor == "relu_mask") {
        const uint64_t values = channels == 0 ? 0 : x[0] * activations / channels;
        return {channels, (values + 31) / 32};
    }
    if (tensor == "count") return {1};
    if (tensor == "health") return {channels, sizeof(ChannelHealth) / sizeof(uint32_t)};
    if (tensor == "mean") return {2, channels};
    return {channels};
}

Operation batch_norm() {
    return {
        .name = "batch_norm",
        .help = "batch normalization; training runs its backward too when there is a dy",
        .tensors = tensors(),
        .options =
            with(convention_options(), {layout_option, single_value_option, storage_option,
                                        per_activation_option, relu_option, health_option, guard_option}),
        .modes = {{.name = "training",
                   .needs = {"x"},
                   .takes = {"gamma", "beta", "running_mean", "running_var", "num_batches_tracked", "dy"},
                   .adds = {"residual", "valid", "dgamma", "dbeta", "num_batches_refused"},
                   .gives = {"y", "mean", "inv_std", "running_mean", "running_var", "num_batches_tracked",
                             "num_batches_refused", "relu_mask", "count", "health", "dx", "dgamma", "dbeta",
                             "dresidual"},
                   .run = run_training,
                   .expect = expect_batch_norm_training},
                  {.name = "inference",
                   .needs = {"x", "running_mean", "running_var"},
                   .takes = {"gamma", "beta"},
                   .adds = {"residual"},
                   .gives = {"y", "relu_mask"},
                   .run = run_inference,
                   .expect = expect_inference},
                  {.name = "backward",
                   .needs = {"x", "dy"},
                   .takes = {"gamma", "beta", "mean", "inv_std", "relu_mask", "y", "count"},
                   .adds = {"residual", "valid", "dgamma", "dbeta"},
                   .gives = {"dx", "dgamma", "dbeta", "dresidual"},
                   .run = run_batch_norm_backward,
                   .expect = expect_batch_norm_backward},
                  {.name = "backward_frozen",
                   .needs = {"x", "dy", "running_mean", "running_var"},
                   .takes = {"gamma", "beta", "relu_mask", "y"},
                   .adds = {"residual", "dgamma", "dbeta"},
                   .gives = {"dx", "dgamma", "dbeta", "dresidual"},
                   .run = run_batch_norm_frozen,
                   .expect = expect_batch_norm_frozen},
                  {.name = "double_backward",
                   .needs = {"x", "dy"},
                   .takes = {"gamma", "ddx", "ddgamma", "ddbeta", "mean", "inv_std"},
                   .gives = {"grad_dy", "grad_x", "grad_gamma"},
                   .run = run_double_backward,
                   .expect = expect_double_backward}},
        .shape_of = batch_norm_shape,
        .onnx = {{.op = "BatchNormalization",
                  .inputs = {"x", "gamma", "beta", "running_mean", "running_var"},
                  .outputs = {"y", "running_mean", "running_var"},
                  .translate = from_onnx},
                 {.op = "MeanVarianceNormalization",
                  .inputs = {"x"},
                  .outputs = {"y"},
                  .translate = from_onnx_mvn}},
    };
}

}  // namespace vknorm::check
