#include "bench/scale.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include <vknorm/data.hpp>
#include <vknorm/models.hpp>
#include <vknorm/network.hpp>

namespace vknorm::bench {

namespace {

using Clock = std::chrono::steady_clock;

// ---- The parameters of the model.

/// Between two ranks: a trade takes one latency, so much for every message, and the time of its bytes.
struct Link {
    const char* name;
    double latency, message, bytes_per_second;  // seconds
};
/// Round numbers of what such links are sold as.
constexpr Link links[] = {{"10 Gb/s, TCP", 30e-6, 3e-6, 1.1e9}, {"200 Gb/s, RDMA", 3e-6, 0.3e-6, 22e9}};
/// A rank merges so many channels of one other rank in a second, and adds so many floats.
constexpr double merged_per_second = 2e8, added_per_second = 1e9;
constexpr uint32_t modelled_ranks[] = {8, 64, 256, 1000};
constexpr uint32_t group_sizes[] = {0, 8};  // whose ranks share statistics; 0: all

// ---- Messages and bytes.

/// What of a network travels.
struct Shape {
    std::string name;
    uint64_t norms = 0, channels = 0, gradient_floats = 0, nodes = 0;
};

/// Of one rank in a step.
struct Traffic {
    double trades = 0, messages = 0, bytes = 0;
};

constexpr double head_bytes = 128, begin_bytes = 16, sums_bytes = 24;

Traffic traffic_of(const Shape& shape, uint32_t ranks, uint32_t group_size) {
    const double others = ranks - 1.0,
                 in_group = group_size == 0 ? others : std::min(others, group_size - 1.0);
    const auto norms = static_cast<double>(shape.norms), channels = static_cast<double>(shape.channels),
               gradient = 4.0 * static_cast<double>(shape.gradient_floats);
    Traffic traffic{.trades = 2 * norms + 4, .messages = 2 * norms * in_group + 4 * others};
    traffic.bytes = head_bytes * traffic.messages + 2 * sizeof(ChannelMoments) * channels * in_group +
                    (begin_bytes + sums_bytes + 4.0 * static_cast<double>(shape.nodes)) * others +
                    2 * gradient * others / ranks;
    return traffic;
}

double exchange_seconds(const Shape& shape, uint32_t ranks, uint32_t group_size, const Link& link) {
    const Traffic traffic = traffic_of(shape, ranks, group_size);
    const double in_group = group_size == 0 ? ranks : std::min(ranks, group_size);
    return traffic.trades * link.latency + traffic.messages * link.message +
           traffic.bytes / link.bytes_per_second +
           2 * static_cast<double>(shape.channels) * in_group / merged_per_second +
           static_cast<double>(shape.gradient_floats) / added_per_second;
}

// ---- What is measured here.

class Counting final : public Exchange {
  public:
    explicit Counting(Exchange& exchange) : exchange_(exchange) {}
    uint32_t rank() const override { return exchange_.rank(); }
    uint32_t size() const override { return exchange_.size(); }
    std::vector<Message> trade(std::span<const MessageView> messages) override {
        ++traffic.trades;
        for (const MessageView message : messages) {
            traffic.messages += message.empty() ? 0 : 1;
            traffic.bytes += static_cast<double>(message.size());
        }
        return exchange_.trade(messages);
    }
    void abort(const std::string& why) noexcept override { exchange_.abort(why); }

    Traffic traffic;

  private:
    Exchange& exchange_;
};

constexpr uint32_t rows = 32;  // of each rank

Graph perceptron_of_digits(const Dataset& digits) {
    Graph graph({digits.features});
    NodeId x = graph.input();
    for (const uint32_t units : {256u, 128u})
        x = graph.activation(graph.norm(graph.linear(x, {.units = units})), Activation::relu);
    graph.linear(x, {.units = digits.classes, .name = "output"});
    return graph;
}

/// The gradient's tensors are padded: their floats are what a step of two ranks shows.
Shape shape_of(const Graph& graph, double gradient_bytes) {
    Shape shape{.name = "784-256-128-10"};
    for (const Graph::Node& node : graph.nodes()) {
        ++shape.nodes;
        if (!std::holds_alternative<NormLayer>(node.layer)) continue;
        ++shape.norms;
        shape.channels += node.shape.front();
    }
    shape.gradient_floats = static_cast<uint64_t>(gradient_bytes / 4);
    return shape;
}

struct Measured {
    double seconds = 0;  // a step
    Traffic traffic;     // of rank 0 in a step
};

Measured measure(Device& device, const Dataset& digits, const Graph& graph, uint32_t ranks, size_t steps) {
    Measured measured;
    run_ranks(ranks, [&](Exchange& exchange) {
        Counting counting(exchange);
        Network network(device, graph, {.max_batch = rows, .exchange = &counting, .compare_every = 0});
        BatchOrder order(digits.size(), rows * ranks, 1);
        const auto run = [&](size_t count) {
            for (size_t i = 0; i < count; ++i) {
                const Dataset own = pick(digits, order.next().subspan(rows * exchange.rank(), rows));
                (void)network.result(network.train_step(own.inputs, own.labels));
            }
        };
        run(2);
        counting.traffic = {};
        const Clock::time_point begin = Clock::now();
        run(steps);
        if (exchange.rank() != 0) return;
        const auto count = static_cast<double>(steps);
        measured.seconds = std::chrono::duration<double>(Clock::now() - begin).count() / count;
        measured.traffic = {.trades = counting.traffic.trades / count,
                            .messages = counting.traffic.messages / count,
                            .bytes = counting.traffic.bytes / count};
    });
    return measured;
}

/// Of threads of this process.
Link measured_link() {
    constexpr size_t many = 200, bytes = 4 << 20;
    const auto seconds_of = [&](uint32_t ranks, size_t count, size_t length) {
        double seconds = 0;
        run_ranks(ranks, [&](Exchange& exchange) {
            const Exchange::Message own(length);
            const Clock::time_point begin = Clock::now();
            for (size_t i = 0; i < count; ++i) gather(exchange, "link", own);
            if (exchange.rank() == 0) seconds = std::chrono::duration<double>(Clock::now() - begin).count();
        });
        return seconds / static_cast<double>(count);
    };
    const double two = seconds_of(2, many, 0), four = seconds_of(4, many, 0);
    const double message = std::max(0.0, (four - two) / 2);
    return {"threads here", std::max(0.0, two - message), message,
            bytes / std::max(1e-9, seconds_of(2, 10, bytes) - two)};
}

void require_equal(const char* what, uint32_t ranks, double got, double expected) {
    if (std::abs(got - expected) <= 1e-6 * expected) return;
    std::string text;
    append(text, "scale: %u ranks: %s of a step: got %.0f, the model says %.0f", ranks, what, got, expected);
    throw std::runtime_error(text);
}

}  // namespace

Findings measure_scale(Device& device, size_t rounds) {
    const Dataset digits = make_digits(1024, 1);
    const Graph graph = perceptron_of_digits(digits);
    const Link here = measured_link();
    Findings findings;
    std::string& table = findings.table;
    append(table,
           "Measured, 784-256-128-10, %u rows for each rank, which are threads and share this device:\n",
           rows);
    table += "ranks  messages    kB sent  ms a step  ms by the model\n";
    double alone = 0;
    Shape shape = shape_of(graph, 0);
    for (const uint32_t ranks : {1u, 2u, 3u, 4u}) {
        const Measured measured = measure(device, digits, graph, ranks, rounds);
        if (ranks == 1) alone = measured.seconds;
        if (ranks == 2) shape = shape_of(graph, measured.traffic.bytes - traffic_of(shape, ranks, 0).bytes);
        const Traffic expected = traffic_of(shape, ranks, 0);
        require_equal("trades", ranks, measured.traffic.trades, expected.trades);
        require_equal("messages", ranks, measured.traffic.messages, expected.messages);
        // Slices of floats are as equal as can be.
        if (std::abs(measured.traffic.bytes - expected.bytes) > 64)
            require_equal("bytes", ranks, measured.traffic.bytes, expected.bytes);
        // One device does the work of all.
        const double modelled = ranks * alone + (ranks > 1 ? exchange_seconds(shape, ranks, 0, here) : 0);
        findings.rows.push_back({{"network", shape.name},
                                 {"ranks", ranks},
                                 {"messages", measured.traffic.messages},
                                 {"bytes", measured.traffic.bytes},
                                 {"seconds", measured.seconds},
                                 {"modelled_seconds", modelled}});
        append(table, "%5u  %8.0f  %9.1f  %9.2f  %15.2f\n", ranks, measured.traffic.messages,
               measured.traffic.bytes / 1e3, 1e3 * measured.seconds, 1e3 * modelled);
    }
    // K. He et al., "Deep Residual Learning for Image Recognition", 2015: 53 norms.
    const Shape resnet{
        .name = "ResNet-50", .norms = 53, .channels = 26560, .gradient_floats = 25557032, .nodes = 176};
    table +=
        "\nA model, not measured: what exchanging adds to a step of a rank that has a device of its own\n";
    table += "network         link            statistics of     ranks  messages    MB sent         ms\n";
    for (const Shape& of_network : {shape, resnet})
        for (const Link& link : links)
            for (const uint32_t group : group_sizes)
                for (const uint32_t ranks : modelled_ranks) {
                    const Traffic traffic = traffic_of(of_network, ranks, group);
                    findings.rows.push_back(
                        {{"network", of_network.name},
                         {"link", link.name},
                         {"statistics_group", group},
                         {"ranks", ranks},
                         {"messages", traffic.messages},
                         {"bytes", traffic.bytes},
                         {"modelled_seconds", exchange_seconds(of_network, ranks, group, link)}});
                    append(table, "%-14s  %-14s  %-16s  %5u  %8.0f  %9.1f  %9.1f\n", of_network.name.c_str(),
                           link.name, group == 0 ? "all ranks" : "8 ranks", ranks, traffic.messages,
                           traffic.bytes / 1e6, 1e3 * exchange_seconds(of_network, ranks, group, link));
                }
    return findings;
}

}  // namespace vknorm::bench
