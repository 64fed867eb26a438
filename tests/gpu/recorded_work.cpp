#include "gpu/recorded_work.hpp"

#include <CLI/CLI.hpp>
#include <fstream>
#include <stdexcept>

#include <vknorm/vknorm.hpp>

#include "check/outcome.hpp"
#include "check/request.hpp"

namespace vknorm::testing {

void run_cases(Device& device) {
    std::ifstream file(VKNORM_CASES);
    for (std::string line; std::getline(file, line);) {
        const std::string words = line.substr(0, line.find('#'));
        if (words.find_first_not_of(' ') == std::string::npos) continue;
        try {
            check::run(device, check::generate(check::parse_request(words)));
        } catch (const Unsupported&) {
        }
    }
}

void run_training(Device& device) {
    const Dataset points = make_2d(Shape2D::spiral, 32, 0.1f, 7);
    for (const Optimizer& optimizer :
         {Optimizer(Sgd{.learning_rate = 0.1f}), Optimizer(Sgd{.learning_rate = 0.1f, .momentum = 0.9f}),
          Optimizer(Adam{})}) {
        NetworkOptions options;
        options.inputs = points.features;
        options.hidden = {{48}, {20}};
        Network network(device, options);
        network.set_optimizer(optimizer);
        network.train_step(points.inputs, points.labels);
        network.evaluate(points.inputs, points.labels, Statistics::running);
    }
}

}  // namespace vknorm::testing
