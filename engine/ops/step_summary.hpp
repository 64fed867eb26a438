// The end of a training step: mean loss, correct rows, gradient norm, and the verdict: whether the step is
// sound, and by what its gradient is scaled.
#pragma once

#include <span>
#include <vector>

#include <vknorm/stream.hpp>

#include "ops/divergence.hpp"

namespace vknorm::detail {

/// Bytes of the partial sums between the two kernels.
VkDeviceSize step_summary_scratch_bytes();
/// Bytes of the record: StepRecord and the words of divergence.
VkDeviceSize step_record_bytes(uint32_t layers);

/// All views start at multiples of 256 bytes.
struct StepSummary {
    BufferView gradient{};  ///< in, whole vectors of four floats
    BufferView losses{};    ///< in, RowLoss [rows]
    uint32_t rows = 0;
    float weight_sum = 0;  ///< of the rows, which the sum of losses is divided by
    BufferView running{};  ///< in, float32; absent when no statistics are kept
    BufferView saved{};    ///< in, float32: what norms saved of this batch; absent when they saved nothing
    uint32_t layers = 0;
    BufferView divergence{};  ///< in and out, see divergence.hpp; diverged when anything above is not finite
    uint32_t step = 0;        ///< low bits of its number
    bool guard = false;       ///< `running` that is not finite is refused, and no divergence
    float max_gradient_norm = 0;  ///< a gradient of a larger norm is scaled down to it; 0: none is
    BufferView scratch{};
    BufferView record{};  ///< out
};

/// Sums run over fixed parts in a fixed order: the same bits at every run.
void step_summary(Recorder& recorder, const StepSummary& arguments);

/// What a record says.
struct StepReport {
    float loss = 0;  ///< mean over the batch
    uint32_t correct = 0;
    float gradient_norm = 0;
    bool diverged = false;         ///< in this step or before
    uint32_t diverged_step = 0;    ///< low bits of its number
    uint32_t refused = 0;          ///< steps up to this one whose running statistics were refused
    uint32_t first_running = 0;    ///< first running statistic that is not finite, or shaders::all_finite
    uint32_t first_saved = 0;      ///< first number that a norm saved, likewise
    std::vector<uint32_t> layers;  ///< per layer the lowest unit that is not finite, or shaders::all_finite
};
StepReport read_step_record(std::span<const std::byte> record);

}  // namespace vknorm::detail
