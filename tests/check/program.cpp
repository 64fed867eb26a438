#include "check/program.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>

#include <vknorm/device.hpp>

#include "app/output.hpp"
#include "app/unknown_argument.hpp"
#include "check/family.hpp"
#include "check/outcome.hpp"
#include "check/request.hpp"
#include "data/file.hpp"

namespace vknorm::check {

namespace {

/// Ends the program with that status and a message.
struct Stop {
    int status;
    std::string message;
};

struct Options {
    Request request;
    std::string in, out, cases, device;
    bool list_devices = false, validation = false, as_gpu = false, speed = false, force = false;
};

std::string operations_help() {
    std::ostringstream text;
    const auto list = [&](const char* title, const std::vector<std::string>& names) {
        text << title;
        for (const std::string& name : names) text << ' ' << name;
    };
    text << "Operations (tensors in brackets may be left out; those after --with are, unless it names "
            "them):\n";
    for (const Operation& operation : operations()) {
        text << "  " << operation.name << ": " << operation.help << '\n';
        for (const Mode& mode : operation.modes) {
            list(("    --mode " + mode.name + ":").c_str(), mode.needs);
            list(" [", mode.takes);
            if (!mode.adds.empty()) list(" | --with", mode.adds);
            list(" ] ->", mode.gives);
            text << '\n';
        }
        std::vector<std::string> options;
        for (const Option& option : operation.options) options.push_back("--" + option.name);
        list("    options:", options);
        text << '\n';
        for (const TensorKind& tensor : operation.tensors)
            text << "    " << tensor.name << ": " << tensor.help << '\n';
    }
    text << "Exit status: 0 passed, 1 failed, 2 wrong usage, 3 no device.\n";
    return text.str();
}

Options parse(std::span<const char* const> arguments) {
    Options options;
    CLI::App app(
        "Runs operations of vknorm on a device and compares what they give with a float64 reference.",
        "vknorm-check");
    app.footer(operations_help());
    add_request_options(app, options.request);
    CLI::Option* in = app.add_option("--in", options.in, "Take the tensors from this safetensors file");
    CLI::Option* out = app.add_option("--out", options.out, "Write the results to this safetensors file");
    CLI::Option* cases = app.add_option("--cases", options.cases,
                                        "Run the cases of this file: on each line the options of one");
    app.add_flag("--force", options.force, "Replace that file if it is there already")->needs(out);
    for (CLI::Option* file : {in, out, cases}) file->type_name("FILE")->check(lab::nameless);
    for (const char* option : generator_options) in->excludes(option);
    for (const char* option : {"--op", "--in", "--out"}) cases->excludes(option);
    app.add_option("--device", options.device, "Part of a Vulkan device's name, driver or UUID")
        ->type_name("NAME");
    app.add_flag("--list-devices", options.list_devices, "Print the devices and end");
    app.add_flag("--validation", options.validation, "Check every Vulkan call; a message fails the run");
    app.add_flag("--as-gpu", options.as_gpu, "Take the plans and kernels of a GPU on a CPU's driver, too");
    app.add_flag("--speed", options.speed,
                 "Also print what each pass of a call that passed takes on the device");
    try {
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // as CLI11 takes them
        if (options.list_devices || !options.cases.empty()) return options;
        finish(options.request);
        for (const char* argument : arguments) options.request.text += std::string(argument) + " ";
    } catch (const CLI::CallForHelp&) {
        throw Stop{exit_status::passed, app.help()};
    } catch (const CLI::ExtrasError&) {
        throw Stop{exit_status::usage, lab::unknown_argument(app) + "\n"};
    } catch (const CLI::ParseError& error) {
        throw Stop{exit_status::usage, std::string(error.what()) + "\n"};
    }
    return options;
}

/// The cases of a file, and where each one stands.
std::vector<std::pair<std::string, Request>> read_cases(const std::string& file) {
    const detail::Bytes bytes = detail::read_file(file);
    std::istringstream stream({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    std::vector<std::pair<std::string, Request>> cases;
    std::string line;
    for (int number = 1; std::getline(stream, line); ++number) {
        const std::string words = line.substr(0, line.find('#'));
        if (words.find_first_not_of(" \t\r") == std::string::npos) continue;
        const std::string where = file + ":" + std::to_string(number) + ": ";
        try {
            cases.emplace_back(where, parse_request(words));
        } catch (const CLI::ParseError& error) {
            throw Stop{exit_status::usage, where + error.what() + "\n"};
        }
    }
    if (cases.empty()) throw Stop{exit_status::usage, file + ": holds no case\n"};
    return cases;
}

std::vector<DeviceInfo> devices() {
    try {
        return enumerate_devices();
    } catch (const Error& error) {
        throw Stop{exit_status::no_device, std::string(error.what()) + "\n"};
    }
}

int list_devices(std::ostream& out) {
    int status = exit_status::no_device;
    for (const DeviceInfo& device : devices()) {
        out << device.name << " (" << device.driver << ")";
        if (device.rejected.empty())
            status = exit_status::passed;
        else
            out << ": cannot be used: " << device.rejected;
        out << '\n';
    }
    return status;
}

/// A number and the tensor it was found in.
struct Worst {
    double value = 0;
    std::string tensor{};

    void update(double candidate, const std::string& name) {
        if (!(candidate > value)) return;
        value = candidate;
        tensor = name;
    }
};

/// What all cases of one mode of one operation came to; those in 16-bit storage, whose bounds are other ones,
/// on their own.
struct Summary {
    int cases = 0, failed = 0, skipped = 0;
    std::string reason{};  ///< why, of those skipped
    Worst ratio, ulps;

    void add(const Outcome& outcome) {
        ++cases;
        failed += !outcome.failures.empty();
        for (const auto& [tensor, deviation] : outcome.deviations) {
            ratio.update(deviation.ratio, tensor);
            ulps.update(deviation.ulps, tensor);
        }
    }
    void skip(const std::string& why) {
        ++skipped;
        reason = why;
    }
    std::string line(const std::string& name, const std::string& device) const {
        char text[512];
        std::snprintf(
            text, sizeof text,
            "accuracy  %-34s %3d cases, %d failed  worst error/bound %.2f (%s)  worst ULP %.1f (%s)  %s",
            name.c_str(), cases, failed, ratio.value, ratio.tensor.c_str(), ulps.value, ulps.tensor.c_str(),
            device.c_str());
        const std::string skips = skipped == 0 ? "" : "  SKIPPED " + std::to_string(skipped) + ": " + reason;
        return text + skips + '\n';
    }
};

std::string milliseconds_text(double milliseconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4f", milliseconds);
    return text;
}

class Checker {
  public:
    Checker(const Options& options, std::ostream& out, std::ostream& err)
        : out_(out), err_(err), speed_(options.speed) {
        DeviceOptions wanted{.select = options.device, .validation = options.validation};
        wanted.on_validation_message = [this](std::string_view message) {
            ++messages_;
            err_ << "validation: " << message << '\n';
        };
        if (options.as_gpu) wanted.clamp = [](Capabilities& capabilities) { capabilities.cpu = false; };
        devices();  // throws where there is no loader
        try {
            device_ = std::make_unique<Device>(wanted);
        } catch (const Unsupported& error) {
            throw Stop{exit_status::failed, std::string(error.what()) + "\n"};
        } catch (const Error& error) {
            throw Stop{exit_status::no_device, std::string(error.what()) + "\n"};
        }
    }

    /// With generated tensors, or those of the file `in`. `where` begins every message.
    HostTensors check(const std::string& where, const Request& request, const std::string& in = {}) {
        try {
            const Call call =
                in.empty() ? generate(request) : call_with(request, read_safetensors(in).tensors, in);
            const Storage storage = storage_of(call.settings);
            Summary& summary = summaries_[call.operation->name + " " + call.mode->name +
                                          (storage == Storage::float32 ? "" : " 16 bits")];
            HostTensors results;
            try {
                results = run(*device_, call);
            } catch (const Unsupported& error) {
                summary.skip(error.what());
                return {};
            }
            Outcome outcome = compare(call, std::move(results), call.mode->expect(call));
            for (const std::string& failure : outcome.failures)
                err_ << where << "FAILED " << request.text << ": " << failure << '\n';
            summary.add(outcome);
            if (speed_ && outcome.failures.empty()) print_speed(request.text, measure(*device_, call));
            return std::move(outcome.results);
        } catch (const std::invalid_argument& error) {
            throw Stop{exit_status::usage, where + error.what() + "\n"};
        }
    }

    int finish() {
        const std::string device = device_->info().name;
        device_.reset();
        bool passed = messages_ == 0;
        for (const auto& [name, summary] : summaries_) {
            out_ << summary.line(name, device);
            passed = passed && summary.failed == 0;
        }
        return passed ? exit_status::passed : exit_status::failed;
    }

  private:
    void print_speed(const std::string& text, const std::vector<Timing>& passes) {
        double all = 0;
        std::string each;
        for (const Timing& pass : passes) {
            all += pass.milliseconds;
            each += "  " + pass.label + " " + milliseconds_text(pass.milliseconds);
        }
        out_ << "speed     " << text << "  "
             << (passes.empty() ? "this device measures no time" : milliseconds_text(all) + " ms:") << each
             << '\n';
    }

    std::ostream& out_;
    std::ostream& err_;
    bool speed_;
    int messages_ = 0;
    std::map<std::string, Summary> summaries_;
    std::unique_ptr<Device> device_;
};

int run_program_or_throw(std::span<const char* const> arguments, std::ostream& out, std::ostream& err) {
    const Options options = parse(arguments);
    if (options.list_devices) return list_devices(out);
    const auto cases = options.cases.empty() ? std::vector{std::pair{std::string(), options.request}}
                                             : read_cases(options.cases);
    if (!options.out.empty()) lab::require_output(options.out, options.force);
    Checker checker(options, out, err);
    HostTensors results;
    for (const auto& [where, request] : cases) results = checker.check(where, request, options.in);
    if (!options.out.empty()) write_safetensors(options.out, {results}, lab::existing_files(options.force));
    return checker.finish();
}

}  // namespace

int run_program(std::span<const char* const> arguments, std::ostream& out, std::ostream& err) {
    try {
        return run_program_or_throw(arguments, out, err);
    } catch (const Stop& stop) {
        (stop.status == exit_status::passed ? out : err) << stop.message;
        return stop.status;
    } catch (const std::exception& error) {
        err << error.what() << '\n';
        return exit_status::failed;
    }
}

}  // namespace vknorm::check
