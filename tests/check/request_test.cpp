// The words that describe a call, and the tensors of a file: what is wrong is named.
#include "check/request.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include <vknorm/data.hpp>

#include "support/data_files.hpp"

namespace vknorm::check {
namespace {

using test::message_of;

std::string error(const std::string& line) {
    return message_of<CLI::ParseError>([&] { parse_request("--op batch_norm --mode training " + line); });
}

TEST(CheckRequest, NamesWhatIsWrong) {
    EXPECT_EQ(message_of<CLI::ParseError>([] { parse_request(""); }),
              "--op: got nothing, needs one of batch_norm, instance_norm, group_norm, layer_norm, rms_norm, "
              "batch_renorm, ghost_batch_norm, batch_norm_stages, fold_batch_norm, conv2d, max_pool2d, "
              "average_pool2d, adaptive_average_pool2d");
    EXPECT_EQ(message_of<CLI::ParseError>([] { parse_request("--op batch_norm"); }),
              "--mode: got nothing, needs one of training, inference, backward, backward_frozen, "
              "double_backward");
    EXPECT_EQ(message_of<CLI::ParseError>([] { parse_request("--mode train --op batch_norm"); }),
              "--mode: got 'train', needs one of training, inference, backward, backward_frozen, "
              "double_backward");
    EXPECT_EQ(error("--epsilon 1"), "unknown option '--epsilon': --help lists them");
    EXPECT_EQ(error("now"), "unexpected argument 'now'");
    for (const char* text : {"3x", "nan", "1e400", "inf"})
        EXPECT_EQ(error(std::string("--eps ") + text),
                  "--eps: got '" + std::string(text) + "', needs a float32 number");
    EXPECT_EQ(error("--std -1"), "--std: got '-1', needs a float32 number from 0 on");
    EXPECT_EQ(error("--layout last"), "--layout: got 'last', needs one of channels_first, channels_last");
    for (const char* shape : {"3xx4", "4x3x", "x4", "x"})
        EXPECT_EQ(error(std::string("--shape ") + shape),
                  "--shape: got nothing, needs a whole number from 0 to 268435456");
    EXPECT_EQ(error("--shape 4x3y"), "--shape: got '3y', needs a whole number from 0 to 268435456");
    EXPECT_EQ(error("--shape 65536x65536"), "--shape: got '65536x65536', needs at most 268435456 values");
    EXPECT_EQ(
        error("--without x,beta"),
        "--without: got 'x', needs some of gamma, beta, running_mean, running_var, num_batches_tracked, dy");
    EXPECT_EQ(error("--with dgamma,"),
              "--with: got nothing, needs some of residual, valid, dgamma, dbeta, num_batches_refused");
    EXPECT_TRUE(error("--without beta,,dy").starts_with("--without: got nothing, needs some of gamma"));
    EXPECT_EQ(error("--with dy"),
              "--with: got 'dy', needs some of residual, valid, dgamma, dbeta, num_batches_refused");
    EXPECT_EQ(error("--groups 0"), "--groups: got '0', needs a whole number from 1 to 4294967295");
    EXPECT_EQ(error("--groups 2"), "--groups: batch_norm has no such option");
    EXPECT_EQ(
        message_of<std::invalid_argument>([] { generate(parse_request("--op batch_norm --mode training")); }),
        "--shape: got nothing, needs the lengths of x, such as 32x64x56x56");
}

TEST(CheckRequest, AModeNeedNotBeNamedWhereThereIsOne) {
    EXPECT_EQ(parse_request("--op layer_norm --shape 4x3").mode->name, "forward");
    EXPECT_EQ(parse_request("--op fold_batch_norm --shape 4x3").mode->name, "fold");
}

TEST(CheckRequest, GeneratesWhatItWasAskedFor) {
    const std::string line =
        "--op batch_norm --mode training --shape 50x20x3 --layout channels_last --mean 100 --std 2 ";
    const Call call = generate(parse_request(line));
    for (const std::string& tensor : call.mode->takes) EXPECT_TRUE(call.has(tensor)) << tensor;
    EXPECT_EQ(call.inputs.at("gamma").shape, TensorShape{3});
    double sum = 0, squares = 0;
    for (const float x : call.floats("x")) {
        sum += x - 100;
        squares += (x - 100) * (x - 100);
    }
    EXPECT_NEAR(sum / 3000, 0, 0.15);
    EXPECT_NEAR(squares / 3000, 4, 0.4);
    for (const float variance : call.floats("running_var")) EXPECT_GT(variance, 0);

    EXPECT_EQ(generate(parse_request(line)).floats("x"), call.floats("x"));
    EXPECT_NE(generate(parse_request(line + "--seed 2")).floats("x"), call.floats("x"));
    EXPECT_FALSE(generate(parse_request(line + "--without beta,dy")).has("beta"));
}

TEST(CheckRequest, AddsWhatItWasAskedFor) {
    const std::string line =
        "--op batch_norm --mode training --shape 50x3x4x5 --storage float16 --mean 2048 ";
    const Call plain = generate(parse_request(line));
    const Call call = generate(parse_request(line + "--with valid,residual"));
    for (const char* tensor : {"valid", "residual"}) {
        EXPECT_FALSE(plain.has(tensor));
        EXPECT_TRUE(call.has(tensor));
    }
    EXPECT_EQ(call.inputs.at("x").dtype, Dtype::f16);
    EXPECT_EQ(call.inputs.at("gamma").dtype, Dtype::f32);
    EXPECT_EQ(call.floats("x"), plain.floats("x"));
    for (const float x : call.floats("x")) EXPECT_EQ(x, std::round(x));  // as far as float16 goes
    EXPECT_EQ(call.inputs.at("valid").shape, (TensorShape{50, 4, 5}));
    const std::vector<uint32_t> valid = call.inputs.at("valid").words();
    EXPECT_NEAR(static_cast<double>(std::ranges::count(valid, 1u)) / 1000, 0.75, 0.05);
    EXPECT_EQ(std::ranges::count(valid, 0u) + std::ranges::count(valid, 1u), 1000);
}

TEST(CheckRequest, EveryOperationHasItsFirstTensor) {
    EXPECT_EQ(generate(parse_request("--op fold_batch_norm --mode fold --shape 4x3x2"))
                  .inputs.at("running_var")
                  .shape,
              TensorShape{4});
    const Call rows =
        generate(parse_request("--op layer_norm --mode forward --shape 2x3x4 --normalized-dimensions 2"));
    EXPECT_EQ(rows.inputs.at("gamma").shape, (TensorShape{3, 4}));
    EXPECT_EQ(rows.shape_of("mean"), (TensorShape{2, 2}));
    EXPECT_EQ(
        message_of<std::invalid_argument>([] {
            generate(parse_request("--op rms_norm --mode forward --shape 2x3 --normalized-dimensions 3"));
        }),
        "normalized-dimensions: got 3, needs at most the 2 of x");
}

HostTensor zeros(const TensorShape& shape) {
    return {shape, std::span<const float>(std::vector<float>(element_count(shape)))};
}

TEST(CheckRequest, NamesTheTensorThatDoesNotFit) {
    const auto error = [](const HostTensors& tensors) {
        return message_of<FormatError>(
            [&] { call_with(parse_request("--op batch_norm --mode inference"), tensors, "f"); });
    };
    const HostTensors good{
        {"x", zeros({2, 3, 4})}, {"running_mean", zeros({3})}, {"running_var", zeros({3})}};
    EXPECT_EQ(call_with(parse_request("--op batch_norm --mode inference"), good, "f").inputs.size(), 3u);

    EXPECT_EQ(error({{"x", zeros({2, 3})}}),
              "f: running_mean: is missing; batch_norm inference needs x, running_mean, running_var");
    HostTensors tensors = good;
    tensors["weight"] = zeros({3});
    EXPECT_TRUE(error(tensors).starts_with("f: weight: batch_norm has no such tensor; it has x, gamma, "));
    tensors = good;
    tensors["gamma"] = zeros({4});
    EXPECT_EQ(error(tensors), "f: gamma: shape: got (4), needs (3)");
    tensors["gamma"] = zeros({3});
    tensors["gamma"].dtype = Dtype::f16;
    EXPECT_EQ(error(tensors), "f: gamma: dtype: got F16, needs F32");
    // What other modes take may stand in the file.
    tensors = good;
    tensors["dy"] = zeros({1});
    EXPECT_FALSE(call_with(parse_request("--op batch_norm --mode inference"), tensors, "f").has("dy"));
    tensors["x"] = zeros({3});
    EXPECT_EQ(message_of<std::invalid_argument>(
                  [&] { call_with(parse_request("--op batch_norm --mode inference"), tensors, "f"); }),
              "batch_norm: x: got shape (3), needs 2 to 5 dimensions");
}

}  // namespace
}  // namespace vknorm::check
