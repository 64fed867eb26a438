// vknorm-check knows group normalization so.
#include <vknorm/group_norm.hpp>

#include "check/norm_arguments.hpp"

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
    record_training(GroupNorm(workspace.device(), options_of(call)), call, workspace);
}

Expectations expect(const Call& call) {
    reference::NormData data;
    read(call, data);
    const GroupNormOptions options = options_of(call);
    return expect_training(call, reference::expected_forward(data, options),
                           [&] { return reference::expected_backward(data, options); });
}

TensorShape shape_of(const std::string& tensor, const TensorShape& x, const Settings& settings) {
    require_images("group_norm", x);
    const uint64_t groups = settings.whole(groups_option.name, 1);
    if (tensor == "mean") return {2, x[0], groups};
    if (tensor == "inv_std") return {x[0], groups};
    return family_shape(tensor, x, settings);
}

/// Before operator set 21 scale and bias were those of groups, so they are spread over channels.
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
        .modes = {forward_mode(run, expect)},
        .shape_of = shape_of,
        .onnx = {{.op = "GroupNormalization",
                  .inputs = {"x", "gamma", "beta"},
                  .outputs = {"y"},
                  .translate = from_onnx}},
    };
}

}  // namespace vknorm::check
