// A fully connected layer, as torch.nn.Linear: y = x * weight^T + bias, and its gradients.
#pragma once

#include <cstdint>
#include <memory>

#include <vknorm/stream.hpp>

namespace vknorm {

struct LinearOptions {
    uint32_t rows = 1;                 ///< examples, at least 1
    uint32_t inputs = 1, outputs = 1;  ///< features of one, each at least 1
    bool bias = true;                  ///< whether there is one
};

/// A plan for a number of rows of float32: immutable, and shareable between threads; copies share it. Every
/// element of a result is one sum in a fixed order: the same bits at every run. Operations record into the
/// given Recorder, allocate no device memory, submit nothing and wait for nothing; they throw
/// std::invalid_argument naming the argument before anything is recorded. Tensors are dense and start at
/// multiples of binding_alignment. An output must not overlap any other argument.
class Linear {
  public:
    /// No size may be larger: results are sums over each of them.
    static constexpr uint32_t max_size = 65000;

    /// Throws std::invalid_argument for a size of 0 or above max_size; Unsupported when a tensor is too large
    /// for this device.
    Linear(Device& device, const LinearOptions& options);

    struct Forward {
        BufferView x{};       ///< in, [rows, inputs]
        BufferView weight{};  ///< in, [outputs, inputs]
        BufferView bias{};    ///< in, [outputs]; absent without one
        BufferView y{};       ///< out, [rows, outputs]
    };
    /// y = x * weight^T + bias.
    void forward(Recorder& recorder, const Forward& arguments) const;

    struct Backward {
        BufferView x{};        ///< in, [rows, inputs]; may be absent when dweight is
        BufferView dy{};       ///< in, [rows, outputs]
        BufferView weight{};   ///< in, [outputs, inputs]; may be absent when dx is
        BufferView dx{};       ///< out, [rows, inputs]; absent: not wanted
        BufferView dweight{};  ///< out, [outputs, inputs]; absent: not wanted
        BufferView dbias{};    ///< out, [outputs]; absent: not wanted; only together with dweight
    };
    /// dx = dy * weight; dweight = dy^T * x; dbias = sum of dy over the rows.
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    struct Plan;
    detail::StatePointer<std::shared_ptr<const Plan>> plan_;
};

}  // namespace vknorm
