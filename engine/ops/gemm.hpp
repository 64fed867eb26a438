// Matrix product c = op(a) * op(b) of dense row-major float32 matrices, with a bias or the bias gradient on
// the way.
//
// Every element of c is one sum in the order of the inner index: the same bits at every run.
#pragma once

#include <cstdint>
#include <optional>

#include <vknorm/stream.hpp>

#include "shaders/embedded.hpp"

namespace vknorm::detail {

/// What takes place when a bias is given.
enum class GemmBias {
    none,
    add,    ///< bias [columns] is added to every row of c
    sum_a,  ///< bias [rows] becomes the sums of op(a) over the inner index; a is transposed
};

struct GemmShape {
    uint32_t rows = 0, columns = 0, inner = 0;  ///< c is [rows, columns]
    bool a_transposed = false;                  ///< a is [inner, rows], else [rows, inner]
    bool b_transposed = false;                  ///< b is [columns, inner], else [inner, columns]
    GemmBias bias = GemmBias::none;
};

/// The kernels of one kind of product.
struct GemmShaders {
    const shaders::Shader &any, &lanes4, &lanes8, &texels;
};

/// Those that are fast on a device for a product of so many rows, and the tile of c that a workgroup
/// computes.
struct GemmTiling {
    GemmTiling(const Capabilities& capabilities, const GemmShaders& shaders, uint32_t rows_of_c);

    struct Kernel {
        const shaders::Shader* shader;
        uint32_t rows;
    };
    const Kernel& kernel(bool of_texels) const { return of_texels ? *texels : buffers; }

    Kernel buffers;
    std::optional<Kernel> texels{};  ///< for the engine's own buffers, whole vectors
    uint32_t workgroup, columns;
};

class Gemm {
  public:
    /// Terms of a sum that one invocation can add. Mesa 22.3 silently ends loops after 65 535 trips; a term
    /// takes one at most, since compilers unroll the loops within a term.
    static constexpr uint32_t most_terms = 65000;

    /// For matrices that a binding can hold, and sums of at most most_terms.
    Gemm(const Capabilities& capabilities, const GemmShape& shape);

    /// Views start at multiples of 256 bytes. `c` overlaps nothing. `bias` may be absent.
    void multiply(Recorder& recorder, const BufferView& a, const BufferView& b, const BufferView& bias,
                  const BufferView& c) const;

  private:
    GemmShape shape_;
    bool vectors_;  // rows of all matrices are whole vectors of four
    GemmTiling tiling_;
    uint32_t most_workgroups_;
};

}  // namespace vknorm::detail
