// A convolution as a product of matrices, c = a * b plus a bias, whose columns and terms are found by
// addresses: the tensors of pictures are channels last then, see channels_last.
//
// Every element of c is one sum in the order of the terms: the same bits at every run.
#pragma once

#include <array>
#include <cstdint>

#include "ops/gemm.hpp"

namespace vknorm::detail {

/// Numbers x, y or z of the columns: how many there are, and how many floats it is from one to the next.
struct ColumnAxis {
    uint32_t count = 1;
    int32_t b = 0, c = 0;
};
/// The same of the terms.
struct TermAxis {
    uint32_t count = 1;
    int32_t a = 0, b = 0;
};

struct ConvolutionShape {
    uint32_t rows = 0;
    int32_t a_first = 0, a_row = 0, b_first = 0, c_first = 0, c_row = 0;
    std::array<ColumnAxis, 3> columns{};  ///< the last one varies fastest
    std::array<TermAxis, 3> terms{};      ///< likewise; of no terms the first count is 0
    uint32_t stored = 0;                  ///< columns whose last number is less are stored
    /// Rows of a are adjacent, and so are the columns of b. Otherwise the terms are, in both.
    bool lines_are_terms = false;
    bool whole_vectors = false;      ///< four columns, from a multiple of four on, are a vector of c
    GemmBias bias = GemmBias::none;  ///< added, it has a value for each row
    uint32_t part_runs =
        0;               ///< terms with the same first numbers are a run; so many runs give one c of several
    int32_t c_part = 0;  ///< and so many floats further on is the next

    uint32_t runs() const { return terms[0].count * terms[1].count; }
    uint32_t parts() const;
    uint32_t column_count() const { return columns[0].count * columns[1].count * columns[2].count; }
};

class Convolution {
  public:
    Convolution(const Capabilities& capabilities, const ConvolutionShape& shape);

    /// As Gemm::multiply. A sum for a bias has parts, too, one after the other.
    void multiply(Recorder& recorder, const BufferView& a, const BufferView& b, const BufferView& bias,
                  const BufferView& c) const;

    const ConvolutionShape& shape() const { return shape_; }

  private:
    ConvolutionShape shape_;
    GemmTiling tiling_;
    uint32_t most_workgroups_;
};

/// How a tensor [images, channels, height, width] is copied: channels last, to whole vectors of four, with
/// zeros around it. The padded sizes may be less than the tensor's, too.
struct PaddedShape {
    uint32_t images = 1, channels = 1, height = 1, width = 1;
    uint32_t padded_height = 1, padded_width = 1;
    uint32_t padding = 0;        ///< before the first row and before the first column
    bool images_inside = false;  ///< the tensor is [channels, images, height, width]

    uint32_t pitch() const;  ///< floats from a position to the next
    uint64_t row() const { return uint64_t{padded_width} * pitch(); }
    uint64_t image() const { return padded_height * row(); }
    uint64_t bytes() const { return sizeof(float) * images * image(); }
};
void channels_last(Recorder& recorder, const PaddedShape& shape, const BufferView& tensor,
                   const BufferView& copy);

/// sum = the sum of `parts` that follow each other, in their order.
void sum_parts(Recorder& recorder, const BufferView& parts, const BufferView& sum);

}  // namespace vknorm::detail
