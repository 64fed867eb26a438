// The arguments of one call of a normalization, and what it keeps in the scratch buffer among them.
#pragma once

#include <string>

#include <vknorm/batch_norm.hpp>

#include "ops/arguments.hpp"
#include "ops/norm/passes.hpp"

namespace vknorm::detail {

/// Those of running_mean, running_var and num_batches_tracked, which belong together.
void check_running(Arguments& check, const BatchNormConvention& convention, uint64_t channel_bytes,
                   const BufferView& mean, const BufferView& var, const BufferView& num_batches_tracked);

/// How the running statistics take in a batch of `least` values or more. Nothing is updated where `mean` is
/// absent.
RunningUpdate running_update(const BatchNormConvention& convention, uint32_t least, const BufferView& mean,
                             const BufferView& var, const BufferView& num_batches_tracked);

/// Checks them. Tensors are as large as x and start at any element.
class NormArguments : public Arguments {
  public:
    NormArguments(const Recorder& recorder, const NormPasses& norm, const char* call);

    void tensor(const char* name, const BufferView& view);
    void output_tensor(const char* name, const BufferView& view, Names in_place = {});

  private:
    const NormPlan& plan_;
};

/// A part of every scratch buffer.
struct ScratchRange {
    uint64_t offset = 0, bytes = 0;

    BufferView of(const BufferView& scratch) const;
};

/// Cuts scratch buffers into ranges that start at multiples of sixteen bytes, wherever the buffers start.
class Scratch {
  public:
    ScratchRange add(uint64_t bytes);
    /// Of a whole buffer.
    VkDeviceSize bytes() const;

  private:
    uint64_t end_ = 0;
};

/// For people.
std::string explain_scratch(VkDeviceSize bytes);

}  // namespace vknorm::detail
