// The device against what nobody here computed: PyTorch, and the backend tests of ONNX.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <optional>

#include "check/outcome.hpp"
#include "check/request.hpp"
#include "support/device_fixture.hpp"
#include "support/golden_vectors.hpp"
#include "support/worst_error.hpp"

namespace vknorm::check {
namespace {

void expect_results(const std::string& source, const Call& call, const Expectations& expected) {
    const Outcome outcome = compare(call, run(testing::test_device(), call), expected);
    for (const std::string& failure : outcome.failures) ADD_FAILURE() << failure;
    for (const auto& [tensor, deviation] : outcome.deviations)
        testing::remember(source + " " + call.operation->name + "." + call.mode->name + "." + tensor,
                          deviation.ratio);
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
    const char* const elsewhere = std::getenv("VKNORM_SHARED_DIR");
    const std::filesystem::path folder =
        std::filesystem::path(elsewhere ? elsewhere : VKNORM_SHARED_DIR) / "vectors" / "onnx";
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

}  // namespace
}  // namespace vknorm::check
