// A network trained in float64 on the CPU, straight from the equations: what vknorm::Network is compared
// with. It walks the graph node by node. Slow and obvious on purpose.
//
// It can also compute with rounding errors of a given size: every result gets a random error in proportion to
// the magnitudes of what was added up (Monte Carlo arithmetic; Parker, "Monte Carlo arithmetic: exploiting
// randomness in floating-point arithmetic", 1997). How far such runs stray from the exact one is how far
// float32 may.
#pragma once

#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <vknorm/conv2d.hpp>
#include <vknorm/network.hpp>

namespace vknorm::reference {

using Values = std::vector<double>;
/// By name, as Network::tensor_names() names them; without num_batches_tracked.
using Tensors = std::map<std::string, Values>;

struct Labelled {
    std::vector<float> inputs;  ///< [rows, features]
    std::vector<uint32_t> labels;
};

/// How a training step goes.
struct StepOptions {
    Sgd sgd{};
    Statistics statistics = Statistics::batch;
    RenormLimits renorm{};
    bool update_running = true;
    bool train_affine = true;
    // Of dropout: a network's seed, and the number of the step; 0: an evaluation.
    uint64_t seed = 1, step = 0;
    float label_smoothing = 0;
    std::vector<float> class_weights{};  ///< empty: all are 1
};

/// Of each set that is normalized together, in the order of rows, then channels; the variance biased, and
/// about zero for RMS. r and d correct what is normalized: those of batch renormalization, else 1 and 0.
struct NormStatistics {
    Values mean, variance, r, d;
};

struct Step {
    double loss = 0, accuracy = 0, gradient_norm = 0;
    Tensors gradient;
    Tensors output, output_gradient;  ///< by node, [rows, units]; no gradient of the input
    std::map<std::string, NormStatistics> norms;
    Values probabilities;  ///< [rows, classes]
};

class NetworkReference {
  public:
    NetworkReference(const Graph& graph, const BatchNormConvention& convention, Tensors tensors);
    /// Of a perceptron.
    NetworkReference(const NetworkOptions& options, Tensors tensors);

    /// Results get errors of up to `unit` times the sum of the magnitudes that were added.
    void make_errors(double unit, uint64_t seed);

    /// Loss and gradient; changes nothing.
    Step measure(const Labelled& batch, const StepOptions& options);
    /// The same, then updates parameters and running statistics. SGD with momentum and weight decay.
    Step train(const Labelled& batch, const StepOptions& options);

    Tensors tensors;

  private:
    /// One node's part of a step.
    struct Visit {
        const Graph::Node& node;
        const StepOptions& options;
        Step& step;
        std::vector<const Values*> x;
    };
    Conv2dOptions convolution(const Conv2dLayer& layer, const Visit& visit) const;
    /// Of sums; `magnitude` is the sum of the terms' magnitudes.
    double rounded(double value, double magnitude);
    double rounded(double value) { return rounded(value, value); }
    /// Of averages with the map, whose terms have the magnitudes of those of `magnitude`.
    Values rounded(Values values, const Values& magnitude);
    const std::vector<uint32_t>& input_shape(const Visit& visit) const {
        return graph_.nodes()[visit.node.reads[0].index].shape;
    }
    void loss(const Labelled& batch, const StepOptions& options, const Values& logits, Step& step,
              Values& dlogits);

    Values forward(const LinearLayer& layer, const Visit& visit);
    Values forward(const Conv2dLayer& layer, const Visit& visit);
    Values forward(const NormLayer& layer, const Visit& visit);
    Values forward(const ActivationLayer& layer, const Visit& visit);
    Values forward(const MaxPool2dLayer& layer, const Visit& visit);
    Values forward(const AveragePool2dLayer& layer, const Visit& visit);
    Values forward(const AdaptiveAveragePool2dLayer& layer, const Visit& visit);
    Values forward(const DropoutLayer& layer, const Visit& visit);
    Values forward(const AugmentLayer& layer, const Visit& visit);
    Values forward(const AddLayer& layer, const Visit& visit);
    Values forward(const FlattenLayer&, const Visit& visit) { return *visit.x[0]; }
    Values forward(const InputLayer&, const Visit&) { return {}; }
    // The gradient of what the node reads; of both inputs where it reads two.
    Values backward(const LinearLayer& layer, const Visit& visit, const Values& dy);
    Values backward(const Conv2dLayer& layer, const Visit& visit, const Values& dy);
    Values backward(const NormLayer& layer, const Visit& visit, const Values& dy);
    Values backward(const ActivationLayer& layer, const Visit& visit, const Values& dy);
    Values backward(const MaxPool2dLayer& layer, const Visit& visit, const Values& dy);
    Values backward(const AveragePool2dLayer& layer, const Visit& visit, const Values& dy);
    Values backward(const AdaptiveAveragePool2dLayer& layer, const Visit& visit, const Values& dy);
    Values backward(const DropoutLayer& layer, const Visit& visit, const Values& dy);
    Values backward(const AugmentLayer&, const Visit& visit, const Values&) {
        return Values(visit.x[0]->size());
    }
    Values backward(const AddLayer&, const Visit&, const Values& dy) { return dy; }
    Values backward(const FlattenLayer&, const Visit&, const Values& dy) { return dy; }
    Values backward(const InputLayer&, const Visit&, const Values&) { return {}; }

    Graph graph_;
    BatchNormConvention convention_;
    Tensors velocity_;
    double unit_ = 0;
    std::mt19937_64 random_;
};

/// Every tensor of a network on the device.
Tensors tensors_of(Network& network);

}  // namespace vknorm::reference
