// A Conv2d as products of matrices: pure arithmetic, no Vulkan.
#pragma once

#include <vector>

#include <vknorm/conv2d.hpp>

#include "ops/convolution.hpp"

namespace vknorm::detail {

// How tensors are copied.
PaddedShape padded_x(const Conv2dOptions& options);
PaddedShape padded_dy(const Conv2dOptions& options);               ///< as far as the gradient of x looks
PaddedShape copied_weight(const Conv2dOptions& options);           ///< [O, K, K, C], for forward
PaddedShape copied_weight_of_input(const Conv2dOptions& options);  ///< [C, K, K, O], for the gradient of x

struct Conv2dShapes {
    /// For options that are checked, whose padded copies a binding can hold.
    explicit Conv2dShapes(const Conv2dOptions& options);

    ConvolutionShape forward;  ///< of the weight and x
    std::vector<ConvolutionShape>
        input;                    ///< of the weight and dy: each gives every stride-th row and column of dx
    ConvolutionShape parameters;  ///< of dy and x
};

}  // namespace vknorm::detail
