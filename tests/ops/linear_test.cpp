// Fully connected layers against float64, in every variant that planning can choose.
//
// Bound: a sum of K products and a bias in float32, in any order, is off by at most (K + 1) u' times the sum
// of the terms' magnitudes, u' = u / (1 - (K + 1) u), u = 2^-24 (Higham, Accuracy and Stability,
// section 3.1).
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>

#include <vknorm/linear.hpp>

#include "ops/gemm.hpp"
#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

struct Sums {
    std::vector<double> values, bounds;

    void add(double sum, double magnitude, size_t terms) {
        const double u = std::ldexp(1.0, -24) * static_cast<double>(terms + 1);
        values.push_back(sum);
        bounds.push_back(u / (1 - u) * magnitude + 1e-37);
    }
};

/// sum over k of left(row, k) * right(k, column), plus bias(column), for every row and column.
template <class Left, class Right, class Bias>
Sums products(size_t rows, size_t columns, size_t inner, Left left, Right right, Bias bias) {
    Sums sums;
    for (size_t row = 0; row < rows; ++row) {
        for (size_t column = 0; column < columns; ++column) {
            double sum = bias(column), magnitude = std::abs(sum);
            for (size_t k = 0; k < inner; ++k) {
                const double term = double{left(row, k)} * double{right(k, column)};
                sum += term;
                magnitude += std::abs(term);
            }
            sums.add(sum, magnitude, inner);
        }
    }
    return sums;
}

const auto no_bias = [](size_t) { return 0.0; };

struct Problem {
    uint32_t rows, inputs, outputs;
    std::vector<float> x, weight, bias, dy;

    Problem(std::mt19937_64& random, uint32_t r, uint32_t i, uint32_t o)
        : rows(r),
          inputs(i),
          outputs(o),
          x(random_floats(random, size_t{r} * i)),
          weight(random_floats(random, size_t{o} * i)),
          bias(random_floats(random, o)),
          dy(random_floats(random, size_t{r} * o)) {}
};

struct Results {
    std::vector<float> y, dx, dweight, dbias;

    bool operator==(const Results&) const = default;
};

/// What `record` makes of the problem.
template <class Record>
Results results_of(const Problem& problem, Record record) {
    const auto output = [](size_t floats, const char* name) { return GuardedBuffer(4 * floats, name, true); };
    const auto input = [](const std::vector<float>& data) { return GuardedBuffer(data, "input", true); };
    const GuardedBuffer x = input(problem.x), weight = input(problem.weight), bias = input(problem.bias),
                        dy = input(problem.dy);
    const GuardedBuffer y = output(problem.dy.size(), "y"), dx = output(problem.x.size(), "dx"),
                        dweight = output(problem.weight.size(), "dweight"),
                        dbias = output(problem.bias.size(), "dbias");
    Stream stream(test_device());
    record(
        stream.record(), Linear::Forward{.x = x, .weight = weight, .bias = bias, .y = y},
        Linear::Backward{.x = x, .dy = dy, .weight = weight, .dx = dx, .dweight = dweight, .dbias = dbias});
    stream.wait(stream.submit());
    return {y.download(), dx.download(), dweight.download(), dbias.download()};
}

Linear plan(const Problem& problem) {
    return {test_device(), {.rows = problem.rows, .inputs = problem.inputs, .outputs = problem.outputs}};
}

Results run(const Problem& problem) {
    const Linear linear = plan(problem);
    return results_of(problem, [&](Recorder& recorder, const auto& forward, const auto& backward) {
        linear.forward(recorder, forward);
        linear.backward(recorder, backward);
    });
}

/// The same, as the products that it is, for a device that can do less.
Results run(const Problem& problem, const Capabilities& capabilities) {
    using detail::Gemm, detail::GemmBias;
    const auto [rows, inputs, outputs] = std::array{problem.rows, problem.inputs, problem.outputs};
    const Gemm y(
        capabilities,
        {.rows = rows, .columns = outputs, .inner = inputs, .b_transposed = true, .bias = GemmBias::add});
    const Gemm dx(capabilities, {.rows = rows, .columns = inputs, .inner = outputs});
    const Gemm dweight(
        capabilities,
        {.rows = outputs, .columns = inputs, .inner = rows, .a_transposed = true, .bias = GemmBias::sum_a});
    return results_of(problem, [&](Recorder& recorder, const auto& forward, const auto& backward) {
        y.multiply(recorder, forward.x, forward.weight, forward.bias, forward.y);
        dx.multiply(recorder, backward.dy, backward.weight, {}, backward.dx);
        dweight.multiply(recorder, backward.dy, backward.x, backward.dbias, backward.dweight);
    });
}

void check(const Problem& p, const Results& results) {
    const auto x = [&](size_t row, size_t i) { return p.x[row * p.inputs + i]; };
    const auto weight = [&](size_t o, size_t i) { return p.weight[o * p.inputs + i]; };
    const auto dy = [&](size_t row, size_t o) { return p.dy[row * p.outputs + o]; };
    const auto near = [](const char* name, const std::vector<float>& got, const Sums& sums) {
        expect_near(name, got, sums.values, sums.bounds);
    };
    near("linear y", results.y,
         products(
             p.rows, p.outputs, p.inputs, x, [&](size_t i, size_t o) { return weight(o, i); },
             [&](size_t o) { return double{p.bias[o]}; }));
    near("linear dx", results.dx, products(p.rows, p.inputs, p.outputs, dy, weight, no_bias));
    near("linear dweight", results.dweight,
         products(
             p.outputs, p.inputs, p.rows, [&](size_t o, size_t row) { return dy(row, o); }, x, no_bias));
    near("linear dbias", results.dbias,
         products(
             p.outputs, 1, p.rows, [&](size_t o, size_t row) { return dy(row, o); },
             [](size_t, size_t) { return 1.f; }, no_bias));
}

bool fits(const Problem& problem) {
    return 4 * std::max({problem.x.size(), problem.weight.size(), problem.dy.size()}) <=
           test_device().capabilities().max_storage_buffer_range;
}

TEST(Linear, IsWithinTheBoundForEverySize) {
    std::mt19937_64 random = random_generator();
    constexpr uint32_t sizes[] = {1, 2, 3, 13, 31, 33, 100, 257};
    std::vector<std::array<uint32_t, 3>> shapes = {{4, 4, 4},     {32, 2, 48},    {32, 48, 2},
                                                   {7, 12, 36},   {13, 100, 100}, {33, 64, 132},
                                                   {100, 48, 10}, {66, 260, 28}};
    for (const uint32_t rows : sizes)
        shapes.push_back({rows, sizes[random() % std::size(sizes)], sizes[random() % std::size(sizes)]});
    for (const uint32_t inputs : sizes)
        shapes.push_back({sizes[random() % std::size(sizes)], inputs, sizes[random() % std::size(sizes)]});

    for (const auto& [rows, inputs, outputs] : shapes) {
        SCOPED_TRACE(::testing::Message() << rows << " x " << inputs << " -> " << outputs);
        const Problem problem(random, rows, inputs, outputs);
        if (!fits(problem)) {
            EXPECT_THROW(plan(problem), Unsupported);
            continue;
        }
        check(problem, run(problem));
    }
}

TEST(Linear, DoesNotDependOnTheNumberOfWorkgroupsOrTheKernel) {
    std::mt19937_64 random = random_generator();
    for (const auto& [rows, inputs, outputs] :
         {std::array{33u, 100u, 132u}, std::array{57u, 13u, 257u}, std::array{500u, 31u, 32u}}) {
        SCOPED_TRACE(::testing::Message() << rows << " x " << inputs << " -> " << outputs);
        const Problem problem(random, rows, inputs, outputs);
        if (!fits(problem)) continue;
        Capabilities capabilities = test_device().capabilities();
        const Results results = run(problem);
        check(problem, results);
        EXPECT_TRUE(run(problem) == results) << "second run";
        capabilities.max_workgroups = 2;
        EXPECT_TRUE(run(problem, capabilities) == results) << "two workgroups";
        capabilities.cpu = false;
        const Results on_gpu = run(problem, capabilities);
        check(problem, on_gpu);  // dbias, too, which the kernel that reads texels sums in an order of its own
        EXPECT_TRUE(on_gpu.y == results.y && on_gpu.dx == results.dx && on_gpu.dweight == results.dweight)
            << "the kernel of GPUs";
    }
}

// Sums so long that two workgroups can only take a few tiles each: several dispatches.
TEST(Linear, SplitsWhatTakesTooLongForOneDispatch) {
    std::mt19937_64 random = random_generator();
    const Problem problem(random, 1, 16000, 1);
    Problem wide(random, 16000, 1, 1);
    Capabilities capabilities = test_device().capabilities();
    capabilities.max_workgroups = 2;
    check(problem, run(problem, capabilities));
    check(wide, run(wide, capabilities));
}

// Drivers that end long loops without a word do not end these, whichever kernel it is.
TEST(Linear, AddsAllTermsOfTheLongestSums) {
    std::mt19937_64 random = random_generator();
    Capabilities bare = test_device().capabilities();
    bare.subgroup_size = 0;
    constexpr uint32_t longest = Linear::max_size;
    for (const auto& [rows, inputs, outputs] : {std::array{1u, longest, 4u}, std::array{1u, longest - 1, 1u},
                                                std::array{longest, 4u, 1u}, std::array{1u, 1u, longest}}) {
        SCOPED_TRACE(::testing::Message() << rows << " x " << inputs << " -> " << outputs);
        const Problem problem(random, rows, inputs, outputs);
        if (!fits(problem)) continue;
        check(problem, run(problem));
        check(problem, run(problem, bare));
    }
}

TEST(Linear, RefusesLongerSums) {
    EXPECT_EQ(refusal([] { Linear(test_device(), {.inputs = 65001}); }),
              "linear: inputs: got 65001, needs at most 65000");
    EXPECT_EQ(refusal([] { Linear(test_device(), {.rows = 70000}); }),
              "linear: rows: got 70000, needs at most 65000");
    EXPECT_EQ(refusal([] { Linear(test_device(), {.outputs = 80000}); }),
              "linear: outputs: got 80000, needs at most 65000");
}

// A NaN reaches what it should and nothing else.
TEST(Linear, KeepsNanInItsRow) {
    std::mt19937_64 random = random_generator();
    Problem problem(random, 13, 36, 20);
    problem.x[5 * problem.inputs + 7] = std::nanf("");
    const Results results = run(problem);
    for (size_t i = 0; i < results.y.size(); ++i)
        EXPECT_EQ(std::isnan(results.y[i]), i / problem.outputs == 5) << i;
    for (size_t i = 0; i < results.dweight.size(); ++i)
        EXPECT_EQ(std::isnan(results.dweight[i]), i % problem.inputs == 7) << i;
}

TEST(Linear, ComputesOnlyWhatIsWanted) {
    std::mt19937_64 random = random_generator();
    const Problem problem(random, 9, 13, 20);
    const Results all = run(problem);
    const auto some = [&](const std::function<void(Linear::Backward&)>& leave_out) {
        const Linear linear = plan(problem);
        return results_of(problem, [&](Recorder& recorder, const auto&, Linear::Backward backward) {
            leave_out(backward);
            linear.backward(recorder, backward);
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

TEST(Linear, WithoutBiasAddsNone) {
    std::mt19937_64 random = random_generator();
    for (const auto& [rows, inputs, outputs] : {std::array{9u, 13u, 21u}, std::array{32u, 48u, 16u}}) {
        Problem problem(random, rows, inputs, outputs);
        const Linear linear(test_device(),
                            {.rows = rows, .inputs = inputs, .outputs = outputs, .bias = false});
        const Results without = results_of(problem, [&](Recorder& recorder, auto forward, auto backward) {
            forward.bias = backward.dbias = {};
            linear.forward(recorder, forward);
            linear.backward(recorder, backward);
        });
        problem.bias.assign(outputs, 0);
        const Results zero = run(problem);
        EXPECT_EQ(without.y, zero.y);
        EXPECT_EQ(without.dx, zero.dx);
        EXPECT_EQ(without.dweight, zero.dweight);
    }
}

TEST(Linear, Arguments) {
    EXPECT_EQ(refusal([] { Linear(test_device(), {.rows = 0}); }), "linear: rows: got 0, needs at least 1");

    const Buffer all(test_device(), 4096, "all");
    const LinearOptions options{.rows = 2, .inputs = 3, .outputs = 5};
    const auto view = [&](int place, uint32_t floats) { return all.view(256 * place, 4 * floats); };
    const auto forward = [&](const std::function<void(Linear::Forward&)>& change, bool bias = true) {
        Linear::Forward arguments{
            .x = view(0, 6), .weight = view(1, 15), .bias = view(2, 5), .y = view(3, 10)};
        change(arguments);
        LinearOptions of_plan = options;
        of_plan.bias = bias;
        const Linear linear(test_device(), of_plan);
        return refusal(all, [&](Recorder& recorder) { linear.forward(recorder, arguments); });
    };
    EXPECT_EQ(forward([](auto&) {}), "no error");
    EXPECT_EQ(forward([](auto& a) { a.bias = {}; }), "linear.forward: bias: got no buffer, needs 20 bytes");
    EXPECT_EQ(forward([](auto& a) { a.bias = {}; }, false), "no error");
    EXPECT_EQ(forward([](auto&) {}, false),
              "linear.forward: bias: got a buffer, needs none: options.bias is false");
    EXPECT_EQ(forward([](auto& a) { a.weight.bytes = 56; }),
              "linear.forward: weight: got 56 bytes, needs 60");
    EXPECT_EQ(forward([](auto& a) { a.weight.offset = 264; }),
              "linear.forward: weight: got offset 264, needs a multiple of 256");
    EXPECT_EQ(forward([](auto& a) {
                  a.y = {a.x.buffer, 0, 40};
              }),
              "linear.forward: y: got memory that overlaps x, needs memory of its own");

    const auto backward = [&](const std::function<void(Linear::Backward&)>& change, bool bias = true) {
        Linear::Backward arguments{.x = view(0, 6),
                                   .dy = view(1, 10),
                                   .weight = view(2, 15),
                                   .dx = view(3, 6),
                                   .dweight = view(4, 15),
                                   .dbias = view(5, 5)};
        change(arguments);
        LinearOptions of_plan = options;
        of_plan.bias = bias;
        const Linear linear(test_device(), of_plan);
        return refusal(all, [&](Recorder& recorder) { linear.backward(recorder, arguments); });
    };
    EXPECT_EQ(backward([](auto&) {}), "no error");
    EXPECT_EQ(backward([](auto& a) { a.dx = a.dweight = a.dbias = {}; }), "no error");
    EXPECT_EQ(backward([](auto& a) { a.x = {}; }), "linear.backward: x: got no buffer, needs 24 bytes");
    EXPECT_EQ(backward([](auto& a) { a.weight = {}; }),
              "linear.backward: weight: got no buffer, needs 60 bytes");
    EXPECT_EQ(backward([](auto& a) { a.dweight = {}; }),
              "linear.backward: dweight: got no buffer, needs one together with dbias");
    EXPECT_EQ(backward([](auto&) {}, false),
              "linear.backward: dbias: got a buffer, needs none: options.bias is false");
    EXPECT_EQ(backward([](auto& a) {
                  a.dx = {a.dy.buffer, a.dy.offset, 24};
              }),
              "linear.backward: dx: got memory that overlaps dy, needs memory of its own");
}

}  // namespace
}  // namespace vknorm::testing
