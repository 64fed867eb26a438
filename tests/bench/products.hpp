// The products of matrices that a layer trains by: forward, and the gradients of its input and its
// parameters.
#pragma once

#include <memory>
#include <string>

#include <vknorm/conv2d.hpp>
#include <vknorm/linear.hpp>

namespace vknorm::bench {

/// A layer and all of its tensors.
class Products {
  public:
    virtual ~Products() = default;

    virtual void forward(Recorder& recorder) const = 0;
    virtual void backward_input(Recorder& recorder) const = 0;
    virtual void backward_parameters(Recorder& recorder) const = 0;

    /// What to call the layer.
    virtual std::string name() const = 0;
    /// Of each of the three, additions and multiplications.
    virtual double flops() const = 0;
    /// Compares some of the elements of each with sums in float64. Throws std::runtime_error when one is
    /// wrong.
    virtual void verify() = 0;
};

/// With a bias.
std::unique_ptr<Products> linear_products(Device& device, const LinearOptions& options);
std::unique_ptr<Products> convolution_products(Device& device, const Conv2dOptions& options);

}  // namespace vknorm::bench
