// What the classes of normalizations have in common: checks of their options, and the cutting of scratch
// memory.
#pragma once

#include <string>

#include <vknorm/batch_norm.hpp>

#include "ops/arguments.hpp"
#include "ops/norm/passes.hpp"
#include "ops/sizes.hpp"

namespace vknorm::detail {

PlanLimits limits_of(const Device& device);

// Throw std::invalid_argument naming the operation and the option.
void check_epsilon(const std::string& operation, float epsilon);
void check_momentum(const std::string& operation, float momentum);
/// Throws Unsupported for 16-bit storage on a device without.
void check_storage(const std::string& operation, const Device& device, Storage storage);

/// The options, when they can be met.
BatchNormOptions checked(const std::string& operation, const Device& device, const BatchNormOptions& options);
Extent extent_of(const std::string& operation, const BatchNormOptions& options);

/// How the running statistics take in a batch. Nothing is updated where `mean` is absent.
RunningUpdate running_update(const BatchNormConvention& convention, uint32_t least, const BufferView& mean,
                             const BufferView& var, const BufferView& num_batches_tracked);
/// Those of running_mean, running_var and num_batches_tracked, which belong together.
void check_running(Arguments& check, const BatchNormConvention& convention, uint64_t channel_bytes,
                   const BufferView& mean, const BufferView& var, const BufferView& num_batches_tracked);

std::string shape_text(const std::vector<uint32_t>& shape);

/// The arguments of one call. Tensors are as large as x and start at any element.
class NormArguments : public Arguments {
  public:
    /// Throws std::invalid_argument when the recorder is not one of the plan's device.
    NormArguments(const Recorder& recorder, const DeviceState* device, const NormPlan& plan,
                  const char* call);

    void tensor(const char* name, const BufferView& view);
    void output_tensor(const char* name, const BufferView& view, Names in_place = {});

  private:
    const NormPlan& plan_;
};

/// A part of every scratch buffer.
struct Piece {
    uint64_t offset = 0, bytes = 0;

    BufferView of(const BufferView& scratch) const {
        return {scratch.buffer, round_up<uint64_t>(scratch.offset, partial_bytes) + offset, bytes};
    }
};

/// Cuts scratch buffers into pieces that start at multiples of sixteen bytes, wherever the buffers start.
class Scratch {
  public:
    Piece add(uint64_t bytes) {
        const Piece piece{end_, bytes};
        end_ += round_up<uint64_t>(bytes, partial_bytes);
        return piece;
    }
    /// Of a whole buffer.
    VkDeviceSize bytes() const { return end_ + partial_bytes - sizeof(float); }

  private:
    uint64_t end_ = 0;
};

}  // namespace vknorm::detail
