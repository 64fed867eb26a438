#include "bench/growth.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <vknorm/batch_norm.hpp>

#include "bench/excerpt.hpp"
#include "bench/pool.hpp"
#include "bench/sentinel.hpp"
#include "reference/batch_norm_expected.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::bench {

namespace {

constexpr double band = 0.15;
constexpr std::array<const char*, 4> contestants = {"copy", "inference", "forward", "backward"};

Case case_of(uint32_t images) {
    return {.operation = "batch_norm", .shape = {images, 64, 56, 56}};
}

/// Everything that the calls read and write besides x and the tensor that they change.
struct Workspace {
    Workspace(Device& device, const Case& what)
        : plan(device, {.shape = what.shape}),
          gamma(device, parameter_bytes(), "gamma"),
          variance(device, parameter_bytes(), "running_var"),
          mean(device, 2 * parameter_bytes(), "mean"),
          inv_std(device, parameter_bytes(), "inv_std"),
          dgamma(device, parameter_bytes(), "dgamma"),
          dbeta(device, parameter_bytes(), "dbeta") {
        if (plan.scratch_bytes() > 0) scratch = {device, plan.scratch_bytes(), "scratch"};
        const std::vector<float> ones(plan.channels(), 1);
        Stream stream(device);
        for (const Buffer* each : {&gamma, &variance}) stream.upload(*each, ones);
        stream.wait(stream.submit());
    }

    VkDeviceSize parameter_bytes() const { return plan.channels() * sizeof(float); }
    VkDeviceSize bytes() const { return 7 * parameter_bytes() + scratch.bytes(); }

    void infer(Recorder& recorder, const BufferView& x, const BufferView& y) const {
        plan.forward_inference(
            recorder, {.x = x, .y = y, .gamma = gamma, .running_mean = gamma, .running_var = variance});
    }
    void forward(Recorder& recorder, const BufferView& x, const BufferView& y) const {
        plan.forward_training(recorder, {.x = x,
                                         .y = y,
                                         .gamma = gamma,
                                         .beta = gamma,
                                         .mean = mean,
                                         .inv_std = inv_std,
                                         .scratch = scratch});
    }
    void backward(Recorder& recorder, const BufferView& x, const BufferView& gradient) const {
        plan.backward(recorder, {.x = x,
                                 .dy = gradient,
                                 .mean = mean,
                                 .inv_std = inv_std,
                                 .gamma = gamma,
                                 .dx = gradient,
                                 .dgamma = dgamma,
                                 .dbeta = dbeta,
                                 .scratch = scratch});
    }

    BatchNorm plan;
    Buffer gamma, variance, mean, inv_std, dgamma, dbeta, scratch;
};

struct Memory {
    VkDeviceSize scratch;
    double overhead;  ///< what the engine allocated beyond all buffers that it was asked for, over these
};

Memory memory_of(const std::string& select, const Case& what) {
    Device device({.select = select});
    const VkDeviceSize bytes = what.elements() * sizeof(float);
    const Buffer x(device, bytes, "x"), changed(device, bytes, "changed");
    const Workspace workspace(device, what);
    Stream stream(device);
    workspace.forward(stream.record(), x, changed);
    workspace.backward(stream.record(), x, changed);
    stream.wait(stream.submit());
    const auto asked = static_cast<double>(2 * bytes + workspace.bytes());
    return {workspace.scratch.bytes(), static_cast<double>(device.memory_use().reserved) / asked - 1};
}

/// Returns the worst error over its bound.
double verify(Device& device, const Case& what, const BufferView& x, const BufferView& changed) {
    const Workspace workspace(device, what);
    const Excerpt excerpt(what);
    const auto values = [&](Pool::Content content) { return Pool::first_values(content, what.elements()); };
    reference::BatchNormData data;
    data.options.shape = excerpt.shape();
    data.x = excerpt.values(values(Pool::x));
    data.dy = excerpt.values(values(Pool::dy));
    data.gamma = data.beta = std::vector<float>(excerpt.shape()[1], 1);
    Stream stream(device);
    double worst = 0;
    const auto check = [&](const char* name, const reference::Expectations& expected) {
        const std::vector<float> got = excerpt.values(stream.download<float>(changed));
        const testing::Deviation found = testing::deviation(got, expected.at(name));
        worst = std::max(worst, found.ratio);
        if (found.ratio > 1)
            throw std::runtime_error(what.text() + ": " + name + ": " +
                                     testing::describe(found, got[found.at], expected.at(name)));
    };
    workspace.forward(stream.record(), x, changed);
    check("y", reference::expected_forward_training(data));
    stream.upload(changed, values(Pool::dy));
    workspace.backward(stream.record(), x, changed);
    check("dx", reference::expected_backward(data));
    return worst;
}

struct Point {
    Case what;
    std::vector<double> nanoseconds;  ///< for an element, of each contestant
    double cpus;                      ///< that this process had during a backward pass
    double worst;
    Memory memory;
    std::string contention;
};

Point measure(const std::string& select, const Case& what, size_t rounds) {
    const Memory memory = memory_of(select, what);
    Device device({.select = select});
    // As many as a cache cannot hold, in turn.
    const VkDeviceSize bytes = what.elements() * sizeof(float);
    const size_t tensors =
        bytes < Pool::rotation_bytes(device) ? Pool::rotation_bytes(device) / bytes + 1 : 1;
    const Buffer x(device, tensors * bytes, "x"), changed(device, tensors * bytes, "changed");
    const auto tensor = [bytes](const Buffer& of, size_t turn) { return of.view(turn * bytes, bytes); };
    {
        Stream stream(device);
        const std::vector<float> values = Pool::first_values(Pool::x, what.elements());
        for (size_t turn = 0; turn < tensors; ++turn) {
            stream.upload(tensor(x, turn), values);
            stream.upload(tensor(changed, turn), values);
        }
        stream.wait(stream.submit());
    }
    Point point = {what, {}, 0, verify(device, what, tensor(x, 0), tensor(changed, 0)), memory, {}};

    const Workspace workspace(device, what);
    DeviceClock clock(device);
    Sentinel sentinel(device);
    size_t turns = 0;
    const auto contestant = [&](auto record) {
        return [&, record] {
            const size_t turn = turns++ % tensors;
            return clock.time(
                [&](Recorder& recorder) { record(recorder, tensor(x, turn), tensor(changed, turn)); });
        };
    };
    std::vector<Times> times =
        race({contestant([](Recorder& recorder, const BufferView& from, const BufferView& to) {
                  detail::copy(recorder, from, to);
              }),
              contestant([&](auto&&... arguments) { workspace.infer(arguments...); }),
              contestant([&](auto&&... arguments) { workspace.forward(arguments...); }),
              contestant([&](auto&&... arguments) { workspace.backward(arguments...); }),
              [&] { return sentinel.copy(); }},
             rounds);
    point.contention = sentinel.contention(times.back());
    times.pop_back();
    for (const Times& each : times)
        point.nanoseconds.push_back(1e6 * each.median_ms / static_cast<double>(what.elements()));
    point.cpus = times.back().cpu_ms / times.back().median_ms;
    return point;
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

}  // namespace

Findings measure_growth(const std::string& select, size_t rounds) {
    std::vector<Point> points;
    for (const uint32_t images : {5u, 10u, 21u, 42u, 84u, 167u, 334u, 668u, 1300u})
        points.push_back(measure(select, case_of(images), rounds));

    std::array<double, contestants.size()> medians;
    for (size_t i = 0; i < contestants.size(); ++i) {
        std::vector<double> all;
        all.reserve(points.size());
        for (const Point& point : points) all.push_back(point.nanoseconds[i]);
        medians[i] = median(std::move(all));
    }
    Findings findings;
    std::string& table = findings.table;
    append(table,
           "Growth of batch_norm (N, 64, 56, 56), backward in place: the time for an element over its median "
           "below\n(* more than %.0f %% off), by medians of %zu rounds; what the engine allocates beyond the "
           "buffers of these\ncalls and their scratch, over these; CPUs that a backward pass got; the worst "
           "error over its bound.\n\n  %6s %8s",
           100 * band, rounds, "N", "MB");
    for (const char* name : contestants) append(table, " %10s", name);
    append(table, " %6s %10s %10s %10s\n", "CPUs", "scratch KB", "overhead", "worst");
    for (const Point& point : points) {
        const double bytes = static_cast<double>(point.what.elements()) * sizeof(float);
        nlohmann::json row{{"shape", point.what.shape},
                           {"cpus", point.cpus},
                           {"worst", point.worst},
                           {"scratch_bytes", point.memory.scratch},
                           {"bytes", bytes},
                           {"overhead", point.memory.overhead}};
        append(table, "  %6u %8.1f", point.what.shape[0], bytes * 1e-6);
        for (size_t i = 0; i < contestants.size(); ++i) {
            const double ratio = point.nanoseconds[i] / medians[i];
            append(table, " %9.3f%c", ratio, std::max(ratio, 1 / ratio) > 1 + band ? '*' : ' ');
            row["ns_per_element"][contestants[i]] = point.nanoseconds[i];
            row["over_median"][contestants[i]] = ratio;
        }
        append(table, " %6.2f %10.1f %8.2f %% %10.2f\n", point.cpus,
               static_cast<double>(point.memory.scratch) * 1e-3, 100 * point.memory.overhead, point.worst);
        findings.rows.push_back(std::move(row));
        if (!point.contention.empty())
            findings.contention = "N = " + std::to_string(point.what.shape[0]) + ": " + point.contention;
    }
    append(table, "  %15s", "median, ns");
    for (const double each : medians) append(table, " %9.3f ", each);
    table += '\n';
    return findings;
}

}  // namespace vknorm::bench
