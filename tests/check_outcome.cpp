#include "check_outcome.hpp"

#include <utility>

#include "check_workspace.hpp"

namespace vknorm::check {

namespace {

std::vector<double> numbers(const Call& call, const std::string& name, const Tensor& tensor) {
    const TensorKind& kind = *call.operation->find_tensor(name);
    const auto convert = [](const auto& values) { return std::vector<double>(values.begin(), values.end()); };
    if (kind.numbers) return kind.numbers(tensor);
    if (tensor.dtype == Dtype::i64) return convert(tensor.integers());
    if (tensor.dtype == Dtype::u32) return convert(tensor.words());
    return convert(tensor.floats());
}

}  // namespace

Tensors run(Device& device, const Call& call) {
    Workspace workspace(device, call);
    call.mode->run(call, workspace);
    return workspace.results();
}

Outcome compare(const Call& call, Tensors results, const Expectations& expected) {
    Outcome outcome{.results = std::move(results)};
    for (const auto& [name, expectation] : expected) {
        if (!outcome.results.contains(name)) {
            outcome.failures.push_back(name + ": is not among the results");
            continue;
        }
        const std::vector<double> got = numbers(call, name, outcome.results.at(name));
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
