#include "check/program.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include <vknorm/device.hpp>

#include "app/output.hpp"
#include "app/unknown_argument.hpp"
#include "check/cases.hpp"
#include "check/inspection.hpp"
#include "check/report_text.hpp"
#include "check/summary.hpp"

namespace vknorm::check {

namespace {

/// Ends the program with that status and a message.
struct Stop {
    int status;
    std::string message;
};

struct Options {
    Request request;
    std::string in, out, cases, report_file, inspected, json, device;
    bool report = false, list_devices = false, validation = false, as_gpu = false, speed = false,
         force = false;
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

/// `other` is about something else than calls, and goes with `allowed` only.
void exclude_calls(CLI::App& app, CLI::Option* other, std::initializer_list<std::string_view> allowed) {
    for (CLI::Option* option : app.get_options(nullptr))
        if (option != other &&
            std::ranges::find(allowed, "--" + option->get_lnames().front()) == allowed.end())
            other->excludes(option);
}

/// CLI11 takes an empty word for none.
bool names_empty_report(std::span<const char* const> arguments) {
    for (size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view word = arguments[i];
        const bool followed_by_nothing = i + 1 < arguments.size() && *arguments[i + 1] == '\0';
        if (word == "--report=" || (word == "--report" && followed_by_nothing)) return true;
    }
    return false;
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
    app.add_flag("--force", options.force, "Replace the file that is written if it is there already");
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
    CLI::Option* report =
        app.add_option("--report", options.report_file,
                       "Print how the device does, to be sent to us: what passes, hashes of results, speed; "
                       "and the same as JSON, or write that to this file")
            ->type_name("[FILE]")
            ->expected(0, 1);
    CLI::Option* inspect =
        app.add_option("--inspect", options.inspected,
                       "Tell whether the norms of this checkpoint (safetensors) are fit for "
                       "inference; needs no device. Exit status: 0 healthy, 1 findings, 2 "
                       "the file cannot be read");
    CLI::Option* json = app.add_option("--json", options.json, "Write what --inspect finds to this file, too")
                            ->needs(inspect);
    for (CLI::Option* file : {inspect, json}) file->type_name("FILE")->check(lab::nameless);
    exclude_calls(app, report, {"--help", "--device", "--as-gpu", "--validation", "--force"});
    exclude_calls(app, inspect, {"--help", "--json", "--force"});
    try {
        if (names_empty_report(arguments)) throw CLI::ValidationError("--report", lab::nameless(""));
        app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // as CLI11 takes them
        options.report = report->count() > 0;
        if (options.force && options.out.empty() && options.report_file.empty() && options.json.empty())
            throw CLI::RequiresError("--force", "--out, --json or a file of --report");
        if (options.report || options.list_devices || !options.inspected.empty() || !options.cases.empty())
            return options;
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

/// `on_message` is told what the validation layer says.
Device open_device(const Options& options, std::function<void(std::string_view)> on_message) {
    devices();  // throws where there is no loader
    try {
        DeviceOptions wanted{.select = options.device,
                             .validation = options.validation,
                             .on_validation_message = std::move(on_message)};
        if (options.as_gpu) wanted.clamp = [](Capabilities& capabilities) { capabilities.cpu = false; };
        return Device(wanted);
    } catch (const Unsupported& error) {
        throw Stop{exit_status::failed, std::string(error.what()) + "\n"};
    } catch (const Error& error) {
        throw Stop{exit_status::no_device, std::string(error.what()) + "\n"};
    }
}

std::string milliseconds_text(double milliseconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4f", milliseconds);
    return text;
}

class Checker {
  public:
    Checker(const Options& options, std::ostream& out, std::ostream& err)
        : out_(out), err_(err), speed_(options.speed) {
        device_ = open_device(options, [this](std::string_view message) {
            ++messages_;
            err_ << "validation: " << message << '\n';
        });
    }

    /// With generated tensors, or those of the file `in`.
    HostTensors check(const Case& what, const std::string& in) {
        const Request& request = what.request;
        try {
            const Call call =
                in.empty() ? generate(request) : call_with(request, read_safetensors(in).tensors, in);
            std::optional<Outcome> outcome = check::check(*device_, call, summaries_);
            if (!outcome) return {};
            for (const std::string& failure : outcome->failures)
                err_ << what.where << "FAILED " << request.text << ": " << failure << '\n';
            if (speed_ && outcome->failures.empty()) print_speed(request.text, measure(*device_, call));
            return std::move(outcome->results);
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument(what.where + error.what());
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
    Summaries summaries_;
    std::optional<Device> device_;
};

/// Whoever waits sees that something goes on.
class Progress {
  public:
    explicit Progress(std::ostream& err) : err_(err) {}

    void show(const std::string& line) {
        using Clock = std::chrono::steady_clock;
        constexpr std::chrono::seconds pause(2);
        if (Clock::now() - shown_at_ < pause) return;
        shown_at_ = Clock::now();
        err_ << line << std::endl;
    }

  private:
    std::ostream& err_;
    std::chrono::steady_clock::time_point shown_at_{};  // long ago: the first line is due at once
};

int run_report(const Options& options, std::ostream& out, std::ostream& err) {
    if (!options.report_file.empty()) lab::require_output(options.report_file, options.force);
    std::vector<std::string> messages;
    Progress progress(err);
    Report report;
    {
        Device device = open_device(options, [&](std::string_view message) {
            messages.push_back("validation: " + std::string(message));
        });
        report = make_report(device, {.progress = [&](const std::string& line) { progress.show(line); }});
    }
    report.failures.insert(report.failures.end(), messages.begin(), messages.end());
    return print_report(report, options.report_file, options.force, out);
}

int run_program_or_throw(std::span<const char* const> arguments, std::ostream& out, std::ostream& err) {
    const Options options = parse(arguments);
    if (options.list_devices) return list_devices(out);
    if (!options.inspected.empty())
        return run_inspection(options.inspected, options.json, options.force, out, err);
    if (options.report) return run_report(options, out, err);
    const std::vector<Case> cases =
        options.cases.empty() ? std::vector{Case{"", options.request}} : read_cases(options.cases);
    if (!options.out.empty()) lab::require_output(options.out, options.force);
    Checker checker(options, out, err);
    HostTensors results;
    for (const Case& each : cases) results = checker.check(each, options.in);
    if (!options.out.empty()) write_safetensors(options.out, {results}, lab::existing_files(options.force));
    return checker.finish();
}

}  // namespace

int print_report(const Report& report, const std::string& file, bool force, std::ostream& out) {
    const std::string json = json_of(report).dump(2);
    out << markdown_of(report);
    if (file.empty())
        out << "\n<details><summary>JSON</summary>\n\n```json\n" << json << "\n```\n\n</details>\n";
    else
        write_file(file, json + "\n", lab::existing_files(force));
    return report.passed() ? exit_status::passed : exit_status::failed;
}

int run_program(std::span<const char* const> arguments, std::ostream& out, std::ostream& err) {
    try {
        return run_program_or_throw(arguments, out, err);
    } catch (const Stop& stop) {
        (stop.status == exit_status::passed ? out : err) << stop.message;
        return stop.status;
    } catch (const std::invalid_argument& error) {
        err << error.what() << '\n';
        return exit_status::usage;
    } catch (const std::exception& error) {
        err << error.what() << '\n';
        return exit_status::failed;
    }
}

}  // namespace vknorm::check
