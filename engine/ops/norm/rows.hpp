// What layer and root mean square normalization share: every row is normalized by itself, and parameters
// belong to positions.
#pragma once

#include <vknorm/layer_norm.hpp>

#include "ops/norm/options.hpp"

namespace vknorm::detail {

struct RowNormPlan {
    RowNormPlan(const std::string& operation, Device& device, const LayerNormOptions& options);

    /// Of either normalization; what it does not have stays absent.
    struct Tensors {
        BufferView x{}, y{}, dy{}, dx{};
        BufferView gamma{}, beta{}, dgamma{}, dbeta{};
        BufferView mean{}, deviation{};
        bool accumulate = false;
        BufferView scratch{};
    };
    // Record, after the arguments were checked. `kind` is norm_of_batch or norm_of_squares.
    void forward(Recorder& recorder, uint32_t kind, const Tensors& tensors) const;
    void backward(Recorder& recorder, uint32_t kind, const Tensors& tensors) const;

    const DeviceState* device;
    NormPlan rows;     ///< a set is a row
    NormPlan columns;  ///< of the gradients of the parameters: a set is a position
    detail::Tensors storage;
    float epsilon;
    Scratch scratch{};
    Piece partials, means;

    uint64_t row_count() const { return rows.extent.channels; }
    uint64_t row_length() const { return rows.extent.positions; }
    uint64_t row_bytes() const { return row_count() * sizeof(float); }
    uint64_t parameter_bytes() const { return row_length() * sizeof(float); }
    std::string explain() const;
};

}  // namespace vknorm::detail
