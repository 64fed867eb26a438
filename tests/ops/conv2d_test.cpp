// Convolutions against float64, in every variant that planning can choose.
#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <set>

#include <vknorm/conv2d.hpp>

#include "reference/convolution.hpp"
#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

struct Problem : reference::ConvolutionData {
    Conv2dOptions options;

    Problem(std::mt19937_64& random, const Conv2dOptions& o)
        : ConvolutionData{.x = random_floats(random, size_t{o.images} * o.in_channels * o.height * o.width),
                          .weight = random_floats(
                              random, size_t{o.out_channels} * o.in_channels * o.kernel * o.kernel),
                          .bias = random_floats(random, o.out_channels),
                          .dy = random_floats(random, size_t{o.images} * o.out_channels * o.output_height() *
                                                          o.output_width())},
          options(o) {}
};

struct Results {
    std::vector<float> y, dx, dweight, dbias;

    bool operator==(const Results&) const = default;
};

/// What `record` makes of the problem.
template <class Record>
Results results_of(const Problem& problem, const Conv2d& conv2d, Record record) {
    const auto output = [](size_t floats, const char* name) { return GuardedBuffer(4 * floats, name, true); };
    const auto input = [](const std::vector<float>& data) { return GuardedBuffer(data, "input", true); };
    const GuardedBuffer x = input(problem.x), weight = input(problem.weight), bias = input(problem.bias),
                        dy = input(problem.dy);
    const GuardedBuffer y = output(problem.dy.size(), "y"), dx = output(problem.x.size(), "dx"),
                        dweight = output(problem.weight.size(), "dweight"),
                        dbias = output(problem.bias.size(), "dbias"),
                        scratch(conv2d.scratch_bytes(), "scratch", true);
    run([&](Recorder& recorder) {
        record(recorder, Conv2d::Forward{.x = x, .weight = weight, .bias = bias, .y = y, .scratch = scratch},
               Conv2d::Backward{.x = x,
                                .dy = dy,
                                .weight = weight,
                                .dx = dx,
                                .dweight = dweight,
                                .dbias = dbias,
                                .scratch = scratch});
    });
    return {y.download(), dx.download(), dweight.download(), dbias.download()};
}

Results run(const Problem& problem) {
    const Conv2d conv2d(test_device(), problem.options);
    return results_of(problem, conv2d, [&](Recorder& recorder, const auto& forward, const auto& backward) {
        conv2d.forward(recorder, forward);
        conv2d.backward(recorder, backward);
    });
}

/// On a device of its own, which can do less.
Results run(const Problem& problem, const std::function<void(Capabilities&)>& clamp) {
    DeviceOptions options = test_device_options();
    options.clamp = [&, usual = options.clamp](Capabilities& capabilities) {
        usual(capabilities);
        clamp(capabilities);
    };
    Device device(options);
    const Conv2d conv2d(device, problem.options);
    Stream stream(device);
    const auto buffer = [&](size_t floats) { return Buffer(device, 4 * floats, "tensor"); };
    const auto input = [&](const std::vector<float>& data) {
        Buffer filled = buffer(data.size());
        stream.upload(filled, data);
        return filled;
    };
    const Buffer x = input(problem.x), weight = input(problem.weight), bias = input(problem.bias),
                 dy = input(problem.dy), y = buffer(problem.dy.size()), dx = buffer(problem.x.size()),
                 dweight = buffer(problem.weight.size()), dbias = buffer(problem.bias.size()),
                 scratch(device, conv2d.scratch_bytes(), "scratch");
    conv2d.forward(stream.record(), {.x = x, .weight = weight, .bias = bias, .y = y, .scratch = scratch});
    conv2d.backward(stream.record(), {.x = x,
                                      .dy = dy,
                                      .weight = weight,
                                      .dx = dx,
                                      .dweight = dweight,
                                      .dbias = dbias,
                                      .scratch = scratch});
    const auto values = [&](const Buffer& tensor) { return stream.download<float>(tensor); };
    return {values(y), values(dx), values(dweight), values(dbias)};
}

void check(const Problem& problem, const Results& results) {
    const Expectations expected = reference::expected_convolution(problem.options, problem);
    expect_near("conv2d y", results.y, expected.at("y"));
    expect_near("conv2d dx", results.dx, expected.at("dx"));
    expect_near("conv2d dweight", results.dweight, expected.at("dweight"));
    expect_near("conv2d dbias", results.dbias, expected.at("dbias"));
}

std::string text_of(const Conv2dOptions& o) {
    const auto number = [](uint32_t value) { return std::to_string(value) + " "; };
    return number(o.images) + "x " + number(o.in_channels) + "x " + number(o.height) + "x " +
           number(o.width) + "to " + number(o.out_channels) + "kernel " + number(o.kernel) + "stride " +
           number(o.stride) + "padding " + number(o.padding) + "dilation " + number(o.dilation);
}

Conv2dOptions shape(uint32_t images, uint32_t in, uint32_t out, uint32_t height, uint32_t width,
                    uint32_t kernel, uint32_t stride = 1, uint32_t padding = 0, uint32_t dilation = 1) {
    return {.images = images,
            .in_channels = in,
            .out_channels = out,
            .height = height,
            .width = width,
            .kernel = kernel,
            .stride = stride,
            .padding = padding,
            .dilation = dilation};
}

TEST(Conv2d, IsWithinTheBoundForEveryShape) {
    std::mt19937_64 random = random_generator();
    std::vector<Conv2dOptions> shapes = {
        shape(1, 1, 1, 1, 1, 1),           shape(1, 1, 1, 3, 3, 3),
        shape(2, 3, 5, 7, 9, 3, 1, 1),     shape(2, 4, 16, 8, 8, 3, 1, 1),
        shape(1, 13, 17, 5, 11, 3, 2, 1),  shape(3, 3, 8, 9, 7, 5, 2, 2),
        shape(1, 3, 4, 13, 15, 7, 2, 3),   shape(5, 13, 3, 7, 7, 1),
        shape(4, 8, 12, 9, 9, 1, 2),        // three of four dx are 0
        shape(2, 5, 6, 8, 10, 3, 3, 2, 2),  // stride and dilation have no common factor
        shape(2, 5, 6, 8, 10, 3, 2, 2, 2),  // stride and dilation are the same
        shape(1, 2, 3, 12, 5, 3, 4, 0, 1),  // positions that nothing meets
        shape(1, 2, 3, 4, 4, 1, 1, 3),      // outputs that meet nothing
        shape(2, 2, 3, 4, 6, 3, 1, 3),      // padding beyond the kernel
        shape(1, 3, 2, 6, 6, 3, 7, 1),      // a stride beyond the image
        shape(8, 16, 16, 7, 7, 3, 1, 1),    // images fill vectors better than rows do
        shape(3, 1, 33, 16, 20, 3, 1, 1),   // parts of dweight
        shape(2, 37, 1, 6, 8, 3, 1, 1),
    };
    const auto one_of = [&](std::initializer_list<uint32_t> values) {
        return values.begin()[random() % values.size()];
    };
    for (int i = 0; i < 16; ++i)
        shapes.push_back(shape(one_of({1, 2, 5}), one_of({1, 3, 4, 13}), one_of({1, 3, 8, 13}),
                               one_of({7, 9, 12}), one_of({7, 8, 11}), one_of({1, 3, 5}), one_of({1, 2, 3}),
                               one_of({0, 1, 2, 3}), one_of({1, 1, 2})));
    for (const Conv2dOptions& options : shapes) {
        SCOPED_TRACE(text_of(options));
        if (options.output_height() == 0 || options.output_width() == 0) continue;  // of the random ones
        const Problem problem(random, options);
        try {
            check(problem, run(problem));
        } catch (const Unsupported&) {  // the largest, under small limits
            EXPECT_LT(test_device().capabilities().max_storage_buffer_range, VkDeviceSize{1} << 17);
        }
    }
}

TEST(Conv2d, DoesNotDependOnTheNumberOfWorkgroupsOrTheKernel) {
    std::mt19937_64 random = random_generator();
    for (const Conv2dOptions& options : {shape(3, 5, 18, 9, 11, 3, 1, 1), shape(2, 12, 20, 8, 8, 3, 2, 1)}) {
        SCOPED_TRACE(text_of(options));
        const Problem problem(random, options);
        const Results results = run(problem);
        EXPECT_TRUE(run(problem) == results) << "second run";
        EXPECT_TRUE(run(problem, [](Capabilities& c) { c.max_workgroups = 2; }) == results)
            << "two workgroups";
        const auto compare = [&](const char* kernel, const std::function<void(Capabilities&)>& clamp) {
            const Results other = run(problem, clamp);
            check(problem,
                  other);  // dbias, too, which the kernel that reads texels sums in an order of its own
            EXPECT_TRUE(other.y == results.y && other.dx == results.dx && other.dweight == results.dweight)
                << kernel;
        };
        compare("without texels", [](Capabilities& c) { c.texel_blocks = false; });
        compare("the kernel of GPUs", [](Capabilities& c) { c.cpu = false; });
    }
}

// Drivers that end long loops without a word do not end these, whichever kernel it is.
TEST(Conv2d, AddsAllTermsOfTheLongestSums) {
    if (mode().small_limits) GTEST_SKIP() << "no binding holds them";
    std::mt19937_64 random = random_generator();
    constexpr uint32_t most = Conv2d::max_terms;
    for (const Conv2dOptions& options :
         {shape(1, most, 1, 1, 1, 1), shape(1, 1, most, 1, 1, 1), shape(1, most / 9 / 8 * 8, 2, 3, 4, 3),
          shape(1, 1, 1, 1, Conv2d::max_size, 1), shape(Conv2d::max_size, 1, 1, 1, 1, 1),
          shape(2, 1, 1, 300, 301, 3)}) {
        SCOPED_TRACE(text_of(options));
        const Problem problem(random, options);
        check(problem, run(problem));
    }
}

// A NaN reaches what it should and nothing else.
TEST(Conv2d, KeepsNanWhereItsKernelReaches) {
    std::mt19937_64 random = random_generator();
    Problem problem(random, shape(2, 3, 5, 6, 7, 3, 1, 1));
    constexpr size_t place = 1 * 3 * 42 + 2 * 42 + 4 * 7 + 3;
    problem.x[place] = std::nanf("");
    std::set<size_t> met, weights;
    reference::for_each_product(problem.options, [&](size_t y, size_t weight, size_t x) {
        if (x != place) return;
        met.insert(y);
        weights.insert(weight);
    });
    const Results results = run(problem);
    for (size_t i = 0; i < results.y.size(); ++i) EXPECT_EQ(std::isnan(results.y[i]), met.contains(i)) << i;
    for (size_t i = 0; i < results.dweight.size(); ++i)
        EXPECT_EQ(std::isnan(results.dweight[i]), weights.contains(i)) << i;
    EXPECT_TRUE(std::none_of(results.dx.begin(), results.dx.end(), [](float v) { return std::isnan(v); }));
}

TEST(Conv2d, ComputesOnlyWhatIsWanted) {
    std::mt19937_64 random = random_generator();
    const Problem problem(random, shape(2, 3, 5, 6, 7, 3, 2, 1));
    const Results all = run(problem);
    const auto some = [&](const std::function<void(Conv2d::Backward&)>& leave_out) {
        const Conv2d conv2d(test_device(), problem.options);
        return results_of(problem, conv2d, [&](Recorder& recorder, const auto&, Conv2d::Backward backward) {
            leave_out(backward);
            conv2d.backward(recorder, backward);
        });
    };
    const auto untouched = [](const std::vector<float>& values) {
        return std::all_of(values.begin(), values.end(), [](float value) { return std::isnan(value); });
    };
    const Results dx = some([](auto& a) { a.x = a.dweight = a.dbias = {}; });
    EXPECT_EQ(dx.dx, all.dx);
    EXPECT_TRUE(untouched(dx.dweight) && untouched(dx.dbias));
    const Results dweight = some([](auto& a) { a.weight = a.dx = a.dbias = {}; });
    EXPECT_EQ(dweight.dweight, all.dweight);
    EXPECT_TRUE(untouched(dweight.dx) && untouched(dweight.dbias));
    const Results parameters = some([](auto& a) { a.weight = a.dx = {}; });
    EXPECT_EQ(parameters.dweight, all.dweight);
    EXPECT_EQ(parameters.dbias, all.dbias);
    EXPECT_TRUE(untouched(parameters.dx));
}

TEST(Conv2d, WithoutBiasAddsNone) {
    std::mt19937_64 random = random_generator();
    Problem problem(random, shape(2, 3, 5, 6, 7, 3, 1, 1));
    Conv2dOptions options = problem.options;
    options.bias = false;
    const Conv2d conv2d(test_device(), options);
    const Results without = results_of(problem, conv2d, [&](Recorder& recorder, auto forward, auto backward) {
        forward.bias = backward.dbias = {};
        conv2d.forward(recorder, forward);
        conv2d.backward(recorder, backward);
    });
    problem.bias.assign(problem.bias.size(), 0);
    const Results zero = run(problem);
    EXPECT_EQ(without.y, zero.y);
    EXPECT_EQ(without.dx, zero.dx);
    EXPECT_EQ(without.dweight, zero.dweight);
}

TEST(Conv2d, Options) {
    const auto refused = [](const Conv2dOptions& options) {
        return refusal([&] { Conv2d(test_device(), options); });
    };
    EXPECT_EQ(refused({.images = 0}), "conv2d: images: got 0, needs at least 1");
    EXPECT_EQ(refused({.in_channels = 0}), "conv2d: in_channels: got 0, needs at least 1");
    EXPECT_EQ(refused({.out_channels = 0}), "conv2d: out_channels: got 0, needs at least 1");
    EXPECT_EQ(refused({.height = 0}), "conv2d: height: got 0, needs at least 1");
    EXPECT_EQ(refused({.width = 70000}), "conv2d: width: got 70000, needs at most 65000");
    EXPECT_EQ(refused({.kernel = 0}), "conv2d: kernel: got 0, needs at least 1");
    EXPECT_EQ(refused({.kernel = 1, .stride = 0}), "conv2d: stride: got 0, needs at least 1");
    EXPECT_EQ(refused({.kernel = 1, .dilation = 0}), "conv2d: dilation: got 0, needs at least 1");
    EXPECT_EQ(refused({.padding = 65001}), "conv2d: padding: got 65001, needs at most 65000");
    EXPECT_EQ(refused({.height = 5, .width = 2, .kernel = 3}),
              "conv2d: kernel: got 3, needs one that fits into 5 x 2 with its padding");
    EXPECT_EQ(refused({.height = 5, .width = 2, .kernel = 3, .padding = 1, .dilation = 2}),
              "conv2d: kernel: got 3, needs one that fits into 5 x 2 with its padding");
    EXPECT_EQ(refused({.kernel = 1, .padding = 40000}),
              "conv2d: padding: got 40000, needs one with outputs of at most 65000");
    EXPECT_EQ(refused({.in_channels = 5560, .height = 3, .width = 3}),
              "conv2d: in_channels: got 5560, needs at most 5552");
    EXPECT_EQ(refused({.out_channels = 5560, .height = 3, .width = 3}),
              "conv2d: out_channels: got 5560, needs at most 5552");
    const auto unsupported = [](const Conv2dOptions& options) -> std::string {
        try {
            Conv2d(test_device(), options);
        } catch (const Unsupported& error) {
            return error.what();
        }
        return "no error";
    };
    const auto begins = [&](const Conv2dOptions& options, const std::string& text) {
        const std::string message = unsupported(options);
        EXPECT_EQ(message.substr(0, text.size()), text);
    };
    begins({.images = 65000, .in_channels = 5000, .height = 65000, .width = 65000, .kernel = 1},
           "conv2d: x: got ");
    begins({.kernel = 1, .padding = 30000}, "conv2d: y: got ");
    begins({.kernel = 1, .stride = 65000, .padding = 64999}, "conv2d: padded x: got ");
}

TEST(Conv2d, SizesOfOutputs) {
    const auto sizes = [](const Conv2dOptions& o) { return std::pair(o.output_height(), o.output_width()); };
    EXPECT_EQ(sizes(shape(1, 1, 1, 32, 28, 3, 1, 1)), std::pair(32u, 28u));
    EXPECT_EQ(sizes(shape(1, 1, 1, 28, 7, 3, 2, 1)), std::pair(14u, 4u));
    EXPECT_EQ(sizes(shape(1, 1, 1, 224, 224, 7, 2, 3)), std::pair(112u, 112u));
    EXPECT_EQ(sizes(shape(1, 1, 1, 10, 6, 3, 1, 0, 2)), std::pair(6u, 2u));
    EXPECT_EQ(sizes(shape(1, 1, 1, 2, 8, 3)), std::pair(0u, 6u));
}

TEST(Conv2d, Arguments) {
    const Conv2dOptions options = shape(1, 2, 3, 3, 4, 3, 1, 1);
    const Buffer all(test_device(), 16384, "all");
    const auto view = [&](int place, uint32_t floats) { return all.view(512 * place, 4 * floats); };
    const BufferView scratch = all.view(8192, 8192);
    const auto forward = [&](const std::function<void(Conv2d::Forward&)>& change, bool bias = true) {
        Conv2d::Forward arguments{.x = view(0, 24),
                                  .weight = view(1, 54),
                                  .bias = view(2, 3),
                                  .y = view(3, 36),
                                  .scratch = scratch};
        change(arguments);
        Conv2dOptions of_plan = options;
        of_plan.bias = bias;
        const Conv2d conv2d(test_device(), of_plan);
        return refusal(all, [&](Recorder& recorder) { conv2d.forward(recorder, arguments); });
    };
    EXPECT_EQ(forward([](auto&) {}), "no error");
    EXPECT_EQ(forward([](auto& a) { a.x = {}; }), "conv2d.forward: x: got no buffer, needs 96 bytes");
    EXPECT_EQ(forward([](auto& a) { a.bias = {}; }), "conv2d.forward: bias: got no buffer, needs 12 bytes");
    EXPECT_EQ(forward([](auto& a) { a.bias = {}; }, false), "no error");
    EXPECT_EQ(forward([](auto&) {}, false),
              "conv2d.forward: bias: got a buffer, needs none: options.bias is false");
    EXPECT_EQ(forward([](auto& a) { a.weight.bytes = 212; }),
              "conv2d.forward: weight: got 212 bytes, needs 216");
    EXPECT_EQ(forward([](auto& a) { a.weight.offset += 8; }),
              "conv2d.forward: weight: got offset 520, needs a multiple of 256");
    EXPECT_EQ(forward([](auto& a) {
                  a.y = {a.x.buffer, 0, 144};
              }),
              "conv2d.forward: y: got memory that overlaps x, needs memory of its own");
    const std::string needed = std::to_string(Conv2d(test_device(), options).scratch_bytes());
    EXPECT_EQ(forward([](auto& a) { a.scratch.bytes = 256; }),
              "conv2d.forward: scratch: got 256 bytes, needs " + needed);

    const auto backward = [&](const std::function<void(Conv2d::Backward&)>& change, bool bias = true) {
        Conv2d::Backward arguments{.x = view(0, 24),
                                   .dy = view(1, 36),
                                   .weight = view(2, 54),
                                   .dx = view(3, 24),
                                   .dweight = view(4, 54),
                                   .dbias = view(5, 3),
                                   .scratch = scratch};
        change(arguments);
        Conv2dOptions of_plan = options;
        of_plan.bias = bias;
        const Conv2d conv2d(test_device(), of_plan);
        return refusal(all, [&](Recorder& recorder) { conv2d.backward(recorder, arguments); });
    };
    EXPECT_EQ(backward([](auto&) {}), "no error");
    EXPECT_EQ(backward([](auto& a) { a.dx = a.dweight = a.dbias = {}; }), "no error");
    EXPECT_EQ(backward([](auto& a) { a.x = {}; }), "conv2d.backward: x: got no buffer, needs 96 bytes");
    EXPECT_EQ(backward([](auto& a) { a.dy = {}; }), "conv2d.backward: dy: got no buffer, needs 144 bytes");
    EXPECT_EQ(backward([](auto& a) { a.weight = {}; }),
              "conv2d.backward: weight: got no buffer, needs 216 bytes");
    EXPECT_EQ(backward([](auto& a) { a.dweight = {}; }),
              "conv2d.backward: dweight: got no buffer, needs one together with dbias");
    EXPECT_EQ(backward([](auto&) {}, false),
              "conv2d.backward: dbias: got a buffer, needs none: options.bias is false");
    EXPECT_EQ(backward([](auto& a) {
                  a.dx = {a.dy.buffer, a.dy.offset, 96};
              }),
              "conv2d.backward: dx: got memory that overlaps dy, needs memory of its own");
    EXPECT_EQ(backward([](auto& a) { a.scratch = {}; }),
              "conv2d.backward: scratch: got no buffer, needs " + needed + " bytes");
}

}  // namespace
}  // namespace vknorm::testing
