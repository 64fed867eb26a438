#include "ops/linear.hpp"

namespace vknorm::detail {

Linear::Linear(const Capabilities& capabilities, uint32_t rows, uint32_t inputs, uint32_t outputs)
    : forward_(
          capabilities,
          {.rows = rows, .columns = outputs, .inner = inputs, .b_transposed = true, .bias = GemmBias::add},
          "linear.forward"),
      backward_input_(capabilities, {.rows = rows, .columns = inputs, .inner = outputs},
                      "linear.backward_input"),
      backward_parameters_(
          capabilities,
          {.rows = outputs, .columns = inputs, .inner = rows, .a_transposed = true, .bias = GemmBias::sum_a},
          "linear.backward_parameters") {}

void Linear::forward(Recorder& recorder, const Forward& arguments) const {
    forward_.record(recorder, arguments.x, arguments.weight, arguments.bias, arguments.y);
}

void Linear::backward_input(Recorder& recorder, const BackwardInput& arguments) const {
    backward_input_.record(recorder, arguments.dy, arguments.weight, {}, arguments.dx);
}

void Linear::backward_parameters(Recorder& recorder, const BackwardParameters& arguments) const {
    backward_parameters_.record(recorder, arguments.dy, arguments.x, arguments.dbias, arguments.dweight);
}

}  // namespace vknorm::detail
