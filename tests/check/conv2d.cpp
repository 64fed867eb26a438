// vknorm-check knows convolutions so.
#include <vknorm/conv2d.hpp>

#include "check/family.hpp"
#include "check/maps.hpp"
#include "reference/convolution.hpp"

namespace vknorm::check {

namespace {

const Option out_channels_option{"out-channels", {}, "Channels of y (1 if not given)", true};

Conv2dOptions options_of(const TensorShape& x, const Settings& settings) {
    const std::array<uint32_t, 4> lengths = map_lengths("conv2d", x);
    Conv2dOptions options{.images = lengths[0],
                          .in_channels = lengths[1],
                          .out_channels = settings.whole(out_channels_option.name, 1),
                          .height = lengths[2],
                          .width = lengths[3]};
    options.kernel = settings.whole(kernel_option.name, options.kernel);
    options.stride = settings.whole(stride_option.name, options.stride);
    options.padding = settings.whole(padding_option.name, options.padding);
    options.dilation = settings.whole(dilation_option.name, options.dilation);
    return options;
}

Conv2dOptions options_of(const Call& call) {
    Conv2dOptions options = options_of(call.shape(), call.settings);
    options.bias = call.has("bias");
    return options;
}

void run(const Call& call, Workspace& workspace) {
    const Conv2dOptions options = options_of(call);
    const Conv2d conv2d(workspace.device(), options);
    const BufferView scratch = workspace.scratch(conv2d.scratch_bytes());
    conv2d.forward(workspace.recorder(), {.x = workspace.in("x"),
                                          .weight = workspace.in("weight"),
                                          .bias = workspace.in("bias"),
                                          .y = workspace.out("y"),
                                          .scratch = scratch});
    if (!call.has("dy")) return;
    conv2d.backward(workspace.recorder(), {.x = workspace.in("x"),
                                           .dy = workspace.in("dy"),
                                           .weight = workspace.in("weight"),
                                           .dx = workspace.out("dx"),
                                           .dweight = workspace.out("dweight"),
                                           .dbias = options.bias ? workspace.out("dbias") : BufferView{},
                                           .scratch = scratch});
}

Expectations expect(const Call& call) {
    return reference::expected_convolution(options_of(call), {.x = call.floats("x"),
                                                              .weight = call.floats("weight"),
                                                              .bias = call.floats("bias"),
                                                              .dy = call.floats("dy")});
}

TensorShape shape_of(const std::string& tensor, const TensorShape& x, const Settings& settings) {
    const Conv2dOptions options = options_of(x, settings);
    if (tensor == "x" || tensor == "dx") return x;
    if (tensor == "bias" || tensor == "dbias") return {options.out_channels};
    if (tensor == "weight" || tensor == "dweight")
        return {options.out_channels, options.in_channels, options.kernel, options.kernel};
    return {options.images, options.out_channels, options.output_height(), options.output_width()};
}

}  // namespace

Operation conv2d() {
    return {
        .name = "conv2d",
        .help = "convolution of images by square kernels, zeros around them",
        .tensors = {{.name = "x", .fill = Fill::x, .help = "(N, C, H, W)"},
                    {.name = "weight", .fill = Fill::shift, .help = "(O, C, K, K)"},
                    {.name = "bias", .fill = Fill::shift, .help = "(O)"},
                    {.name = "dy", .fill = Fill::gradient, .help = "gradient of y"},
                    {.name = "y", .help = "(N, O, H', W')"},
                    {.name = "dx", .help = "gradient of x"},
                    {.name = "dweight", .help = "gradient of weight"},
                    {.name = "dbias", .help = "gradient of bias"}},
        .options = {out_channels_option, kernel_option, stride_option, padding_option, dilation_option},
        .modes = {{.name = "forward",
                   .needs = {"x", "weight"},
                   .takes = {"bias", "dy"},
                   .gives = {"y", "dx", "dweight", "dbias"},
                   .run = run,
                   .expect = expect}},
        .shape_of = shape_of,
    };
}

}  // namespace vknorm::check
