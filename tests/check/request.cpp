#include "check/request.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <random>
#include <sstream>
#include <stdexcept>

#include "app/unknown_argument.hpp"
#include "support/split.hpp"

namespace vknorm::check {

namespace {

constexpr uint64_t max_elements = uint64_t{1} << 28;

[[noreturn]] void refuse(const std::string& option, const std::string& got, const std::string& needs) {
    throw CLI::ValidationError(option,
                               "got " + (got.empty() ? "nothing" : "'" + got + "'") + ", needs " + needs);
}

std::string join(const std::vector<std::string>& words, const char* separator) {
    std::string joined;
    for (const std::string& word : words) joined += (joined.empty() ? "" : separator) + word;
    return joined;
}

template <class Range>
std::string names_of(const Range& range) {
    std::vector<std::string> names;
    for (const auto& entry : range) names.push_back(entry.name);
    return join(names, ", ");
}

template <class T>
T read_number(const std::string& option, const std::string& text, T low, T high, const std::string& needs) {
    T value{};
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    // Negated, so that NaN is refused too.
    if (error != std::errc() || stopped != end || !(value >= low && value <= high))
        refuse(option, text, needs);
    return value;
}

double read_real_number(const std::string& option, const std::string& text, float low) {
    constexpr float most = std::numeric_limits<float>::max();
    return read_number<float>(option, text, low, most,
                              low < 0 ? "a float32 number" : "a float32 number from 0 on");
}

TensorShape read_shape(const std::string& text) {
    TensorShape shape;
    uint64_t product = 1;
    for (const std::string& part : testing::split(text, 'x')) {
        shape.push_back(read_whole_number("--shape", part, 0, max_elements));
        product *= shape.back();
        if (product > max_elements)
            refuse("--shape", text, "at most " + std::to_string(max_elements) + " values");
    }
    return shape;
}

void add_text(CLI::App& app, const std::string& option, const std::string& type, const std::string& help,
              std::function<void(const std::string&)> store) {
    app.add_option_function<std::string>(option, std::move(store), help)->type_name(type);
}

/// Normal but for the tails beyond six deviations, and the same bits on every platform: sums of twelve
/// uniform numbers of 16 bits.
class Normal {
  public:
    explicit Normal(uint64_t seed) : generator_(seed) {}

    double operator()() {
        int64_t sum = 0;
        for (int draw = 0; draw < 3; ++draw) {
            const uint64_t bits = generator_();
            for (int shift = 0; shift < 64; shift += 16) sum += static_cast<int64_t>(bits >> shift & 0xffff);
        }
        return static_cast<double>(2 * sum - 12 * 0xffff) / 0x20000;
    }
    double uniform() { return static_cast<double>(generator_() >> 11) * 0x1p-53; }

  private:
    std::mt19937_64 generator_;
};

std::vector<float> filled(Fill fill, uint64_t count, const Request& request, Normal& normal) {
    const auto value = [&]() -> double {
        switch (fill) {
            case Fill::x:
                return request.mean + request.std * normal();
            case Fill::gradient:
                return 0.25 + normal();
            case Fill::scale:
                return 1 + 0.5 * normal();
            case Fill::shift:
                return normal();
            case Fill::deviation:
                return (0.5 + 1.5 * normal.uniform()) * request.std;
            default:
                return (0.5 + 1.5 * normal.uniform()) * request.std * request.std;
        }
    };
    std::vector<float> values(count);
    for (float& element : values) element = static_cast<float>(value());
    return values;
}

}  // namespace

uint64_t read_whole_number(const std::string& option, const std::string& text, uint64_t low, uint64_t high) {
    return read_number<uint64_t>(
        option, text, low, high,
        "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
}

void add_request_options(CLI::App& app, Request& request) {
    add_text(app, "--op", "NAME", "The operation, one of those below", [&](const std::string& text) {
        const auto found = std::ranges::find(operations(), text, &Operation::name);
        if (found == operations().end()) refuse("--op", text, "one of " + names_of(operations()));
        request.operation = &*found;
    });
    add_text(app, "--mode", "MODE", "What of it to run", [&](const std::string& text) {
        if (!request.operation) return;  // finish() says so
        const auto found = std::ranges::find(request.operation->modes, text, &Mode::name);
        if (found == request.operation->modes.end())
            refuse("--mode", text, "one of " + names_of(request.operation->modes));
        request.mode = &*found;
    });
    add_text(app, "--shape", "NxCx...", "Shape of x, or of an operation's other first tensor",
             [&](const std::string& text) { request.shape = read_shape(text); });
    add_text(app, "--seed", "NUMBER", "Of every value (1 if not given)", [&](const std::string& text) {
        request.seed = read_whole_number("--seed", text, 0, std::numeric_limits<uint64_t>::max());
    });
    add_text(app, "--mean", "NUMBER", "Of x (0 if not given)", [&](const std::string& text) {
        request.mean = read_real_number("--mean", text, std::numeric_limits<float>::lowest());
    });
    add_text(app, "--std", "NUMBER", "Standard deviation of x (1 if not given)",
             [&](const std::string& text) { request.std = read_real_number("--std", text, 0); });
    add_text(app, "--without", "NAME,...", "Optional tensors to leave out", [&](const std::string& text) {
        for (const std::string& name : testing::split(text, ',')) request.without.insert(name);
    });
    add_text(app, "--with", "NAME,...", "Tensors to add that are left out otherwise",
             [&](const std::string& text) {
                 for (const std::string& name : testing::split(text, ',')) request.with.insert(name);
             });
    for (const char* option : generator_options) app.get_option(option)->group("Generated data");

    std::set<std::string> added;
    for (const Operation& operation : operations()) {
        for (const Option& option : operation.options) {
            if (!added.insert(option.name).second) continue;
            const std::string flag = "--" + option.name;
            add_text(app, flag, option.words.empty() ? "NUMBER" : join(option.words, "|"), option.help,
                     [&request, flag, option](const std::string& text) {
                         if (option.whole)
                             read_whole_number(flag, text, 1, std::numeric_limits<uint32_t>::max());
                         else if (option.words.empty())
                             read_real_number(flag, text, std::numeric_limits<float>::lowest());
                         else if (std::ranges::find(option.words, text) == option.words.end())
                             refuse(flag, text, "one of " + join(option.words, ", "));
                         request.settings.set(option.name, text);
                     });
            app.get_option(flag)->group("Options of operations");
        }
    }
}

void finish(Request& request) {
    if (!request.operation) refuse("--op", "", "one of " + names_of(operations()));
    const Operation& operation = *request.operation;
    if (!request.mode && operation.modes.size() == 1) request.mode = &operation.modes.front();
    if (!request.mode) refuse("--mode", "", "one of " + names_of(operation.modes));
    for (const auto& [name, value] : request.settings.given()) {
        if (std::ranges::find(operation.options, name, &Option::name) == operation.options.end())
            throw CLI::ValidationError("--" + name, operation.name + " has no such option");
    }
    for (const std::string& name : request.without) {
        if (std::ranges::find(request.mode->takes, name) == request.mode->takes.end())
            refuse("--without", name, "some of " + join(request.mode->takes, ", "));
    }
    for (const std::string& name : request.with) {
        if (std::ranges::find(request.mode->adds, name) == request.mode->adds.end())
            refuse("--with", name, "some of " + join(request.mode->adds, ", "));
    }
}

Request parse_request(const std::string& line) {
    Request request;
    request.text = line;
    CLI::App app;
    app.set_help_flag();
    add_request_options(app, request);
    try {
        std::istringstream stream(line);
        std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
        std::ranges::reverse(words);  // as CLI11 takes them
        app.parse(std::move(words));
    } catch (const CLI::ExtrasError&) {
        throw CLI::ValidationError(lab::unknown_argument(app));
    }
    finish(request);
    return request;
}

Call generate(const Request& request) {
    if (request.shape.empty())
        throw std::invalid_argument("--shape: got nothing, needs the lengths of x, such as 32x64x56x56");
    const Mode& mode = *request.mode;
    Call call{request.operation, &mode, request.settings};
    call.inputs[mode.needs.front()].shape = request.shape;
    Normal normal(request.seed);
    std::vector<std::string> names = mode.needs;
    for (const std::string& name : mode.takes)
        if (!request.without.contains(name)) names.push_back(name);
    for (const std::string& name : mode.adds)
        if (request.with.contains(name)) names.push_back(name);
    for (const std::string& name : names) {
        const Fill fill = request.operation->find_tensor(name)->fill;
        if (fill == Fill::none) continue;
        const TensorShape shape = call.shape_of(name);
        const uint64_t count = element_count(shape);
        if (fill == Fill::count) {
            const std::vector<int64_t> values(count, 3);
            call.inputs[name] = {shape, std::span(values)};
        } else if (fill == Fill::valid) {
            std::vector<uint32_t> values(count);
            for (uint32_t& value : values) value = normal.uniform() < 0.75;
            call.inputs[name] = {shape, std::span(values)};
        } else {
            const std::vector<float> values = filled(fill, count, request, normal);
            call.inputs[name] = {shape, std::span(values), call.dtype_of(name)};
        }
    }
    return call;
}

Call call_with(const Request& request, const HostTensors& tensors, const std::string& file) {
    const Operation& operation = *request.operation;
    const Mode& mode = *request.mode;
    for (const auto& [name, tensor] : tensors) {
        if (!operation.find_tensor(name))
            throw FormatError(file + ": " + name + ": " + operation.name + " has no such tensor; it has " +
                              names_of(operation.tensors));
    }
    Call call{&operation, &mode, request.settings};
    for (const std::string& name : mode.needs) {
        if (!tensors.contains(name))
            throw FormatError(file + ": " + name + ": is missing; " + operation.name + " " + mode.name +
                              " needs " + join(mode.needs, ", "));
        call.inputs[name] = tensors.at(name);
    }
    for (const auto* names : {&mode.takes, &mode.adds})
        for (const std::string& name : *names)
            if (tensors.contains(name)) call.inputs[name] = tensors.at(name);
    for (const auto& [name, tensor] : call.inputs) {
        const Dtype dtype = call.dtype_of(name);
        if (tensor.dtype != dtype)
            throw FormatError(file + ": " + name + ": dtype: got " + name_of(tensor.dtype) + ", needs " +
                              name_of(dtype));
        const TensorShape shape = call.shape_of(name);
        if (tensor.shape != shape)
            throw FormatError(file + ": " + name + ": shape: got " + shape_text(tensor.shape) + ", needs " +
                              shape_text(shape));
    }
    return call;
}

}  // namespace vknorm::check
