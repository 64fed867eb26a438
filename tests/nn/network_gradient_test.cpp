// A training step against the float64 trainer: gradients, statistics, and the first steps of whole runs.
//
// Bounds are those of reference/bounded_run.hpp.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "nn/graphs.hpp"
#include "nn/network_problem.hpp"
#include "reference/bounded_run.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

using namespace reference;

const double u = unit_roundoff;

/// Largest strays, times four, over runs with errors.
struct StepBounds {
    std::map<std::string, double> gradient;
    double loss = 0, gradient_norm = 0;
};

StepBounds bounds_of(const NetworkReference& exact, const Labelled& batch, const StepOptions& options,
                     const Step& expected) {
    StepBounds bounds;
    const auto widen = [](double& bound, double stray) { bound = std::max(bound, safety * stray); };
    for (int run = 0; run < noisy_runs; ++run) {
        NetworkReference noisy = exact;
        noisy.make_errors(u, run);
        const Step step = noisy.measure(batch, options);
        widen(bounds.loss, std::abs(step.loss - expected.loss));
        widen(bounds.gradient_norm, std::abs(step.gradient_norm - expected.gradient_norm));
        for (const auto& [name, values] : step.gradient)
            widen(bounds.gradient[name], largest_difference(values, expected.gradient.at(name)));
    }
    // What remains are roundings of sums of like signs.
    bounds.loss += 8 * u * expected.loss;
    bounds.gradient_norm += 8 * u * expected.gradient_norm;
    return bounds;
}

void set_random_affine(std::mt19937_64& random, Network& network) {
    for (const std::string& name : network.tensor_names()) {
        if (name.find("norm") == std::string::npos || name.ends_with("tracked")) continue;
        const bool positive = name.ends_with("weight") || name.ends_with("var");
        const size_t count = network.tensor(name).size();
        network.set_tensor(name,
                           random_floats(random, count, positive ? 0.5f : -0.5f, positive ? 1.5f : 0.5f));
    }
}

// A step of SGD at rate 1 moves every parameter by its gradient, but for a rounding of the parameter.
void check_gradients(std::mt19937_64& random, Network& network, size_t rows, Statistics statistics) {
    const NetworkOptions& options = network.options();
    set_random_affine(random, network);
    network.set_statistics(statistics);
    network.set_optimizer(Sgd{.learning_rate = 1});
    const Labelled batch = random_batch(random, options, rows);
    const StepOptions step_options{.sgd = {.learning_rate = 1},
                                   .statistics = statistics,
                                   .renorm = options.renorm(1),
                                   .seed = options.seed,
                                   .step = 1,
                                   .label_smoothing = options.label_smoothing,
                                   .class_weights = options.class_weights};
    NetworkReference reference(network.graph(), options.batch_norm, tensors_of(network));
    const Step expected = reference.measure(batch, step_options);
    const StepBounds bounds = bounds_of(reference, batch, step_options, expected);

    const StepResult result = network.result(network.train_step(batch.inputs, batch.labels));
    EXPECT_FLOAT_EQ(result.accuracy, static_cast<float>(expected.accuracy));
    expect_near("network loss", std::vector{result.loss}, std::vector{expected.loss}, bounds.loss);
    expect_near("network gradient norm", std::vector{result.gradient_norm},
                std::vector{expected.gradient_norm}, bounds.gradient_norm);
    const Tensors after = tensors_of(network);
    for (const auto& [name, gradient] : expected.gradient) {
        const Values& before = reference.tensors.at(name);
        std::vector<float> got;
        Values tolerances;
        for (size_t i = 0; i < gradient.size(); ++i) {
            got.push_back(static_cast<float>(before[i] - after.at(name)[i]));
            tolerances.push_back(bounds.gradient.at(name) +
                                 2 * u * (std::abs(before[i]) + std::abs(gradient[i])));
        }
        expect_near("network gradient", got, gradient, tolerances);
    }
}

void check_gradients(std::mt19937_64& random, const NetworkOptions& options, size_t rows,
                     Statistics statistics) {
    SCOPED_TRACE(::testing::Message()
                 << rows << " rows, " << options.hidden.size() << " hidden layers of "
                 << (options.hidden.empty() ? 0 : options.hidden[0].units) << ", activation "
                 << (options.hidden.empty() ? 0 : int(options.hidden[0].activation)) << ", norm "
                 << (options.hidden.empty() ? "none" : name(options.hidden[0].norm))
                 << (statistics == Statistics::running ? ", frozen" : ""));
    Network network(test_device(), options);
    check_gradients(random, network, rows, statistics);
}

// Some units are at the limits, some are not.
RenormLimits tight_limits(uint64_t) {
    return {1.2f, 0.3f};
}

TEST(NetworkGradient, AgreesWithTheReference) {
    std::mt19937_64 random = random_generator();
    for (const Activation activation :
         {Activation::identity, Activation::relu, Activation::tanh, Activation::sigmoid}) {
        for (const Norm norm : every_norm) {
            HiddenLayer first{
                .units = 12, .norm = norm, .activation = activation, .groups = 3, .ghost_size = 5};
            HiddenLayer second = first;
            second.units = 9;
            for (const size_t rows : {2u, 13u, 32u}) {
                const NetworkOptions options{.inputs = 5,
                                             .hidden = {first, second},
                                             .classes = 3,
                                             .max_batch = 32,
                                             .seed = rows,
                                             .renorm = tight_limits};
                check_gradients(random, options, rows, Statistics::batch);
                if (keeps_running_statistics(norm))
                    check_gradients(random, options, rows, Statistics::running);
            }
        }
    }
    const HiddenLayer normed{33, Norm::batch, Activation::tanh}, plain{20, Norm::none, Activation::relu};
    check_gradients(random,
                    {.inputs = 100, .hidden = {normed, plain, normed}, .classes = 10, .max_batch = 64}, 57,
                    Statistics::batch);
    check_gradients(random, {.inputs = 7, .hidden = {}, .classes = 4, .max_batch = 5}, 5, Statistics::batch);
    check_gradients(random, {.inputs = 2, .hidden = {plain}, .classes = 2, .max_batch = 1}, 1,
                    Statistics::batch);
}

TEST(NetworkGradient, OfSmoothedAndWeightedLabelsAgreesWithTheReference) {
    std::mt19937_64 random = random_generator();
    const HiddenLayer layer{12, Norm::batch, Activation::tanh};
    const std::vector<float> weights = {0.25f, 2, 0, 1.5f};
    for (const size_t rows : {3u, 32u}) {
        NetworkOptions options{.inputs = 5, .hidden = {layer}, .classes = 4, .label_smoothing = 0.1f};
        check_gradients(random, options, rows, Statistics::batch);
        options.class_weights = weights;
        check_gradients(random, options, rows, Statistics::batch);
        options.label_smoothing = 0;
        check_gradients(random, options, rows, Statistics::batch);
    }
}

// Where no norm depends on the batch, the gradient is that of all rows at once.
TEST(NetworkGradient, OfMicroBatchesIsThatOfTheWholeBatch) {
    std::mt19937_64 random = random_generator();
    for (const Norm norm : {Norm::none, Norm::layer, Norm::group, Norm::rms, Norm::batch})
        for (const size_t rows : {4u, 13u, 32u}) {
            const HiddenLayer layer{12, norm, Activation::relu, 4};
            const NetworkOptions options{.inputs = 5,
                                         .hidden = {layer, layer},
                                         .classes = 3,
                                         .max_batch = 8,
                                         .accumulate = 4,
                                         .label_smoothing = 0.1f,
                                         .class_weights = {0.5f, 1, 2}};
            check_gradients(random, options, rows,
                            norm == Norm::batch ? Statistics::running : Statistics::batch);
        }
}

TEST(NetworkGradient, OfAnyGraphAgreesWithTheReference) {
    std::mt19937_64 random = random_generator();
    for (const NamedGraph& named : unusual_graphs()) {
        for (const Statistics statistics : {Statistics::batch, Statistics::running}) {
            for (const size_t rows : {2u, 13u}) {
                SCOPED_TRACE(named.name + ", " + std::to_string(rows) + " rows");
                Network network(test_device(), named.graph, {.max_batch = 16, .seed = rows});
                check_gradients(random, network, rows, statistics);
            }
        }
    }
}

TEST(NetworkGradient, OfMapsAgreesWithTheReference) {
    std::mt19937_64 random = random_generator();
    std::vector<NamedGraph> graphs = map_graphs();
    graphs.push_back({"batch renormalization of maps", pooled_maps({.kind = Norm::batch_renorm})});
    for (const NamedGraph& named : graphs) {
        for (const Statistics statistics : {Statistics::batch, Statistics::running}) {
            for (const size_t rows : {1u, 13u}) {
                SCOPED_TRACE(named.name + ", " + std::to_string(rows) + " rows");
                Network network(test_device(), named.graph,
                                {.max_batch = 16, .seed = rows, .renorm = tight_limits});
                check_gradients(random, network, rows, statistics);
            }
        }
    }
}

std::vector<Labelled> batches_of(const Dataset& data, size_t rows, size_t count) {
    std::vector<Labelled> batches;
    BatchOrder order(data.size(), rows, 5);
    while (batches.size() < count) batches.push_back(take(data, order));
    return batches;
}

void check_run(const char* name, Network& network, const Dataset& data, const StepOptions& step) {
    const NetworkOptions& options = network.options();
    const std::vector<Labelled> batches = batches_of(data, options.max_batch, 20);
    network.set_optimizer(step.sgd);
    const NetworkReference reference(network.graph(), options.batch_norm, tensors_of(network));
    const BoundedRun exact = bounded_run(reference, batches, step);
    std::vector<float> losses;
    for (const Labelled& batch : batches)
        losses.push_back(network.result(network.train_step(batch.inputs, batch.labels)).loss);
    expect_near(std::string("loss curve, ") + name, losses, exact.losses);
    for (const auto& [tensor, values] : tensors_of(network))
        expect_near(std::string("after 20 steps, ") + name, std::vector<float>(values.begin(), values.end()),
                    exact.tensors.at(tensor));
}

void check_run(const char* name, const NetworkOptions& options, const Dataset& data,
               const StepOptions& step) {
    Network network(test_device(), options);
    check_run(name, network, data, step);
}

TEST(NetworkRun, SpiralStaysWithTheReference) {
    const HiddenLayer layer{48, Norm::batch, Activation::relu};
    check_run("spiral", {.inputs = 2, .hidden = {layer, layer}, .classes = 2, .max_batch = 32, .seed = 3},
              make_2d(Shape2D::spiral, 512, 0.16f, 7), {.sgd = {.learning_rate = 0.3f}});
}

TEST(NetworkRun, LayersOfEveryNormStayWithTheReference) {
    NetworkOptions options{
        .inputs = 2, .hidden = {}, .classes = 2, .max_batch = 32, .seed = 5, .renorm = tight_limits};
    for (const Norm norm : every_norm)
        options.hidden.push_back(
            {.units = 16, .norm = norm, .activation = Activation::tanh, .groups = 4, .ghost_size = 12});
    check_run("every norm", options, make_2d(Shape2D::moons, 512, 0.16f, 7),
              {.sgd = {.learning_rate = 0.1f}, .renorm = tight_limits(1)});
}

TEST(NetworkRun, AResidualPerceptronStaysWithTheReference) {
    Network network(test_device(), residual_perceptron(2, 16, 2, {}), {.max_batch = 32, .seed = 6});
    check_run("residual perceptron", network, make_2d(Shape2D::spiral, 512, 0.16f, 7),
              {.sgd = {.learning_rate = 0.1f}});
}

TEST(NetworkRun, DigitsStayWithTheReference) {
    if (test_device().capabilities().max_storage_buffer_range < 4 * 784 * 64)
        GTEST_SKIP() << "the weights need a storage buffer range of " << 4 * 784 * 64 << " bytes";
    check_run("digits",
              {.inputs = 784,
               .hidden = {{64, Norm::batch, Activation::tanh}},
               .classes = 10,
               .max_batch = 32,
               .seed = 4},
              make_digits(640, 2), {.sgd = {.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 1e-4f}});
}

}  // namespace
}  // namespace vknorm::testing
