// vknorm-check knows pooling so.
#include "reference/pooling.hpp"

#include <vknorm/pooling.hpp>

#include "check/family.hpp"
#include "check/maps.hpp"

namespace vknorm::check {

namespace {

const Option count_include_pad_option{
    "count-include-pad", {"on", "off"}, "Whether averages take in the zeros of the padding"};
const Option output_height_option{"output-height", {}, "Bins from top to bottom (1 if not given)", true};
const Option output_width_option{"output-width", {}, "Bins from left to right (1 if not given)", true};

MaxPool2dOptions max_options(const TensorShape& x, const Settings& settings) {
    const std::array<uint32_t, 4> lengths = map_lengths("max_pool2d", x);
    return {.rows = lengths[0],
            .channels = lengths[1],
            .height = lengths[2],
            .width = lengths[3],
            .kernel = settings.whole(kernel_option.name, MaxPool2dOptions{}.kernel),
            .stride = settings.whole(stride_option.name, 0),
            .padding = settings.whole(padding_option.name, 0),
            .dilation = settings.whole(dilation_option.name, 1)};
}

AveragePool2dOptions average_options(const TensorShape& x, const Settings& settings) {
    const std::array<uint32_t, 4> lengths = map_lengths("average_pool2d", x);
    return {.rows = lengths[0],
            .channels = lengths[1],
            .height = lengths[2],
            .width = lengths[3],
            .kernel = settings.whole(kernel_option.name, AveragePool2dOptions{}.kernel),
            .stride = settings.whole(stride_option.name, 0),
            .padding = settings.whole(padding_option.name, 0),
            .count_include_pad = settings.word(count_include_pad_option, 0) == 0};
}

AdaptiveAveragePool2dOptions adaptive_options(const TensorShape& x, const Settings& settings) {
    const std::array<uint32_t, 4> lengths = map_lengths("adaptive_average_pool2d", x);
    return {.rows = lengths[0],
            .channels = lengths[1],
            .height = lengths[2],
            .width = lengths[3],
            .output = {settings.whole(output_height_option.name, 1),
                       settings.whole(output_width_option.name, 1)}};
}

void run_max(const Call& call, Workspace& workspace) {
    const MaxPool2d pool(workspace.device(), max_options(call.shape(), call.settings));
    const BufferView indices = workspace.out("indices");
    pool.forward(workspace.recorder(), {.x = workspace.in("x"), .y = workspace.out("y"), .indices = indices});
    if (call.has("dy"))
        pool.backward(workspace.recorder(),
                      {.dy = workspace.in("dy"), .indices = indices, .dx = workspace.out("dx")});
}

template <class Pool, class Options>
void run_average(const Call& call, Workspace& workspace, const Options& options) {
    const Pool pool(workspace.device(), options);
    pool.forward(workspace.recorder(), {.x = workspace.in("x"), .y = workspace.out("y")});
    if (call.has("dy"))
        pool.backward(workspace.recorder(), {.dy = workspace.in("dy"), .dx = workspace.out("dx")});
}

TensorShape pooled_shape(const std::string& tensor, const TensorShape& x, const reference::PooledMap& map) {
    if (tensor == "x" || tensor == "dx") return x;
    return {x[0], x[1], map.height, map.width};
}

Operation pooling(const std::string& name, const std::string& help, const std::vector<Option>& options,
                  decltype(Mode::run) run, decltype(Mode::expect) expect,
                  decltype(Operation::shape_of) shape_of) {
    return {.name = name,
            .help = help,
            .tensors = {{.name = "x", .fill = Fill::x, .help = "(N, C, H, W)"},
                        {.name = "dy", .fill = Fill::gradient, .help = "gradient of y"},
                        {.name = "y", .help = "(N, C, H', W')"},
                        {.name = "dx", .help = "gradient of x"}},
            .options = options,
            .modes = {{.name = "forward",
                       .needs = {"x"},
                       .takes = {"dy"},
                       .gives = {"y", "dx"},
                       .run = run,
                       .expect = expect}},
            .shape_of = shape_of};
}

}  // namespace

Operation max_pool2d() {
    Operation operation = pooling(
        "max_pool2d", "the largest value of each window",
        {kernel_option, stride_option, padding_option, dilation_option}, run_max,
        [](const Call& call) {
            const auto map = reference::pooled_map(max_options(call.shape(), call.settings));
            return reference::expected_max_pool(map, call.floats("x"), call.floats("dy"));
        },
        [](const std::string& tensor, const TensorShape& x, const Settings& settings) {
            return pooled_shape(tensor, x, reference::pooled_map(max_options(x, settings)));
        });
    operation.tensors.push_back(
        {.name = "indices", .help = "as y, uint32: where in its map the value was", .dtype = Dtype::u32});
    operation.modes.front().gives.push_back("indices");
    return operation;
}

Operation average_pool2d() {
    return pooling(
        "average_pool2d", "the mean of each window",
        {kernel_option, stride_option, padding_option, count_include_pad_option},
        [](const Call& call, Workspace& workspace) {
            run_average<AveragePool2d>(call, workspace, average_options(call.shape(), call.settings));
        },
        [](const Call& call) {
            const auto map = reference::pooled_map(average_options(call.shape(), call.settings));
            return reference::expected_average_pool(map, call.floats("x"), call.floats("dy"));
        },
        [](const std::string& tensor, const TensorShape& x, const Settings& settings) {
            return pooled_shape(tensor, x, reference::pooled_map(average_options(x, settings)));
        });
}

Operation adaptive_average_pool2d() {
    return pooling(
        "adaptive_average_pool2d", "the means of bins that a map is divided into",
        {output_height_option, output_width_option},
        [](const Call& call, Workspace& workspace) {
            run_average<AdaptiveAveragePool2d>(call, workspace,
                                               adaptive_options(call.shape(), call.settings));
        },
        [](const Call& call) {
            const auto map = reference::pooled_map(adaptive_options(call.shape(), call.settings));
            return reference::expected_average_pool(map, call.floats("x"), call.floats("dy"));
        },
        [](const std::string& tensor, const TensorShape& x, const Settings& settings) {
            return pooled_shape(tensor, x, reference::pooled_map(adaptive_options(x, settings)));
        });
}

}  // namespace vknorm::check
