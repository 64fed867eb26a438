// The device against what nobody here computed: PyTorch, and the backend tests of ONNX.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <optional>

#include "check/family.hpp"
#include "check/outcome.hpp"
#include "check/request.hpp"
#include "support/device_fixture.hpp"
#include "support/golden_vectors.hpp"
#include "support/places.hpp"
#include "support/worst_error.hpp"

namespace vknorm::check {
namespace {

/// Gives the results.
HostTensors expect_results(const std::string& source, const Call& call, const Expectations& expected) {
    Outcome outcome = compare(call, run(testing::test_device(), call), expected);
    for (const std::string& failure : outcome.failures) ADD_FAILURE() << failure;
    for (const auto& [tensor, deviation] : outcome.deviations)
        testing::remember(source + " " + call.operation->name + "." + call.mode->name + "." + tensor,
                          deviation.ratio);
    return std::move(outcome.results);
}

/// Within the bounds of each operation.
TEST(PyTorchVectors, TheDeviceGivesTheSame) {
    const std::vector<GoldenVector> vectors = golden_vectors();
    for (const GoldenVector& vector : vectors) {
        SCOPED_TRACE(vector.name);
        const Expectations reference = vector.call.mode->expect(vector.call);
        Expectations expected;
        for (const auto& [name, tensor] : vector.results) {
            testing::Expected& expectation = expected[name] = reference.at(name);
            if (tensor.dtype != Dtype::f32) continue;
            const std::vector<float> values = tensor.floats();
            expectation.values.assign(values.begin(), values.end());
            for (size_t i = 0; i < values.size(); ++i)
                expectation.bounds[i] += std::abs(values[i]) * 0x1p-24;  // the file's values are rounded
        }
        expect_results("PyTorch", vector.call, expected);
    }
    std::printf("%zu vectors of PyTorch\n", vectors.size());
}

struct OnnxMatch {
    const Operation* operation;
    const OnnxForm* form;
};
std::optional<OnnxMatch> find_onnx(const std::string& op) {
    for (const Operation& operation : operations())
        for (const OnnxForm& form : operation.onnx)
            if (form.op == op) return OnnxMatch{&operation, &form};
    return {};
}

std::map<std::string, double> numbers_of(const nlohmann::json& attributes) {
    std::map<std::string, double> numbers;
    for (const auto& [name, value] : attributes.items())
        if (value.is_number()) numbers[name] = value.get<double>();
    return numbers;
}

/// Their own error against float64 is up to 1e-6.
TEST(OnnxVectors, TheDeviceGivesTheSame) {
    const std::filesystem::path folder = testing::shared_file("vectors/onnx");
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no vectors of ONNX at " << folder;
    const HostTensors tensors = read_safetensors(folder / "all.safetensors").tensors;
    const auto manifest = nlohmann::json::parse(std::ifstream(folder / "manifest.json"));
    size_t ran = 0;
    for (const nlohmann::json& vector : manifest["vectors"]) {
        const std::string name = vector["name"].get<std::string>() + "@" + vector["tag"].get<std::string>();
        SCOPED_TRACE(name);
        const auto match = find_onnx(vector["op"]);
        if (!match) {
            ADD_FAILURE() << "no operation is " << vector["op"];
            continue;
        }
        const auto tensors_of = [&](const char* role, const std::vector<std::string>& names) {
            HostTensors result;
            for (const nlohmann::json& entry : vector[role])
                result[names.at(entry["role"])] = tensors.at(name + "/" + entry["key"].get<std::string>());
            return result;
        };
        const auto& [operation, form] = *match;
        HostTensors inputs = tensors_of("inputs", form->inputs),
                    outputs = tensors_of("outputs", form->outputs);
        const std::string words = form->translate(numbers_of(vector["attributes"]), inputs, outputs);
        const Call call = call_with(parse_request("--op " + operation->name + " " + words), inputs, name);
        Expectations expected;
        for (const auto& [tensor, output] : outputs) {
            const std::vector<float> values = output.floats();
            expected[tensor] = {{values.begin(), values.end()}, std::vector<double>(values.size(), 2e-6)};
        }
        expect_results("ONNX", call, expected);
        ++ran;
    }
    std::printf("%zu vectors of ONNX\n", ran);
    EXPECT_EQ(ran, 57u);
}

/// Numbers that are listed, or are all one.
std::vector<double> numbers_of(const nlohmann::json& tensor, size_t count) {
    if (tensor.contains("fill")) return std::vector<double>(count, tensor["fill"].get<double>());
    return tensor["data"].get<std::vector<double>>();
}

std::string words_of(const nlohmann::json& vector) {
    std::string words =
        "--op " + vector["op"].get<std::string>() + " --mode " + vector["mode"].get<std::string>();
    for (const auto& [name, value] : vector["options"].items())
        words += " --" + name + " " +
                 (value.is_string() ? value.get<std::string>() : number_text(value.get<double>()));
    return words;
}

/// What the tests and specifications of other projects expect, within what they allow.
TEST(PublicVectors, TheDeviceGivesTheSame) {
    const std::filesystem::path file = testing::shared_file("vectors/public") / "vectors.json";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "no vectors of other projects at " << file;
    const auto vectors = nlohmann::json::parse(std::ifstream(file));
    std::map<std::string, HostTensors> results;
    size_t ran = 0, skipped = 0;
    for (const nlohmann::json& vector : vectors) {
        const std::string name = vector["name"];
        SCOPED_TRACE(name);
        const Request request = parse_request(words_of(vector));
        const Dtype storage[] = {Dtype::f32, Dtype::f16, Dtype::bf16};
        HostTensors inputs;
        for (const auto& [tensor, input] : vector["inputs"].items()) {
            if (input.contains("from")) {
                inputs[tensor] = results.at(input["from"]).at(input["tensor"]);
                continue;
            }
            const TensorShape shape = input["shape"];
            const std::vector<double> numbers = numbers_of(input, element_count(shape));
            const TensorKind& kind = *request.operation->find_tensor(tensor);
            if (kind.dtype == Dtype::u32) {
                const std::vector<uint32_t> words(numbers.begin(), numbers.end());
                inputs[tensor] = {shape, std::span(words)};
                continue;
            }
            const std::vector<float> values(numbers.begin(), numbers.end());
            const Dtype dtype =
                kind.stored ? storage[static_cast<size_t>(storage_of(request.settings))] : Dtype::f32;
            inputs[tensor] = {shape, std::span<const float>(values), dtype};
        }
        const Call call = call_with(request, inputs, name);
        Expectations expected;
        for (const auto& [tensor, output] : vector["expected"].items()) {
            testing::Expected& expectation = expected[tensor];
            expectation.values = numbers_of(output, element_count(call.shape_of(tensor)));
            double most = 0;
            for (const double value : expectation.values) most = std::max(most, std::abs(value));
            for (const double value : expectation.values)
                expectation.bounds.push_back(
                    output.value("half_digit", 0.) +
                    (output.contains("atol")
                         ? output["atol"].get<double>() + output["rtol"].get<double>() * std::abs(value)
                         : 1e-5 * most));
        }
        try {
            results[name] = expect_results("public", call, expected);
            ++ran;
        } catch (const Unsupported&) {
            ++skipped;
        }
    }
    std::printf("%zu vectors of other projects, %zu not on this device\n", ran, skipped);
    EXPECT_EQ(ran + skipped, vectors.size());
    EXPECT_GE(ran, vectors.size() - 5);  // those of float16
}

}  // namespace
}  // namespace vknorm::check
