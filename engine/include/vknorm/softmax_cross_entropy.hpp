// Softmax over the classes, and the cross-entropy loss of labelled rows.
#pragma once

#include <cstdint>
#include <memory>

#include <vknorm/stream.hpp>

namespace vknorm {

struct SoftmaxCrossEntropyOptions {
    uint32_t rows = 1, classes = 2;  ///< of the logits, each at least 1
};

/// What the loss says of one row, as the device stores it.
struct RowLoss {
    float loss =
        0;  ///< cross-entropy, nats, times the label's weight; NaN when a logit of the row is not finite
    uint32_t correct = 0;  ///< 1: the first largest logit is the label's, and all are finite
};

/// A plan for logits [rows, classes] of float32: immutable, and shareable between threads. Operations record
/// into the given Recorder, allocate no device memory, submit nothing and wait for nothing; they throw
/// std::invalid_argument naming the argument before anything is recorded. Labels are the caller's to check:
/// each is below `classes`. Tensors are dense and start, unless stated, at multiples of binding_alignment; an
/// output must not overlap any other argument.
class SoftmaxCrossEntropy {
  public:
    /// Throws std::invalid_argument for a size of 0 or more classes than one dispatch can go through,
    /// Unsupported when a tensor is too large for this device.
    SoftmaxCrossEntropy(Device& device, const SoftmaxCrossEntropyOptions& options);

    struct Forward {
        BufferView logits{};         ///< in, [rows, classes]
        BufferView labels{};         ///< in, uint32 [rows]
        BufferView losses{};         ///< out, RowLoss [rows]; starts at any RowLoss
        BufferView class_weights{};  ///< in, [classes], finite numbers from 0 on; optional: all are 1
        float label_smoothing = 0;   ///< 0 to less than 1
    };
    /// As torch.nn.CrossEntropyLoss: loss = -sum of target[c] * log(softmax(logits)[c]) over the classes c,
    /// where target[c] = weight[c] * ((1 - label_smoothing) * [c is the label] + label_smoothing / classes).
    void forward(Recorder& recorder, const Forward& arguments) const;

    struct ForwardBackward {
        BufferView logits{};         ///< in, [rows, classes]
        BufferView labels{};         ///< in, uint32 [rows]
        BufferView losses{};         ///< out, RowLoss [rows]; starts at any RowLoss
        BufferView dlogits{};        ///< out, [rows, classes]: gradient of the mean loss over the rows
        BufferView class_weights{};  ///< in, [classes], finite numbers from 0 on; optional: all are 1
        float label_smoothing = 0;   ///< 0 to less than 1
        /// The mean is the sum of the losses over this: the sum of the rows' weights, which are those of
        /// their labels, and of the rows of other calls that share the mean. 0: the number of rows.
        float weight_sum = 0;
        /// In and out, uint32 [1]; optional: becomes the lowest class whose logit is NaN or infinite, if that
        /// is lower than what it was. It should be 0xffffffff at first.
        BufferView first_non_finite{};
    };
    /// Loss and gradient together: dlogits = (softmax(logits) * sum of target - target) / weight_sum; NaN in
    /// rows with a logit that is not finite.
    void forward_backward(Recorder& recorder, const ForwardBackward& arguments) const;

    struct Softmax {
        BufferView logits{};         ///< in, [rows, classes]
        BufferView probabilities{};  ///< out, [rows, classes]
    };
    /// probabilities = exp(logits) / sum over the classes of exp(logits).
    void softmax(Recorder& recorder, const Softmax& arguments) const;

  private:
    detail::StatePointer<std::shared_ptr<const detail::DeviceState>> device_;
    SoftmaxCrossEntropyOptions options_;
};

}  // namespace vknorm
