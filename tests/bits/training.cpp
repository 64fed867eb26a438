// Training through the public API: small networks whose layers differ in width, so that vectors of four and
// odd ends both occur, each with all four activations. Every step leaves lines of its result, its probes and
// its statistics, and every run the digest of each tensor, of predictions and of evaluations.
#include <bit>
#include <functional>
#include <map>

#include <vknorm/network.hpp>

#include "bits/bits.hpp"
#include "nn/network_problem.hpp"
#include "support/checksum.hpp"

namespace vknorm::bits {

namespace {

constexpr int steps = 20;

struct Run {
    std::string name;
    NetworkOptions options;
    Optimizer optimizer;
    Dataset train, test;
    /// What is changed before the step of that number, counted from 1.
    std::function<void(Network& network, int step)> change = [](Network&, int) {};
};

std::string hexadecimal(uint64_t bits, int digits) {
    char text[17];
    std::snprintf(text, sizeof text, "%0*llx", digits, static_cast<unsigned long long>(bits));
    return text;
}

/// A number with its bits, for people and for the proof.
std::string exact(float value) {
    return std::to_string(value) + " (" + hexadecimal(std::bit_cast<uint32_t>(value), 8) + ")";
}
std::string exact(double value) {
    return std::to_string(value) + " (" + hexadecimal(std::bit_cast<uint64_t>(value), 16) + ")";
}

/// Of the first and the last layer what enters the norm, the activation and the next layer, and the gradient
/// of the first, each as a whole and one unit of it. Without a norm, the first two are the same.
std::vector<NetworkProbe> probes_of(const NetworkOptions& options) {
    std::vector<NetworkProbe> probes;
    const size_t last = options.hidden.size() - 1;
    for (const auto& [suffix, tensor] : {std::pair(".linear", Tensor::output),
                                         {".norm", Tensor::output},
                                         {".activation", Tensor::output},
                                         {".linear", Tensor::output_gradient}})
        for (const size_t layer : {size_t{0}, last})
            for (const int32_t unit : {-1, 3}) {
                const bool missing =
                    suffix == std::string(".norm") && options.hidden[layer].norm == Norm::none;
                probes.push_back({.node = std::to_string(layer) + (missing ? ".linear" : suffix),
                                  .tensor = tensor,
                                  .options = {.bins = 50, .unit = unit}});
            }
    return probes;
}

void set_probes(Network& network, const std::vector<NetworkProbe>& probes) {
    std::map<std::string, NetworkProbe> distinct;
    for (const NetworkProbe& probe : probes) distinct[probe.name()] = probe;
    std::vector<NetworkProbe> set;
    for (const auto& [name, probe] : distinct) set.push_back(probe);
    network.set_probes(set);
}

std::string digest_of(const std::vector<NetworkProbe>& probes, const StepResult& result) {
    std::vector<uint32_t> words;
    for (const NetworkProbe& asked : probes) {
        const ProbeResult& probe = result.probes.at(asked.name());
        words.insert(words.end(), probe.histogram.begin(), probe.histogram.end());
        for (const float value : {probe.minimum, probe.maximum, probe.mean, probe.variance,
                                  probe.percentile15, probe.percentile50, probe.percentile85})
            words.push_back(std::bit_cast<uint32_t>(value));
        words.push_back(probe.non_finite);
    }
    return digest(words);
}

/// Of the norms of the hidden layers, in their order.
std::string digest_of_statistics(const StepResult& result, size_t layers) {
    std::vector<float> values;
    for (size_t layer = 0; layer < layers; ++layer) {
        const auto norm = result.statistics.find(std::to_string(layer) + ".norm");
        if (norm == result.statistics.end()) continue;
        for (const ChannelStatistics& unit : norm->second)
            for (const float value : {unit.batch_mean, unit.batch_variance, unit.running_mean,
                                      unit.running_variance, unit.gamma, unit.beta})
                values.push_back(value);
    }
    return digest(values);
}

void record(Device& device, const Run& run, Lines& lines) {
    Network network(device, run.options);
    network.set_optimizer(run.optimizer);
    const std::vector<NetworkProbe> probes = probes_of(run.options);
    set_probes(network, probes);
    BatchOrder order(run.train.size(), run.options.max_batch, 7);
    for (int step = 1; step <= steps; ++step) {
        run.change(network, step);
        std::span<const uint32_t> indices = order.next();
        if (step % 5 == 0) indices = indices.first(indices.size() * 2 / 3);  // a short batch
        const Dataset batch = pick(run.train, indices);
        const StepResult result = network.result(network.train_step(batch.inputs, batch.labels));
        const std::string at = run.name + ", step " + std::to_string(step);
        lines.add(at + ", result", "loss " + exact(result.loss) + " accuracy " + exact(result.accuracy) +
                                       " gradient norm " + exact(result.gradient_norm));
        lines.add(at + ", probes", digest_of(probes, result));
        lines.add(at + ", statistics", digest_of_statistics(result, run.options.hidden.size()));
    }
    for (const Statistics statistics : {Statistics::running, Statistics::batch}) {
        const std::string by =
            run.name + (statistics == Statistics::running ? ", running statistics" : ", batch statistics");
        lines.add(by + ", predict", digest(network.predict(run.test.inputs, statistics)));
        for (const uint32_t chunk : {0u, 11u}) {
            const Evaluation evaluation =
                network.evaluate(run.test.inputs, run.test.labels, statistics, chunk);
            lines.add(by + ", evaluate by chunks of " + std::to_string(chunk),
                      "loss " + exact(evaluation.loss) + " accuracy " + exact(evaluation.accuracy));
        }
    }
    for (const auto& [name, values] : testing::contents_of(network))
        lines.add(run.name + ", tensor " + name, digest(values));
}

/// Four layers with the norms of `norms` in turn.
NetworkOptions small_network(const std::vector<Norm>& norms) {
    NetworkOptions options;
    options.hidden = {{.units = 48, .activation = Activation::relu, .groups = 8, .ghost_size = 16},
                      {.units = 33, .activation = Activation::tanh, .groups = 3, .ghost_size = 8},
                      {.units = 20, .activation = Activation::sigmoid, .groups = 5, .ghost_size = 6},
                      {.units = 16, .activation = Activation::identity, .groups = 4, .ghost_size = 32}};
    for (size_t layer = 0; layer < options.hidden.size(); ++layer)
        options.hidden[layer].norm = norms[layer % norms.size()];
    options.seed = 7;
    options.renorm = [](uint64_t step) { return paper_schedule(1000 * step); };
    return options;
}

/// Statistics are gathered, then used as they are, with gamma and beta as they are.
void freeze(Network& network, int step) {
    if (step != 6) return;
    network.set_statistics(Statistics::running);
    network.set_update_running(false);
    network.set_train_affine(false);
}

void add_runs_of_norms(std::vector<Run>& runs) {
    const auto [train, test] = split(make_2d(Shape2D::spiral, 512, 0.16f, 7), 256, 7);
    std::vector<std::pair<std::string, std::vector<Norm>>> choices;
    for (const Norm norm : testing::every_norm) choices.push_back({testing::name(norm), {norm}});
    choices.push_back({"batch layer group rms", {Norm::batch, Norm::layer, Norm::group, Norm::rms}});
    choices.push_back(
        {"renorm ghost none batch", {Norm::batch_renorm, Norm::ghost, Norm::none, Norm::batch}});
    const Sgd sgd{.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 1e-3f};
    const Adam adam{.learning_rate = 1e-2f, .weight_decay = 1e-3f};
    for (const auto& [name, norms] : choices) {
        const NetworkOptions options = small_network(norms);
        runs.push_back({name + " by SGD", options, sgd, train, test});
        runs.push_back({name + " by Adam", options, adam, train, test});
        runs.push_back({name + " frozen", options, sgd, train, test, freeze});
    }
}

/// Large enough for the blocks of matrix products and for norms of more than one workgroup.
void add_run_of_pictures(std::vector<Run>& runs) {
    NetworkOptions options;
    options.inputs = 784;
    options.hidden = {{.units = 256, .norm = Norm::batch}, {.units = 128, .norm = Norm::layer}};
    options.classes = 10;
    options.max_batch = 128;
    const auto [train, test] = split(make_digits(1200, 7), 1000, 7);
    runs.push_back({"pictures", options, Sgd{.learning_rate = 0.1f}, train, test});
}

void add_data(Lines& lines) {
    const char* const shapes[] = {"spiral", "circles", "moons", "xor_quadrants", "gaussians", "rings"};
    for (size_t i = 0; i < std::size(shapes); ++i)
        lines.add(std::string("data ") + shapes[i],
                  hexadecimal(test::checksum(make_2d(static_cast<Shape2D>(i), 512, 0.16f, 7)), 16));
    lines.add("data digits", hexadecimal(test::checksum(make_digits(512, 7)), 16));
}

}  // namespace

void record_training(const std::filesystem::path& folder, const std::string& device) {
    Device own({.select = device});
    Lines lines;
    add_data(lines);
    std::vector<Run> runs;
    add_runs_of_norms(runs);
    add_run_of_pictures(runs);
    for (const Run& run : runs) record(own, run, lines);
    lines.write(folder / "training.txt");
}

}  // namespace vknorm::bits
