// vknorm-bench: how fast the kernels are on a device, against copying the same bytes and against PyTorch and
// oneDNN in the same run. Every result is verified before it is timed. A race during which something else
// used the machine is not reported, and ends the program with status 2.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <memory>
#include <thread>

#include "app/output.hpp"
#include "app/unknown_argument.hpp"
#include "bench/growth.hpp"
#include "bench/report.hpp"
#include "bench/scale.hpp"
#include "bench/startup.hpp"
#include "bench/training.hpp"
#include "support/split.hpp"

namespace {

using namespace vknorm::bench;

enum Status { good = 0, failed = 1, contended = 2 };

struct Arguments {
    std::vector<std::string> devices, json, sets{"default"}, operations;
    std::vector<std::string> pythons{"python3", "/usr/bin/python3"};
    std::vector<std::string> shapes;
    std::string type = type_names().front();
    uint32_t groups = 32;
    size_t rounds = 15;
    bool channels_last = false, resident = false, no_peers = false, force = false, list = false;
    std::string tuning;  // folder
    std::string start;   // the part that this process, launched by another, starts
    int64_t launched = 0;
};

/// Of "8,64,56,56".
std::vector<uint32_t> lengths_of(const std::string& text) {
    std::vector<uint32_t> lengths;
    for (const std::string& length : vknorm::testing::split(text, ',')) {
        uint32_t value = 0;
        const char* const end = length.data() + length.size();
        const auto [stopped, error] = std::from_chars(length.data(), end, value);
        if (error != std::errc() || stopped != end || value == 0)
            throw std::invalid_argument("--shape: got '" + text + "', needs lengths such as 8,64,56,56");
        lengths.push_back(value);
    }
    return lengths;
}

std::vector<Case> float32_cases(const Arguments& arguments) {
    const auto layout =
        arguments.channels_last ? vknorm::Layout::channels_last : vknorm::Layout::channels_first;
    const auto& wanted = arguments.operations;
    std::vector<Case> result;
    const std::vector<std::string> given = wanted.empty() ? std::vector<std::string>{"batch_norm"} : wanted;
    for (const std::string& shape : arguments.shapes)
        for (const std::string& operation : given)
            result.push_back(case_of(operation, lengths_of(shape), layout, arguments.groups));
    if (!result.empty()) return result;
    for (const std::string& set : arguments.sets) {
        for (const Case& each : cases_of(set, layout)) {
            const bool selected = wanted.empty() || std::ranges::find(wanted, each.operation) != wanted.end();
            if (selected && std::ranges::find(result, each) == result.end()) result.push_back(each);
        }
    }
    if (result.empty()) throw std::invalid_argument("these shapes have none of these operations");
    return result;
}

std::vector<Case> cases(const Arguments& arguments) {
    std::vector<Case> result = float32_cases(arguments);
    const auto type = std::ranges::find(type_names(), arguments.type) - type_names().begin();
    for (Case& each : result) each.storage = static_cast<vknorm::Storage>(type);
    return result;
}

vknorm::DeviceOptions device_options(const Arguments& arguments, const std::string& select) {
    vknorm::DeviceOptions options{.select = select};
    if (arguments.tuning.empty()) return options;
    options.tuning = vknorm::tuned_in(arguments.tuning, [](const vknorm::TuningTrial& trial) {
        std::printf("%9.3f ms with %s\n", trial.milliseconds, trial.tuning.text().c_str());
        return true;
    });
    return options;
}

std::vector<std::unique_ptr<Peer>> start_peers(const Arguments& arguments, const vknorm::Device& device) {
    std::vector<std::unique_ptr<Peer>> peers;
    if (arguments.no_peers) return peers;
    const bool cpu = device.info().type == VK_PHYSICAL_DEVICE_TYPE_CPU;
    const std::string threads = std::to_string(std::max(1u, std::thread::hardware_concurrency()));
    // The first of these command lines that works.
    const auto start = [&](const std::vector<std::vector<std::string>>& commands) {
        std::unique_ptr<Peer> peer;
        for (const auto& command : commands) {
            peer = std::make_unique<Peer>(command);
            if (peer->absence().empty()) break;
        }
        const bool present = peer->absence().empty();
        std::cout << (present ? "Peer: " + peer->title() : "No peer: " + peer->absence()) << std::endl;
        if (present) peers.push_back(std::move(peer));
    };
    std::vector<std::vector<std::string>> torch;
    torch.reserve(arguments.pythons.size());
    for (const std::string& python : arguments.pythons)
        torch.push_back({python, "-B", VKNORM_BENCH_TORCH, cpu ? "cpu" : "cuda", threads});
    start(torch);
#ifdef VKNORM_BENCH_ONEDNN
    if (cpu) start({{VKNORM_BENCH_ONEDNN}});
#else
    if (cpu) std::cout << "No peer: this was built without oneDNN 2 (libdnnl-dev)" << std::endl;
#endif
    return peers;
}

JsonFile json_file(const Arguments& arguments, const std::string& name) {
    return {name, lab::existing_files(arguments.force)};
}

Status run(const Arguments& arguments, const std::string& select, const std::string& json) {
    const std::vector<Case> all = cases(arguments);
    vknorm::Device device(device_options(arguments, select));
    print_heading(device.info(), arguments.rounds, arguments.resident);
    if (!arguments.tuning.empty()) std::cout << "Tuning: " << device.tuning().text() << std::endl;
    const std::vector<std::unique_ptr<Peer>> peers = start_peers(arguments, device);
    std::vector<Peer*> taking_part;
    taking_part.reserve(peers.size());
    for (const auto& peer : peers) taking_part.push_back(peer.get());
    std::cout << std::endl;

    const uint64_t largest = std::ranges::max_element(all, {}, &Case::tensor_bytes)->tensor_bytes();
    Pool pool(device, largest, arguments.resident, std::ranges::any_of(all, &Case::adds_residual),
              all.front().storage);
    std::vector<Result> results;
    size_t refused = 0;
    for (const Case& each : all) {
        Result result = run(device, each, pool, taking_part, arguments.rounds);
        if (result.contention.empty() || arguments.force) {
            print(result);
            results.push_back(std::move(result));
        } else {
            ++refused;
            std::cout << each.text() << ": not reported: " << result.contention << "\n" << std::endl;
        }
    }
    if (!json.empty()) write_json(json_file(arguments, json), device.info(), results);
    if (refused == 0) return good;
    std::cerr << refused << " of " << all.size()
              << " races were contended and are not reported: something else uses this machine (--force "
                 "reports them all the same)\n";
    return contended;
}

/// Of the mode that was asked for.
Findings measure(const Arguments& arguments, const std::string& mode, const vknorm::DeviceInfo& info) {
    if (mode == "startup") return measure_startup(info, arguments.rounds);
    if (mode == "growth") return measure_growth(info.uuid_text(), arguments.rounds);
    vknorm::Device device(device_options(arguments, info.uuid_text()));
    if (mode == "scale") return measure_scale(device, arguments.rounds);
    const std::vector<std::unique_ptr<Peer>> peers = start_peers(arguments, device);
    std::vector<Peer*> training;
    for (const auto& peer : peers)
        if (peer->title().starts_with("PyTorch")) training.push_back(peer.get());
    return measure_training(device, training, arguments.rounds);
}

Status run_mode(const Arguments& arguments, const std::string& mode, const std::string& select,
                const std::string& json) {
    const vknorm::DeviceInfo info = vknorm::Device({.select = select}).info();
    const Findings findings = measure(arguments, mode, info);
    if (!findings.contention.empty() && !arguments.force) {
        std::cerr << "--" << mode << " on " << info.name << ": not reported: " << findings.contention
                  << ": something else uses this machine (--force reports it all the same)\n";
        return contended;
    }
    std::cout << info.name << ", " << info.driver << '\n' << findings.table;
    if (!findings.contention.empty()) std::cout << "CONTENDED: " << findings.contention << '\n';
    std::cout << std::endl;
    if (!json.empty()) write_json(json_file(arguments, json), info, mode, findings);
    return good;
}

int run_program(int argc, char** argv) {
    Arguments arguments;
    CLI::App app("Speed of vknorm's kernels, verified against a float64 reference first");
    app.add_option("--device", arguments.devices,
                   "part of a device's name or driver, or its UUID; several: one table each");
    app.add_flag("--list", arguments.list, "list the devices and exit");
    app.add_option("--shapes", arguments.sets, "sets of shapes with their operations")
        ->delimiter(',')
        ->check(CLI::IsMember(set_names()))
        ->capture_default_str();
    app.add_option("--operation", arguments.operations, "these operations only")
        ->delimiter(',')
        ->check(CLI::IsMember(operation_names()));
    app.add_option("--shape", arguments.shapes,
                   "in place of a set this shape, such as 8,64,56,56, for batch_norm or each --operation; "
                   "several: each");
    app.add_option("--groups", arguments.groups, "of group_norm with --shape")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--type", arguments.type, "of the elements of tensors")
        ->capture_default_str()
        ->check(CLI::IsMember(type_names()));
    app.add_option("--rounds", arguments.rounds, "timed rounds")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_flag("--channels-last", arguments.channels_last, "NHWC in place of NCHW");
    app.add_flag("--resident", arguments.resident, "let tensors stay in a cache");
    app.add_flag("--no-peers", arguments.no_peers, "leave PyTorch and oneDNN out");
    app.add_option("--python", arguments.pythons, "where to look for PyTorch")->capture_default_str();
    app.add_flag("--force", arguments.force,
                 "report contended races, too, marked as such, and replace files of --json");
    CLI::Option* const tune = app.add_option(
        "--tune", arguments.tuning, "measure which kernels are the fastest, once: this folder keeps it");
    std::string mode;
    const auto add_mode = [&](const std::string& name, const std::string& what) {
        CLI::Option* const flag = app.add_flag_callback(
            "--" + name, [&mode, name] { mode = name; }, what + " instead");
        for (const char* of_kernels :
             {"--shapes", "--operation", "--shape", "--groups", "--type", "--channels-last", "--resident"})
            flag->excludes(of_kernels);
        return flag;
    };
    CLI::Option* const startup = add_mode("startup", "time processes from their launch to the first result");
    CLI::Option* const growth = add_mode("growth", "time batch_norm from 4 MB to 1 GB, which needs 3 GB,");
    CLI::Option* const training = add_mode("training", "time matrix products and training steps");
    CLI::Option* const scale =
        add_mode("scale", "time steps of up to 4 ranks, and model those of up to 1000,");
    startup->excludes(growth, training, scale, tune);
    growth->excludes(training, scale, tune);
    training->excludes(scale);
    app.add_option("--start", arguments.start)->group("")->check(CLI::IsMember(startup_parts()));
    app.add_option("--launched", arguments.launched)->group("");
    app.add_option("--json", arguments.json, "write the results to this file; one for each --device")
        ->check(lab::nameless);
    CLI11_PARSE(app, argc, argv);
    if (arguments.list) {
        for (const vknorm::DeviceInfo& info : vknorm::enumerate_devices())
            std::cout << info.name << (info.rejected.empty() ? "" : ": " + info.rejected) << '\n';
        return good;
    }
    if (arguments.devices.empty()) arguments.devices.emplace_back();
    if (!arguments.start.empty()) {
        start_up(arguments.start, arguments.devices.front(), arguments.launched);
        return good;
    }
    if (arguments.json.empty()) arguments.json.resize(arguments.devices.size());
    if (arguments.json.size() != arguments.devices.size())
        throw std::invalid_argument("--json: got " + std::to_string(arguments.json.size()) +
                                    " files, needs one for each of " +
                                    std::to_string(arguments.devices.size()) + " devices");
    for (const std::string& file : arguments.json) {
        if (file.empty()) continue;
        if (std::ranges::count(arguments.json, file) > 1)
            throw std::invalid_argument("--json: got " + file + " twice, needs a file for each device");
        lab::require_output(file, arguments.force);
    }
    Status status = good;
    for (size_t i = 0; i < arguments.devices.size(); ++i) {
        const std::string &select = arguments.devices[i], &json = arguments.json[i];
        status = std::max(
            status, mode.empty() ? run(arguments, select, json) : run_mode(arguments, mode, select, json));
    }
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a peer that ended is an error like any other
    try {
        return run_program(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return failed;
    }
}
