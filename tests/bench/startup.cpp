#include "bench/startup.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <optional>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <vknorm/batch_norm.hpp>

#include "bench/sentinel.hpp"
#include "reference/batch_norm_expected.hpp"
#include "support/compare.hpp"
#include "vulkan/select.hpp"

namespace vknorm::bench {

namespace {

int64_t now() {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Prints a line for each step: its milliseconds and its name.
class Steps {
  public:
    explicit Steps(int64_t launched) : launched_(launched), last_(launched) { done("process until main"); }

    void done(const char* step) {
        const int64_t time = now();
        print(time - last_, step);
        last_ = now();
    }
    /// What was done since the last step is nobody's.
    void leave_out() {
        const int64_t time = now();
        launched_ += time - last_;
        last_ = time;
    }
    void total(const char* name) const { print(last_ - launched_, name); }

  private:
    static void print(int64_t nanoseconds, const char* name) {
        std::printf("%.6f %s\n", 1e-6 * static_cast<double>(nanoseconds), name);
    }

    int64_t launched_, last_;
};

void start_driver(const std::string& select, Steps& steps) {
    detail::Functions vk;
    vk.load_global(detail::open_loader());
    steps.done("loader");
    VkApplicationInfo application = {VK_STRUCTURE_TYPE_APPLICATION_INFO};
    application.apiVersion = VK_API_VERSION_1_1;
    VkInstanceCreateInfo instance_info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    instance_info.pApplicationInfo = &application;
    VkInstance instance = VK_NULL_HANDLE;
    detail::check_result(vk.CreateInstance(&instance_info, nullptr, &instance), "vkCreateInstance");
    vk.load_instance(instance);
    steps.done("vkCreateInstance");
    const std::vector<detail::Candidate> candidates = detail::enumerate(vk, instance);
    const detail::Candidate& chosen = candidates[detail::choose(detail::infos_of(candidates), select)];
    steps.done("physical device");
    const float priority = 1;
    VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO};
    queue.queueFamilyIndex = chosen.queue_family;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkDeviceCreateInfo info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO};
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    VkDevice device = VK_NULL_HANDLE;
    detail::check_result(vk.CreateDevice(chosen.physical_device, &info, nullptr, &device), "vkCreateDevice");
    steps.done("vkCreateDevice");
    steps.total("launch to VkDevice");
    vk.load_device(device);
    vk.DestroyDevice(device, nullptr);
    vk.DestroyInstance(instance, nullptr);
    steps.done("destruction");
}

void require_right(const reference::BatchNormData& data, const std::vector<float>& y) {
    const auto expected = reference::expected_forward_training(data).at("y");
    const testing::Deviation deviation = testing::deviation(y, expected);
    if (deviation.ratio > 1)
        throw std::runtime_error("start-up: y: " + testing::describe(deviation, y[deviation.at], expected));
}

void start_vknorm(const std::string& select, Steps& steps) {
    reference::BatchNormData data;
    data.options.shape = {32, 64, 28, 28};
    for (uint32_t i = 0; i < 32 * 64 * 28 * 28; ++i) data.x.push_back(static_cast<float>(i % 4099) / 1024);
    for (uint32_t i = 0; i < 64; ++i) data.gamma.push_back(1 + static_cast<float>(i) / 64);
    data.beta = data.gamma;
    steps.leave_out();
    std::optional<Device> device;
    device.emplace(DeviceOptions{.select = select});
    steps.done("Device");
    std::vector<float> y;
    {
        const BatchNorm plan(*device, {.shape = data.options.shape});
        const VkDeviceSize bytes = plan.elements() * sizeof(float), parameter = 64 * sizeof(float);
        const Buffer x(*device, bytes, "x"), out(*device, bytes, "y");
        const Buffer gamma(*device, parameter, "gamma"), beta(*device, parameter, "beta");
        const Buffer mean(*device, 2 * parameter, "mean"), inv_std(*device, parameter, "inv_std");
        Buffer scratch;
        if (plan.scratch_bytes() > 0) scratch = {*device, plan.scratch_bytes(), "scratch"};
        steps.done("plan and buffers");
        Stream stream(*device);
        stream.upload(x, data.x);
        stream.upload(gamma, data.gamma);
        stream.upload(beta, data.beta);
        steps.done("upload");
        const BatchNorm::ForwardTraining arguments{.x = x,
                                                   .y = out,
                                                   .gamma = gamma,
                                                   .beta = beta,
                                                   .mean = mean,
                                                   .inv_std = inv_std,
                                                   .scratch = scratch};
        plan.forward_training(stream.record(), arguments);
        steps.done("pipelines and recording");
        stream.wait(stream.submit());
        steps.done("first run");
        y = stream.download<float>(out);
        steps.done("download");
        steps.total("launch to first result");
        plan.forward_training(stream.record(), arguments);
        stream.wait(stream.submit());
        steps.done("second run");
    }
    device.reset();
    steps.done("destruction");
    require_right(data, y);
}

struct Step {
    std::string name;
    std::vector<double> milliseconds{};
};

/// What a new process of this program prints when given these arguments and the time.
std::string output_of(std::vector<std::string> arguments) {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe2");
    arguments.insert(arguments.begin(), "vknorm-bench");
    arguments.push_back(std::to_string(now()));
    std::vector<char*> words;
    words.reserve(arguments.size() + 1);
    for (std::string& word : arguments) words.push_back(word.data());
    words.push_back(nullptr);
    // Unlike fork() this takes no longer where this process has much memory.
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    pid_t process = 0;
    const int error = posix_spawn(&process, "/proc/self/exe", &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::system_error(error, std::generic_category(), "posix_spawn");
    close(ends[1]);
    std::string text;
    std::array<char, 4096> piece;
    for (ssize_t got = 1; got > 0;) {
        got = read(ends[0], piece.data(), piece.size());
        if (got > 0) text.append(piece.data(), static_cast<size_t>(got));
    }
    close(ends[0]);
    int status = 0;
    waitpid(process, &status, 0);
    if (status != 0) throw std::runtime_error("start-up: a launched process failed");
    return text;
}

void add(const std::string& output, std::vector<Step>& steps) {
    size_t step = 0;
    for (size_t begin = 0, end; (end = output.find('\n', begin)) != std::string::npos;
         begin = end + 1, ++step) {
        const size_t space = output.find(' ', begin);
        if (step == steps.size()) steps.push_back({output.substr(space + 1, end - space - 1)});
        steps[step].milliseconds.push_back(std::stod(output.substr(begin, space - begin)));
    }
}

}  // namespace

const std::vector<std::string>& startup_parts() {
    static const std::vector<std::string> parts{"driver", "vknorm"};
    return parts;
}

void start_up(const std::string& part, const std::string& select, int64_t launched) {
    Steps steps(launched);
    part == "driver" ? start_driver(select, steps) : start_vknorm(select, steps);
}

Findings measure_startup(const DeviceInfo& device, size_t rounds) {
    std::vector<std::vector<Step>> parts(startup_parts().size());
    std::vector<Contestant> contestants;
    for (size_t part = 0; part < parts.size(); ++part)
        contestants.emplace_back([&, part] {
            return time_on_host([&] {
                add(output_of(
                        {"--device", device.uuid_text(), "--start", startup_parts()[part], "--launched"}),
                    parts[part]);
            });
        });
    Sentinel sentinel;
    contestants.emplace_back([&] { return sentinel.copy(); });
    const std::vector<Times> times = race(contestants, rounds);

    Findings findings;
    findings.contention = sentinel.contention(times.back());
    append(findings.table,
           "Start-up: median and best of %zu processes, launched while the driver's caches are warm; "
           "batch_norm (32, 64, 28, 28).\n",
           rounds);
    for (size_t part = 0; part < parts.size(); ++part) {
        append(findings.table, "\n  %-26s %9s %9s\n", startup_parts()[part].c_str(), "ms", "best ms");
        for (Step& step : parts[part]) {
            std::vector<double>& all = step.milliseconds;
            all.erase(all.begin(), all.end() - static_cast<ptrdiff_t>(rounds));  // those that warmed up
            std::ranges::sort(all);
            append(findings.table, "  %-26s %9.2f %9.2f\n", step.name.c_str(), all[rounds / 2], all.front());
            findings.rows.push_back({{"part", startup_parts()[part]},
                                     {"step", step.name},
                                     {"ms", all[rounds / 2]},
                                     {"best_ms", all.front()}});
        }
    }
    return findings;
}

}  // namespace vknorm::bench
