// What the doctor of checkpoints finds in files that are made ill in one way each.
#include "check/inspection.hpp"

#include <cmath>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "check/program.hpp"
#include "support/data_files.hpp"

namespace vknorm::check {
namespace {

using test::TemporaryDirectory;
using ::testing::HasSubstr;

HostTensor floats(TensorShape shape, const std::vector<float>& values, Dtype dtype = Dtype::f32) {
    return {std::move(shape), std::span(values), dtype};
}

HostTensor integer(int64_t value) {
    return {{}, std::span<const int64_t>(&value, 1)};
}

/// Two blocks of a residual network, a layer norm, and what vknorm keeps beside a state_dict.
HostTensors healthy() {
    HostTensors tensors;
    for (const std::string block : {"layer1.0.", "layer1.1."})
        for (const std::string number : {"1", "2"}) {
            tensors[block + "conv" + number + ".weight"] = floats({4, 1, 1, 2}, {1, -2, 0.5f, 1, 1, 1, 3, 1});
            const std::string norm = block + "bn" + number;
            tensors[norm + ".weight"] = floats({4}, {1, 0.5f, 2, 1});
            tensors[norm + ".bias"] = floats({4}, {0, 0.1f, -1, 2});
            tensors[norm + ".running_mean"] = floats({4}, {0.5f, -3, 0, 1});
            tensors[norm + ".running_var"] = floats({4}, {0.25f, 4, 1, 0.01f});
            tensors[norm + ".num_batches_tracked"] = integer(1000);
        }
    tensors["head.norm.weight"] = floats({3}, {1, 1, 1});
    tensors["head.norm.bias"] = floats({3}, {0, 0, 0});
    tensors["head.fc.weight"] = floats({2, 3}, {1, 2, 3, 4, 5, 6});
    tensors["head.fc.bias"] = floats({2}, {0, 0});
    tensors["training/optimizer/first_moment/layer1.0.bn1.weight"] = floats({4}, {0, 0, 0, 0});
    return tensors;
}

/// "bn: kind channels" of all findings of the healthy network after `spoil`, one a line.
std::string found(const std::function<void(HostTensors&)>& spoil) {
    HostTensors tensors = healthy();
    spoil(tensors);
    std::string lines;
    for (const InspectedNorm& norm : inspect(tensors, "f"))
        for (const Finding& finding : norm.findings) {
            lines += (lines.empty() ? "" : "\n") + norm.name + ": " + finding.kind;
            for (const size_t channel : finding.channels) lines += " " + std::to_string(channel);
        }
    return lines;
}

TEST(Inspection, AHealthyFileHasNoFindings) {
    EXPECT_EQ(found([](HostTensors&) {}), "");
    const std::vector<InspectedNorm> norms = inspect(healthy(), "f");
    ASSERT_EQ(norms.size(), 5u);
    EXPECT_EQ(norms[0].name, "head.norm");
    EXPECT_FALSE(norms[0].variance);
    EXPECT_EQ(norms[0].folds_into, "");
    EXPECT_EQ(norms[1].name, "layer1.0.bn1");
    EXPECT_EQ(norms[1].batches, 1000);
    EXPECT_EQ(norms[1].variance->greatest, 4);
    EXPECT_NEAR(norms[1].largest_scale.value(), 1 / std::sqrt(0.01 + 1e-5), 1e-4);
    EXPECT_EQ(norms[1].folds_into, "layer1.0.conv1");
    EXPECT_EQ(norms[1].largest_weight, 3);
    EXPECT_NEAR(norms[1].largest_folded_weight, 3 / std::sqrt(0.01 + 1e-5), 1e-3);
    EXPECT_EQ(norms[2].folds_into, "layer1.0.conv2");
}

TEST(Inspection, EveryIllnessIsNamed) {
    const auto set = [](const char* tensor, std::vector<float> values) {
        return [=](HostTensors& tensors) {
            tensors["layer1.0.bn1." + std::string(tensor)] = floats({values.size()}, values);
        };
    };
    constexpr float nan = std::numeric_limits<float>::quiet_NaN(),
                    infinity = std::numeric_limits<float>::infinity();
    EXPECT_EQ(found(set("running_var", {nan, 1, 1, 1})), "layer1.0.bn1: not finite 0");
    EXPECT_EQ(found(set("bias", {0, infinity, 1, 1})), "layer1.0.bn1: not finite 1");
    EXPECT_EQ(found(set("running_var", {1, -0.5f, 1, 1})), "layer1.0.bn1: negative variance 1");
    EXPECT_EQ(found(set("running_var", {0, 2, 1e-12f, 1})), "layer1.0.bn1: zero variance 0 2");
    EXPECT_EQ(found(set("weight", {1, 1, 5000, 1})), "layer1.0.bn1: exploding scale 2");
    EXPECT_EQ(found(set("running_var", {1e-6f, 1, 1, 1})), "layer1.0.bn1: exploding scale 0");
    EXPECT_EQ(found([&](HostTensors& tensors) {
                  set("weight", {1, 0, 1, 0})(tensors);
                  set("bias", {1, 1, 1, 0})(tensors);
              }),
              "layer1.0.bn1: dead channels 3")
        << "a channel that is only beta gives something";
    EXPECT_EQ(found(set("running_var", {1e-5f, 1, 1e-5f, 1})), "layer1.0.bn1: variance convention 0 2");
    EXPECT_EQ(found([&](HostTensors& tensors) {
                  set("running_mean", {0, 0, 0, 0})(tensors);
                  set("running_var", {1, 1, 1, 1})(tensors);
              }),
              "layer1.0.bn1: never updated");
    EXPECT_EQ(found([&](HostTensors& tensors) {
                  set("running_mean", {0, 0.001f, 0, 0})(tensors);
                  set("running_var", {1, 0.99f, 1, 1})(tensors);
              }),
              "layer1.0.bn1: momentum");
    const auto count = [](int64_t batches) {
        return [=](HostTensors& tensors) { tensors["layer1.0.bn1.num_batches_tracked"] = integer(batches); };
    };
    EXPECT_EQ(found(count(0)), "layer1.0.bn1: stale");
    EXPECT_EQ(found(count(-1)), "layer1.0.bn1: stale");
    EXPECT_EQ(found(count(99)), "layer1.0.bn1: stale");
    EXPECT_EQ(found(count(100)), "");
    EXPECT_EQ(found(count(20)), "layer1.0.bn1: too few batches\nlayer1.0.bn1: stale");
    EXPECT_EQ(found([&](HostTensors& tensors) {
                  tensors["layer1.0.conv1.weight"] = floats({4, 2}, {1, 1, 1, 1, 1, 1, 30000, 1});
              }),
              "layer1.0.bn1: folding");
    EXPECT_EQ(found([&](HostTensors& tensors) {
                  tensors["head.norm.weight"] = floats({3}, {1, nan, 0});
              }),
              "head.norm: not finite 1\nhead.norm: dead channels 2");
    EXPECT_EQ(found([&](HostTensors& tensors) {
                  tensors["layer1.0.bn1.weight"] = floats({4}, {1, 1, 1, 1}, Dtype::f16);
                  tensors.erase("layer1.0.bn2.weight");
                  tensors.erase("layer1.0.bn2.bias");
                  tensors.erase("layer1.0.bn2.num_batches_tracked");
              }),
              "");
}

TEST(Inspection, TheLayerBeforeIsFoundByItsName) {
    const auto folds_into = [](const std::string& norm, const std::vector<std::string>& layers) {
        HostTensors tensors;
        for (const std::string& layer : layers) tensors[layer + ".weight"] = floats({2, 1}, {1, 1});
        tensors[norm + ".running_mean"] = floats({2}, {1, 1});
        tensors[norm + ".running_var"] = floats({2}, {2, 2});
        return inspect(tensors, "f").back().folds_into;
    };
    EXPECT_EQ(folds_into("layers.1", {"layers.0", "layers.3"}), "layers.0");
    EXPECT_EQ(folds_into("0.norm", {"0.linear", "1.linear", "output"}), "0.linear");
    EXPECT_EQ(folds_into("bn2", {"conv1", "conv2", "conv3"}), "conv2");
    EXPECT_EQ(folds_into("features.0.bn", {"features.0.conv", "features.1.conv"}), "features.0.conv");
    EXPECT_EQ(folds_into("shortcut.1", {"shortcut.0"}), "shortcut.0");
    EXPECT_EQ(folds_into("norm", {"a", "b"}), "") << "two are as near";
    EXPECT_EQ(folds_into("layers.0", {"layers.1"}), "");
}

struct Answer {
    int status;
    std::string out, err;
};
Answer run(const std::vector<std::string>& words) {
    std::vector<const char*> arguments;
    for (const std::string& word : words) arguments.push_back(word.c_str());
    std::ostringstream out, err;
    const int status = run_program(arguments, out, err);
    return {status, out.str(), err.str()};
}

TEST(Inspection, ProgramPrintsATableAndWritesJson) {
    const TemporaryDirectory folder;
    const std::string file = (folder.path() / "model").string(), json = (folder.path() / "json").string();
    write_safetensors(file, {healthy()});
    const Answer well = run({"--inspect", file});
    EXPECT_EQ(well.status, 0) << well.err;
    EXPECT_THAT(well.out, HasSubstr("| layer1.0.bn1 | 4 | 1000 | -3 to 1 | 0.01 to 4 | 9.995 | "
                                    "layer1.0.conv1, 3 to 29.99 | - |\n"));
    EXPECT_THAT(well.out, HasSubstr("\n5 norms, all healthy\n"));

    HostTensors ill = healthy();
    ill["layer1.1.bn2.running_var"] = floats({4}, {0, 0, 1, -1});
    write_safetensors(file, {ill});
    const Answer sick = run({"--inspect", file, "--json", json});
    EXPECT_EQ(sick.status, 1) << sick.err;
    EXPECT_THAT(sick.out, HasSubstr("- layer1.1.bn2: negative variance: channel 3: its root is NaN\n"));
    EXPECT_THAT(sick.out, HasSubstr("- layer1.1.bn2: zero variance: channels 0, 1: the channel"));
    const auto document = nlohmann::json::parse(test::contents(json));
    ASSERT_EQ(document["norms"].size(), 5u);
    EXPECT_EQ(document["norms"][4]["findings"][0]["kind"], "negative variance");
    EXPECT_EQ(document["norms"][4]["findings"][1]["channels"], nlohmann::json::parse("[0, 1]"));
    EXPECT_EQ(document["norms"][0]["running_var"], nullptr);

    EXPECT_EQ(run({"--inspect", file, "--json", json}).status, 2);
    EXPECT_EQ(run({"--inspect", file, "--json", json, "--force"}).status, 1);
    EXPECT_EQ(run({"--inspect", file, "--op", "batch_norm"}).status, exit_status::usage);
}

TEST(Inspection, WhatCannotBeReadIsStatusTwo) {
    const TemporaryDirectory folder;
    const std::string file = (folder.path() / "model").string();
    const auto refused = [&](const HostTensors& tensors) {
        write_safetensors(file, {tensors});
        const Answer answer = run({"--inspect", file});
        EXPECT_EQ(answer.status, 2);
        EXPECT_EQ(answer.out, "");
        return answer.err;
    };
    EXPECT_THAT(refused({{"fc.weight", floats({1, 1}, {1})}}), HasSubstr("got no norm, needs one"));
    HostTensors tensors = healthy();
    tensors["layer1.0.bn1.running_var"] = floats({3}, {1, 1, 1});
    EXPECT_THAT(refused(tensors), HasSubstr("layer1.0.bn1.running_var: got F32 (3), needs a vector of "
                                            "floating point numbers, 4"));
    tensors.erase("layer1.0.bn1.running_var");
    EXPECT_THAT(refused(tensors), HasSubstr("got one of running_mean and running_var, needs both"));
    tensors = healthy();
    tensors["layer1.0.bn1.num_batches_tracked"] = floats({}, {3});
    EXPECT_THAT(refused(tensors), HasSubstr("needs an I64 scalar"));
    write_file(file, "no such file");
    EXPECT_EQ(run({"--inspect", file}).status, 2);
    EXPECT_EQ(run({"--inspect", file + "s"}).status, 2);
}

}  // namespace
}  // namespace vknorm::check
