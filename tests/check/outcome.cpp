#include "check/outcome.hpp"

#include <algorithm>
#include <utility>

#include "check/workspace.hpp"

namespace vknorm::check {

namespace {

std::vector<double> numbers(const Call& call, const std::string& name, const HostTensor& tensor) {
    const TensorKind& kind = *call.operation->find_tensor(name);
    const auto convert = [](const auto& values) { return std::vector<double>(values.begin(), values.end()); };
    if (kind.numbers) return kind.numbers(tensor);
    if (tensor.dtype == Dtype::i64) return convert(tensor.integers());
    if (tensor.dtype == Dtype::u32) return convert(tensor.words());
    return convert(tensor.floats());
}

/// What the numbers of a tensor are rounded to; integers, and what is made of them, do not overflow.
double overflow_of(Dtype dtype) {
    if (dtype == Dtype::f32) return testing::float32_overflow;
    if (dtype == Dtype::f16) return testing::float16_overflow;
    return dtype == Dtype::bf16 ? testing::bfloat16_overflow : testing::no_overflow;
}

}  // namespace

HostTensors run(Device& device, const Call& call) {
    Workspace workspace(device, call);
    call.mode->run(call, workspace);
    return workspace.results();
}

std::vector<Timing> measure(Device& device, const Call& call) {
    constexpr size_t runs = 15;
    std::vector<std::vector<double>> measured;  // of each pass
    std::vector<Timing> result;
    for (size_t run = 0; run <= runs; ++run) {
        Workspace workspace(device, call, true);
        call.mode->run(call, workspace);
        result = workspace.timings();
        measured.resize(result.size());
        if (run == 0) continue;  // compiles
        for (size_t pass = 0; pass < result.size(); ++pass)
            measured[pass].push_back(result[pass].milliseconds);
    }
    for (size_t pass = 0; pass < result.size(); ++pass) {
        std::ranges::nth_element(measured[pass], measured[pass].begin() + runs / 2);
        result[pass].milliseconds = measured[pass][runs / 2];
    }
    return result;
}

Outcome compare(const Call& call, HostTensors results, const Expectations& expected) {
    Outcome outcome{.results = std::move(results)};
    for (const auto& [name, expectation] : expected) {
        if (!outcome.results.contains(name)) {
            outcome.failures.push_back(name + ": is not among the results");
            continue;
        }
        const HostTensor& tensor = outcome.results.at(name);
        const std::vector<double> got = numbers(call, name, tensor);
        if (got.size() != expectation.values.size()) {
            outcome.failures.push_back(name + ": has " + std::to_string(got.size()) + " values, expected " +
                                       std::to_string(expectation.values.size()));
            continue;
        }
        const testing::Deviation found = testing::deviation(got, expectation, overflow_of(tensor.dtype));
        outcome.deviations[name] = found;
        if (found.ratio > 1)
            outcome.failures.push_back(name + ": " + describe(found, got[found.at], expectation));
    }
    return outcome;
}

}  // namespace vknorm::check
