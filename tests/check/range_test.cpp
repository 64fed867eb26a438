// Numbers at the edge of float32, and beyond it on the way: the device against right values, which were
// calculated from the values of x in more digits than any float has, and against the reference.
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include <vknorm/batch_norm.hpp>

#include "check/outcome.hpp"
#include "check/request.hpp"
#include "support/device_fixture.hpp"

namespace vknorm::check {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity(), largest = 3.4028234e38f;

HostTensor floats(TensorShape shape, const std::vector<float>& values, Dtype dtype = Dtype::f32) {
    return {std::move(shape), std::span<const float>(values), dtype};
}

HostTensor filled(const TensorShape& shape, float value) {
    return floats(shape, std::vector<float>(element_count(shape), value));
}

/// The results of a call, which are those of the reference, too; empty where the device cannot.
HostTensors checked(const Call& call, const std::string& what) {
    try {
        Outcome outcome = compare(call, run(testing::test_device(), call), call.mode->expect(call));
        for (const std::string& failure : outcome.failures) ADD_FAILURE() << what << ": " << failure;
        return std::move(outcome.results);
    } catch (const Unsupported&) {
        return {};
    }
}

HostTensors results_of(const std::string& words, const HostTensors& inputs) {
    return checked(call_with(parse_request(words), inputs, "x"), words);
}

/// As IEEE 754 has it, within a ten thousandth.
void expect_values(const HostTensors& results, const std::string& tensor, const std::vector<double>& right) {
    SCOPED_TRACE(tensor);
    if (results.empty()) return;
    const std::vector<float> got = results.at(tensor).floats();
    for (size_t i = 0; i < right.size(); ++i) {
        if (std::isnan(right[i]))
            EXPECT_TRUE(std::isnan(got[i])) << i << ": " << got[i];
        else if (std::isinf(right[i]))
            EXPECT_EQ(got[i], right[i]) << i;
        else
            EXPECT_NEAR(got[i], right[i], right[i] == 0 ? 1e-6 : 1e-4 * std::abs(right[i])) << i;
    }
}

const HostTensors running_of_2{{"running_mean", floats({2}, {0, 0})}, {"running_var", floats({2}, {1, 1})}};

TEST(Range, SquaresMayBeBeyondFloat32) {
    HostTensors inputs = running_of_2;
    inputs["x"] = floats({4, 2}, {1e30f, 2e30f, 3e30f, -1e30f, -2e30f, 5e30f, 4e30f, 5e29f});
    const HostTensors results = results_of("--op batch_norm --mode training", inputs);
    expect_values(results, "y",
                  {-0.218218, 0.169031, 0.654654, -1.183216, -1.527525, 1.521278, 1.091089, -0.507093});
    expect_values(results, "running_mean", {1.5e29, 1.625e29});
    expect_values(results, "running_var", {infinity, infinity});
}

TEST(Range, TheSumOfSquaresMayBeBeyondFloat32) {
    const HostTensors results = results_of(
        "--op batch_norm --mode training",
        {{"x", floats({4, 1}, {1e19f, -1e19f, 2e19f, 5e18f})}, {"dy", floats({4, 1}, {1, 2, -1, 0.5f})}});
    expect_values(results, "y", {0.346410, -1.501111, 1.270171, -0.115470});
    expect_values(results, "inv_std", {9.23760433e-20});
    expect_values(results, "dgamma", {-3.98371686});
    expect_values(results, "dx", {6.65107511e-20});
}

TEST(Range, DifferencesMayBeBeyondFloat32) {
    const HostTensors results = results_of(
        "--op batch_norm --mode training",
        {{"x", floats({4, 1}, {3e38f, -3e38f, 1e38f, 2e38f})}, {"dy", floats({4, 1}, {1, 2, -1, 0.5f})}});
    expect_values(results, "mean", {7.5e37});
    expect_values(results, "y", {0.987878, -1.646464, 0.109764, 0.548821});
    expect_values(results, "inv_std", {4.39057e-39});
    // Right and left the largest there is.
    for (const char* shape : {"2x1", "2x4", "2x1x256", "2x4x256"}) {
        const std::string words = std::string("--op batch_norm --mode training --shape ") + shape;
        Call call = generate(parse_request(words + " --without gamma,beta,running_mean,running_var"));
        std::vector<float> x(element_count(call.shape()), largest);
        for (size_t i = 0; i < x.size() / 2; ++i) x[i] = -largest;
        call.inputs["x"] = floats(call.shape(), x);
        expect_values(checked(call, words), "y", {-1});
    }
}

TEST(Range, RowsAndGroupsToo) {
    const HostTensor x = floats({1, 4}, {1e25f, 2e25f, -3e25f, 4e25f});
    expect_values(results_of("--op layer_norm --mode forward", {{"x", x}}), "y",
                  {0, 0.392232, -1.568929, 1.176697});
    const HostTensors rms = results_of("--op rms_norm --mode forward", {{"x", x}});
    expect_values(rms, "y", {0.365148, 0.730297, -1.095445, 1.460593});
    expect_values(rms, "inv_rms", {3.65148372e-26});
    expect_values(results_of("--op rms_norm --mode forward", {{"x", filled({3, 8}, -1e38f)}}), "y",
                  std::vector<double>(24, -1));
    const HostTensor images = floats({1, 2, 4}, {1e25f, 2e25f, -3e25f, 4e25f, 1, 2, -3, 4});
    for (const char* words :
         {"--op group_norm --mode forward --groups 2", "--op instance_norm --mode training"})
        expect_values(results_of(words, {{"x", images}}), "y",
                      {0, 0.392232, -1.568929, 1.176697, 0, 0.392232, -1.568929, 1.176697});
}

TEST(Range, SquaresMayBeBelowFloat32WhereEpsilonIs) {
    for (const float size : {1e-20f, 1e-25f, 1e-30f}) {
        SCOPED_TRACE(size);
        const std::vector<float> values{size, 2 * size, -3 * size, 4 * size};
        const std::vector<double> right{0, 0.392232, -1.568929, 1.176697};
        expect_values(results_of("--op layer_norm --mode forward --eps 0", {{"x", floats({1, 4}, values)}}),
                      "y", right);
        expect_values(results_of("--op batch_norm --mode training --eps 0", {{"x", floats({4, 1}, values)}}),
                      "y", right);
        expect_values(results_of("--op rms_norm --mode forward --eps 0", {{"x", floats({1, 4}, values)}}),
                      "y", {0.365148, 0.730297, -1.095445, 1.460593});
    }
    // Without variance nothing is divided by it, however large the value.
    for (const float value : {0.f, 5.f, 1e-30f, 1e30f, -largest})
        for (const char* epsilon : {"0", "1e-5"})
            expect_values(results_of(std::string("--op batch_norm --mode training --eps ") + epsilon,
                                     {{"x", filled({6, 4}, value)}, {"beta", filled({4}, 3)}}),
                          "y", std::vector<double>(24, 3));
}

TEST(Range, TheScaleMayBeBeyondFloat32WhereItMeetsAZero) {
    const HostTensors row{
        {"x", floats({1, 1}, {-3})}, {"gamma", filled({1}, 3e38f)}, {"beta", filled({1}, -1)}};
    expect_values(results_of("--op layer_norm --mode forward --eps 0.1", row), "y", {-1});
    HostTensors batch{{"x", filled({8, 4}, 5)},        {"gamma", filled({4}, 3e38f)},
                      {"beta", filled({4}, -1)},       {"running_mean", filled({4}, 5)},
                      {"running_var", filled({4}, 0)}, {"dy", filled({8, 4}, 1)}};
    const HostTensors training = results_of("--op batch_norm --mode training --eps 0.1", batch);
    expect_values(training, "y", std::vector<double>(32, -1));
    expect_values(training, "dx", std::vector<double>(32, 0));
    expect_values(results_of("--op batch_norm --mode inference --eps 0.1", batch), "y",
                  std::vector<double>(32, -1));
    // It is beyond, and y is not.
    batch["x"] = floats({2, 1}, {1, 1.0001f});
    batch["gamma"] = filled({1}, -1e38f);
    for (const char* tensor : {"beta", "running_mean", "running_var", "dy"}) batch.erase(tensor);
    expect_values(results_of("--op batch_norm --mode training --eps 0", batch), "y", {1e38, -1e38});
}

/// x of three channels, one of whose middle channel's values is another.
Call with_one_bad(const std::string& words, float bad, float other_bad) {
    Call call = generate(parse_request(words));
    const TensorShape shape = call.shape();
    std::vector<float> x = call.floats("x");
    const bool last = words.find("channels_last") != std::string::npos;
    const uint64_t channels = last ? shape.back() : shape[1], pitch = last ? channels : x.size() / shape[0];
    const uint64_t channel = last ? 1 : pitch / channels;
    x[channel + 2 * pitch] = bad;
    x[channel] = other_bad;
    call.inputs["x"] = floats(shape, x, call.dtype_of("x"));
    return call;
}

/// Every way through the kernels: rows, columns, vectors and quads, in one dispatch and in three, masked,
/// with a report, in 16 bits. A tensor of more than one binding has no such promises.
std::vector<std::string> every_path() {
    std::vector<std::string> paths{
        "--shape 7x3x5x9",
        "--shape 9x4x1x128",
        "--shape 40x4x9x16",
        "--shape 12x4",
        "--shape 130x36 --relu recomputed",
        "--shape 700x20",
        "--shape 9x5x7x3 --layout channels_last",
        "--shape 9x16x16x8 --layout channels_last",
        "--shape 7x3x5x9 --with valid",
        "--shape 16x8x5x5 --with valid --layout channels_last",
        "--shape 9x4x1x128 --health on",
        "--shape 33x4x12 --storage bfloat16",
        "--shape 130x36 --storage bfloat16",
        "--shape 7x3x5x9 --per-activation on",
        "--shape 130x12 --momentum-form cumulative",
    };
    std::erase_if(paths, [](const std::string& path) {
        const Call call = generate(parse_request("--op batch_norm --mode training " + path));
        return sizeof(float) * element_count(call.shape()) >
               testing::test_device().capabilities().max_storage_buffer_range;
    });
    return paths;
}

TEST(Range, AnInfinityIsTheMeanOfItsChannelAndTouchesNoOther) {
    for (const std::string& path : every_path()) {
        const std::string words = "--op batch_norm --mode training " + path;
        for (const auto& [bad, other, mean] :
             {std::tuple{infinity, 1.f, infinity}, std::tuple{1.f, -infinity, -infinity},
              std::tuple{infinity, -infinity, nan}, std::tuple{nan, infinity, nan}}) {
            SCOPED_TRACE(words + ": " + std::to_string(bad) + ", " + std::to_string(other));
            const Call call = with_one_bad(words, bad, other);
            const HostTensors results = checked(call, words);
            if (results.empty() || path.find("activation") != std::string::npos || call.has("valid"))
                continue;
            const std::vector<float> means = results.at("mean").floats(),
                                     running = results.at("running_mean").floats();
            expect_values({{"mean", floats({1}, {means[1]})}, {"running_mean", floats({1}, {running[1]})}},
                          "mean", {mean});
            EXPECT_EQ(std::isnan(mean), std::isnan(running[1]));
            EXPECT_TRUE(std::isfinite(means[0]) && std::isfinite(means[2]));
            EXPECT_TRUE(std::isfinite(running[0]) && std::isfinite(running[2]));
        }
    }
}

TEST(Range, AnInfinityOfDyIsInItsSums) {
    for (const std::string& path : every_path()) {
        const std::string words = "--op batch_norm --mode training " + path;
        Call call = with_one_bad(words, 0.5f, 0.25f);
        std::vector<float> dy = call.floats("dy");
        dy[dy.size() / 2] = infinity;
        call.inputs["dy"] = floats(call.shape(), dy, call.dtype_of("dy"));
        (void)checked(call, words);
    }
}

TEST(Range, OverflowIsReportedApartFromWhatIsNotFinite) {
    for (const std::string& path : every_path()) {
        if (path.find("health") != std::string::npos) continue;
        const std::string words = "--op batch_norm --mode training --health on " + path;
        for (const float bad : {1e30f, -3e38f, nan}) {
            const Call call = with_one_bad(words, bad, bad);
            const HostTensors results = checked(call, words);
            if (results.empty() || path.find("activation") != std::string::npos || call.has("valid"))
                continue;
            const std::vector<uint32_t> health = results.at("health").words();
            EXPECT_EQ(health[3], 0u) << words;
            EXPECT_EQ(health[4 + 3], !std::isnan(bad)) << words;
            EXPECT_EQ(health[4 + 2] == ChannelHealth::none, !std::isnan(bad)) << words;
        }
    }
}

TEST(Range, AGuardTakesWholeFiniteBatchesOnly) {
    std::vector<std::string> calls;
    for (const std::string& path : every_path()) calls.push_back("batch_norm --mode training " + path);
    for (const char* more :
         {"batch_norm --mode training --shape 9x4x1x128 --preset onnx",
          "batch_norm_stages --mode training --shape 9x3x5",
          "batch_norm_stages --mode training --shape 9x3x5 --parts 3 --gather accumulate",
          "ghost_batch_norm --mode training --shape 16x3x5 --ghost-size 5",
          "ghost_batch_norm --mode training --shape 16x4 --ghost-size 8 --momentum-form cumulative",
          "instance_norm --mode training --shape 5x3x7",
          "instance_norm --mode training --shape 5x3x7 --preset keras",
          "batch_renorm --mode training --shape 9x3x5",
          "batch_renorm --mode training --shape 64x12 --moving variance"})
        calls.push_back(more);
    for (const std::string& text : calls) {
        std::string words = "--op " + text + " --guard on --without dy";
        const size_t valid = words.find(" --with valid");
        if (valid == std::string::npos)
            words += " --with num_batches_refused";
        else
            words.insert(valid + 7, " num_batches_refused,").erase(valid + 7 + 21, 1);
        for (const float bad : {0.5f, nan, -infinity, 1e30f}) {
            SCOPED_TRACE(words + ": " + std::to_string(bad));
            // Stages have no x at hand when they find out: what they give is NaN.
            if (text.starts_with("batch_norm_stages") && bad != 0.5f && !std::isnan(bad)) continue;
            const Call call = with_one_bad(words, bad, bad);
            const HostTensors results = checked(call, words);
            if (results.empty() || call.has("valid")) continue;
            const int64_t before = call.inputs.at("num_batches_refused").integers().front();
            const bool refused = results.at("num_batches_refused").integers().front() > before;
            // A deviation fits where its square does not.
            const bool deviation =
                text.starts_with("batch_renorm") && text.find("variance") == std::string::npos;
            EXPECT_EQ(refused, bad != 0.5f && !(deviation && std::isfinite(bad)));
            if (!refused || text.starts_with("ghost")) continue;
            for (const auto& [name, tensor] : results) {
                const bool kept = name.starts_with("running_") || name.starts_with("moving_") ||
                                  name == "num_batches_tracked";
                if (kept) {
                    EXPECT_EQ(tensor.bytes, call.inputs.at(name).bytes) << name;
                }
            }
        }
    }
}

}  // namespace
}  // namespace vknorm::check
