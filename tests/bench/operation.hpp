// The operations that the benchmark times: recorded on any tensors of their shape, verified on the first.
#pragma once

#include <memory>
#include <string>

#include "bench/case.hpp"
#include "bench/pool.hpp"

namespace vknorm::bench {

class Operation {
  public:
    virtual ~Operation() = default;

    /// The chosen strategy, in one line.
    virtual std::string plan() const = 0;
    /// Backward uses the statistics that the last forward pass left, of whatever tensors.
    virtual void record(Direction direction, Recorder& recorder, const Tensors& tensors) = 0;
    /// Runs a direction on the pool's first tensors (forward has to come before backward) and compares what
    /// it gives, or of a large tensor the first and the last channels or rows, with the float64 reference.
    /// Returns the worst error over its bound; throws std::runtime_error when that is above 1.
    virtual double verify(Direction direction, const Pool& pool) = 0;
};

std::unique_ptr<Operation> make_operation(Device& device, const Case& what);

}  // namespace vknorm::bench
