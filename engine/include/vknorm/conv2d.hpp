// A convolution of images, as torch.nn.Conv2d with one group: y[n, o, h, w] = bias[o] + the sum over i, r and
// s of weight[o, i, r, s] * x[n, i, stride h + dilation r - padding, stride w + dilation s - padding], where
// x is 0 beyond its edges; and its gradients.
//
// It is a matrix product whose one factor is never in memory: its elements are addresses in x (implicit GEMM;
// S. Chetlur et al., "cuDNN: Efficient Primitives for Deep Learning", 2014, arXiv:1410.0759, section 3).
#pragma once

#include <cstdint>
#include <memory>

#include <vknorm/stream.hpp>

namespace vknorm {

/// Sizes are at least 1; the kernel is a square, and stride, padding and dilation hold for both directions.
struct Conv2dOptions {
    uint32_t images = 1;                         ///< N
    uint32_t in_channels = 1, out_channels = 1;  ///< C and O
    uint32_t height = 1, width = 1;              ///< H and W of x
    uint32_t kernel = 3;                         ///< K
    uint32_t stride = 1;
    uint32_t padding = 0;  ///< zeros beyond every edge of x
    uint32_t dilation = 1;
    bool bias = true;  ///< whether there is one

    // H' and W' of y: (size + 2 padding - dilation (K - 1) - 1) / stride + 1, rounded down; 0 where the
    // kernel does not fit.
    uint32_t output_height() const;
    uint32_t output_width() const;
};

/// A plan for float32 images: immutable, and shareable between threads; copies share it. The same bits at
/// every run: every element of y and dx is one sum in a fixed order; one of dweight and dbias is the sum of
/// parts, whose number depends on the options only. Operations record into the given Recorder, allocate no
/// device memory, submit nothing and wait for nothing; they throw std::invalid_argument naming the argument
/// before anything is recorded. Tensors are dense and start at multiples of binding_alignment. An output must
/// not overlap any other argument.
class Conv2d {
  public:
    /// No size may be larger, those of y included.
    static constexpr uint32_t max_size = 65000;
    /// Terms of an element of y or dx: K * K times the channels, which count in multiples of eight.
    static constexpr uint32_t max_terms = 50000;

    /// Throws std::invalid_argument for a size of 0 or above max_size, a kernel that does not fit into the
    /// padded image, or more than max_terms; Unsupported, naming it, when a tensor or its padded copy in
    /// scratch is too large for this device.
    Conv2d(Device& device, const Conv2dOptions& options);

    /// Bytes that `scratch` must have in every call; its contents need not be kept between calls.
    VkDeviceSize scratch_bytes() const;

    struct Forward {
        BufferView x{};       ///< in, [N, C, H, W]
        BufferView weight{};  ///< in, [O, C, K, K]
        BufferView bias{};    ///< in, [O]; absent without one
        BufferView y{};       ///< out, [N, O, H', W']
        BufferView scratch{};
    };
    void forward(Recorder& recorder, const Forward& arguments) const;

    struct Backward {
        BufferView x{};        ///< in, [N, C, H, W]; may be absent when dweight is
        BufferView dy{};       ///< in, [N, O, H', W']
        BufferView weight{};   ///< in, [O, C, K, K]; may be absent when dx is
        BufferView dx{};       ///< out, [N, C, H, W]; absent: not wanted
        BufferView dweight{};  ///< out, [O, C, K, K]; absent: not wanted
        BufferView dbias{};    ///< out, [O]; absent: not wanted; only together with dweight
        BufferView scratch{};
    };
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    struct Plan;
    detail::StatePointer<std::shared_ptr<const Plan>> plan_;
};

}  // namespace vknorm
