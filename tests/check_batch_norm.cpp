// Batch normalization as vknorm-check knows it.
#include <cmath>
#include <limits>
#include <stdexcept>

#include "check_operation.hpp"
#include "check_workspace.hpp"
#include "reference/batch_norm_expected.hpp"

namespace vknorm::check {

namespace {

const Option preset{"preset", {"torch", "onnx", "keras"}, "Whose defaults the next four have"};
const Option running_variance{
    "running-variance", {"unbiased", "biased"}, "Variance that goes into running_var"};
const Option momentum_form{"momentum-form",
                           {"new", "old", "cumulative"},
                           "What momentum weighs: the new batch, the old value, or nothing: a plain average"};
const Option layout{"layout", {"channels_first", "channels_last"}, "Where the channels of x stand"};
const Option single_value{
    "single-value", {"error", "keep_running", "normalize"}, "What training does with one value per channel"};

std::vector<uint32_t> lengths(const Shape& shape) {
    std::vector<uint32_t> result;
    for (const uint64_t length : shape) {
        if (length > std::numeric_limits<uint32_t>::max())
            throw std::invalid_argument("batch_norm: x: got shape " + testing::text(shape) +
                                        ", needs lengths of at most 4294967295");
        result.push_back(static_cast<uint32_t>(length));
    }
    return result;
}

BatchNormOptions options_of(const Call& call) {
    const Settings& settings = call.settings;
    const BatchNormConvention presets[] = {BatchNormConvention::torch(), BatchNormConvention::onnx(),
                                           BatchNormConvention::keras()};
    BatchNormConvention convention = presets[settings.word(preset, 0)];
    // The words stand in the order of the enumerators.
    convention.running_variance = static_cast<RunningVariance>(
        settings.word(running_variance, static_cast<size_t>(convention.running_variance)));
    convention.momentum_form =
        static_cast<Momentum>(settings.word(momentum_form, static_cast<size_t>(convention.momentum_form)));
    convention.momentum = settings.number("momentum", convention.momentum);
    convention.epsilon = settings.number("eps", convention.epsilon);
    return {.shape = lengths(call.x_shape()),
            .layout = static_cast<Layout>(settings.word(layout, 0)),
            .convention = convention,
            .single_value = static_cast<SingleValue>(settings.word(single_value, 0))};
}

Shape shape_of(const std::string& tensor, const Shape& x, const Settings& settings) {
    if (x.size() < 2 || x.size() > 5)
        throw std::invalid_argument("batch_norm: x: got shape " + testing::text(x) +
                                    ", needs 2 to 5 dimensions");
    if (tensor == "x" || tensor == "y" || tensor == "dx" || tensor == "dy") return x;
    if (tensor == "num_batches_tracked") return {};
    const uint64_t channels = settings.word(layout, 0) == 0 ? x[1] : x.back();
    if (tensor == "mean") return {2, channels};
    return {channels};
}

reference::BatchNormData data_of(const Call& call) {
    reference::BatchNormData data;
    data.x = call.floats("x");
    data.dy = call.floats("dy");
    data.gamma = call.floats("gamma");
    data.beta = call.floats("beta");
    data.options = options_of(call);
    data.running_mean = call.floats("running_mean");
    data.running_var = call.floats("running_var");
    if (call.has("num_batches_tracked"))
        data.batches = call.inputs.at("num_batches_tracked").integers().front();
    return data;
}

struct Saved {
    BufferView mean, inv_std, scratch;
};

void record_backward(const BatchNorm& op, Workspace& workspace, const BufferView& x, const BufferView& gamma,
                     const Saved& saved) {
    op.backward(workspace.recorder(), {.x = x,
                                       .dy = workspace.in("dy"),
                                       .mean = saved.mean,
                                       .inv_std = saved.inv_std,
                                       .gamma = gamma,
                                       .dx = workspace.out("dx"),
                                       .dgamma = workspace.out("dgamma"),
                                       .dbeta = workspace.out("dbeta"),
                                       .scratch = saved.scratch});
}

void run_training(const Call& call, Workspace& workspace) {
    const BatchNorm op(workspace.device(), options_of(call));
    const BufferView x = workspace.in("x"), gamma = workspace.in("gamma");
    const Saved saved{workspace.out("mean"), workspace.out("inv_std"), workspace.scratch(op.scratch_bytes())};
    op.forward_training(workspace.recorder(), {.x = x,
                                               .y = workspace.out("y"),
                                               .gamma = gamma,
                                               .beta = workspace.in("beta"),
                                               .mean = saved.mean,
                                               .inv_std = saved.inv_std,
                                               .running_mean = workspace.in_out("running_mean"),
                                               .running_var = workspace.in_out("running_var"),
                                               .num_batches_tracked = workspace.in_out("num_batches_tracked"),
                                               .scratch = saved.scratch});
    if (call.has("dy")) record_backward(op, workspace, x, gamma, saved);
}

Expectations expect_training(const Call& call) {
    const reference::BatchNormData data = data_of(call);
    Expectations result = reference::expected_forward_training(data);
    result.erase("health");
    if (call.has("num_batches_tracked"))
        result["num_batches_tracked"] = {{static_cast<double>(data.batches + 1)}, {0}};
    if (call.has("dy")) result.merge(reference::expected_backward(data));
    return result;
}

void run_inference(const Call& call, Workspace& workspace) {
    const BatchNorm op(workspace.device(), options_of(call));
    op.forward_inference(workspace.recorder(), {.x = workspace.in("x"),
                                                .y = workspace.out("y"),
                                                .gamma = workspace.in("gamma"),
                                                .beta = workspace.in("beta"),
                                                .running_mean = workspace.in("running_mean"),
                                                .running_var = workspace.in("running_var")});
}

Expectations expect_inference(const Call& call) {
    return reference::expected_forward_inference(data_of(call));
}

bool has_saved(const Call& call) {
    if (call.has("mean") != call.has("inv_std"))
        throw std::invalid_argument(
            "batch_norm backward: mean, inv_std: got one of them, needs both or neither");
    return call.has("mean");
}

void run_backward(const Call& call, Workspace& workspace) {
    const BatchNorm op(workspace.device(), options_of(call));
    const BufferView x = workspace.in("x"), gamma = workspace.in("gamma");
    const BufferView scratch = workspace.scratch(op.scratch_bytes());
    if (has_saved(call)) {
        record_backward(op, workspace, x, gamma, {workspace.in("mean"), workspace.in("inv_std"), scratch});
        return;
    }
    const Saved saved{workspace.scratch(2 * op.channels() * sizeof(float)),
                      workspace.scratch(op.channels() * sizeof(float)), scratch};
    op.forward_training(workspace.recorder(), {.x = x,
                                               .y = workspace.scratch(op.elements() * sizeof(float)),
                                               .mean = saved.mean,
                                               .inv_std = saved.inv_std,
                                               .scratch = scratch});
    record_backward(op, workspace, x, gamma, saved);
}

Expectations expect_backward(const Call& call) {
    if (!has_saved(call)) return reference::expected_backward(data_of(call));
    const std::vector<float> pair = call.floats("mean"), inv_std = call.floats("inv_std");
    reference::Values mean(inv_std.size());
    for (size_t c = 0; c < mean.size(); ++c) mean[c] = double{pair[c]} + pair[mean.size() + c];
    return reference::expected_backward(data_of(call), mean, {inv_std.begin(), inv_std.end()});
}

void run_backward_frozen(const Call& call, Workspace& workspace) {
    const BatchNorm op(workspace.device(), options_of(call));
    op.backward_frozen(workspace.recorder(), {.x = workspace.in("x"),
                                              .dy = workspace.in("dy"),
                                              .running_mean = workspace.in("running_mean"),
                                              .running_var = workspace.in("running_var"),
                                              .gamma = workspace.in("gamma"),
                                              .dx = workspace.out("dx"),
                                              .dgamma = workspace.out("dgamma"),
                                              .dbeta = workspace.out("dbeta"),
                                              .scratch = workspace.scratch(op.scratch_bytes())});
}

Expectations expect_backward_frozen(const Call& call) {
    return reference::expected_backward_frozen(data_of(call));
}

std::string onnx_arguments(const std::map<std::string, double>& attributes) {
    const auto attribute = [&](const char* name, double otherwise) {
        const auto found = attributes.find(name);
        return found == attributes.end() ? otherwise : found->second;
    };
    // Before operator set 7 is_test told inference; from 14 on training_mode tells training.
    const bool training = attribute("training_mode", 0) != 0 || attribute("is_test", 1) == 0;
    const BatchNormConvention defaults = BatchNormConvention::onnx();
    return std::string("--preset onnx --mode ") + (training ? "training" : "inference") + " --eps " +
           number_text(attribute("epsilon", defaults.epsilon)) + " --momentum " +
           number_text(attribute("momentum", defaults.momentum));
}

}  // namespace

Operation batch_norm() {
    return {
        .name = "batch_norm",
        .help = "Batch Normalization (Ioffe and Szegedy 2015)",
        .tensors = {{"x", Fill::x, "(N, C), (N, C, L), (N, C, H, W) or (N, C, D, H, W), or with C last"},
                    {"gamma", Fill::scale, "(C)"},
                    {"beta", Fill::shift, "(C)"},
                    {"running_mean", Fill::x, "(C)"},
                    {"running_var", Fill::variance, "(C)"},
                    {"num_batches_tracked", Fill::count, "(), int64", Dtype::i64},
                    {"dy", Fill::gradient, "gradient of y"},
                    {"mean", Fill::none, "(2, C): of the batch, then what rounding it to float32 lost"},
                    {"inv_std", Fill::none, "(C): 1 / sqrt(variance of the batch + eps)"},
                    {"y", Fill::none, "as x"},
                    {"dx", Fill::none, "gradient of x"},
                    {"dgamma", Fill::none, "gradient of gamma"},
                    {"dbeta", Fill::none, "gradient of beta"}},
        .options = {preset,
                    {"eps", {}, "Added to the variance"},
                    {"momentum", {}, "Of the running statistics, 0 to 1"},
                    momentum_form,
                    running_variance,
                    layout,
                    single_value},
        .modes = {{.name = "training",
                   .needs = {"x"},
                   .takes = {"gamma", "beta", "running_mean", "running_var", "num_batches_tracked", "dy"},
                   .gives = {"y", "mean", "inv_std", "running_mean", "running_var", "num_batches_tracked",
                             "dx", "dgamma", "dbeta"},
                   .run = run_training,
                   .expect = expect_training},
                  {.name = "inference",
                   .needs = {"x", "running_mean", "running_var"},
                   .takes = {"gamma", "beta"},
                   .gives = {"y"},
                   .run = run_inference,
                   .expect = expect_inference},
                  {.name = "backward",
                   .needs = {"x", "dy"},
                   .takes = {"gamma", "mean", "inv_std"},
                   .gives = {"dx", "dgamma", "dbeta"},
                   .run = run_backward,
                   .expect = expect_backward},
                  {.name = "backward_frozen",
                   .needs = {"x", "dy", "running_mean", "running_var"},
                   .takes = {"gamma"},
                   .gives = {"dx", "dgamma", "dbeta"},
                   .run = run_backward_frozen,
                   .expect = expect_backward_frozen}},
        .shape_of = shape_of,
        .onnx = {.op = "BatchNormalization",
                 .inputs = {"x", "gamma", "beta", "running_mean", "running_var"},
                 .outputs = {"y", "running_mean", "running_var"},
                 .arguments = onnx_arguments},
    };
}

}  // namespace vknorm::check
