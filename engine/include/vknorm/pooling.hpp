// Pooling over two dimensions, and its gradients: the largest value or the mean of each window of a map.
//
// Windows of kernel x kernel values begin every `stride` values, the first one `padding` before the map's
// edge, and end within the map and its padding, so that a length of L gives
// (L + 2 padding - dilation (kernel - 1) - 1) / stride + 1 of them, rounded down: as in PyTorch.
#pragma once

#include <cstdint>
#include <memory>

#include <vknorm/stream.hpp>

namespace vknorm {

/// How many windows stand along a map's two sides.
struct PooledSize {
    uint32_t height = 0, width = 0;
};

struct MaxPool2dOptions {
    uint32_t rows = 1, channels = 1, height = 1, width = 1;  ///< of x, each at least 1
    uint32_t kernel = 2;                                     ///< at least 1
    uint32_t stride = 0;                                     ///< 0: as kernel
    uint32_t padding = 0;   ///< at most half of kernel; what is there is never the largest
    uint32_t dilation = 1;  ///< from one value of a window to the next, at least 1
};

/// A plan for x [rows, channels, height, width] and y [rows, channels, output().height, output().width] of
/// float32: immutable, and shareable between threads. Operations record into the given Recorder, allocate no
/// device memory, submit nothing and wait for nothing; they throw std::invalid_argument naming the argument
/// before anything is recorded. Tensors are dense and start at multiples of binding_alignment. An output must
/// not overlap any other argument. The same bits at every run.
class MaxPool2d {
  public:
    /// Throws std::invalid_argument for options out of range or a map smaller than a window, Unsupported when
    /// a tensor is too large for this device.
    MaxPool2d(Device& device, const MaxPool2dOptions& options);

    PooledSize output() const { return output_; }

    struct Forward {
        BufferView x{};        ///< in
        BufferView y{};        ///< out
        BufferView indices{};  ///< out, uint32, as y: where in its map, row by row, the value was; optional
    };
    /// Of equal values the first of a window, row by row; the last NaN before all else, as in PyTorch.
    void forward(Recorder& recorder, const Forward& arguments) const;

    struct Backward {
        BufferView dy{};       ///< in
        BufferView indices{};  ///< in, as forward left them
        BufferView dx{};       ///< out
    };
    /// Each dx is the sum of the dy whose window had its value, window by window in their order.
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    detail::StatePointer<std::shared_ptr<const detail::DeviceState>> device_;
    MaxPool2dOptions options_;
    PooledSize output_;
};

struct AveragePool2dOptions {
    uint32_t rows = 1, channels = 1, height = 1, width = 1;  ///< of x, each at least 1
    uint32_t kernel = 2;                                     ///< at least 1
    uint32_t stride = 0;                                     ///< 0: as kernel
    uint32_t padding = 0;                                    ///< at most half of kernel; counts as zeros
    bool count_include_pad = true;  ///< a sum is divided by kernel^2, or else by how many values it had
};

/// As MaxPool2d, with the means of the windows.
class AveragePool2d {
  public:
    /// Throws as MaxPool2d does.
    AveragePool2d(Device& device, const AveragePool2dOptions& options);

    PooledSize output() const { return output_; }

    struct Forward {
        BufferView x{};  ///< in
        BufferView y{};  ///< out
    };
    void forward(Recorder& recorder, const Forward& arguments) const;

    struct Backward {
        BufferView dy{};  ///< in
        BufferView dx{};  ///< out
    };
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    detail::StatePointer<std::shared_ptr<const detail::DeviceState>> device_;
    AveragePool2dOptions options_;
    PooledSize output_;
};

struct AdaptiveAveragePool2dOptions {
    uint32_t rows = 1, channels = 1, height = 1, width = 1;  ///< of x, each at least 1
    PooledSize output = {1, 1};                              ///< each at least 1; may be larger than x
};

/// As AveragePool2d, with a given number of bins: bin i of O along a length of L goes from floor(i L / O) to
/// ceil((i + 1) L / O), as in PyTorch. Neighbours share values where O does not divide L.
class AdaptiveAveragePool2d {
  public:
    /// Throws as MaxPool2d does.
    AdaptiveAveragePool2d(Device& device, const AdaptiveAveragePool2dOptions& options);

    using Forward = AveragePool2d::Forward;
    void forward(Recorder& recorder, const Forward& arguments) const;

    using Backward = AveragePool2d::Backward;
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    detail::StatePointer<std::shared_ptr<const detail::DeviceState>> device_;
    AdaptiveAveragePool2dOptions options_;
};

}  // namespace vknorm
