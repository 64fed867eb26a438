#include "bench/training.hpp"

#include <cmath>
#include <stdexcept>

#include <vknorm/data.hpp>
#include <vknorm/models.hpp>

#include "bench/products.hpp"
#include "bench/sentinel.hpp"
#include "reference/network_reference.hpp"

namespace vknorm::bench {

namespace {

/// A network that trains on pictures of digits, with its data.
class Training {
  public:
    /// So many steps are one sample.
    struct Options {
        const char* name;
        Graph graph;
        uint32_t batch, steps;
        uint32_t verified_rows;  ///< of a batch small enough for the reference
    };
    Training(Device& device, const Options& options)
        : options_(options),
          data_(make_digits(4096, 1)),
          order_(data_.size(), options.batch, 1),
          network_(device, options.graph, {.max_batch = options.batch}) {
        network_.set_optimizer(sgd);
    }

    const Options& options() const { return options_; }

    /// Two steps beside those of the float64 reference: the second one's loss tells of the first one's
    /// update.
    void verify() {
        reference::NetworkReference expected(options_.graph, {}, reference::tensors_of(network_));
        BatchOrder order(data_.size(), options_.verified_rows, 1);
        for (int step = 0; step < 2; ++step) {
            const Dataset picked = pick(data_, order.next());
            const StepResult got = network_.result(network_.train_step(picked.inputs, picked.labels));
            const reference::Step wanted = expected.train({picked.inputs, picked.labels}, {.sgd = sgd});
            const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-4 * std::abs(b); };
            if (!near(got.loss, wanted.loss) || !near(got.gradient_norm, wanted.gradient_norm))
                throw std::runtime_error(std::string(options_.name) + ": training step " +
                                         std::to_string(step + 1) + " is wrong");
        }
    }

    void run() {
        Ticket ticket = 0;
        for (uint32_t step = 0; step < options_.steps; ++step) {
            const Dataset picked = pick(data_, order_.next());
            ticket = network_.train_step(picked.inputs, picked.labels);
        }
        (void)network_.result(ticket);
    }

  private:
    static constexpr Sgd sgd{.learning_rate = 0.05f};

    Options options_;
    Dataset data_;
    BatchOrder order_;
    Network network_;
};

/// What is timed: the layers of the image classifier of models.hpp and one of a perceptron, and whole
/// networks.
// A peer's contestants are in this order, see torch_peer.py.
std::vector<std::unique_ptr<Products>> layers_to_time(Device& device) {
    std::vector<std::unique_ptr<Products>> layers;
    layers.push_back(linear_products(device, {.rows = 512, .inputs = 512, .outputs = 512}));
    for (const uint32_t channels : {64u, 128u, 256u})
        layers.push_back(convolution_products(device, {.images = 32,
                                                       .in_channels = channels,
                                                       .out_channels = 2 * channels,
                                                       .height = 1024 / channels,
                                                       .width = 1024 / channels,
                                                       .kernel = 3,
                                                       .padding = 1}));
    return layers;
}

std::vector<std::unique_ptr<Training>> networks_to_time(Device& device) {
    const auto network = [&](const Training::Options& options) {
        return std::make_unique<Training>(device, options);
    };
    const ModelOptions digits{.shape = {1, 28, 28}};
    std::vector<std::unique_ptr<Training>> networks;
    networks.push_back(network(
        {.name = "128 x 784-256-128-10, 8 steps",
         .graph = perceptron({.inputs = 784, .hidden = {{.units = 256}, {.units = 128}}, .classes = 10}),
         .batch = 128,
         .steps = 8,
         .verified_rows = 128}));
    networks.push_back(network({.name = "64 x ResNet-8 of 28 x 28",
                                .graph = resnet_cifar(8, digits),
                                .batch = 64,
                                .steps = 1,
                                .verified_rows = 4}));
    return networks;
}

struct Row {
    std::string name;
    double amount;  ///< of what its times are for, in GFLOP or steps
    const char* unit;

    double rate(const Times& times) const { return 1e3 * amount / times.median_ms; }
};

void add_line(std::string& table, const std::string& name, const Row& row, const Times& times) {
    append(table, "  %-44s %9.3f %9.3f %6.1f %% %9.1f %-8s", name.c_str(), times.median_ms, times.best_ms,
           100 * times.spread, row.rate(times), row.unit);
}

nlohmann::json json_of(const Row& row, const Times& times) {
    return {{"ms", times.median_ms},
            {"best_ms", times.best_ms},
            {"spread", times.spread},
            {"rate", row.rate(times)},
            {"unit", row.unit}};
}

}  // namespace

Findings measure_training(Device& device, const std::vector<Peer*>& peers, size_t rounds) {
    const auto layers = layers_to_time(device);
    const auto networks = networks_to_time(device);
    for (const auto& layer : layers) layer->verify();
    for (const auto& network : networks) network->verify();

    DeviceClock clock(device);
    Sentinel sentinel(device);
    std::vector<Row> rows;
    std::vector<Contestant> contestants;
    const auto add = [&](const Row& row, Contestant contestant) {
        rows.push_back(row);
        contestants.push_back(std::move(contestant));
    };
    for (const auto& layer : layers) {
        const double gflop = 1e-9 * layer->flops();
        const auto add_product = [&](const char* product, void (Products::*record)(Recorder&) const) {
            add({layer->name() + ": " + product, gflop, "GFLOP/s"}, [&clock, its = layer.get(), record] {
                return clock.time([&](Recorder& recorder) { (its->*record)(recorder); });
            });
        };
        add_product("y", &Products::forward);
        add_product("dx", &Products::backward_input);
        add_product("dW, db", &Products::backward_parameters);
    }
    for (const auto& network : networks)
        add({network->options().name, static_cast<double>(network->options().steps), "steps/s"},
            [its = network.get()] { return time_on_host([&] { its->run(); }); });
    for (Peer* const peer : peers)
        for (const auto& [name, direction] : peer->prepare({.operation = "training"}, 0))
            contestants.emplace_back(
                [peer, name = name, direction = direction] { return peer->run(name, direction); });
    contestants.emplace_back([&] { return sentinel.copy(); });
    const std::vector<Times> times = race(contestants, rounds);

    Findings findings;
    findings.contention = sentinel.contention(times.back());
    append(findings.table, "Training: median and best of %zu interleaved rounds%s.\n\n  %-44s %9s %9s %8s\n",
           rounds, peers.empty() ? "" : "; a peer's, and (how many times ours that is)", "", "ms", "best ms",
           "spread");
    for (size_t i = 0; i < rows.size(); ++i) {
        add_line(findings.table, rows[i].name, rows[i], times[i]);
        findings.table += '\n';
        nlohmann::json row = json_of(rows[i], times[i]);
        row["name"] = rows[i].name;
        row["peers"] = nlohmann::json::object();
        for (size_t peer = 0; peer < peers.size(); ++peer) {
            const Times& its = times[rows.size() * (peer + 1) + i];
            const double ratio = its.median_ms / times[i].median_ms;
            add_line(findings.table, peers[peer]->title(), rows[i], its);
            append(findings.table, "  (%.2fx)\n", ratio);
            nlohmann::json& entry = row["peers"][peers[peer]->title()] = json_of(rows[i], its);
            entry["ratio"] = ratio;
        }
        findings.rows.push_back(std::move(row));
    }
    return findings;
}

}  // namespace vknorm::bench
