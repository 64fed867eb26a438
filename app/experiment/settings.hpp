// What the controls and the command line set, an experiment as a plain value, and the table that says of each
// setting what it is. A new setting is a member and a row here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <vknorm/data.hpp>
#include <vknorm/network.hpp>

#include "app/experiment/fields.hpp"

namespace lab {

/// Networks that train in lock-step, with the same initial weights and batches, are twins: index 0 is twin A.
inline constexpr char twin_letter(size_t index) {
    return static_cast<char>('A' + index);
}

struct TwinSettings {
    vknorm::Norm norm = vknorm::Norm::none;  ///< of every hidden layer that is no exception
    vknorm::Activation activation = vknorm::Activation::relu;
    vknorm::NormOrder order = vknorm::NormOrder::before_activation;  ///< of norm and activation
    uint32_t groups = 8;       ///< of layers with group norm, a divisor of their units
    uint32_t ghost_size = 16;  ///< of layers with ghost norm: examples normalized together
    std::map<uint32_t, vknorm::Norm> exceptions{};  ///< layers, from 0, with another norm
    uint32_t devices = 1;  ///< that take a part of every batch each; simulated on one
    DeviceStatistics device_statistics = DeviceStatistics::synchronized;  ///< of several devices

    vknorm::Norm norm_of(uint32_t layer) const {
        const auto found = exceptions.find(layer);
        return found == exceptions.end() ? norm : found->second;
    }
    void set_norm_of(uint32_t layer, vknorm::Norm wanted) {
        exceptions.erase(layer);
        if (wanted != norm) exceptions[layer] = wanted;
    }

    bool operator==(const TwinSettings&) const = default;
};

/// Everything that the controls of the screen set. The defaults are the Lab's first experiment.
struct Settings {
    // A change of any of these begins a new run; see begins_new_run().
    Data data = Data::spiral;
    std::string data_file;  ///< for Data::file: "idx:DIR#SET" and the like, see DataFile
    float noise = 0.16f;    ///< of the two-dimensional sets, as vknorm::make_2d takes it
    uint64_t seed = 7;
    Model model = Model::mlp;
    std::vector<uint32_t> hidden = {48, 48, 48,
                                    48};  ///< units of each hidden layer, input side first; of mlp
    std::vector<TwinSettings> twins = {{vknorm::Norm::batch}, {vknorm::Norm::none}};  ///< A, B, ...
    uint32_t accumulate = 1;     ///< batches in a training step
    float label_smoothing = 0;   ///< part of a label that all classes share
    float init_scale = 1;        ///< times the usual initial weights
    uint32_t batch_classes = 0;  ///< of which a batch has examples; 0: of any

    // These take effect with the next step.
    float input_scale = 1, input_shift = 0;  ///< what all inputs are multiplied by, and what is added then
    uint32_t batch = 32;
    OptimizerKind optimizer = OptimizerKind::sgd;
    float learning_rate = 0.3f;
    float momentum = 0;  ///< of SGD; Adam keeps its usual betas
    bool nesterov = false;
    float weight_decay = 0;
    Schedule schedule = Schedule::constant;
    uint64_t schedule_steps = 1000;  ///< until the schedule has ended, warm-up included
    uint32_t warm_up = 0;            ///< steps
    float max_gradient_norm = 0;     ///< 0: any
    float norm_momentum = 0.1f;  ///< weight of the new batch in the running statistics (PyTorch's convention)
    float epsilon = 1e-5f;       ///< of every norm
    vknorm::Statistics statistics = vknorm::Statistics::batch;  ///< what training steps normalize with
    bool update_running = true;
    bool train_affine = true;

    // What is measured and how fast; no influence on the run's numbers.
    uint32_t inspected_layer = 1;  ///< from 0
    uint32_t inspected_unit = 3;   ///< from 0
    Speed speed = Speed::normal;
    bool distributions = false;     ///< show those of the inspected layer's tensors, which measures them
    bool plan = false;              ///< show how a step is done, which measures its parts
    bool microscope = false;        ///< show the inspected norm value by value, which copies them
    bool landscape = false;         ///< show what lies along the gradient, which takes steps there and back
    uint32_t landscape_every = 10;  ///< steps
    uint64_t max_bytes =
        vknorm::default_max_bytes;           ///< that a data file may hold, as vknorm::read_idx counts
    Smoothing smoothing = Smoothing::light;  ///< of the curves of loss and gradient norm
    bool pause_on_divergence = false;        ///< otherwise the other twins go on
    std::set<std::string> concealed{};       ///< words of settings whose controls are not there

    bool operator==(const Settings&) const = default;
};

/// Ranges that more than one place must know.
namespace limits {
inline constexpr uint32_t max_twins = 4, max_devices = 8;
inline constexpr uint32_t max_layers = 10, max_units = 512, max_batch = 256;
inline constexpr uint32_t min_ghost = 2, max_ghost = 128;
inline constexpr float max_init_scale = 1000, max_input_change = 1000;
inline constexpr uint32_t max_accumulate = 64, max_warm_up = 1'000'000;
inline constexpr uint64_t max_schedule_steps = 1'000'000'000;
inline constexpr float max_noise = 0.5f, min_learning_rate = 1e-4f, max_learning_rate = 10;
}  // namespace limits

/// What Settings::concealed may hold beside words of settings.
namespace concealable {
inline constexpr const char *presets = "presets", *experiments = "experiments";
}

/// At most so many training steps in a second; 0: as many as the device does.
constexpr uint32_t steps_per_second(Speed speed) {
    return speed == Speed::slow ? 8 : speed == Speed::normal ? 120 : 0;
}

/// Whether `data` is a set of points in the plane (a decision boundary can be drawn) rather than pictures or
/// a file.
bool is_planar(Data data);
/// Whether the network is a perceptron, whose layers are chosen one by one, rather than a model for pictures.
bool is_perceptron(const Settings& settings);
/// Whether the examples are pictures, or arrays, which most often are.
bool is_pictures(const Settings& settings);
/// Of all the batches that make one step.
uint64_t examples_per_step(const Settings& settings);
/// The fewest examples of a batch that a device of the twin has, or all of them where devices exchange
/// statistics: what a norm over the batch takes its own of.
uint32_t normalized_together(const Settings& settings, size_t twin);
/// Whether a hidden layer of the twin, or its model, has that norm.
bool has_norm(const Settings& settings, size_t twin, vknorm::Norm norm);
/// Whether a hidden layer of the twin normalizes examples by others of their batch, so that training and
/// evaluation differ.
bool depends_on_batch(const Settings& settings, size_t twin);
/// The largest number of which all the twin's layers with group norm have a multiple of units or channels; 0:
/// it has none.
uint32_t most_groups(const Settings& settings, size_t twin);
/// Drops the last twins, or adds some that are like twin A but for their norm: layer norm for the third and
/// group norm for the fourth.
void set_twin_count(Settings& settings, size_t count);
/// Makes the norms fit the hidden layers after these have changed.
void keep_norms_valid(Settings& settings);

// The settings that are more than a member; those that read throw Unfit, with nothing changed.
std::string data_form();
std::string data_text(const Settings& settings, size_t twin);
void read_data(Settings& settings, size_t twin, const std::string& text);
std::string twin_count_text(const Settings& settings, size_t twin);
void read_twin_count(Settings& settings, size_t twin, const std::string& text);
/// One for all hidden layers, or one for each, separated by commas.
std::string norm_text(const Settings& settings, size_t twin);
void read_norm(Settings& settings, size_t twin, const std::string& text);
std::string concealed_text(const Settings& settings, size_t twin);
void read_concealed(Settings& settings, size_t twin, const std::string& text);

/// In the order of the command line's help, of reports, and of the controls in a section. A setting that
/// decides what another one may be stands before that.
inline constexpr Field fields[] = {
    {.word = "data",
     .label = "Data",
     .help = "What to learn",
     .why = "Two classes that no line can part show in a plane what a network has learned.",
     .kind = Written{data_form, data_text, read_data, false, [] { return named_values<Data>(data_choices); }},
     .effect = Effect::new_run},
    {.word = "noise",
     .label = "Noise",
     .help = "Of the points in the plane",
     .why = "More of it makes classes overlap: no network then reaches 100 %.",
     .kind = Number<float>{&Settings::noise, 0, limits::max_noise},
     .effect = Effect::new_run,
     .section = Section::data,
     .applies = [](const Settings& s, size_t) { return is_planar(s.data); }},
    {.word = "input-scale",
     .label = "Scale of inputs",
     .help = "What all inputs are multiplied by: another domain",
     .why = "Running statistics are of the old domain: eval mode errs until they are measured anew.",
     .kind = Number<float>{&Settings::input_scale, -limits::max_input_change, limits::max_input_change}},
    {.word = "input-shift",
     .label = "Shift of inputs",
     .help = "What is added to all inputs, scaled ones",
     .why = "It moves what the first norm expects, and eval mode does not notice by itself.",
     .kind = Number<float>{&Settings::input_shift, -limits::max_input_change, limits::max_input_change}},
    {.word = "batch-classes",
     .label = "Classes in a batch",
     .help = "A batch has examples of so many classes, as many of each (0: of any, at random)",
     .why = "Statistics of a batch are then those of its classes, and eval mode has those of all.",
     .kind = Number<uint32_t>{&Settings::batch_classes, 0, limits::max_batch},
     .effect = Effect::new_run},
    {.word = "model",
     .label = "Model",
     .help =
         "What network: a perceptron with hidden layers of choice, or one with convolutions, for pictures",
     .why = "A perceptron shows every unit; convolutions show norms of maps, as in networks for pictures.",
     .kind = OneOf<Model>{&Settings::model, model_choices},
     .effect = Effect::new_run},
    {.word = "hidden",
     .label = "Hidden layers",
     .help = "Units of each hidden layer of mlp",
     .why = "Without a norm a signal shrinks or grows from layer to layer; depth shows it.",
     .kind = Numbers{&Settings::hidden, 1, limits::max_units, limits::max_layers, "layers"},
     .effect = Effect::new_run,
     .applies = [](const Settings& s, size_t) { return is_perceptron(s); }},
    {.word = "init-scale",
     .label = "Scale of initial weights",
     .help = "Times those of PyTorch's Linear",
     .why = "A norm divides the scale out again; without one the signal shrinks or grows in every layer.",
     .kind = Number<float>{&Settings::init_scale, 0, limits::max_init_scale},
     .effect = Effect::new_run},
    {.word = "twins",
     .label = "Twins",
     .help = "Networks trained in lock-step (2 if not given)",
     .why = "They share first weights and batches: what differs in the plots, their settings did.",
     .kind = Written{[] { return std::string("NUMBER"); }, twin_count_text, read_twin_count},
     .effect = Effect::new_run,
     .reported = false},
    {.word = "norm",
     .label = "Norm",
     .help = "Norm of every hidden layer, or one for each: N,N,...",
     .why = "It decides which values share one mean and one variance: of a unit, or of an example.",
     .kind = Written{[] { return join_words<vknorm::Norm>(norm_choices, "|"); }, norm_text, read_norm, true,
                     [] { return named_values<vknorm::Norm>(norm_choices); }},
     .effect = Effect::new_run,
     .flag = Flag::for_each_twin},
    {.word = "groups",
     .label = "Groups",
     .help = "Parts of a layer's units that GroupNorm normalizes apart; one is LayerNorm. A divisor of the "
             "units.",
     .why = "Statistics of an example do not depend on the batch, so they hold at any batch size.",
     .kind = Number<uint32_t>{&TwinSettings::groups, 1, limits::max_units},
     .effect = Effect::new_run,
     .applies = [](const Settings& s, size_t twin) { return has_norm(s, twin, vknorm::Norm::group); }},
    {.word = "ghost-size",
     .label = "Ghost size",
     .help = "Examples of the batch that GhostNorm normalizes together; the last ghost has what is left.",
     .why = "Smaller ghosts make noisier statistics, which regularizes; below 8 the noise takes over.",
     .kind = Number<uint32_t>{&TwinSettings::ghost_size, limits::min_ghost, limits::max_ghost},
     .effect = Effect::new_run,
     .section = Section::twin,
     .applies = [](const Settings& s, size_t twin) { return has_norm(s, twin, vknorm::Norm::ghost); }},
    {.word = "devices",
     .label = "Devices",
     .help = "That take a part of every batch each and add up their gradients, simulated on one device",
     .why = "Each sees few examples. Where they exchange statistics, it is one device with all of them.",
     .kind = Number<uint32_t>{&TwinSettings::devices, 1, limits::max_devices},
     .effect = Effect::new_run,
     .flag = Flag::for_each_twin,
     .section = Section::twin},
    {.word = "device-statistics",
     .label = "Statistics of devices",
     .help = "Of several devices: synchronized, as SyncBatchNorm has them, or each alone",
     .why = "Alone, 4 devices with 8 examples each have the noise of 8; synchronized, the statistics of 32.",
     .kind = OneOf<DeviceStatistics>{&TwinSettings::device_statistics, device_statistics_choices},
     .effect = Effect::new_run,
     .flag = Flag::for_each_twin,
     .section = Section::twin,
     .applies = [](const Settings& s,
                   size_t twin) { return s.twins[twin].devices > 1 && depends_on_batch(s, twin); }},
    {.word = "activation",
     .label = "Activation",
     .help = "Activation of every hidden layer of mlp; other models have ReLU",
     .why = "Sigmoid and tanh saturate where their input is large; ReLU is silent where it is negative.",
     .kind = OneOf<vknorm::Activation>{&TwinSettings::activation, activation_choices},
     .effect = Effect::new_run,
     .applies = [](const Settings& s, size_t) { return is_perceptron(s); }},
    {.word = "order",
     .label = "Place of the norm",
     .help = "Before the activation of every hidden layer of mlp, as Ioffe & Szegedy have it, or after it",
     .why = "After it the next layer gets values of mean 0 and deviation 1; a ReLU's own are never below 0.",
     .kind = OneOf<vknorm::NormOrder>{&TwinSettings::order, order_choices},
     .effect = Effect::new_run,
     .flag = Flag::for_each_twin,
     .applies =
         [](const Settings& s, size_t twin) {
             const TwinSettings& its = s.twins[twin];
             return is_perceptron(s) && (its.norm != vknorm::Norm::none || !its.exceptions.empty());
         }},
    {.word = "batch",
     .label = "Batch size",
     .help = "Examples in a training step. Statistics of small batches are noisy; a batch of one has none.",
     .why = "The error of a mean of m examples falls as 1/sqrt(m): batch statistics want 8 or more.",
     .kind = Number<uint32_t>{&Settings::batch, 1, limits::max_batch},
     .section = Section::data},
    {.word = "seed",
     .label = "Seed",
     .help = "Of data, weights and the order of examples",
     .why = "A result that another seed does not show is an accident.",
     .kind = Number<uint64_t>{&Settings::seed, 0, UINT64_MAX, 99},
     .effect = Effect::new_run,
     .reported = false},
    {.word = "optimizer",
     .label = "Optimiser",
     .help = "How steps change the parameters",
     .why = "Adam divides by the size of past gradients, which hides part of what a norm does.",
     .kind = OneOf<OptimizerKind>{&Settings::optimizer, optimizer_choices}},
    {.word = "lr",
     .label = "Learning rate",
     .help = "How far a step goes",
     .why = "With a norm larger steps stay stable: the scale of the weights before it cancels out.",
     .kind = Number<float>{&Settings::learning_rate, limits::min_learning_rate, limits::max_learning_rate,
                           limits::max_learning_rate, true},
     .section = Section::optimizer},
    {.word = "momentum",
     .label = "Momentum",
     .help = "Of SGD: how much of its past direction a step keeps",
     .why =
         "It averages gradients over steps. Not the momentum of running statistics, which is another thing.",
     .kind = Number<float>{&Settings::momentum, 0, 0.999f, 0.99f},
     .section = Section::optimizer,
     .applies = [](const Settings& s, size_t) { return s.optimizer == OptimizerKind::sgd; }},
    {.word = "nesterov",
     .label = "Nesterov's momentum",
     .help = "Of SGD with momentum: the gradient counts once more",
     .why = "It looks ahead along the direction kept, and brakes earlier.",
     .kind = Switch{&Settings::nesterov},
     .section = Section::optimizer,
     .applies = [](const Settings& s,
                   size_t) { return s.optimizer == OptimizerKind::sgd && s.momentum > 0; }},
    {.word = "weight-decay",
     .label = "Weight decay",
     .help = "L2, added to the gradient; AdamW takes it from the parameters",
     .why = "Before a norm it does not shrink what comes out; it makes the steps of the weights larger.",
     .kind = Number<float>{&Settings::weight_decay, 0, 1, 0.1f, true},
     .section = Section::optimizer},
    {.word = "schedule",
     .label = "Schedule",
     .help = "Of the learning rate. Step: a tenth after each third of the steps. Cosine: half of one, down "
             "to 0. 1 cycle: up for a third of the steps, down to 0.",
     .why = "Large steps first to get far, small ones last to settle.",
     .kind = OneOf<Schedule>{&Settings::schedule, schedule_choices}},
    {.word = "schedule-steps",
     .label = "Steps of the schedule",
     .help = "Until it has ended (--steps if not given)",
     .why = "A schedule that ends early leaves the rest of the run with its smallest steps.",
     .kind = Number<uint64_t>{&Settings::schedule_steps, 1, limits::max_schedule_steps},
     .applies = [](const Settings& s, size_t) { return s.schedule != Schedule::constant; }},
    {.word = "warm-up",
     .label = "Warm-up",
     .help = "Steps in which the learning rate rises from a third, before the schedule begins",
     .why = "First steps of a fresh network are the wildest, of Adam most of all.",
     .kind = Number<uint32_t>{&Settings::warm_up, 0, limits::max_warm_up}},
    {.word = "clip",
     .label = "Largest gradient norm",
     .help = "A gradient of a larger norm is scaled down to it (0: none is)",
     .why = "One batch with a huge gradient then cannot throw the network off.",
     .kind = Number<float>{&Settings::max_gradient_norm, 0, 1e5f, 10}},
    {.word = "label-smoothing",
     .label = "Label smoothing",
     .help = "Part of a label that all classes share, in the training loss",
     .why = "A loss that wants no certainty keeps logits, and with them gradients, small.",
     .kind = Number<float>{&Settings::label_smoothing, 0, 0.9f},
     .effect = Effect::new_run},
    {.word = "accumulate",
     .label = "Accumulate",
     .help = "Batches whose gradients make one step; each has statistics of its own",
     .why = "It makes a large step in little memory, but statistics stay those of the small batches.",
     .kind = Number<uint32_t>{&Settings::accumulate, 1, limits::max_accumulate},
     .effect = Effect::new_run},
    {.word = "norm-momentum",
     .label = "Momentum of running statistics",
     .help = "Weight of the newest batch in the running statistics, as PyTorch counts it. Keras and ONNX "
             "count the weight of the old value.",
     .why = "Small: smooth, but late. Large: prompt, but as noisy as one batch.",
     .kind = Number<float>{&Settings::norm_momentum, 0, 1}},
    {.word = "epsilon",
     .label = "Epsilon",
     .help = "Added to the variance in a norm",
     .why = "It keeps 1/sqrt(variance + epsilon) finite where a unit hardly varies.",
     .kind = Number<float>{&Settings::epsilon, 0, 1}},
    {.word = "statistics",
     .label = "Statistics",
     .help = "What training steps normalize with",
     .why = "Running ones are fixed, so that no example depends on another: that is eval mode.",
     .kind = OneOf<vknorm::Statistics>{&Settings::statistics, statistics_choices},
     .flag = Flag::none,
     .reported = false,
     .section = Section::normalization},
    {.word = "update-running",
     .label = "Update running statistics",
     .help = "Training steps move them towards those of their batch",
     .why = "Kept back, they describe a network that is gone.",
     .kind = Switch{&Settings::update_running},
     .flag = Flag::none,
     .reported = false,
     .section = Section::normalization},
    {.word = "train-affine",
     .label = "Train gamma and beta",
     .help = "Otherwise scale and shift of the norms stay as they are",
     .why = "gamma and beta give back the scale and shift that normalizing took.",
     .kind = Switch{&Settings::train_affine},
     .flag = Flag::none,
     .reported = false,
     .section = Section::normalization},
    {.word = "layer",
     .label = "Layer",
     .help = "The hidden layer whose distribution is shown",
     .why = "Effects of depth show in the last layers first.",
     .kind = Number<uint32_t>{&Settings::inspected_layer, 0, limits::max_layers - 1},
     .effect = Effect::view,
     .flag = Flag::none,
     .reported = false},
    {.word = "unit",
     .label = "Unit",
     .help = "The unit of that layer whose statistics are shown",
     .why = "A unit is one row of weights: batch norm has a mean, a variance, gamma and beta for each.",
     .kind = Number<uint32_t>{&Settings::inspected_unit, 0, limits::max_units - 1},
     .effect = Effect::view,
     .flag = Flag::none,
     .reported = false},
    {.word = "speed",
     .label = "Speed",
     .help = "Slow: 8 steps a second. Normal: 120. Fast: as many as the device does.",
     .why = "Slow enough, every step can be seen; what a run ends with does not depend on it.",
     .kind = OneOf<Speed>{&Settings::speed, speed_choices},
     .effect = Effect::view,
     .flag = Flag::none,
     .reported = false},
    {.word = "smoothing",
     .label = "Smoothing",
     .help = "Of loss and gradient norm. Light: mostly the latest 5 steps; strong: the latest 33. What was "
             "measured stays faint behind.",
     .why = "Losses of single batches scatter; a moving average shows where they go, a little late.",
     .kind = OneOf<Smoothing>{&Settings::smoothing, smoothing_choices},
     .effect = Effect::view,
     .reported = false},
    {.word = "pause-on-divergence",
     .label = "Pause when a twin diverges",
     .help = "Otherwise only that twin stops, and the others go on",
     .why = "To look at the step at which it happened.",
     .kind = Switch{&Settings::pause_on_divergence},
     .effect = Effect::view,
     .flag = Flag::none,
     .reported = false},
    {.word = "distributions",
     .label = "Distributions",
     .help = "Show how the tensors of the inspected layer are distributed, before and behind its norm",
     .why = "A norm keeps them in place; without one they drift, shrink or grow from layer to layer.",
     .kind = Switch{&Settings::distributions},
     .effect = Effect::view,
     .reported = false},
    {.word = "plan",
     .label = "Plan",
     .help = "Show the plan of a training step: its parts and their times",
     .why = "It shows what normalizing costs beside the rest of a step.",
     .kind = Switch{&Settings::plan},
     .effect = Effect::view,
     .reported = false},
    {.word = "microscope",
     .label = "Microscope",
     .help = "Show what the inspected layer's norm does to a batch, value by value",
     .why = "Every number of a norm stands beside its formula and its float64 reference.",
     .kind = Switch{&Settings::microscope},
     .effect = Effect::view,
     .reported = false},
    {.word = "landscape",
     .label = "Landscape",
     .help = "Show how loss and gradient change along the gradient, which takes steps there and back",
     .why = "Where both change little, a step does what the gradient promised.",
     .kind = Switch{&Settings::landscape},
     .effect = Effect::view,
     .reported = false},
    {.word = "landscape-every",
     .label = "Steps from look to look",
     .help = "So often is the landscape looked at, at the cost of nine steps and their way to the host",
     .why = "Looking changes no twin: it comes back to the bits that it had.",
     .kind = Number<uint32_t>{&Settings::landscape_every, 1, 10'000, 100},
     .effect = Effect::view,
     .reported = false},
    {.word = "max-bytes",
     .label = "Bytes of a file",
     .help = "Of data that a file may hold, as float32 (1073741824 if not given)",
     .why = "A file that unpacks to more than memory is refused before it does.",
     .kind = Number<uint64_t>{&Settings::max_bytes, 1, UINT64_MAX},
     .effect = Effect::view,
     .reported = false},
    // Whoever something is hidden from has no control to get it back.
    {.word = "hide",
     .label = "Hidden controls",
     .help = "Settings that the window neither shows nor changes, such as norm-b,optimizer; also presets, "
             "experiments",
     .why = "Who gets the share string looks at what is left.",
     .kind = Written{[] { return std::string("WORD,WORD,..."); }, concealed_text, read_concealed},
     .effect = Effect::view,
     .reported = false,
     .applies = [](const Settings&, size_t) { return false; }},
};

/// The row of that word; a word without one does not compile.
consteval const Field& field_named(std::string_view word) {
    for (const Field& row : fields)
        if (row.word == word) return row;
    throw "no setting has that word";
}

}  // namespace lab
