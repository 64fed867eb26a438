// A small multilayer perceptron that trains on the device: hidden layers of Linear -> norm -> activation,
// then a Linear layer to the logits and softmax cross-entropy.
//
// Everything is planned when the Network is built: parameters, activations, gradients and the readback ring.
// A training step is one submission: forward, loss, backward, optimizer, probes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <vknorm/activation.hpp>
#include <vknorm/batch_renorm.hpp>
#include <vknorm/optimizer.hpp>
#include <vknorm/probe.hpp>

namespace vknorm {

/// How a layer normalizes [rows, units]; see the header of each. Instance normalization is not among them: it
/// would normalize each unit of each row, a single value, by itself.
enum class Norm {
    none,
    batch,         ///< BatchNorm: each unit over the rows
    layer,         ///< LayerNorm: each row over its units
    group,         ///< GroupNorm: each row over groups of its units
    rms,           ///< RmsNorm: each row by its root mean square; has no beta
    batch_renorm,  ///< BatchRenorm: batch, corrected towards the running statistics
    ghost,         ///< GhostBatchNorm: batch, over parts of the rows
};

/// Whether a norm depends on the batch, so that it keeps running statistics for evaluation. The others treat
/// every row by its own statistics, in training and in evaluation.
constexpr bool keeps_running_statistics(Norm norm) {
    return norm == Norm::batch || norm == Norm::batch_renorm || norm == Norm::ghost;
}

struct HiddenLayer {
    uint32_t units = 48;
    Norm norm = Norm::batch;
    Activation activation = Activation::relu;
    uint32_t groups = 8;       ///< of Norm::group, a divisor of units
    uint32_t ghost_size = 16;  ///< of Norm::ghost: rows normalized together, at least 2
};

struct NetworkOptions {
    uint32_t inputs = 2;
    std::vector<HiddenLayer> hidden;
    uint32_t classes = 2;
    uint32_t max_batch = 32;  ///< rows of the largest training batch
    /// Of the initial weights; equal seeds and sizes give equal weights whatever the norms.
    uint64_t seed = 1;
    float init_scale = 1;  ///< times the uniform initialization of torch.nn.Linear, +-1/sqrt(inputs)
    /// Epsilon of all norms, and how those with running statistics update them; may be changed later, see
    /// set_batch_norm. Batch renormalization blends in the unbiased variance whatever this says, refuses a
    /// cumulative momentum, and needs an epsilon above 0.
    BatchNormConvention batch_norm;
    /// How far batch renormalization may correct at a training step, counted from 1. For short runs, say
    /// [](uint64_t step) { return paper_schedule(100 * step); }
    std::function<RenormLimits(uint64_t step)> renorm = paper_schedule;
    bool timestamps = false;  ///< measure steps on the device, see Network::timings; may be changed later
};

/// Which statistics those norms use that keep running ones.
enum class Statistics { batch, running };

/// What a probe looks at; all belong to one hidden layer.
enum class Tensor {
    pre_norm,       ///< z: output of the linear part, input of the norm
    normalized,     ///< output of the norm, input of the activation (z itself without a norm)
    activation,     ///< output of the layer
    pre_norm_grad,  ///< dL/dz
};

/// Measures one tensor on the device at every training step.
struct NetworkProbe {
    uint32_t layer = 0;  ///< hidden layer, from 0
    Tensor tensor = Tensor::normalized;
    ProbeOptions options{};
};

/// Batch and running statistics of one unit of a normalized layer, after the step. Batch statistics are those
/// of all rows, ghosts or not, and NaN when the step normalized with running ones. All are NaN for a norm
/// that keeps no running statistics; beta is 0 for one that has none.
struct ChannelStatistics {
    float batch_mean = 0, batch_variance = 0, running_mean = 0, running_variance = 0, gamma = 1, beta = 0;
};

struct StepResult {
    uint64_t step = 0;                ///< counted from 1
    float loss = 0;                   ///< mean cross-entropy of the batch, nats
    float accuracy = 0;               ///< of the batch, 0 to 1
    float gradient_norm = 0;          ///< L2 norm over all parameters
    std::vector<ProbeResult> probes;  ///< in the order of set_probes
    /// statistics[layer][unit]; empty for layers without norm
    std::vector<std::vector<ChannelStatistics>> statistics;
};

struct Evaluation {
    double loss = 0;      ///< mean cross-entropy, nats
    double accuracy = 0;  ///< 0 to 1
};

/// A step met NaN or an infinity: names the step, and the first layer and unit that showed one. Parameters,
/// optimizer state and running statistics stay those before that step; later steps change nothing and throw
/// this too, until Network::set_tensor.
class Diverged : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// For use by one thread at a time; several networks may share a device.
class Network {
  public:
    /// Throws std::invalid_argument for sizes out of range, Unsupported when a tensor is too large for this
    /// device.
    Network(Device& device, const NetworkOptions& options);
    ~Network();
    Network(Network&&) noexcept;
    Network& operator=(Network&&) noexcept;

    const NetworkOptions& options() const;

    /// Records and submits one step and does not wait; blocks only when four steps are already in flight.
    /// `inputs` is [labels.size(), inputs], at most max_batch rows. Throws std::invalid_argument for wrong
    /// sizes, a label >= classes, one row (or one left for the last ghost) when a layer normalizes with batch
    /// statistics, or RenormLimits out of range; Diverged when it is known already.
    Ticket train_step(std::span<const float> inputs, std::span<const uint32_t> labels);
    /// Waits for that step. Results of the four latest steps are kept. Throws Diverged.
    StepResult result(Ticket ticket);

    /// Loss and accuracy over a set, `chunk` rows at a time (0: max_batch; at most that), the last chunk
    /// shorter; nothing is changed. With batch statistics every chunk is normalized by its own, as a training
    /// step would (renormalized within the next step's limits); a chunk or ghost of one row normalizes to
    /// beta.
    Evaluation evaluate(std::span<const float> inputs, std::span<const uint32_t> labels,
                        Statistics statistics, uint32_t chunk = 0);
    /// Class probabilities, [rows, classes], by chunks of max_batch rows.
    std::vector<float> predict(std::span<const float> inputs, Statistics statistics);

    // Changes between steps. Numbers out of range throw std::invalid_argument.
    void set_optimizer(const Optimizer& optimizer);  ///< resets the optimizer's state when its kind changes
    void set_batch_norm(const BatchNormConvention& convention);
    void set_statistics(Statistics statistics);  ///< what training steps normalize with
    void set_update_running(bool update);        ///< whether training steps update running statistics
    void set_train_affine(bool train);           ///< whether gamma and beta are optimized
    void set_probes(std::vector<NetworkProbe> probes);
    void set_timestamps(bool timestamps);

    uint64_t steps() const;  ///< submitted
    uint64_t parameter_count() const;
    /// Names as torch's state_dict gives them: "0.linear.weight", "0.linear.bias", "0.norm.weight",
    /// "0.norm.bias", "0.norm.running_mean", "0.norm.running_var", "0.norm.num_batches_tracked" (one value),
    /// ..., "output.weight", "output.bias"; without those that a layer's norm does not have.
    std::vector<std::string> tensor_names() const;
    /// Waits for the steps in flight.
    std::vector<float> tensor(const std::string& name);
    /// Throws std::invalid_argument for an unknown name, a wrong number of values, or values that are not
    /// finite.
    void set_tensor(const std::string& name, std::span<const float> values);

    /// Where the time of that step went on the device: labelled passes in order, such as "0.linear forward",
    /// "0.norm backward", "loss", and those of depth > 0 inside them. Empty without timestamps, before the
    /// step has ended, when the device cannot measure, or when four more submissions (steps, or chunks of an
    /// evaluation) have followed.
    std::vector<Timing> timings(Ticket ticket);
    /// How the norm of a hidden layer, from 0, runs on `rows` rows with batch statistics, for people; empty
    /// for a layer without one. Throws std::invalid_argument for numbers out of range.
    std::string explain(uint32_t layer, uint32_t rows) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace vknorm
