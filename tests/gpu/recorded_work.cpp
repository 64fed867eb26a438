#include "gpu/recorded_work.hpp"

#include <CLI/CLI.hpp>
#include <fstream>
#include <stdexcept>

#include <vknorm/vknorm.hpp>

#include "check/outcome.hpp"
#include "check/request.hpp"
#include "support/places.hpp"

namespace vknorm::testing {

void run_cases(Device& device) {
    std::ifstream file(project_file("tests/cases.txt"));
    for (std::string line; std::getline(file, line);) {
        const std::string words = line.substr(0, line.find('#'));
        if (words.find_first_not_of(' ') == std::string::npos) continue;
        try {
            check::run(device, check::generate(check::parse_request(words)));
        } catch (const Unsupported&) {
        }
    }
}

namespace {

/// What a perceptron lacks: maps, dropout, sums of branches, smoothed labels, clipping, and micro-batches.
void train_on_pictures(Device& device) {
    const Dataset digits = make_digits(16, 7);
    Graph graph({1, digits.image_height, digits.image_width});
    NodeId x = graph.augment(graph.input(), {.padding = 2, .flip = true});
    x = conv_bn_relu(graph, x, {.channels = 8, .name = "stem"});
    x = residual_block(graph, graph.max_pool2d(x, {.kernel = 2}),
                       {.channels = 16, .stride = 2, .name = "block"});
    x = graph.dropout(graph.flatten(graph.adaptive_average_pool2d(x, {})), {.p = 0.5f});
    graph.linear(x, {.units = digits.classes, .name = "output"});
    Network network(device, graph, {.max_batch = 16, .accumulate = 2, .label_smoothing = 0.1f});
    network.set_max_gradient_norm(1);
    network.train_step(digits.inputs, digits.labels);
    network.evaluate(digits.inputs, digits.labels, Statistics::running);
}

}  // namespace

void run_training(Device& device) {
    const Dataset points = make_2d(Shape2D::spiral, 32, 0.1f, 7);
    for (const Optimizer& optimizer :
         {Optimizer(Sgd{.learning_rate = 0.1f}), Optimizer(Sgd{.learning_rate = 0.1f, .momentum = 0.9f}),
          Optimizer(Sgd{.learning_rate = 0.1f, .momentum = 0.9f, .nesterov = true}), Optimizer(Adam{}),
          Optimizer(AdamW{})}) {
        NetworkOptions options;
        options.inputs = points.features;
        options.hidden = {{48}, {20}};
        Network network(device, options);
        network.set_optimizer(optimizer);
        network.train_step(points.inputs, points.labels);
        network.evaluate(points.inputs, points.labels, Statistics::running);
    }
    train_on_pictures(device);
}

}  // namespace vknorm::testing
