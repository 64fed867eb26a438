// Activation functions, element by element, and their gradients.
#pragma once

#include <cstdint>
#include <memory>

#include <vknorm/stream.hpp>

namespace vknorm {

enum class Activation {
    identity,
    relu,     ///< x < 0 ? 0 : x; NaN stays
    tanh,     ///< hyperbolic tangent
    sigmoid,  ///< 1 / (1 + exp(-x))
};

struct ActivationOptions {
    Activation function = Activation::relu;
    uint32_t rows = 1, units = 1;  ///< of the tensors, each at least 1
};

/// A plan for tensors [rows, units] of float32: immutable, and shareable between threads. Operations record
/// into the given Recorder, allocate no device memory, submit nothing and wait for nothing; they throw
/// std::invalid_argument naming the argument before anything is recorded. Tensors are dense and start at
/// multiples of binding_alignment. Unless stated, an output must not overlap any other argument.
class ActivationFunction {
  public:
    /// Throws std::invalid_argument for a size of 0, Unsupported when a tensor is too large for this device.
    ActivationFunction(Device& device, const ActivationOptions& options);

    struct Forward {
        BufferView x{};  ///< in
        BufferView y{};  ///< out; may be x itself
        /// In and out, uint32 [1]; optional: becomes the lowest unit where x is NaN or infinite, if that is
        /// lower than what it was. It should be 0xffffffff at first.
        BufferView first_non_finite{};
    };
    /// y = f(x).
    void forward(Recorder& recorder, const Forward& arguments) const;

    struct Backward {
        BufferView y{};   ///< in, as forward gave it
        BufferView dy{};  ///< in
        BufferView dx{};  ///< out; may be dy itself
    };
    /// dx = dy * f'(x), which y tells: the derivative is that of ReLU, y > 0; of tanh, 1 - y^2; of the
    /// sigmoid, y * (1 - y).
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    VkDeviceSize bytes() const { return sizeof(float) * VkDeviceSize{options_.rows} * options_.units; }

    detail::StatePointer<std::shared_ptr<const detail::DeviceState>> device_;
    ActivationOptions options_;
};

}  // namespace vknorm
