// vknorm-check knows the stages of batch normalization so: a batch in parts has to come to what the whole
// batch comes to.
#include <utility>

#include <vknorm/batch_norm_stages.hpp>

#include "check/batch_norm.hpp"

namespace vknorm::check {

namespace {

const Option parts_option{"parts", {}, "In how many parts the images come (2 if not given)", true};
const Option gather_option{
    "gather", {"merge", "accumulate"}, "Whether parts are measured apart and merged, or one after the other"};

struct Part {
    BatchNormStages op;
    BufferView x, y, dy, dx, scratch;
    BufferView moments{}, sums{};  ///< these are its places among those of all parts
};

BufferView slice(const BufferView& whole, uint64_t begin, uint64_t end) {
    return begin == end ? BufferView{} : BufferView{whole.buffer, whole.offset + begin, end - begin};
}

/// Divides the images as evenly as they go; some parts may be empty.
std::vector<Part> split(const Call& call, Workspace& workspace) {
    const BatchNormOptions whole = batch_norm_options(call);
    const bool backward = call.has("dy");
    const BufferView x = workspace.in("x"), y = workspace.out("y"), dy = workspace.in("dy");
    const BufferView dx = backward ? workspace.out("dx") : BufferView{};
    const uint64_t parts = call.settings.whole(parts_option.name, 2), images = whole.shape.front();
    const uint64_t image_bytes = images == 0 ? 0 : x.bytes / images;
    std::vector<Part> result;
    for (uint64_t part = 0; part < parts; ++part) {
        const uint64_t begin = images * part / parts, end = images * (part + 1) / parts;
        BatchNormOptions options = whole;
        options.shape.front() = static_cast<uint32_t>(end - begin);
        BatchNormStages op(workspace.device(), options);
        const auto cut = [&](const BufferView& view) {
            return slice(view, begin * image_bytes, end * image_bytes);
        };
        const BufferView scratch = workspace.scratch(op.scratch_bytes());
        result.push_back({std::move(op), cut(x), cut(y), cut(dy), cut(dx), scratch});
    }
    return result;
}

void run(const Call& call, Workspace& workspace) {
    std::vector<Part> parts = split(call, workspace);
    const BatchNormStages& op = parts.front().op;
    Recorder& recorder = workspace.recorder();
    const bool merges = call.settings.word(gather_option, 0) == 0;
    const auto count = static_cast<uint32_t>(parts.size());
    const uint64_t moment_bytes = op.channels() * sizeof(ChannelMoments);
    const uint64_t sum_bytes = op.channels() * sizeof(ChannelSums);
    const BufferView moments = workspace.scratch(moment_bytes), sums = workspace.scratch(sum_bytes);
    const BufferView all_moments = workspace.scratch(count * moment_bytes);
    const BufferView all_sums = workspace.scratch(count * sum_bytes);
    for (uint64_t i = 0; i < count; ++i) {
        parts[i].moments = merges ? slice(all_moments, i * moment_bytes, (i + 1) * moment_bytes) : moments;
        parts[i].sums = merges ? slice(all_sums, i * sum_bytes, (i + 1) * sum_bytes) : sums;
    }
    const auto follows = [&](const Part& part) { return !merges && &part != &parts.front(); };

    for (const Part& part : parts)
        part.op.measure(
            recorder,
            {.x = part.x, .moments = part.moments, .accumulate = follows(part), .scratch = part.scratch});
    if (merges)
        op.merge(recorder,
                 BatchNormStages::MergeMoments{.parts = count, .from = all_moments, .moments = moments});
    const BufferView mean = workspace.out("mean"), inv_std = workspace.out("inv_std");
    const BufferView gamma = workspace.in("gamma");
    op.finish(recorder, {.moments = moments,
                         .mean = mean,
                         .inv_std = inv_std,
                         .running_mean = workspace.in_out("running_mean"),
                         .running_var = workspace.in_out("running_var"),
                         .num_batches_tracked = workspace.in_out("num_batches_tracked"),
                         .num_batches_refused = workspace.in_out("num_batches_refused"),
                         .scratch = parts.front().scratch});
    for (const Part& part : parts)
        part.op.normalize(recorder, {.x = part.x,
                                     .y = part.y,
                                     .gamma = gamma,
                                     .beta = workspace.in("beta"),
                                     .mean = mean,
                                     .inv_std = inv_std});
    if (!call.has("dy")) return;

    for (const Part& part : parts)
        part.op.sum(recorder, {.x = part.x,
                               .dy = part.dy,
                               .mean = mean,
                               .inv_std = inv_std,
                               .sums = part.sums,
                               .accumulate = follows(part),
                               .scratch = part.scratch});
    if (merges)
        op.merge(recorder, BatchNormStages::MergeSums{.parts = count, .from = all_sums, .sums = sums});
    op.parameter_gradients(recorder, {.sums = sums,
                                      .dgamma = parameter_gradient(call, workspace, "dgamma"),
                                      .dbeta = parameter_gradient(call, workspace, "dbeta"),
                                      .accumulate = accumulates(call)});
    for (const Part& part : parts)
        part.op.differentiate(recorder, {.x = part.x,
                                         .dy = part.dy,
                                         .mean = mean,
                                         .inv_std = inv_std,
                                         .gamma = gamma,
                                         .moments = moments,
                                         .sums = sums,
                                         .dx = part.dx,
                                         .scratch = part.scratch});
}

Expectations expect(const Call& call) {
    reference::BatchNormData data = batch_norm_data(call);
    data.options.single_value = SingleValue::keep_running;
    Expectations forward = reference::expected_forward_training(data);
    forward.erase("health");
    return expect_training(call, std::move(forward), [&] { return reference::expected_backward(data); });
}

}  // namespace

Operation batch_norm_stages() {
    return {
        .name = "batch_norm_stages",
        .help = "batch normalization of a batch in parts: synchronized, micro-batched or precise",
        .tensors = with(family_tensors("(C)", "C"), running_tensors()),
        .options = with(convention_options(), {layout_option, storage_option, per_activation_option,
                                               guard_option, parts_option, gather_option}),
        .modes = {training_mode(run, expect)},
        .shape_of = batch_norm_shape,
    };
}

}  // namespace vknorm::check
