// Group normalization as vknorm-check knows it.
#include <vknorm/group_norm.hpp>

#include "check/family.hpp"
#include "reference/family_expected.hpp"

namespace vknorm::check {

namespace {

const Option groups_option{"groups", {}, "Into how many groups the channels go (1 if not given)", true};

GroupNormOptions options_of(const Call& call) {
    return {.shape = lengths_of(call),
            .layout = layout_of(call.settings),
            .groups = call.settings.whole(groups_option.name, 1),
            .epsilon = call.settings.number("eps", GroupNormOptions{}.epsilon),
            .storage = storage_of(call.settings)};
}

void run(const Call& call, Workspace& workspace) {
    const GroupNorm op(workspace.device(), options_of(call));
    const BufferView x = workspace.in("x"), gamma = workspace.in("gamma");
    const BufferView mean = workspace.out("mean"), inv_std = workspace.out("inv_std");
    const BufferView scratch = workspace.scratch(op.scratch_bytes());
    op.forward(workspace.recorder(), {.x = x,
                                      .y = workspace.out("y"),
                                      .gamma = gamma,
                                      .beta = workspace.in("beta"),
                                      .mean = mean,
                                      .inv_std = inv_std,
                                      .scratch = scratch});
    if (!call.has("dy")) return;
    op.backward(workspace.recorder(), {.x = x,
                                       .dy = workspace.in("dy"),
                                       .mean = mean,
                                       .inv_std = inv_std,
                                       .gamma = gamma,
                                       .dx = workspace.out("dx"),
                                       .dgamma = parameter_gradient(call, workspace, "dgamma"),
                                       .dbeta = parameter_gradient(call, workspace, "dbeta"),
                                       .accumulate = accumulates(call),
                                       .scratch = scratch});
}

Expectations expect(const Call& call) {
    reference::NormData data;
    read(call, data);
    Expectations result = reference::expected_forward(data, options_of(call));
    if (call.has("dy")) expect_gradients(call, result, reference::expected_backward(data, options_of(call)));
    return result;
}

TensorShape shape_of(const std::string& tensor, const TensorShape& x, const Settings& settings) {
    require_images("group_norm", x);
    const uint64_t groups = settings.whole(groups_option.name, 1);
    if (tensor == "mean") return {2, x[0], groups};
    if (tensor == "inv_std") return {x[0], groups};
    return family_shape(tensor, x, settings);
}

/// Before operator set 21 scale and bias were those of groups.
std::string from_onnx(const std::map<std::string, double>& attributes, HostTensors& inputs, HostTensors&) {
    const uint64_t channels = inputs.at("x").shape.at(1);
    for (const char* name : {"gamma", "beta"}) {
        const std::vector<float> given = inputs.at(name).floats();
        std::vector<float> spread(channels);
        for (uint64_t c = 0; c < channels; ++c) spread[c] = given.at(c * given.size() / channels);
        inputs[name] = {{channels}, spread};
    }
    return "--mode forward --eps " + number_text(onnx_attribute(attributes, "epsilon", 1e-5)) + " --groups " +
           number_text(attributes.at("num_groups"));
}

}  // namespace

Operation group_norm() {
    return {
        .name = "group_norm",
        .help = "group normalization; runs backward too when there is a dy",
        .tensors = family_tensors("(C)", "N, groups"),
        .options = {eps_option, layout_option, storage_option, groups_option},
        .modes = {{.name = "forward",
                   .needs = {"x"},
                   .takes = {"gamma", "beta", "dy"},
                   .adds = {"dgamma", "dbeta"},
                   .gives = {"y", "mean", "inv_std", "dx", "dgamma", "dbeta"},
                   .run = run,
                   .expect = expect}},
        .shape_of = shape_of,
        .onnx = {{.op = "GroupNormalization",
                  .inputs = {"x", "gamma", "beta"},
                  .outputs = {"y"},
                  .translate = from_onnx}},
    };
}

}  // namespace vknorm::check
