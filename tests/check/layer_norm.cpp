// vknorm-check knows layer and RMS normalization so.
#include <stdexcept>

#include <vknorm/layer_norm.hpp>
#include <vknorm/rms_norm.hpp>

#include "check/norm_arguments.hpp"

namespace vknorm::check {

namespace {

const Option dimensions_option{
    "normalized-dimensions", {}, "How many of the last dimensions make a row (1 if not given)", true};

uint32_t dimensions_of(const Settings& settings) {
    return settings.whole(dimensions_option.name, 1);
}

LayerNormOptions options_of(const Call& call) {
    return {.shape = lengths_of(call),
            .normalized_dimensions = dimensions_of(call.settings),
            .epsilon = call.settings.number("eps", LayerNormOptions{}.epsilon),
            .storage = storage_of(call.settings)};
}

reference::NormData data_of(const Call& call) {
    reference::NormData data;
    read(call, data);
    return data;
}

template <class Norm>
void run(const Call& call, Workspace& workspace) {
    record_training(Norm(workspace.device(), options_of(call)), call, workspace);
}

Expectations expect_layer_norm(const Call& call) {
    const reference::NormData data = data_of(call);
    const LayerNormOptions options = options_of(call);
    return expect_training(call, reference::expected_forward(data, options),
                           [&] { return reference::expected_backward(data, options); });
}

Expectations expect_rms_norm(const Call& call) {
    const reference::NormData data = data_of(call);
    const LayerNormOptions options = options_of(call);
    return expect_training(call, reference::expected_rms_forward(data, options),
                           [&] { return reference::expected_rms_backward(data, options); });
}

TensorShape shape_of(const std::string& tensor, const TensorShape& x, const Settings& settings) {
    const uint32_t dimensions = dimensions_of(settings);
    if (dimensions > x.size())
        throw std::invalid_argument("normalized-dimensions: got " + std::to_string(dimensions) +
                                    ", needs at most the " + std::to_string(x.size()) + " of x");
    const auto split = x.end() - dimensions;
    for (const char* like_x : {"x", "y", "dx", "dy"})
        if (tensor == like_x) return x;
    TensorShape rows(x.begin(), split);
    if (tensor == "inv_std" || tensor == "inv_rms") return rows;
    if (tensor != "mean") return {split, x.end()};
    rows.insert(rows.begin(), 2);
    return rows;
}

std::string words_of(const std::map<std::string, double>& attributes, const HostTensors& inputs) {
    const double axis = onnx_attribute(attributes, "axis", -1);
    const double rank = static_cast<double>(inputs.at("x").shape.size());
    return "--mode forward --eps " + number_text(onnx_attribute(attributes, "epsilon", 1e-5)) +
           " --normalized-dimensions " + number_text(axis < 0 ? -axis : rank - axis);
}

/// The mean of ONNX is only the first half of ours.
std::string from_onnx(const std::map<std::string, double>& attributes, HostTensors& inputs,
                      HostTensors& outputs) {
    if (outputs.contains("mean")) {
        std::vector<float> pair = outputs.at("mean").floats();
        pair.resize(2 * pair.size());
        outputs["mean"] = {{pair.size()}, pair};
    }
    return words_of(attributes, inputs);
}

std::string rms_from_onnx(const std::map<std::string, double>& attributes, HostTensors& inputs,
                          HostTensors&) {
    return words_of(attributes, inputs);
}

}  // namespace

Operation layer_norm() {
    return {
        .name = "layer_norm",
        .help = "layer normalization; runs backward too when there is a dy",
        .tensors = family_tensors("the normalized dimensions of x", "the others"),
        .options = {eps_option, storage_option, dimensions_option},
        .modes = {forward_mode(run<LayerNorm>, expect_layer_norm)},
        .shape_of = shape_of,
        .onnx = {{.op = "LayerNormalization",
                  .inputs = {"x", "gamma", "beta"},
                  .outputs = {"y", "mean", "inv_std"},
                  .translate = from_onnx}},
    };
}

Operation rms_norm() {
    std::vector<TensorKind> tensors = family_tensors("the normalized dimensions of x", "the others");
    std::erase_if(tensors, [](const TensorKind& tensor) {
        return tensor.name == "beta" || tensor.name == "dbeta" || tensor.name == "mean" ||
               tensor.name == "inv_std";
    });
    return {
        .name = "rms_norm",
        .help = "root mean square layer normalization; runs backward too when there is a dy",
        .tensors = with(std::move(tensors),
                        {{.name = "inv_rms", .help = "(the others): 1 / sqrt(mean square + eps)"}}),
        .options = {eps_option, storage_option, dimensions_option},
        .modes = {{.name = "forward",
                   .needs = {"x"},
                   .takes = {"gamma", "dy"},
                   .adds = {"dgamma"},
                   .gives = {"y", "inv_rms", "dx", "dgamma"},
                   .run = run<RmsNorm>,
                   .expect = expect_rms_norm}},
        .shape_of = shape_of,
        .onnx = {{.op = "RMSNormalization",
                  .inputs = {"x", "gamma"},
                  .outputs = {"y"},
                  .translate = rms_from_onnx}},
    };
}

}  // namespace vknorm::check
