// What the Lab's screen and its training session say to each other. Data flows one way:
//
//     screen -> Commands -> session (its own thread) -> Snapshot -> screen
//
// Settings and Snapshot are plain values; a published Snapshot is immutable and shared, so neither side waits
// for the other. Nothing here draws or computes.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <vknorm/data.hpp>
#include <vknorm/network.hpp>

#include "app/experiment/history.hpp"

namespace lab {

/// Two networks train in lock-step: same initial weights, same batches. Index 0 is twin A, 1 is twin B.
inline constexpr size_t twin_count = 2;
inline constexpr char twin_letter(size_t index) {
    return static_cast<char>('A' + index);
}

enum class Data { spiral, circles, moons, xor_quadrants, gaussians, rings, digits, file };
enum class OptimizerKind { sgd, adam };

struct TwinSettings {
    vknorm::Norm norm = vknorm::Norm::none;  ///< of every hidden layer that is no exception
    vknorm::Activation activation = vknorm::Activation::relu;
    uint32_t groups = 8;       ///< of layers with group norm, a divisor of their units
    uint32_t ghost_size = 16;  ///< of layers with ghost norm: examples normalized together
    std::map<uint32_t, vknorm::Norm> exceptions{};  ///< layers, from 0, with another norm

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
    std::string data_file;  ///< for Data::file: "idx:DIR" or "csv:FILE"
    float noise = 0.16f;    ///< of the two-dimensional sets, as vknorm::make_2d takes it
    uint64_t seed = 7;
    std::vector<uint32_t> hidden = {48, 48, 48, 48};  ///< units of each hidden layer, input side first
    std::array<TwinSettings, twin_count> twins = {
        TwinSettings{vknorm::Norm::batch, vknorm::Activation::relu},
        TwinSettings{vknorm::Norm::none, vknorm::Activation::relu},
    };

    // These take effect with the next step.
    uint32_t batch = 32;
    OptimizerKind optimizer = OptimizerKind::sgd;
    float learning_rate = 0.3f;
    float momentum = 0;  ///< of SGD; Adam keeps its usual betas
    float weight_decay = 0;
    float norm_momentum = 0.1f;  ///< weight of the new batch in the running statistics (PyTorch's convention)
    float epsilon = 1e-5f;       ///< of every norm
    vknorm::Statistics statistics = vknorm::Statistics::batch;  ///< what training steps normalize with
    bool update_running = true;
    bool train_affine = true;

    // What is measured and how fast; no influence on the run's numbers.
    uint32_t inspected_layer = 1;  ///< from 0
    uint32_t inspected_unit = 3;   ///< from 0
    uint32_t steps_per_frame = 4;  ///< at most this many steps in 1/30 s; 0: as many as the device does
    bool plan = false;             ///< show how a step is done, which measures its parts

    bool operator==(const Settings&) const = default;
};

/// Ranges of the controls; the command line and the session hold to the same ones.
namespace limits {
inline constexpr uint32_t max_layers = 10, max_units = 512, max_batch = 256, max_steps_per_frame = 64;
inline constexpr uint32_t min_ghost = 2, max_ghost = 128;
inline constexpr float max_noise = 0.5f, min_learning_rate = 1e-4f, max_learning_rate = 10,
                       max_momentum = 0.999f;
}  // namespace limits

/// Whether going from `from` to `to` needs new data or new networks.
bool begins_new_run(const Settings& from, const Settings& to);
/// Whether `data` is a set of points in the plane (a decision boundary can be drawn) rather than pictures or
/// a file.
bool is_planar(Data data);
/// Whether a hidden layer of the twin has that norm.
bool has_norm(const Settings& settings, size_t twin, vknorm::Norm norm);
/// Whether a hidden layer of the twin normalizes examples by others of their batch, so that training and
/// evaluation differ.
bool depends_on_batch(const Settings& settings, size_t twin);
/// The largest number of which all the twin's layers with group norm have a multiple of units; 0: it has
/// none.
uint32_t most_groups(const Settings& settings, size_t twin);
/// Makes the norms fit the hidden layers after these have changed.
void keep_norms_valid(Settings& settings);

const char* name(Data data);
const char* name(OptimizerKind kind);
const char* name(vknorm::Norm norm);
const char* name(vknorm::Activation activation);

/// "Not measured", in any float of a Snapshot: plots leave a gap.
inline constexpr float not_measured = std::numeric_limits<float>::quiet_NaN();

/// One training step of one twin.
struct TrainingRow {
    float loss = not_measured;                    ///< of the batch, nats
    float smoothed_loss = not_measured;           ///< exponential moving average over every step, kept or not
    float gradient_norm = not_measured;           ///< L2 norm over all parameters
    float smoothed_gradient_norm = not_measured;  ///< as smoothed_loss
};

/// One training step as the inspected unit saw it.
struct UnitRow {
    float percentile15 = not_measured, percentile50 = not_measured,
          percentile85 = not_measured;                                   ///< of Tensor::normalized
    float batch_mean = not_measured, batch_variance = not_measured;      ///< of Tensor::pre_norm, biased
    float running_mean = not_measured, running_variance = not_measured;  ///< of norms that keep them
};

/// The test set, evaluated between two steps.
struct TestRow {
    float accuracy = not_measured;  ///< 0 to 1, with running statistics (eval mode)
    float batch_accuracy =
        not_measured;           ///< with batch statistics (train mode); only of a twin that depends on them
    float loss = not_measured;  ///< nats, with running statistics
};

/// Values counted in bins of equal width between `low` and `high`; the outer bins hold what lies beyond.
struct Histogram {
    float low = -4, high = 4;
    std::vector<float> share;  ///< per bin, sums to 1

    /// Where bin `bin` begins, and the one before it ends.
    float edge(size_t bin) const {
        return low + (high - low) * static_cast<float>(bin) / static_cast<float>(share.size());
    }
};

/// The latest step in one hidden layer, for its card.
struct LayerView {
    Histogram normalized;  ///< Tensor::normalized, the input of the activation
    float mean = not_measured, deviation = not_measured;
    uint32_t non_finite = 0;
};

/// Class probabilities over a grid of points in the plane, with running statistics.
struct Boundary {
    uint32_t columns = 0, rows = 0;  ///< grid points, the outermost ones on the edge of the square; 0: none
    float low = -1.2f, high = 1.2f;  ///< the square covered, in both directions
    uint32_t classes = 0;
    std::vector<float> probability;  ///< [rows][columns][classes], first row at y = low
};

/// What is known of one twin.
struct TwinView {
    History<TrainingRow> training{8192};
    History<UnitRow> unit{8192};  ///< begins anew when another unit is inspected
    History<TestRow> test{2048};
    History<Histogram> distribution{24};  ///< Tensor::normalized of the inspected layer
    std::vector<LayerView> layers;        ///< one per hidden layer; empty before the first step
    Boundary boundary;                    ///< for planar data
    std::vector<uint32_t> predicted;  ///< for pictures: class of the first so many examples of Snapshot::test

    // With Settings::plan.
    std::vector<vknorm::Timing> parts;  ///< of a step on the device; empty: none was measured yet
    std::string norm_plan;              ///< of the inspected layer, in words; empty: it has no norm
};

enum class Severity { note, warning, error };

/// One state of the run. Publish a new one rather than change it.
struct Snapshot {
    uint64_t revision = 0;  ///< differs from the previous one's when anything differs
    Settings settings;      ///< those of the latest step
    bool running = false;
    uint64_t step = 0;
    double epoch = 0;
    double samples_per_second = 0;  ///< of both twins together; 0 while paused
    std::string device;
    bool has_timestamps = true;  ///< the device can measure where the time of a step goes
    uint64_t parameters = 0;     ///< of one twin
    Severity severity = Severity::note;
    std::string message;  ///< refused step, divergence, a warning; empty: all is well
    std::shared_ptr<const vknorm::Dataset> train, test;  ///< null while being made
    std::array<TwinView, twin_count> twins;
};

/// How the screen steers a session. Calls return at once and may come from any one thread; the session obeys
/// between two steps. Errors appear in Snapshot::message.
class Commands {
  public:
    virtual ~Commands() = default;
    virtual void run() = 0;
    virtual void pause() = 0;
    /// One training step, then pause.
    virtual void step() = 0;
    /// Begins the run again with the same settings and seed, paused or running as before.
    virtual void reset() = 0;
    virtual void apply(const Settings& settings) = 0;
    /// The latest state; never null.
    virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
};

}  // namespace lab
