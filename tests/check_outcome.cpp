#include "check_outcome.hpp"

#include "check_workspace.hpp"

namespace vknorm::check {

namespace {

std::vector<double> numbers(const Tensor& tensor) {
    if (tensor.dtype == Dtype::i64) {
        const std::vector<int64_t> values = tensor.integers();
        return {values.begin(), values.end()};
    }
    const std::vector<float> values = tensor.floats();
    return {values.begin(), values.end()};
}

}  // namespace

Outcome run(Device& device, const Call& call, const Expectations& expected) {
    Workspace workspace(device, call);
    call.mode->run(call, workspace);
    Outcome outcome{.results = workspace.results()};
    for (const auto& [name, expectation] : expected) {
        if (!outcome.results.contains(name)) {
            outcome.failures.push_back(name + ": is not among the results");
            continue;
        }
        const std::vector<double> got = numbers(outcome.results.at(name));
        if (got.size() != expectation.values.size()) {
            outcome.failures.push_back(name + ": has " + std::to_string(got.size()) + " values, expected " +
                                       std::to_string(expectation.values.size()));
            continue;
        }
        const testing::Deviation found = testing::deviation(got, expectation);
        outcome.deviations[name] = found;
        if (found.ratio > 1)
            outcome.failures.push_back(name + ": " + describe(found, got[found.at], expectation));
    }
    return outcome;
}

}  // namespace vknorm::check
