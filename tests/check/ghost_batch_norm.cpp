// vknorm-check knows ghost batch normalization so.
#include <vknorm/ghost_batch_norm.hpp>

#include "check/norm_arguments.hpp"

namespace vknorm::check {

namespace {

const Option ghost_size_option{"ghost-size", {}, "Images of a ghost batch (32 if not given)", true};

uint32_t ghost_size(const Settings& settings) {
    return settings.whole(ghost_size_option.name, GhostBatchNormOptions{}.ghost_size);
}

uint64_t ghosts(const TensorShape& x, const Settings& settings) {
    return x[0] / ghost_size(settings) + (x[0] % ghost_size(settings) != 0);
}

GhostBatchNormOptions options_of(const Call& call) {
    return {.shape = lengths_of(call),
            .layout = layout_of(call.settings),
            .ghost_size = ghost_size(call.settings),
            .convention = convention_of(call.settings),
            .single_value = single_value_of(call.settings),
            .storage = storage_of(call.settings),
            .guard = has_guard(call)};
}

void run(const Call& call, Workspace& workspace) {
    record_training(GhostBatchNorm(workspace.device(), options_of(call)), call, workspace);
}

Expectations expect(const Call& call) {
    const reference::RunningData data = running_data(call);
    const GhostBatchNormOptions options = options_of(call);
    return expect_training(
        call, reference::expected_forward(data, options),
        [&] { return reference::expected_backward(data, options); },
        static_cast<int64_t>(ghosts(call.shape(), call.settings)));
}

TensorShape shape_of(const std::string& tensor, const TensorShape& x, const Settings& settings) {
    require_images("ghost_batch_norm", x);
    const uint64_t channels = channels_of(x, settings);
    if (tensor == "mean") return {ghosts(x, settings), 2, channels};
    if (tensor == "inv_std") return {ghosts(x, settings), channels};
    return family_shape(tensor, x, settings);
}

}  // namespace

Operation ghost_batch_norm() {
    std::vector<TensorKind> tensors = family_tensors("(C)", "ghosts, C");
    for (TensorKind& tensor : tensors)
        if (tensor.name == "mean") tensor.help = "(ghosts, 2, C): then what rounding it to float32 lost";
    return {
        .name = "ghost_batch_norm",
        .help = "batch normalization of parts of a batch; runs backward too when there is a dy",
        .tensors = with(std::move(tensors), running_tensors()),
        .options = with(convention_options(), {layout_option, single_value_option, storage_option,
                                               guard_option, ghost_size_option}),
        .modes = {training_mode(run, expect)},
        .shape_of = shape_of,
    };
}

}  // namespace vknorm::check
