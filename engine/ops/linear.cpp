#include "vknorm/linear.hpp"

#include "ops/arguments.hpp"
#include "ops/gemm.hpp"
#include "ops/sizes.hpp"
#include "vulkan/device_state.hpp"

namespace vknorm {

using namespace detail;

namespace {

static_assert(Linear::max_size == Gemm::most_terms);

void require_size(const char* size, uint32_t got) {
    require_positive("linear", size, got);
    if (got > Linear::max_size)
        refuse("linear", size, std::to_string(got), "at most " + std::to_string(Linear::max_size));
}

const LinearOptions& checked(const Device& device, const LinearOptions& options) {
    require_size("rows", options.rows);
    require_size("inputs", options.inputs);
    require_size("outputs", options.outputs);
    const auto matrix = [&](const char* name, uint64_t rows, uint64_t columns) {
        require_range(device.capabilities(), std::string("linear: ") + name, sizeof(float) * rows * columns);
    };
    matrix("x", options.rows, options.inputs);
    matrix("weight", options.outputs, options.inputs);
    matrix("y", options.rows, options.outputs);
    return options;
}

}  // namespace

struct Linear::Plan {
    Plan(Device& owner, const LinearOptions& o)
        : device(owner.state().shared_from_this()),
          options(checked(owner, o)),
          forward(owner.capabilities(), {.rows = o.rows,
                                         .columns = o.outputs,
                                         .inner = o.inputs,
                                         .b_transposed = true,
                                         .bias = GemmBias::add}),
          backward_input(owner.capabilities(), {.rows = o.rows, .columns = o.inputs, .inner = o.outputs}),
          backward_parameters(owner.capabilities(), {.rows = o.outputs,
                                                     .columns = o.inputs,
                                                     .inner = o.rows,
                                                     .a_transposed = true,
                                                     .bias = GemmBias::sum_a}) {}

    VkDeviceSize input_bytes() const { return matrix_bytes(options.rows, options.inputs); }
    VkDeviceSize output_bytes() const { return matrix_bytes(options.rows, options.outputs); }
    VkDeviceSize weight_bytes() const { return matrix_bytes(options.outputs, options.inputs); }
    VkDeviceSize bias_bytes() const { return matrix_bytes(1, options.outputs); }
    static VkDeviceSize matrix_bytes(VkDeviceSize rows, VkDeviceSize columns) {
        return sizeof(float) * rows * columns;
    }

    /// Refuses a bias, or its gradient, where there is none.
    void check_absent(const Arguments& check, const char* name, const BufferView& view) const {
        if (view && !options.bias) check.refuse(name, "a buffer", "none: options.bias is false");
    }

    std::shared_ptr<const DeviceState> device;
    LinearOptions options;
    Gemm forward, backward_input, backward_parameters;
};

Linear::Linear(Device& device, const LinearOptions& options)
    : plan_("Linear", std::make_shared<const Plan>(device, options)) {}

void Linear::forward(Recorder& recorder, const Forward& arguments) const {
    const Plan& plan = *plan_;
    Arguments check("linear.forward", recorder, plan.device.get());
    check.offsets(binding_alignment);
    plan.check_absent(check, "bias", arguments.bias);
    const BufferView x = check.input("x", arguments.x, plan.input_bytes());
    const BufferView weight = check.input("weight", arguments.weight, plan.weight_bytes());
    const BufferView bias = check.input("bias", arguments.bias, plan.options.bias ? plan.bias_bytes() : 0);
    const BufferView y = check.output("y", arguments.y, plan.output_bytes());
    check.check_overlap();
    plan.forward.multiply(recorder, x, weight, bias, y);
}

void Linear::backward(Recorder& recorder, const Backward& arguments) const {
    const Plan& plan = *plan_;
    Arguments check("linear.backward", recorder, plan.device.get());
    check.offsets(binding_alignment);
    plan.check_absent(check, "dbias", arguments.dbias);
    if (arguments.dbias && !arguments.dweight)
        check.refuse("dweight", "no buffer", "one together with dbias");
    const BufferView dy = check.input("dy", arguments.dy, plan.output_bytes());
    const BufferView x = check.input("x", arguments.x, arguments.dweight ? plan.input_bytes() : 0);
    const BufferView weight = check.input("weight", arguments.weight, arguments.dx ? plan.weight_bytes() : 0);
    const BufferView dx = check.optional_output("dx", arguments.dx, plan.input_bytes());
    const BufferView dweight = check.optional_output("dweight", arguments.dweight, plan.weight_bytes());
    const BufferView dbias = check.optional_output("dbias", arguments.dbias, plan.bias_bytes());
    check.check_overlap();
    if (dweight) plan.backward_parameters.multiply(recorder, dy, x, dbias, dweight);
    if (dx) plan.backward_input.multiply(recorder, dy, weight, {}, dx);
}

}  // namespace vknorm
