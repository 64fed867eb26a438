#include "bench/training.hpp"

#include <cmath>
#include <stdexcept>

#include <vknorm/data.hpp>
#include <vknorm/linear.hpp>

#include "bench/pool.hpp"
#include "bench/sentinel.hpp"
#include "reference/network_reference.hpp"

namespace vknorm::bench {

namespace {

constexpr size_t steps_a_sample = 8;

void require(bool right, const std::string& what) {
    if (!right) throw std::runtime_error(what + " is wrong");
}

/// A fully connected layer and all of its tensors.
class Layer {
  public:
    Layer(Device& device, uint32_t rows, uint32_t inputs, uint32_t outputs)
        : rows_(rows),
          inputs_(inputs),
          outputs_(outputs),
          linear_(device, {.rows = rows, .inputs = inputs, .outputs = outputs}),
          stream_(device) {
        const auto buffer = [&](uint32_t height, uint32_t width, const char* name) {
            return Buffer(device, 4 * VkDeviceSize{height} * width, name);
        };
        x_ = buffer(rows, inputs, "x");
        weight_ = buffer(outputs, inputs, "weight");
        bias_ = buffer(1, outputs, "bias");
        dy_ = buffer(rows, outputs, "dy");
        y_ = buffer(rows, outputs, "y");
        dx_ = buffer(rows, inputs, "dx");
        dweight_ = buffer(outputs, inputs, "dweight");
        dbias_ = buffer(1, outputs, "dbias");
        for (const Buffer* each : {&x_, &weight_, &bias_, &dy_})
            stream_.upload(*each, Pool::first_values(Pool::x, each->bytes() / 4));
        stream_.wait(stream_.submit());
    }

    void forward(Recorder& recorder) const {
        linear_.forward(recorder, {.x = x_, .weight = weight_, .bias = bias_, .y = y_});
    }
    void backward_input(Recorder& recorder) const {
        linear_.backward(recorder, {.dy = dy_, .weight = weight_, .dx = dx_});
    }
    void backward_parameters(Recorder& recorder) const {
        linear_.backward(recorder, {.x = x_, .dy = dy_, .dweight = dweight_, .dbias = dbias_});
    }

    double flops() const { return 2.0 * rows_ * inputs_ * outputs_; }

    /// Compares some of the elements of each product with sums in float64.
    void verify() {
        forward(stream_.record());
        backward_input(stream_.record());
        backward_parameters(stream_.record());
        const auto values = [&](const Buffer& buffer) { return stream_.download<float>(buffer); };
        const std::vector<float> x = values(x_), weight = values(weight_), bias = values(bias_),
                                 dy = values(dy_);
        check("y", values(y_), outputs_, inputs_, [&](size_t row, size_t column, size_t k) {
            return x[row * inputs_ + k] * double{weight[column * inputs_ + k]} +
                   (k == 0 ? bias[column] : 0.0);
        });
        check("dx", values(dx_), inputs_, outputs_, [&](size_t row, size_t column, size_t k) {
            return dy[row * outputs_ + k] * double{weight[k * inputs_ + column]};
        });
        check("dweight", values(dweight_), inputs_, rows_, [&](size_t row, size_t column, size_t k) {
            return dy[k * outputs_ + row] * double{x[k * inputs_ + column]};
        });
        check("dbias", values(dbias_), outputs_, rows_,
              [&](size_t, size_t column, size_t k) { return dy[k * outputs_ + column]; });
    }

  private:
    // A sum of K terms and a bias is off by (K + 1) ULP of the sum of their magnitudes at most.
    template <class Term>
    static void check(const char* name, const std::vector<float>& got, size_t columns, size_t terms,
                      Term term) {
        for (size_t i = 0; i < got.size(); i += 1 + got.size() / 4099) {
            double sum = 0, magnitude = 0;
            for (size_t k = 0; k < terms; ++k) {
                sum += term(i / columns, i % columns, k);
                magnitude += std::abs(term(i / columns, i % columns, k));
            }
            const double bound = std::ldexp(1.0, -23) * static_cast<double>(terms + 2) * magnitude;
            require(std::abs(got[i] - sum) <= bound, std::string("linear: ") + name);
        }
    }

    uint32_t rows_, inputs_, outputs_;
    Linear linear_;
    Stream stream_;
    Buffer x_, weight_, bias_, dy_, y_, dx_, dweight_, dbias_;
};

/// The network that trains, with its data.
class Training {
  public:
    explicit Training(Device& device)
        : data_(make_digits(4096, 1)), order_(data_.size(), batch, 1), network_(device, options()) {
        network_.set_optimizer(sgd);
    }

    /// Two steps beside those of the float64 reference: the second one's loss tells of the first one's
    /// update.
    void verify() {
        reference::Tensors tensors;
        for (const std::string& name : network_.tensor_names()) {
            const std::vector<float> values = network_.tensor(name);
            tensors[name] = {values.begin(), values.end()};
        }
        reference::NetworkReference expected(options(), tensors);
        for (int step = 0; step < 2; ++step) {
            const Dataset picked = pick(data_, order_.next());
            const StepResult got = network_.result(network_.train_step(picked.inputs, picked.labels));
            const reference::Step wanted = expected.train({picked.inputs, picked.labels}, {.sgd = sgd});
            const auto near = [](double a, double b) { return std::abs(a - b) <= 1e-4 * std::abs(b); };
            require(near(got.loss, wanted.loss) && near(got.gradient_norm, wanted.gradient_norm),
                    "training step " + std::to_string(step + 1));
        }
    }

    void run() {
        Ticket ticket = 0;
        for (size_t step = 0; step < steps_a_sample; ++step) {
            const Dataset picked = pick(data_, order_.next());
            ticket = network_.train_step(picked.inputs, picked.labels);
        }
        (void)network_.result(ticket);
    }

  private:
    static constexpr size_t batch = 128;
    static constexpr Sgd sgd{.learning_rate = 0.05f};
    static NetworkOptions options() {
        return {.inputs = 784, .hidden = {{.units = 256}, {.units = 128}}, .classes = 10, .max_batch = batch};
    }

    Dataset data_;
    BatchOrder order_;
    Network network_;
};

struct Row {
    const char* name;
    double amount;  ///< of what its times are for, in GFLOP or steps
    const char* unit;

    double rate(const Times& times) const { return 1e3 * amount / times.median_ms; }
};

void add_line(std::string& table, const char* name, const Row& row, const Times& times) {
    append(table, "  %-44s %9.3f %9.3f %6.1f %% %9.1f %-8s", name, times.median_ms, times.best_ms,
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
    Layer layer(device, 512, 512, 512);
    Training training(device);
    layer.verify();
    training.verify();

    DeviceClock clock(device);
    Sentinel sentinel(device);
    const double gflop = 1e-9 * layer.flops();
    std::vector<Row> rows;
    std::vector<Contestant> contestants;
    const auto add = [&](const Row& row, Contestant contestant) {
        rows.push_back(row);
        contestants.push_back(std::move(contestant));
    };
    add({"y = x W^T + b, 512^3", gflop, "GFLOP/s"},
        [&] { return clock.time([&](Recorder& recorder) { layer.forward(recorder); }); });
    add({"dx = dy W, 512^3", gflop, "GFLOP/s"},
        [&] { return clock.time([&](Recorder& recorder) { layer.backward_input(recorder); }); });
    add({"dW = dy^T x, db = sum dy, 512^3", gflop, "GFLOP/s"},
        [&] { return clock.time([&](Recorder& recorder) { layer.backward_parameters(recorder); }); });
    add({"128 x 784-256-128-10, 8 steps", steps_a_sample, "steps/s"},
        [&] { return time_on_host([&] { training.run(); }); });
    // A peer's contestants are in the order of the rows.
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
            add_line(findings.table, peers[peer]->title().c_str(), rows[i], its);
            append(findings.table, "  (%.2fx)\n", ratio);
            nlohmann::json& entry = row["peers"][peers[peer]->title()] = json_of(rows[i], its);
            entry["ratio"] = ratio;
        }
        findings.rows.push_back(std::move(row));
    }
    return findings;
}

}  // namespace vknorm::bench
