// One device, shared by threads that know nothing of each other: each gets what it would get alone.
#include <gtest/gtest.h>
#include <latch>
#include <thread>
#include <vector>

#include <vknorm/vknorm.hpp>

#include "support/device_fixture.hpp"

namespace vknorm::testing {
namespace {

constexpr size_t threads = 4;

/// What `work` returns to each thread, all of which begin at once.
template <class Work>
auto in_threads(Work work) {
    std::vector<decltype(work(size_t{0}))> results(threads);
    std::latch together(threads);
    std::vector<std::jthread> running;
    for (size_t thread = 0; thread < threads; ++thread)
        running.emplace_back([&, thread] {
            together.arrive_and_wait();
            results[thread] = work(thread);
        });
    running.clear();
    return results;
}

std::vector<float> normalized(Device& device, const BatchNorm& plan, const std::vector<float>& x) {
    const VkDeviceSize bytes = x.size() * sizeof(float), channel_bytes = plan.channels() * sizeof(float);
    const Buffer input(device, bytes, "x"), output(device, bytes, "y");
    const Buffer mean(device, 2 * channel_bytes, "mean"), inv_std(device, channel_bytes, "inv_std");
    const Buffer scratch(device, std::max<VkDeviceSize>(plan.scratch_bytes(), 4), "scratch");
    Stream stream(device);
    stream.upload(input, x);
    plan.forward_training(stream.record(),
                          {.x = input, .y = output, .mean = mean, .inv_std = inv_std, .scratch = scratch});
    return stream.download<float>(output);
}

/// Of a device that has compiled nothing yet: threads ask for the same pipelines at once.
TEST(Threads, HaveStreamsOfTheirOwn) {
    Device device(test_device_options());
    const BatchNorm plan(device, {.shape = {4, 6, 9, 9}});
    std::mt19937_64 random = random_generator();
    std::vector<std::vector<float>> inputs;
    for (size_t thread = 0; thread < threads; ++thread)
        inputs.push_back(random_floats(random, plan.elements()));
    const auto results = in_threads([&](size_t thread) {
        std::vector<std::vector<float>> rounds;
        for (int round = 0; round < 5; ++round) rounds.push_back(normalized(device, plan, inputs[thread]));
        return rounds;
    });
    for (size_t thread = 0; thread < threads; ++thread) {
        const std::vector<float> expected = normalized(device, plan, inputs[thread]);
        for (const std::vector<float>& result : results[thread]) EXPECT_EQ(result, expected);
    }
}

TEST(Threads, MakePlansOfTheirOwn) {
    Device device(test_device_options());
    const auto x_of = [](size_t thread) { return std::vector<float>(4 * (thread + 3) * 8, 1.5f); };
    const auto work = [&](size_t thread) {
        const BatchNorm plan(device, {.shape = {4, static_cast<uint32_t>(thread) + 3, 8}});
        return normalized(device, plan, x_of(thread));
    };
    const auto results = in_threads(work);
    for (size_t thread = 0; thread < threads; ++thread) EXPECT_EQ(results[thread], work(thread));
}

TEST(Threads, TrainNetworksOfTheirOwn) {
    Device device(test_device_options());
    const Dataset points = make_2d(Shape2D::spiral, 128, 0.1f, 7);
    const auto train = [&](size_t thread) {
        NetworkOptions options;
        options.inputs = points.features;
        options.hidden = {{8}, {8}};
        options.seed = thread;
        Network network(device, options);
        BatchOrder order(points.size(), 32, 7);
        std::vector<double> losses;
        for (int step = 0; step < 12; ++step) {
            const Dataset batch = pick(points, order.next());
            losses.push_back(network.result(network.train_step(batch.inputs, batch.labels)).loss);
        }
        losses.push_back(network.evaluate(points.inputs, points.labels, Statistics::running).loss);
        return losses;
    };
    const auto results = in_threads(train);
    for (size_t thread = 0; thread < threads; ++thread) EXPECT_EQ(results[thread], train(thread));
}

TEST(Threads, TrainOneNetworkAsRanks) {
    Device device(test_device_options());
    const Dataset points = make_2d(Shape2D::spiral, 128, 0.1f, 7);
    constexpr uint32_t rows = 8;  // of each rank
    std::vector<std::vector<float>> weights(threads);
    run_ranks(threads, [&](Exchange& exchange) {
        NetworkOptions options;
        options.inputs = points.features;
        options.hidden = {{8}, {8}};
        options.max_batch = rows;
        options.exchange = &exchange;
        Network network(device, options);
        BatchOrder order(points.size(), threads * rows, 7);
        for (int step = 0; step < 6; ++step) {
            const Dataset batch = pick(points, order.next().subspan(exchange.rank() * rows, rows));
            network.train_step(batch.inputs, batch.labels);
        }
        weights[exchange.rank()] = network.tensor("0.linear.weight");
    });
    for (const std::vector<float>& of_rank : weights) EXPECT_EQ(of_rank, weights[0]);
}

}  // namespace
}  // namespace vknorm::testing
