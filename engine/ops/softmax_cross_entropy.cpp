#include "vknorm/softmax_cross_entropy.hpp"

#include "ops/arguments.hpp"
#include "ops/grid.hpp"
#include "shaders/nn.h"
#include "vulkan/device_state.hpp"

namespace vknorm {

using namespace detail;

static_assert(sizeof(RowLoss) == sizeof(shaders::RowLoss));

namespace {

struct Call {
    BufferView logits{}, labels{}, losses{}, output{}, first_non_finite{}, class_weights{};
    float label_smoothing = 0;
    float weight_sum = 0;  ///< 0: the number of rows
};

void over_rows(Recorder& recorder, const SoftmaxCrossEntropyOptions& options, uint32_t result,
               const Call& call) {
    const Grid grid = strided_grid(recorder.device().capabilities(), options.rows);
    const uint32_t constants[] = {grid.workgroup, result, bool(call.class_weights), call.label_smoothing > 0};
    const AlignedView losses = align_down(recorder.device(), call.losses, sizeof(RowLoss));
    const AlignedView word = align_down(recorder.device(), call.first_non_finite, sizeof(uint32_t));
    const float weight_sum = call.weight_sum > 0 ? call.weight_sum : static_cast<float>(options.rows);
    dispatch(recorder, {shaders::softmax_cross_entropy, constants},
             {read(call.logits), read(call.labels), write(call.output), write(losses.view),
              read_write(word.view), read(call.class_weights)},
             shaders::SoftmaxCrossEntropy{.rows = options.rows,
                                          .classes = options.classes,
                                          .first_loss = losses.first,
                                          .word = word.first,
                                          .scale = 1 / weight_sum,
                                          .smoothing = call.label_smoothing},
             grid.groups);
}

/// Checks the arguments of one call; those that all of them have in common take one line each.
struct Check : Arguments {
    Check(const char* operation, const Recorder& recorder, const DeviceState* device,
          const SoftmaxCrossEntropyOptions& o)
        : Arguments(operation, recorder, device), options(o) {
        offsets(binding_alignment);
    }

    VkDeviceSize matrix_bytes() const { return sizeof(float) * VkDeviceSize{options.rows} * options.classes; }
    BufferView logits(const BufferView& view) { return input("logits", view, matrix_bytes()); }
    BufferView labels(const BufferView& view) {
        return input("labels", view, sizeof(uint32_t) * VkDeviceSize{options.rows});
    }
    BufferView class_weights(const BufferView& view) {
        return optional_input("class_weights", view, sizeof(float) * VkDeviceSize{options.classes});
    }
    float label_smoothing(float smoothing) {
        if (!(smoothing >= 0 && smoothing < 1))
            refuse("label_smoothing", std::to_string(smoothing), "0 to less than 1");
        return smoothing;
    }
    BufferView losses(const BufferView& view) {
        offsets(sizeof(RowLoss));
        return output("losses", view, sizeof(RowLoss) * VkDeviceSize{options.rows});
    }

    const SoftmaxCrossEntropyOptions& options;
};

}  // namespace

SoftmaxCrossEntropy::SoftmaxCrossEntropy(Device& device, const SoftmaxCrossEntropyOptions& options)
    : device_("SoftmaxCrossEntropy", device.state().shared_from_this()), options_(options) {
    const std::string operation = "softmax_cross_entropy";
    require_positive(operation, "rows", options.rows);
    require_positive(operation, "classes", options.classes);
    const Capabilities& capabilities = device.capabilities();
    require_range(capabilities, operation + ": logits",
                  sizeof(float) * VkDeviceSize{options.rows} * options.classes);
    require_range(capabilities, operation + ": losses", sizeof(RowLoss) * VkDeviceSize{options.rows});

    // An invocation goes three times through the classes of each of its rows.
    const Grid grid = strided_grid(capabilities, options.rows);
    const uint32_t rows_each = ceil_div(options.rows, grid.workgroup * grid.groups.x);
    const uint32_t trips_of_row = maximum_trips / rows_each, most_classes = (trips_of_row - 1) / 3;
    if (options.classes > most_classes)
        refuse(operation, "classes", std::to_string(options.classes),
               "at most " + std::to_string(most_classes) + " with " + std::to_string(options.rows) + " rows");
}

void SoftmaxCrossEntropy::forward(Recorder& recorder, const Forward& arguments) const {
    Check check("softmax_cross_entropy.forward", recorder, &*device_, options_);
    Call call{.logits = check.logits(arguments.logits), .labels = check.labels(arguments.labels)};
    call.class_weights = check.class_weights(arguments.class_weights);
    call.label_smoothing = check.label_smoothing(arguments.label_smoothing);
    call.losses = check.losses(arguments.losses);
    check.check_overlap();
    over_rows(recorder, options_, shaders::softmax_gives_loss, call);
}

void SoftmaxCrossEntropy::forward_backward(Recorder& recorder, const ForwardBackward& arguments) const {
    Check check("softmax_cross_entropy.forward_backward", recorder, &*device_, options_);
    Call call{.logits = check.logits(arguments.logits), .labels = check.labels(arguments.labels)};
    call.class_weights = check.class_weights(arguments.class_weights);
    call.label_smoothing = check.label_smoothing(arguments.label_smoothing);
    call.weight_sum = arguments.weight_sum;
    if (!(call.weight_sum >= 0))
        check.refuse("weight_sum", std::to_string(call.weight_sum), "a number from 0 on");
    call.output = check.output("dlogits", arguments.dlogits, check.matrix_bytes());
    call.losses = check.losses(arguments.losses);
    check.offsets(sizeof(uint32_t));
    call.first_non_finite =
        check.optional_output("first_non_finite", arguments.first_non_finite, sizeof(uint32_t));
    check.check_overlap();
    over_rows(recorder, options_, shaders::softmax_gives_gradient, call);
}

void SoftmaxCrossEntropy::softmax(Recorder& recorder, const Softmax& arguments) const {
    Check check("softmax_cross_entropy.softmax", recorder, &*device_, options_);
    const Call call{.logits = check.logits(arguments.logits),
                    .output = check.output("probabilities", arguments.probabilities, check.matrix_bytes())};
    check.check_overlap();
    over_rows(recorder, options_, shaders::softmax_gives_probabilities, call);
}

}  // namespace vknorm
