// A network that trains on the device: a graph of layers, then softmax cross-entropy.
//
// Everything is planned when the Network is built: parameters, outputs, gradients and the readback ring. A
// training step is one submission: forward, loss, backward, optimizer, probes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <vknorm/batch_renorm.hpp>
#include <vknorm/exchange.hpp>
#include <vknorm/graph.hpp>
#include <vknorm/optimizer.hpp>
#include <vknorm/probe.hpp>
#include <vknorm/safetensors.hpp>

namespace vknorm {

/// Where the norm of a hidden layer stands: before the activation, as Ioffe & Szegedy (2015) have it, or
/// after.
enum class NormOrder { before_activation, after_activation };

/// Linear -> norm -> activation, or Linear -> activation -> norm.
struct HiddenLayer {
    uint32_t units = 48;
    Norm norm = Norm::batch;
    Activation activation = Activation::relu;
    uint32_t groups = 8;       ///< of Norm::group, a divisor of units
    uint32_t ghost_size = 16;  ///< of Norm::ghost: rows normalized together, at least 2
    NormOrder order = NormOrder::before_activation;
};

struct NetworkOptions {
    // Of a network that is built without a graph: see perceptron(). With one, inputs and classes are the
    // graph's, and hidden stays empty.
    uint32_t inputs = 2;
    std::vector<HiddenLayer> hidden;
    uint32_t classes = 2;

    uint32_t max_batch = 32;  ///< rows of the largest training batch, of a micro-batch where it is divided
    /// Micro-batches of a training step: its rows, up to accumulate * max_batch, go through the network in so
    /// many parts as equal as can be, and their gradients are summed. Memory is that of one. Each micro-batch
    /// is a batch of its own to norms that depend on it: statistics are over its rows, and running statistics
    /// take in one after the other. Without such norms the step is that of one large batch.
    uint32_t accumulate = 1;
    // The loss that training steps minimize: a weighted mean as torch.nn.CrossEntropyLoss has it, see
    // SoftmaxCrossEntropy.
    float label_smoothing = 0;         ///< 0 to less than 1
    std::vector<float> class_weights;  ///< finite numbers from 0 on, not all 0; empty: all are 1
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
    /// Running statistics take in only batches whose statistics are finite: where those of any norm are not,
    /// or their variance is beyond float32, none of this step's are taken, nor counted in
    /// num_batches_tracked, and StepResult::refused_batches counts the step; it goes on as long as all else
    /// is finite. Without it such a step is Diverged.
    bool guard = true;
    bool timestamps = false;  ///< measure steps on the device, see Network::timings; may be changed later
    /// With whom training is shared, see exchange.hpp; must outlive the network. Null: with nobody. Every
    /// rank has a network of the same graph and options, and trains on its own rows: a step is that of the
    /// rows of all together. train_step, join, evaluate, recompute_running_statistics and share_state are
    /// calls of all ranks then, in the same order; where one fails on a rank, the others are told. Batch
    /// renormalization and ghosts do not go with it.
    Exchange* exchange = nullptr;
    /// Of so many ranks, see exchange.hpp, batch statistics are those of all their rows; 0: of all ranks.
    /// With several groups running statistics become the averages over ranks.
    uint32_t statistics_group = 0;
    /// Before every so many steps, and the first, ranks compare all that they train: where it differs by a
    /// bit, all throw ExchangeError, which names tensor and rank. 0: never.
    uint32_t compare_every = 100;
};

/// The multilayer perceptron that the options describe: for each hidden layer i, from 0, the nodes
/// "i.linear", "i.norm" (unless it is none) and "i.activation", then "output", a Linear layer to the logits.
Graph perceptron(const NetworkOptions& options);

/// Which statistics those norms use that keep running ones.
enum class Statistics { batch, running };

enum class Tensor {
    output,           ///< what the node gives
    output_gradient,  ///< of the loss with respect to that
    normalized,       ///< of a norm: what it would give if gamma were 1 and beta 0
};

/// What training leaves as it is, by the names of nodes: of a network that has learnt something else, say.
struct Frozen {
    std::vector<std::string> parameters{};  ///< nodes whose parameters have no gradient and are not optimized
    std::vector<std::string> statistics{};  ///< norms that normalize with their running statistics and do not
                                            ///< update them
};

/// Measures one tensor on the device at every training step.
struct NetworkProbe {
    std::string node{};  ///< its name
    Tensor tensor = Tensor::output;
    ProbeOptions options{};
    std::string called{};  ///< its name, where another one looks at the same tensor; empty: it has the usual

    /// That of its results. Usual are "0.norm.output", "0.linear.output_gradient", "0.norm.normalized", and
    /// for a unit or channel "0.norm.output[3]".
    std::string name() const;
};

/// Batch and running statistics of one unit or channel of a normalized layer, after the step. Batch
/// statistics are those of all rows, ghosts or not, and NaN when the step normalized with running ones. All
/// are NaN for a norm that keeps no running statistics. Gamma and beta are means over the channel where each
/// of its elements has its own; beta is 0 for a norm that has none.
struct ChannelStatistics {
    float batch_mean = 0, batch_variance = 0, running_mean = 0, running_variance = 0, gamma = 1, beta = 0;
};

/// All that a norm was given and gave in a training step, as the device has it. What there is not is empty.
struct NormCapture {
    uint32_t rows = 0;
    std::vector<float> x, y;  ///< [rows, the node's shape]
    std::vector<float> dy;    ///< gradient of the loss with respect to y
    std::vector<float> dx;    ///< and to x, unless other nodes read x, too
    std::vector<float> gamma, beta, running_mean, running_variance;  ///< as the pass forward found them
    /// As the norm's operation saves them, where it took statistics of the batch: those of this batch stand
    /// first, and room for a largest one behind.
    std::vector<float> mean, inv_std, r, d;
    std::vector<float> dgamma, dbeta;
};

struct StepResult {
    uint64_t step = 0;             ///< counted from 1
    float loss = 0;                ///< of the batch, nats
    float accuracy = 0;            ///< of the batch, 0 to 1
    float gradient_norm = 0;       ///< L2 norm over all parameters that are trained
    uint32_t refused_batches = 0;  ///< of the steps so far: those that NetworkOptions::guard kept
                                   ///< out of the running statistics
    // Of the last micro-batch:
    std::map<std::string, ProbeResult> probes;  ///< by NetworkProbe::name()
    /// Of each unit or channel of each norm, by the name of its node.
    std::map<std::string, std::vector<ChannelStatistics>> statistics;
    std::map<std::string, NormCapture> captured;  ///< of the norms of set_captured_norms()
};

struct Evaluation {
    double loss = 0;      ///< mean cross-entropy, nats, without label smoothing and class weights
    double accuracy = 0;  ///< 0 to 1
};

/// A step met NaN or an infinity, on whatever rank: names the step, and the first node and unit or channel
/// that showed one. Parameters, optimizer state and running statistics stay those before that step; later
/// steps change nothing and throw this too, until Network::set_tensor or set_counter.
class Diverged : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// For use by one thread at a time; several networks may share a device. May be destroyed at any time: see
/// Device. One that was moved from throws std::invalid_argument.
class Network {
  public:
    /// The last node of the graph gives the logits, of shape {classes}; every other one is read. Throws
    /// std::invalid_argument for a graph without parameters or options out of range, Unsupported when a
    /// tensor is too large for this device.
    Network(Device& device, const Graph& graph, const NetworkOptions& options = {});
    /// A perceptron.
    Network(Device& device, const NetworkOptions& options);
    ~Network();
    Network(Network&&) noexcept;
    Network& operator=(Network&&) noexcept;

    const NetworkOptions& options() const;
    const Graph& graph() const;

    /// Records and submits one step and does not wait; blocks only when four steps are already in flight.
    /// `inputs` is [labels.size(), inputs], at most accumulate * max_batch rows. With an exchange these are
    /// the rows of this rank, maybe none, and the step waits for all ranks. Throws std::invalid_argument
    /// for wrong sizes, a label >= classes, labels whose weights are all 0, one row (or one left for the last
    /// ghost) when a layer normalizes with batch statistics, or RenormLimits out of range; Diverged when it
    /// is known already.
    Ticket train_step(std::span<const float> inputs, std::span<const uint32_t> labels);
    /// For a rank that has no more batches: takes part in the steps of the others, without rows and with
    /// their learning rate, until all ranks have called it. Returns the number of those steps: 0 without an
    /// exchange.
    uint64_t join();
    /// Waits for that step. Results of the four latest steps are kept. Throws Diverged.
    StepResult result(Ticket ticket);
    /// Whether result() would not have to wait for that step.
    bool reached(Ticket ticket);

    /// Loss and accuracy over a set, `chunk` rows at a time (0: max_batch; at most that), the last chunk
    /// shorter; nothing is changed. With batch statistics every chunk is normalized by its own, as a training
    /// step would (renormalized within the next step's limits); a chunk or ghost of one row normalizes to
    /// beta. With an exchange the set is the rows of all ranks together, each giving some or none, and all
    /// get the same numbers.
    Evaluation evaluate(std::span<const float> inputs, std::span<const uint32_t> labels,
                        Statistics statistics, uint32_t chunk = 0);
    /// Class probabilities, [rows, classes], by chunks of max_batch rows.
    std::vector<float> predict(std::span<const float> inputs, Statistics statistics);

    /// What the node of that name gives for the inputs, [rows, its shape], on the way to predict(): feature
    /// maps, say. Throws std::invalid_argument for a node that is not there.
    std::vector<float> output(const std::string& node, std::span<const float> inputs, Statistics statistics);

    /// A network for inference with the tensors of now, in which every norm that has running statistics is
    /// folded into the layer before it, where that has weights and nothing else reads it (see fold.hpp): such
    /// nodes are gone, and the layers have a bias. It predicts what this one does with running statistics, up
    /// to rounding, and is shared with nobody. Waits for the steps in flight.
    Network fold();
    /// Makes the running statistics those of all the inputs together, [rows, inputs], at least 2: the network
    /// as it is normalizes parts of at most `chunk` rows (0: max_batch; as equal as can be) by their own
    /// statistics, which are pooled exactly: precise batch normalization, for after training, by Y. Wu, J.
    /// Johnson, "Rethinking 'Batch' in BatchNorm", 2021 (arXiv:2105.07576), section 3. Counters of batches,
    /// and statistics that are frozen, stay. With an exchange the inputs are those of all ranks together.
    /// Throws std::invalid_argument for wrong sizes and, with nothing changed, for statistics that are not
    /// finite.
    void recompute_running_statistics(std::span<const float> inputs, uint32_t chunk = 0);

    /// Compiles the pipelines that micro-batches, evaluations and predictions of so many rows (0: max_batch)
    /// need with the settings of now. Whatever was not prepared is compiled when it is first recorded.
    void prepare(uint32_t rows = 0);

    // Changes between steps. Numbers out of range throw std::invalid_argument.
    void set_optimizer(const Optimizer& optimizer);  ///< resets the optimizer's state when its kind changes
    /// Of the optimizer, for the steps that follow; see learning_rate.hpp.
    void set_learning_rate(float learning_rate);
    /// A gradient whose norm is larger is scaled by max_norm / (norm + 1e-6), as by
    /// torch.nn.utils.clip_grad_norm_; 0: none is. StepResult::gradient_norm is the norm before.
    void set_max_gradient_norm(float max_norm);
    void set_batch_norm(const BatchNormConvention& convention);
    void set_statistics(Statistics statistics);  ///< what training steps normalize with
    void set_update_running(bool update);        ///< whether training steps update running statistics
    void set_train_affine(bool train);           ///< whether gamma and beta are optimized
    /// Takes the place of what was frozen before. Throws std::invalid_argument for a name that is none of a
    /// node with parameters, or of a norm with running statistics; train_step does when no parameter is left.
    void set_frozen(const Frozen& frozen);
    /// No two of one name. What a node gives is computed by itself while it is probed: a norm leaves the ReLU
    /// behind it to that.
    void set_probes(std::vector<NetworkProbe> probes);
    /// The steps that follow copy all that the norms of those names have to the host.
    void set_captured_norms(const std::vector<std::string>& nodes);
    void set_timestamps(bool timestamps);

    uint64_t steps() const;  ///< submitted, on top of what set_counter() said
    uint64_t parameter_count() const;
    /// A table for people: each node with the shape of its output, its parameters, and the multiply-adds that
    /// it takes for an example; their sums; and what device memory there is, for what.
    std::string summary() const;
    /// Names as torch's state_dict gives them, "NODE.TENSOR" in the order of the nodes: "0.linear.weight",
    /// "0.linear.bias", "0.norm.weight", "0.norm.bias", "0.norm.running_mean", "0.norm.running_var",
    /// "0.norm.num_batches_tracked" (one value), ..., "output.weight", "output.bias"; without those that a
    /// layer does not have.
    std::vector<std::string> tensor_names() const;
    /// Waits for the steps in flight. Throws std::invalid_argument for an unknown name, or a counter that
    /// float32 does not hold: see counter().
    std::vector<float> tensor(const std::string& name);
    /// Throws std::invalid_argument for an unknown name, a wrong number of values, values that are not
    /// finite, a running variance below 0, or a counter that is no integer from 0 on.
    void set_tensor(const std::string& name, std::span<const float> values);

    // Exact integers.
    /// "steps", and those of tensor_names() that are integers: "NODE.num_batches_tracked".
    std::vector<std::string> counter_names() const;
    /// Waits for the steps in flight. Throws std::invalid_argument for an unknown name.
    int64_t counter(const std::string& name);
    /// Throws std::invalid_argument for an unknown name or a value below 0. "steps" is what the next step is
    /// counted on from, and what NetworkOptions::renorm is asked about.
    void set_counter(const std::string& name, int64_t value);

    // All that a run goes on from, to be kept and set again, in memory or in a file: see checkpoint.hpp.
    /// The tensors of tensor_names(), float32 in the shapes of torch's state_dict, counters int64 scalars.
    /// With `training` also "training/steps", "training/refused_batches", "training/optimizer/steps", int64
    /// scalars, and "training/optimizer/MOMENT/NAME", MOMENT one of those that the optimizer keeps,
    /// "first_moment" or "second_moment", for every parameter. Waits for the steps in flight.
    HostTensors state(bool training = true);
    /// Sets all of it, or without the names in "training/" the rest. Values may be F32, F64, F16 or BF16.
    /// Throws std::invalid_argument, with nothing changed, as check_state() does, and for values that
    /// set_tensor() refuses.
    void set_state(const HostTensors& state);
    /// Makes the state of all ranks that of rank 0, which has read a checkpoint, say. Nothing without an
    /// exchange.
    void share_state();
    /// Throws std::invalid_argument, which tells all names that are missing or too many and all shapes and
    /// types that differ; bytes may be missing. Other names that begin with "training/" are the caller's.
    void check_state(const HostTensors& state) const;

    /// Where the time of that step went on the device: labelled passes in order, such as "0.linear forward",
    /// "0.norm backward", "loss", and those of depth > 0 inside them. Empty without timestamps, before the
    /// step has ended, when the device cannot measure, or when four more submissions (steps, or chunks of an
    /// evaluation) have followed. With an exchange: of the step's last segment.
    std::vector<Timing> timings(Ticket ticket);
    /// How a norm runs on `rows` rows with batch statistics, for people; empty for a node of another kind.
    /// Throws std::invalid_argument for a node that is not there, or rows out of range.
    std::string explain(const std::string& node, uint32_t rows) const;

  private:
    struct State;
    detail::StatePointer<std::unique_ptr<State>> state_;
};

}  // namespace vknorm
