// The arguments of one call of a normalization, and what it keeps in the scratch buffer among them.
#pragma once

#include <string>

#include <vknorm/batch_norm.hpp>

#include "ops/arguments.hpp"
#include "ops/norm/passes.hpp"

namespace vknorm::detail {

/// Running statistics and their counters, which belong together.
struct RunningBuffers {
    BufferView mean{}, var{}, num_batches_tracked{}, num_batches_refused{};

    template <class Call>
    static RunningBuffers of(const Call& call) {
        return {call.running_mean, call.running_var, call.num_batches_tracked, call.num_batches_refused};
    }
    /// There is something to guard.
    explicit operator bool() const { return mean || num_batches_tracked || num_batches_refused; }
};

void check_running(Arguments& check, const BatchNormConvention& convention, bool guard,
                   uint64_t channel_bytes, const RunningBuffers& running);
void check_refused(Arguments& check, bool guard, const BufferView& num_batches_refused);

/// How the running statistics take in a batch of `least` values or more. Nothing is updated where `mean` is
/// absent. With `staging` they are guarded.
RunningUpdate running_update(const BatchNormConvention& convention, uint32_t least,
                             const RunningBuffers& running, const BufferView& staging);
/// The num_batches_tracked that is incremented whatever the batch.
BufferView counted_at_once(const RunningUpdate& update);

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
