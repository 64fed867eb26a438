// Root Mean Square Layer Normalization: as layer normalization, without subtracting a mean and without beta.
//
// Source: B. Zhang, R. Sennrich, "Root Mean Square Layer Normalization", NeurIPS 2019 (arXiv:1910.07467). A
// shape is M rows of D elements, as in layer_norm.hpp.
#pragma once

#include <vknorm/layer_norm.hpp>

namespace vknorm {

/// A plan for one shape: immutable, and shareable between threads; see LayerNorm for what holds of all calls.
class RmsNorm {
  public:
    /// Throws std::invalid_argument for options out of range.
    RmsNorm(Device& device, const LayerNormOptions& options);

    uint64_t rows() const;        ///< M
    uint64_t row_length() const;  ///< D
    VkDeviceSize scratch_bytes() const;
    std::string explain() const;

    struct Forward {
        BufferView x{};        ///< in, shape
        BufferView y{};        ///< out, shape; may be x itself
        BufferView gamma{};    ///< in, [D]; may be absent (1)
        BufferView inv_rms{};  ///< out, [M]
        BufferView scratch{};
    };
    /// y = gamma * h with h = x * inv_rms, inv_rms = 1 / sqrt(mean of x^2 + epsilon).
    void forward(Recorder& recorder, const Forward& arguments) const;

    struct Backward {
        BufferView x{}, dy{};     ///< in, shape
        BufferView inv_rms{};     ///< in, as saved by forward
        BufferView gamma{};       ///< in, [D]; may be absent
        BufferView dx{};          ///< out, shape; absent: not wanted; may be dy itself
        BufferView dgamma{};      ///< out, [D]; absent: not wanted
        bool accumulate = false;  ///< dgamma is added to
        BufferView scratch{};
    };
    /// With q = dy * gamma: dx = inv_rms * (q - h * E[q * h]); dgamma = sum dy * h over the rows.
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    detail::StatePointer<std::shared_ptr<const detail::RowNorm>> rows_;
};

}  // namespace vknorm
