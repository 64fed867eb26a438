// The device against what nobody here computed: PyTorch, and the backend tests of ONNX.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "check_outcome.hpp"
#include "check_request.hpp"
#include "device_fixture.hpp"
#include "golden_vectors.hpp"
#include "worst_error.hpp"

namespace vknorm::check {
namespace {

void expect_results(const std::string& source, const Call& call, const Expectations& expected) {
    const Outcome outcome = run(testing::test_device(), call, expected);
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

const Operation* find_onnx(const std::string& op) {
    for (const Operation& operation : operations())
        if (operation.onnx.op == op) return &operation;
    return nullptr;
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
    const Tensors tensors = testing::read_safetensors(folder / "all.safetensors").tensors;
    const auto manifest = nlohmann::json::parse(std::ifstream(folder / "manifest.json"));
    size_t vectors = 0, ran = 0;
    for (const nlohmann::json& vector : manifest["vectors"]) {
        ++vectors;
        const Operation* const operation = find_onnx(vector["op"]);
        if (!operation) continue;
        ++ran;
        const std::string name = vector["name"].get<std::string>() + "@" + vector["tag"].get<std::string>();
        SCOPED_TRACE(name);
        const auto tensor = [&](const nlohmann::json& entry) {
            return tensors.at(name + "/" + entry["key"].get<std::string>());
        };
        Tensors inputs;
        for (const nlohmann::json& entry : vector["inputs"])
            inputs[operation->onnx.inputs.at(entry["role"])] = tensor(entry);
        const std::string line =
            "--op " + operation->name + " " + operation->onnx.arguments(numbers_of(vector["attributes"]));
        const Call call = call_with(parse_request(line), inputs, name);
        Expectations expected;
        for (const nlohmann::json& entry : vector["outputs"]) {
            const std::vector<float> values = tensor(entry).floats();
            expected[operation->onnx.outputs.at(entry["role"])] = {{values.begin(), values.end()},
                                                                   std::vector<double>(values.size(), 2e-6)};
        }
        expect_results("ONNX", call, expected);
    }
    std::printf("%zu of %zu vectors of ONNX run, %zu of other operators\n", ran, vectors, vectors - ran);
}

}  // namespace
}  // namespace vknorm::check
