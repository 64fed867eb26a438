#include "ops/softmax_cross_entropy.hpp"

#include "ops/arguments.hpp"
#include "ops/launch.hpp"

namespace vknorm::detail {

namespace {

// As nn/softmax_cross_entropy.comp numbers them.
enum Mode : uint32_t { mode_train = 0, mode_measure = 1, mode_predict = 2 };

struct Call {
    Mode mode;
    BufferView logits{}, labels{}, output{}, results{};
    HealthWord word{};
};

void record(Recorder& recorder, shaders::SoftmaxCrossEntropy push, const Call& call) {
    const Launch launch = spread(recorder.device().capabilities(), push.rows);
    const uint32_t constants[] = {launch.workgroup, call.mode};
    push.layer = call.word.layer;
    push.scale = 1 / static_cast<float>(push.rows);
    dispatch(recorder, {shaders::softmax_cross_entropy, constants},
             {read(call.logits), read(call.labels), write(call.output), write(call.results),
              read_write(call.word.health)},
             push, launch.groups);
}

}  // namespace

SoftmaxCrossEntropy::SoftmaxCrossEntropy(const Capabilities& capabilities, uint32_t rows, uint32_t classes)
    : rows_(rows), classes_(classes) {
    const Launch launch = spread(capabilities, rows);
    const uint64_t trips =
        uint64_t{ceil_div(rows, launch.workgroup * launch.groups.x)} * (3 * uint64_t{classes} + 1);
    if (trips > maximum_trips)
        refuse("softmax_cross_entropy", "loop trips", std::to_string(trips),
               "at most " + std::to_string(maximum_trips) + ": fewer rows or classes");
}

void SoftmaxCrossEntropy::train(Recorder& recorder, const Train& arguments) const {
    record(recorder, {.rows = rows_, .classes = classes_},
           {.mode = mode_train,
            .logits = arguments.logits,
            .labels = arguments.labels,
            .output = arguments.dlogits,
            .results = arguments.results,
            .word = arguments.word});
}

void SoftmaxCrossEntropy::measure(Recorder& recorder, const BufferView& logits, const BufferView& labels,
                                  const BufferView& results, uint32_t first_result) const {
    record(recorder, {.rows = rows_, .classes = classes_, .first_result = first_result},
           {.mode = mode_measure, .logits = logits, .labels = labels, .results = results});
}

void SoftmaxCrossEntropy::predict(Recorder& recorder, const BufferView& logits,
                                  const BufferView& probabilities) const {
    record(recorder, {.rows = rows_, .classes = classes_},
           {.mode = mode_predict, .logits = logits, .output = probabilities});
}

}  // namespace vknorm::detail
