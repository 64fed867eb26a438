// Layer and root mean square normalization: every row is normalized by itself, and parameters belong to
// positions. What differs between the two is data.
#pragma once

#include <vknorm/layer_norm.hpp>

#include "ops/norm/arguments.hpp"
#include "ops/norm/passes.hpp"

namespace vknorm::detail {

/// Which of the two.
struct RowNormKind {
    const char* operation;
    uint32_t statistics;    ///< a kind of StatisticsView
    const char* deviation;  ///< what callers call it

    bool has_mean() const { return statistics != shaders::norm_of_squares; }
};

class RowNorm {
  public:
    /// Throws std::invalid_argument for options out of range.
    RowNorm(const RowNormKind& kind, Device& device, const LayerNormOptions& options);

    uint64_t count() const { return rows_.plan().extent.channels; }    ///< of rows
    uint64_t length() const { return rows_.plan().extent.positions; }  ///< of a row
    VkDeviceSize scratch_bytes() const { return scratch_.bytes(); }
    std::string explain() const;

    // Arguments of either normalization; what it does not have stays absent. Both check and record.
    struct Forward {
        BufferView x{}, y{};
        BufferView gamma{}, beta{};
        BufferView mean{}, deviation{};
        BufferView scratch{};
    };
    void forward(Recorder& recorder, const Forward& arguments) const;
    struct Backward {
        BufferView x{}, dy{}, dx{};
        BufferView mean{}, deviation{};
        BufferView gamma{}, dgamma{}, dbeta{};
        bool accumulate = false;
        BufferView scratch{};
    };
    void backward(Recorder& recorder, const Backward& arguments) const;

  private:
    uint64_t row_bytes() const { return count() * sizeof(float); }
    uint64_t parameter_bytes() const { return length() * sizeof(float); }
    StatisticsView statistics(const BufferView& mean, const BufferView& deviation) const {
        return {.kind = kind_.statistics, .mean = mean, .deviation = deviation};
    }

    RowNormKind kind_;
    NormPasses rows_;     ///< a set is a row
    NormPasses columns_;  ///< of the gradients of the parameters: a set is a position
    float epsilon_;
    Scratch scratch_{};
    ScratchRange partials_, means_;
};

}  // namespace vknorm::detail
