#include "ops/step_summary.hpp"

#include <cstring>

#include "ops/grid.hpp"
#include "ops/texels.hpp"

namespace vknorm::detail {

VkDeviceSize step_summary_scratch_bytes() {
    return shaders::gradient_slots * sizeof(float);
}

VkDeviceSize step_record_bytes(uint32_t layers) {
    return sizeof(shaders::StepRecord) + divergence_words(layers) * sizeof(uint32_t);
}

void step_summary(Recorder& recorder, const StepSummary& arguments) {
    const Capabilities& capabilities = recorder.device().capabilities();
    const Grid grid = strided_grid(capabilities, shaders::gradient_slots);
    const uint32_t squares_constants[] = {grid.workgroup};
    const bool texels = reads_texels(recorder, {arguments.gradient});
    dispatch(recorder,
             {texels ? shaders::gradient_squares_texels : shaders::gradient_squares, squares_constants},
             {read(arguments.gradient), write(arguments.scratch)},
             shaders::GradientSquares{.vectors = static_cast<uint32_t>(arguments.gradient.bytes / 16)},
             grid.groups);

    // One workgroup, the same on every device, so that the order of additions is too.
    const uint32_t summary_constants[] = {64};
    dispatch(recorder, {shaders::step_summary, summary_constants},
             {read(arguments.losses), read(arguments.scratch), read(arguments.running),
              read_write(arguments.divergence), write(arguments.record), read(arguments.saved)},
             shaders::StepSummary{.rows = arguments.rows,
                                  .weight_sum = arguments.weight_sum,
                                  .running = static_cast<uint32_t>(arguments.running.bytes / sizeof(float)),
                                  .saved = static_cast<uint32_t>(arguments.saved.bytes / sizeof(float)),
                                  .layers = arguments.layers,
                                  .step = arguments.step,
                                  .guard = arguments.guard,
                                  .max_gradient_norm = arguments.max_gradient_norm},
             {1});
}

StepReport read_step_record(std::span<const std::byte> record) {
    shaders::StepRecord head{};
    std::memcpy(&head, record.data(), sizeof(head));
    std::vector<uint32_t> words((record.size() - sizeof(head)) / sizeof(uint32_t));
    std::memcpy(words.data(), record.data() + sizeof(head), words.size() * sizeof(uint32_t));
    return {.loss = head.loss,
            .correct = head.correct,
            .gradient_norm = head.gradient_norm,
            .diverged = words[0] != 0,
            .diverged_step = words[shaders::divergence_step],
            .refused = words[shaders::divergence_all_refused],
            .first_running = head.first_running,
            .first_saved = head.first_saved,
            .layers = {words.begin() + shaders::divergence_header, words.end()}};
}

}  // namespace vknorm::detail
