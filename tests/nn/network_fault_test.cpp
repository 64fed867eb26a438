// A network fails at every Vulkan call and every allocation of all it does. What failed is done again, and
// nothing tells of it.
#include <gtest/gtest.h>
#include <memory>

#include <vknorm/network.hpp>

#include "support/device_fixture.hpp"
#include "support/fault_sweep.hpp"
#include "support/faulty_vulkan.hpp"

namespace vknorm::testing {
namespace {

using Step = std::function<void()>;
/// How a step is attempted: until it has succeeded once, or again and again.
struct Attempts {
    std::function<void(const Step&)> once, again;
};

/// All numbers that come out of everything a network does.
std::vector<float> life(Device& device, const Attempts& attempt) {
    NetworkOptions options;
    options.hidden = {{.units = 8}};
    options.max_batch = 8;
    options.timestamps = true;
    std::unique_ptr<Network> network;
    attempt.once([&] { network = std::make_unique<Network>(device, options); });

    const uint32_t rows = 6;
    std::vector<float> inputs;
    for (uint32_t i = 0; i < 2 * rows; ++i) inputs.push_back(static_cast<float>(i * 7 % 13) - 6);
    const std::vector<uint32_t> labels = {0, 1, 0, 1, 1, 0};
    std::vector<float> numbers;
    const auto train = [&] {
        Ticket ticket = 0;
        attempt.once([&] { ticket = network->train_step(inputs, labels); });
        StepResult result;
        attempt.again([&] { result = network->result(ticket); });
        attempt.again([&] { network->timings(ticket); });
        numbers.insert(numbers.end(), {result.loss, result.accuracy, result.gradient_norm});
        for (const auto& [name, probe] : result.probes) numbers.push_back(probe.mean);
    };
    train();
    attempt.again([&] { network->set_probes({{.node = "0.linear"}}); });
    attempt.again([&] { network->set_optimizer(Adam{}); });
    train();
    attempt.again([&] { network->prepare(rows); });
    Evaluation evaluation;
    for (const Statistics statistics : {Statistics::batch, Statistics::running})
        attempt.again([&] { evaluation = network->evaluate(inputs, labels, statistics, 4); });
    numbers.insert(numbers.end(), {float(evaluation.loss), float(evaluation.accuracy)});
    std::vector<float> part;
    attempt.again([&] { part = network->predict(inputs, Statistics::running); });
    numbers.insert(numbers.end(), part.begin(), part.end());
    attempt.again([&] { network->set_tensor("0.norm.running_mean", std::vector<float>(8, 0.5f)); });
    train();
    for (const std::string& name : network->tensor_names()) {
        attempt.again([&] { part = network->tensor(name); });
        numbers.insert(numbers.end(), part.begin(), part.end());
    }
    numbers.push_back(static_cast<float>(network->steps()));
    return numbers;
}

TEST(NetworkFaults, LeaveNothingBehind) {
    if (mode().small_limits || mode().gpu_assisted) GTEST_SKIP() << "the same calls as without";
    {
        FaultyDevice faulty;
        Device& device = faulty.device;
        // The calls come first, see OperationFaults.
        const auto after_calls =
            life(device, {.once = [&](const Step& step) { sweep_calls(device, step); },
                          .again = [&](const Step& step) { sweep_calls(device, step, Repeat::allowed); }});
        const auto after_allocations =
            life(device, {.once = [](const Step& step) { sweep_allocations(step); },
                          .again = [](const Step& step) { sweep_allocations(step, Repeat::allowed); }});
        const auto plainly = [](const Step& step) { step(); };
        const auto expected = life(device, {.once = plainly, .again = plainly});
        EXPECT_EQ(after_calls, expected);
        EXPECT_EQ(after_allocations, expected);
        std::cout << fault_points().calls << " calls and " << fault_points().allocations
                  << " allocations failed so far\n";
    }
    EXPECT_EQ(live_objects(), "");
}

}  // namespace
}  // namespace vknorm::testing
