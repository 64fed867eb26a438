#include "check/family.hpp"

#include <limits>
#include <stdexcept>

namespace vknorm::check {

const Option preset_option{"preset", {"torch", "onnx", "keras"}, "Whose defaults the convention has"};
const Option running_variance_option{
    "running-variance", {"unbiased", "biased"}, "Variance that goes into running_var"};
const Option momentum_form_option{
    "momentum-form",
    {"new", "old", "cumulative"},
    "What momentum weighs: the new batch, the old value, or nothing: a plain average"};
const Option momentum_option{"momentum", {}, "Of the running statistics, 0 to 1"};
const Option eps_option{"eps", {}, "Added to the variance"};
const Option layout_option{"layout", {"channels_first", "channels_last"}, "Where the channels of x stand"};
const Option single_value_option{
    "single-value", {"error", "keep_running", "normalize"}, "What training does with one value per channel"};
const Option storage_option{
    "storage", {"float32", "float16", "bfloat16"}, "Type of the elements of x, y and their gradients"};
const Option per_activation_option{
    "per-activation", {"off", "on"}, "Whether every activation is normalized on its own"};

const Option relu_option{"relu",
                         {"none", "recomputed", "mask", "output"},
                         "Whether a ReLU follows, and how backward knows what it let through"};
const Option guard_option{"guard", {"off", "on"}, "Whether running statistics take in finite batches only"};
const Option health_option{"health", {"off", "on"}, "Whether to report on every channel"};

std::vector<Option> convention_options() {
    return {preset_option, eps_option, momentum_option, momentum_form_option, running_variance_option};
}

std::vector<Option> with(std::vector<Option> options, const std::vector<Option>& more) {
    options.insert(options.end(), more.begin(), more.end());
    return options;
}

BatchNormConvention convention_of(const Settings& settings) {
    const BatchNormConvention presets[] = {BatchNormConvention::torch(), BatchNormConvention::onnx(),
                                           BatchNormConvention::keras()};
    BatchNormConvention convention = presets[settings.word(preset_option, 0)];
    // The words stand in the order of the enumerators.
    convention.running_variance = static_cast<RunningVariance>(
        settings.word(running_variance_option, static_cast<size_t>(convention.running_variance)));
    convention.momentum_form = static_cast<Momentum>(
        settings.word(momentum_form_option, static_cast<size_t>(convention.momentum_form)));
    convention.momentum = settings.number("momentum", convention.momentum);
    convention.epsilon = settings.number("eps", convention.epsilon);
    return convention;
}

Layout layout_of(const Settings& settings) {
    return static_cast<Layout>(settings.word(layout_option, 0));
}

SingleValue single_value_of(const Settings& settings) {
    return static_cast<SingleValue>(settings.word(single_value_option, 0));
}

Storage storage_of(const Settings& settings) {
    return static_cast<Storage>(settings.word(storage_option, 0));
}

Relu relu_of(const Call& call) {
    return static_cast<Relu>(call.settings.word(relu_option, 0));
}

bool wants_health(const Call& call) {
    return call.settings.word(health_option, 0) != 0;
}

bool has_guard(const Call& call) {
    return call.settings.word(guard_option, 0) != 0;
}

std::vector<uint32_t> lengths_of(const Call& call) {
    std::vector<uint32_t> result;
    for (const uint64_t length : call.shape()) {
        if (length > std::numeric_limits<uint32_t>::max())
            throw std::invalid_argument(call.operation->name + ": " + call.mode->needs.front() +
                                        ": got shape " + shape_text(call.shape()) +
                                        ", needs lengths of at most 4294967295");
        result.push_back(static_cast<uint32_t>(length));
    }
    return result;
}

void require_images(const std::string& operation, const TensorShape& x, size_t least_dimensions) {
    if (x.size() < least_dimensions || x.size() > 5)
        throw std::invalid_argument(operation + ": x: got shape " + shape_text(x) + ", needs " +
                                    std::to_string(least_dimensions) + " to 5 dimensions");
}

uint64_t channels_of(const TensorShape& x, const Settings& settings) {
    return layout_of(settings) == Layout::channels_first ? x[1] : x.back();
}

TensorShape family_shape(const std::string& tensor, const TensorShape& x, const Settings& settings) {
    for (const char* like_x : {"x", "y", "dx", "dy"})
        if (tensor == like_x) return x;
    if (tensor.starts_with("num_batches_")) return {};
    return {channels_of(x, settings)};
}

std::vector<TensorKind> family_tensors(const std::string& parameters, const std::string& statistics) {
    return {{.name = "x", .fill = Fill::x, .help = "the input", .stored = true},
            {.name = "gamma", .fill = Fill::scale, .help = parameters},
            {.name = "beta", .fill = Fill::shift, .help = parameters},
            {.name = "dy", .fill = Fill::gradient, .help = "gradient of y", .stored = true},
            {.name = "mean", .help = "(2, " + statistics + "): then what rounding it to float32 lost"},
            {.name = "inv_std", .help = "(" + statistics + "): 1 / sqrt(variance + eps)"},
            {.name = "y", .help = "as x", .stored = true},
            {.name = "dx", .help = "gradient of x", .stored = true},
            {.name = "dgamma", .fill = Fill::gradient, .help = "gradient of gamma; if given it is added to"},
            {.name = "dbeta", .fill = Fill::gradient, .help = "gradient of beta; if given it is added to"}};
}

std::vector<TensorKind> counter_tensors() {
    return {{.name = "num_batches_tracked", .fill = Fill::count, .help = "(), int64", .dtype = Dtype::i64},
            {.name = "num_batches_refused",
             .fill = Fill::count,
             .help = "(), int64: those that the guard kept out",
             .dtype = Dtype::i64}};
}

std::vector<TensorKind> running_tensors() {
    return with({{.name = "running_mean", .fill = Fill::x, .help = "(C)"},
                 {.name = "running_var", .fill = Fill::variance, .help = "(C)"}},
                counter_tensors());
}

std::vector<TensorKind> with(std::vector<TensorKind> tensors, const std::vector<TensorKind>& more) {
    tensors.insert(tensors.end(), more.begin(), more.end());
    return tensors;
}

Mode forward_mode(decltype(Mode::run) run, decltype(Mode::expect) expect) {
    return {.name = "forward",
            .needs = {"x"},
            .takes = {"gamma", "beta", "dy"},
            .adds = {"dgamma", "dbeta"},
            .gives = {"y", "mean", "inv_std", "dx", "dgamma", "dbeta"},
            .run = run,
            .expect = expect};
}

Mode training_mode(decltype(Mode::run) run, decltype(Mode::expect) expect) {
    return {.name = "training",
            .needs = {"x"},
            .takes = {"gamma", "beta", "running_mean", "running_var", "num_batches_tracked", "dy"},
            .adds = {"dgamma", "dbeta", "num_batches_refused"},
            .gives = {"y", "mean", "inv_std", "running_mean", "running_var", "num_batches_tracked",
                      "num_batches_refused", "dx", "dgamma", "dbeta"},
            .run = run,
            .expect = expect};
}

void read(const Call& call, reference::NormData& data) {
    data.x = call.floats("x");
    data.dy = call.floats("dy");
    data.gamma = call.floats("gamma");
    data.beta = call.floats("beta");
    data.dgamma = call.floats("dgamma");
    data.dbeta = call.floats("dbeta");
}

int64_t batches_of(const Call& call) {
    return call.has("num_batches_tracked") ? call.inputs.at("num_batches_tracked").integers().front() : 0;
}

reference::RunningData running_data(const Call& call) {
    reference::RunningData data;
    read(call, data);
    data.running_mean = call.floats("running_mean");
    data.running_var = call.floats("running_var");
    data.batches = batches_of(call);
    return data;
}

bool accumulates(const Call& call) {
    return call.has("dgamma") || call.has("dbeta");
}

BufferView parameter_gradient(const Call& call, Workspace& workspace, const std::string& name) {
    return accumulates(call) ? workspace.in_out(name) : workspace.out(name);
}

void expect_gradients(const Call& call, Expectations& expectations, Expectations gradients) {
    for (const char* name : {"dgamma", "dbeta"})
        if (accumulates(call) && !call.has(name)) gradients.erase(name);
    expectations.merge(gradients);
}

Expectations expect_training(const Call& call, Expectations forward,
                             const std::function<Expectations()>& backward, int64_t batches) {
    const auto counts = [&](const char* counter, int64_t more) {
        const auto before = call.inputs.find(counter);
        if (before == call.inputs.end()) return;
        forward[counter] = {{static_cast<double>(before->second.integers().front() + more)}, {0}};
    };
    const auto found = forward.find("num_batches_refused");
    int64_t refused = 0;
    if (found != forward.end()) refused = static_cast<int64_t>(forward.extract(found).mapped().values[0]);
    counts("num_batches_tracked", batches - refused);
    counts("num_batches_refused", refused);
    if (call.has("dy")) expect_gradients(call, forward, backward());
    return forward;
}

double onnx_attribute(const std::map<std::string, double>& attributes, const char* name, double otherwise) {
    const auto found = attributes.find(name);
    return found == attributes.end() ? otherwise : found->second;
}

}  // namespace vknorm::check
