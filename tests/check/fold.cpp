// vknorm-check knows the folding of batch normalization into the layer before it so.
#include <stdexcept>

#include <vknorm/fold.hpp>

#include "check/family.hpp"
#include "reference/family_expected.hpp"

namespace vknorm::check {

namespace {

void run(const Call& call, Workspace& workspace) {
    const std::vector<uint32_t> lengths = lengths_of(call);
    const uint64_t channels = lengths.front(), weights = element_count(call.shape());
    fold_batch_norm(workspace.recorder(),
                    {.channels = lengths.front(),
                     .weights_per_channel = channels == 0 ? 0 : static_cast<uint32_t>(weights / channels),
                     .epsilon = call.settings.number("eps", FoldBatchNorm{}.epsilon),
                     .weight = workspace.in("weight"),
                     .bias = workspace.in("bias"),
                     .gamma = workspace.in("gamma"),
                     .beta = workspace.in("beta"),
                     .running_mean = workspace.in("running_mean"),
                     .running_var = workspace.in("running_var"),
                     .folded_weight = workspace.out("folded_weight"),
                     .folded_bias = workspace.out("folded_bias")});
}

Expectations expect(const Call& call) {
    return reference::expected_fold({.weight = call.floats("weight"),
                                     .bias = call.floats("bias"),
                                     .gamma = call.floats("gamma"),
                                     .beta = call.floats("beta"),
                                     .running_mean = call.floats("running_mean"),
                                     .running_var = call.floats("running_var"),
                                     .epsilon = call.settings.number("eps", FoldBatchNorm{}.epsilon)});
}

TensorShape shape_of(const std::string& tensor, const TensorShape& weight, const Settings&) {
    if (weight.size() < 2)
        throw std::invalid_argument("fold_batch_norm: weight: got shape " + shape_text(weight) +
                                    ", needs at least 2 dimensions");
    if (tensor == "weight" || tensor == "folded_weight") return weight;
    return {weight.front()};
}

}  // namespace

Operation fold_batch_norm() {
    return {
        .name = "fold_batch_norm",
        .help = "batch normalization folded into the linear layer or convolution before it",
        .tensors = {{.name = "weight", .fill = Fill::x, .help = "(C, ...): --shape is its shape"},
                    {.name = "bias", .fill = Fill::shift, .help = "(C)"},
                    {.name = "gamma", .fill = Fill::scale, .help = "(C)"},
                    {.name = "beta", .fill = Fill::shift, .help = "(C)"},
                    {.name = "running_mean", .fill = Fill::x, .help = "(C)"},
                    {.name = "running_var", .fill = Fill::variance, .help = "(C)"},
                    {.name = "folded_weight", .help = "as weight"},
                    {.name = "folded_bias", .help = "(C)"}},
        .options = {eps_option},
        .modes = {{.name = "fold",
                   .needs = {"weight", "running_mean", "running_var"},
                   .takes = {"bias", "gamma", "beta"},
                   .gives = {"folded_weight", "folded_bias"},
                   .run = run,
                   .expect = expect}},
        .shape_of = shape_of,
    };
}

}  // namespace vknorm::check
