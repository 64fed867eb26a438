#include "vknorm/softmax_cross_entropy.hpp"

#include "ops/arguments.hpp"
#include "ops/grid.hpp"
#include "shaders/nn.h"
#include "vulkan/device_state.hpp"

namespace vknorm {

using namespace detail;

static_assert(sizeof(RowLoss) == sizeof(shaders::RowLoss));

namespace {

struct Views {
    BufferView logits{}, labels{}, losses{}, output{}, first_non_finite{};
};

void over_rows(Recorder& recorder, const SoftmaxCrossEntropyOptions& options, uint32_t result,
               const Views& views) {
    const Grid grid = strided_grid(recorder.device().capabilities(), options.rows);
    const uint32_t constants[] = {grid.workgroup, result};
    const AlignedView losses = align_down(recorder.device(), views.losses, sizeof(RowLoss));
    const AlignedView word = align_down(recorder.device(), views.first_non_finite, sizeof(uint32_t));
    dispatch(recorder, {shaders::softmax_cross_entropy, constants},
             {read(views.logits), read(views.labels), write(views.output), write(losses.view),
              read_write(word.view)},
             shaders::SoftmaxCrossEntropy{.rows = options.rows,
                                          .classes = options.classes,
                                          .first_loss = losses.first,
                                          .word = word.first,
                                          .scale = 1 / static_cast<float>(options.rows)},
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
    const Views views{.logits = check.logits(arguments.logits),
                      .labels = check.labels(arguments.labels),
                      .losses = check.losses(arguments.losses)};
    check.check_overlap();
    over_rows(recorder, options_, shaders::softmax_gives_loss, views);
}

void SoftmaxCrossEntropy::forward_backward(Recorder& recorder, const ForwardBackward& arguments) const {
    Check check("softmax_cross_entropy.forward_backward", recorder, &*device_, options_);
    Views views{.logits = check.logits(arguments.logits), .labels = check.labels(arguments.labels)};
    views.output = check.output("dlogits", arguments.dlogits, check.matrix_bytes());
    views.losses = check.losses(arguments.losses);
    check.offsets(sizeof(uint32_t));
    views.first_non_finite =
        check.optional_output("first_non_finite", arguments.first_non_finite, sizeof(uint32_t));
    check.check_overlap();
    over_rows(recorder, options_, shaders::softmax_gives_gradient, views);
}

void SoftmaxCrossEntropy::softmax(Recorder& recorder, const Softmax& arguments) const {
    Check check("softmax_cross_entropy.softmax", recorder, &*device_, options_);
    const Views views{.logits = check.logits(arguments.logits),
                      .output = check.output("probabilities", arguments.probabilities, check.matrix_bytes())};
    check.check_overlap();
    over_rows(recorder, options_, shaders::softmax_gives_probabilities, views);
}

}  // namespace vknorm
