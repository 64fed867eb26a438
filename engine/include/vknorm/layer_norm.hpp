// Layer Normalization: every row by its own statistics, with parameters per element.
//
// Source: J. L. Ba, J. R. Kiros, G. Hinton, "Layer Normalization", 2016 (arXiv:1607.06450). A shape (M...,
// D...) is M rows of D elements, D being the product of its last `normalized_dimensions`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <vknorm/normalization.hpp>
#include <vknorm/stream.hpp>

namespace vknorm {

namespace detail {
class RowNorm;
}

/// Of RmsNorm, too.
struct LayerNormOptions {
    std::vector<uint32_t> shape{};       ///< 1 to 8 dimensions; those that are not normalized may be 0
    uint32_t normalized_dimensions = 1;  ///< of the shape, counted from its end; at least 1
    float epsilon = 1e-5f;  ///< at least 0; with 0 a row without variance (RMS: of zeros) gives y = beta
    Storage storage = Storage::float32;
};

/// A plan for one shape: immutable, and shareable between threads; copies share it. Tensors are dense.
/// Operations record into the given Recorder, allocate no device memory, submit nothing and wait for nothing.
/// Unless stated, an output must not overlap any other argument.
class LayerNorm {
  public:
    /// Throws std::invalid_argument for options out of range.
    LayerNorm(Device& device, const LayerNormOptions& options);

    uint64_t rows() const;        ///< M
    uint64_t row_length() const;  ///< D
    /// Bytes that `scratch` must have in every call; its contents need not be kept between calls.
    VkDeviceSize scratch_bytes() const;
    /// The chosen strategy, partitioning and dispatches, for people.
    std::string explain() const;

    struct Forward {
        BufferView x{};              ///< in, shape
        BufferView y{};              ///< out, shape; may be x itself
        BufferView gamma{}, beta{};  ///< in, [D]; each may be absent (1 and 0)
        BufferView mean{};     ///< out, [2, M]: the mean rounded to float32, then what the rounding lost
        BufferView inv_std{};  ///< out, [M]
        BufferView scratch{};
    };
    /// y = gamma * x^ + beta with x^ = (x - mean) * inv_std, inv_std = 1 / sqrt(biased variance + epsilon).
    void forward(Recorder& recorder, const Forward& arguments) const;

    struct Backward {
        BufferView x{}, dy{};          ///< in, shape
        BufferView mean{}, inv_std{};  ///< in, as saved by forward
        BufferView gamma{};            ///< in, [D]; may be absent
        BufferView dx{};               ///< out, shape; absent: not wanted; may be dy itself
        BufferView dgamma{}, dbeta{};  ///< out, [D]; each absent: not wanted
        bool accumulate = false;       ///< dgamma and dbeta are added to
        BufferView scratch{};
    };
    /// With q = dy * gamma and E the mean over a row: dx = inv_std * (q - E[q] - x^ * E[q * x^]); dgamma =
    /// sum dy * x^ and dbeta = sum dy over the rows.
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    detail::StatePointer<std::shared_ptr<const detail::RowNorm>> rows_;
};

}  // namespace vknorm
