// Dropout: each element becomes 0 with probability p, and the others are multiplied by 1 / (1 - p).
//
// Source: N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, "Dropout: A Simple Way to
// Prevent Neural Networks from Overfitting", JMLR 15, 2014; scaled in training, not in evaluation. The mask
// comes from a counter-based generator, Philox4x32-10 (J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011), so that it need not be kept for backward.
#pragma once

#include <cstdint>
#include <memory>

#include <vknorm/stream.hpp>

namespace vknorm {

struct DropoutOptions {
    float p = 0.5f;                ///< at least 0, below 1
    uint32_t rows = 1, units = 1;  ///< of the tensors, each at least 1
};

/// What chooses the elements that are dropped: equal numbers drop the same ones, on every device. Element i,
/// counted through the rows, is dropped when word i % 4 of philox4x32_10(counter = {i / 4, step's low and
/// high half, layer}, key = seed's low and high half) is below round(p * 2^32).
struct DropoutMask {
    uint64_t seed = 0, step = 0;
    uint32_t layer = 0;  ///< tells those of one network apart
};

/// A plan for tensors [rows, units] of float32: immutable, and shareable between threads. Operations record
/// into the given Recorder, allocate no device memory, submit nothing and wait for nothing; they throw
/// std::invalid_argument naming the argument before anything is recorded. Tensors are dense and start at
/// multiples of binding_alignment. An output must not overlap any other argument unless it may be it.
class Dropout {
  public:
    /// Throws std::invalid_argument for a p out of range or a size of 0, Unsupported when a tensor is too
    /// large for this device.
    Dropout(Device& device, const DropoutOptions& options);

    struct Forward {
        BufferView x{};  ///< in
        BufferView y{};  ///< out; may be x itself
        DropoutMask mask{};
    };
    /// y = x / (1 - p), or 0 times x where dropped: NaN stays.
    void forward(Recorder& recorder, const Forward& arguments) const;

    struct Backward {
        BufferView dy{};     ///< in
        BufferView dx{};     ///< out; may be dy itself
        DropoutMask mask{};  ///< as forward
    };
    /// The same of dy.
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    void record(Recorder& recorder, const BufferView& from, const BufferView& to,
                const DropoutMask& mask) const;
    VkDeviceSize bytes() const { return sizeof(float) * VkDeviceSize{options_.rows} * options_.units; }

    detail::StatePointer<std::shared_ptr<const detail::DeviceState>> device_;
    DropoutOptions options_;
};

}  // namespace vknorm
