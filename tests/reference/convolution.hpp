// A convolution as its definition has it, product by product, in float64.
#pragma once

#include <cstddef>
#include <vector>

#include <vknorm/conv2d.hpp>

#include "support/compare.hpp"

namespace vknorm::reference {

/// Calls visit(y, weight, x), numbers of elements, for every product of a weight and an x that is a term of a
/// y. Those of one y follow each other.
template <class Visit>
void for_each_product(const Conv2dOptions& o, Visit visit) {
    const size_t outputs_high = o.output_height(), outputs_wide = o.output_width();
    // The row or column of x that a tap of an output meets, counted from the first of the padding.
    const auto met = [&](size_t output, size_t tap) { return output * o.stride + tap * o.dilation; };
    const auto inside = [&](size_t at, size_t size) { return at >= o.padding && at < size + o.padding; };
    size_t y = 0;
    for (size_t n = 0; n < o.images; ++n)
        for (size_t out = 0; out < o.out_channels; ++out)
            for (size_t row = 0; row < outputs_high; ++row)
                for (size_t column = 0; column < outputs_wide; ++column, ++y)
                    for (size_t in = 0; in < o.in_channels; ++in)
                        for (size_t r = 0; r < o.kernel; ++r)
                            for (size_t s = 0; s < o.kernel; ++s) {
                                const size_t h = met(row, r), w = met(column, s);
                                if (!inside(h, o.height) || !inside(w, o.width)) continue;
                                const size_t image = n * o.in_channels + in;
                                visit(y, ((out * o.in_channels + in) * o.kernel + r) * o.kernel + s,
                                      (image * o.height + h - o.padding) * o.width + w - o.padding);
                            }
}

/// What a convolution and its gradients are given; bias and dy may be absent: 0, and no gradients wanted.
struct ConvolutionData {
    std::vector<float> x, weight, bias, dy;
};

/// y and, with a dy, dx, dweight and, with a bias, dbias, each within what any order of additions may give.
testing::Expectations expected_convolution(const Conv2dOptions& options, const ConvolutionData& data);

}  // namespace vknorm::reference
