// What the session and the screen say to each other. Data flows one way:
//
//     screen -> Commands -> session (its own thread) -> Snapshot -> screen
//
// A published Snapshot is immutable and shared, so neither side waits for the other. Nothing here draws or
// computes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <vknorm/data.hpp>
#include <vknorm/network.hpp>

#include "app/experiment/data.hpp"
#include "app/experiment/events.hpp"
#include "app/experiment/history.hpp"
#include "app/experiment/landscape.hpp"
#include "app/experiment/microscope.hpp"
#include "app/experiment/settings.hpp"

namespace lab {

/// One training step of one twin.
struct TrainingRow {
    float loss = not_measured;  ///< of the batch, nats
    /// Moving averages of it over every step, kept or not; see Smoothing.
    float lightly_smoothed_loss = not_measured, strongly_smoothed_loss = not_measured;
    float gradient_norm = not_measured;  ///< L2 norm over all parameters
    float lightly_smoothed_gradient_norm = not_measured, strongly_smoothed_gradient_norm = not_measured;

    static constexpr std::array numbers = {&TrainingRow::loss, &TrainingRow::gradient_norm};
};

/// One training step as the inspected unit saw it.
struct UnitRow {
    float percentile15 = not_measured, percentile50 = not_measured,
          percentile85 = not_measured;                               ///< of what the activation receives
    float batch_mean = not_measured, batch_variance = not_measured;  ///< of what the norm receives, biased
    float running_mean = not_measured, running_variance = not_measured;  ///< of norms that keep them
    float gamma = not_measured, beta = not_measured;                     ///< of norms, after the step
    float gradient_norm = not_measured;  ///< L2 norm of the gradient of what the norm receives

    static constexpr std::array numbers = {
        &UnitRow::percentile15,   &UnitRow::percentile50, &UnitRow::percentile85,     &UnitRow::batch_mean,
        &UnitRow::batch_variance, &UnitRow::running_mean, &UnitRow::running_variance, &UnitRow::gamma,
        &UnitRow::beta,           &UnitRow::gradient_norm};
};

/// One training step as a channel of a norm saw it; of a linear layer each unit is a channel.
struct ChannelRow {
    float batch_mean = not_measured, batch_variance = not_measured;      ///< biased; of steps that used them
    float running_mean = not_measured, running_variance = not_measured;  ///< after the step, if it keeps them
    float gamma = not_measured, beta = not_measured;                     ///< after the step
    /// From the running mean to the batch's, in running deviations: how far eval mode moves what train mode
    /// normalizes.
    float gap = not_measured;

    static constexpr std::array numbers = {&ChannelRow::batch_mean,   &ChannelRow::batch_variance,
                                           &ChannelRow::running_mean, &ChannelRow::running_variance,
                                           &ChannelRow::gamma,        &ChannelRow::beta,
                                           &ChannelRow::gap};
};

/// The test set, evaluated between two steps.
struct TestRow {
    float accuracy = not_measured;  ///< 0 to 1, with running statistics (eval mode)
    float batch_accuracy =
        not_measured;           ///< with batch statistics (train mode); only of a twin that depends on them
    float loss = not_measured;  ///< nats, with running statistics
};

/// Values counted in bins of equal width between `low` and `high`, and those beyond.
struct Histogram {
    float low = -4, high = 4;
    std::vector<float> share;    ///< per bin; sums to 1 with what lies beyond
    float below = 0, above = 0;  ///< the shares of values below `low` and above `high`

    /// Where bin `bin` begins, and the one before it ends.
    float edge(size_t bin) const {
        return low + (high - low) * static_cast<float>(bin) / static_cast<float>(share.size());
    }
};

/// The tensors of a layer, in the order of a step.
enum class LayerTensor {
    before_norm,  ///< what the linear layer or the convolution gives
    normalized,
    after_norm,  ///< with gamma and beta
    activated,
    gradient,  ///< of the loss by the first one
};
inline constexpr size_t layer_tensor_count = 5;

/// The values of a tensor in one step, those that are finite.
struct Distribution {
    Histogram histogram;  ///< its range follows the data; no bins: there is no such tensor
    uint64_t count = 0;
    uint32_t non_finite = 0;
    float minimum = not_measured, maximum = not_measured;
    float mean = not_measured, deviation = not_measured;
    /// As told_percents has them, from the histogram: no further from the exact ones than a bin is wide.
    std::array<float, 5> percentiles = {not_measured, not_measured, not_measured, not_measured, not_measured};

    bool there() const { return !histogram.share.empty(); }
};
inline constexpr std::array<uint32_t, 5> told_percents = {5, 15, 50, 85, 95};

/// By LayerTensor.
using LayerDistributions = std::array<Distribution, layer_tensor_count>;

/// The latest step in one measured layer, for its card.
struct LayerView {
    Histogram normalized;  ///< what the activation receives
    float mean = not_measured, deviation = not_measured;
    uint32_t non_finite = 0;
    // Of norms over the batch:
    float largest_gain = not_measured;   ///< of a unit: abs(gamma) / sqrt(variance + epsilon)
    uint32_t dead_units = 0;             ///< of ReLUs whose beta no batch of that size can make up for
    std::vector<uint32_t> shape{};       ///< of what the layer gives for one example
    std::vector<ChannelRow> channels{};  ///< of the norm; empty: it has none
};

/// What a channel of a convolution's norm, or of the convolution without one, makes of test pictures.
struct FeatureMaps {
    uint32_t pictures = 0, height = 0, width = 0;  ///< 0: none
    std::vector<float> values;                     ///< [pictures][height][width]
};

/// Class probabilities over a grid of points in the plane, with running statistics.
struct Boundary {
    uint32_t columns = 0, rows = 0;  ///< grid points, the outermost ones on the edge of the square; 0: none
    float low = -1.2f, high = 1.2f;  ///< the square covered, in both directions
    uint32_t classes = 0;
    std::vector<float> probability;  ///< [rows][columns][classes], first row at y = low
};

/// How a twin's training ended.
struct Divergence {
    uint64_t step = 0;  ///< the one that met NaN or an infinity; it was not made
    std::string found;  ///< what it met and where, in plain words
};

/// What is known of one twin.
struct TwinView {
    History<TrainingRow> training{8192};
    History<UnitRow> unit{8192};  ///< begins anew when another unit is inspected
    /// As EvaluationSchedule has it; and of the latest step, when that is known.
    History<TestRow> test{2048};
    History<std::vector<Histogram>> distributions{96};  ///< of what each activation receives
    std::vector<LayerView> layers;  ///< one per measured layer; empty before the first step
    std::vector<History<std::vector<ChannelRow>>> channels;  ///< of each measured layer's norm, if it has one
    Boundary boundary;                                       ///< for planar data
    FeatureMaps maps;                 ///< of the inspected channel, of the first examples of Snapshot::test
    std::vector<uint32_t> predicted;  ///< for pictures: class of the first so many examples of Snapshot::test
    std::optional<Divergence> divergence;  ///< the twin sits out since

    // With Settings::distributions, of the inspected layer; begins anew with another one.
    History<LayerDistributions> tensors{256};  ///< of the steps that were measured
    struct MeasuredTensors {
        uint64_t step = 0;
        LayerDistributions each;
    };
    std::optional<MeasuredTensors> latest_tensors;  ///< none: no step was measured yet

    // With Settings::plan.
    std::vector<vknorm::Timing> parts;          ///< of a step on the device; empty: none was measured yet
    std::vector<vknorm::Timing> parts_by_kind;  ///< as by_kind() has them
    std::string norm_plan;                      ///< of the inspected layer, in words; empty: it has no norm

    // With Settings::landscape.
    History<LandscapeRow> landscape{2048};
    LookAhead ahead{};  ///< the latest; empty: none was taken yet

    /// With Settings::microscope: the norm of each hidden layer in the latest step; null where it has none.
    /// Empty: no step was made yet.
    std::vector<std::shared_ptr<const Specimen>> specimens;

    std::shared_ptr<const Specimen> specimen_of(size_t layer) const {
        return layer < specimens.size() ? specimens[layer] : nullptr;
    }
};

enum class Severity { note, warning, error };

/// A run that another one has taken the place of, as it was then.
struct PastRun {
    uint64_t number = 0;  ///< as Snapshot::run
    uint64_t step = 0;
    Settings settings;
    std::string change;  ///< with which the next one began: "Noise 0.16 → 0.3"; empty: by nothing but a reset
    std::vector<TwinView> twins;  ///< the curves
};

struct KeptRun {
    std::shared_ptr<const PastRun> run;
    bool pinned = false;  ///< stays, and is drawn, until it is pinned no more
    bool alive = false;   ///< its networks, too, are kept: it can go on
};

/// One state of the run. Publish a new one rather than change it.
struct Snapshot {
    uint64_t revision = 0;  ///< differs from the previous one's when anything differs
    uint64_t run = 0;       ///< its number, from 1; 0: none has begun
    Settings settings;      ///< those of the latest step
    bool running = false;
    uint64_t step = 0;
    double epoch = 0;
    double samples_per_second = 0;  ///< examples that every twin trains on; 0 while paused
    std::string device;
    bool has_timestamps = true;  ///< the device can measure where the time of a step goes
    uint64_t parameters = 0;     ///< of one twin
    Severity severity = Severity::note;
    std::string message;  ///< refused step, divergence, a warning; empty: all is well
    std::shared_ptr<const vknorm::Dataset> train, test;  ///< null while being made
    DataOrigin origin;                                   ///< of both
    std::string batch_note;  ///< why steps take fewer examples than asked for; empty: they do not
    std::vector<TwinView> twins = std::vector<TwinView>(settings.twins.size());
    std::vector<Event> events;  ///< of this run
    std::vector<KeptRun> kept;  ///< earlier runs, the one left last at the end
    /// Earlier steps of this run, to go back to; see Moments.
    std::vector<std::shared_ptr<const Snapshot>> moments;
    /// How often settings came from the session: by undo, redo, an earlier run, data that could not be had.
    uint64_t settings_restored = 0;
    bool can_undo = false, can_redo = false;

    /// The run of that number; null: it is not kept.
    const KeptRun* find_kept(uint64_t number) const {
        const auto found = std::find_if(kept.begin(), kept.end(),
                                        [&](const KeptRun& one) { return one.run->number == number; });
        return found == kept.end() ? nullptr : &*found;
    }
};

// Of experiments, which stand on this.
struct Experiment;
struct StudyView;
enum class Form;
// Of sweeps.
struct SweepPlan;
struct SweepView;

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
    /// The same, where the latest change still goes on, as while a slider is dragged: undone with it.
    virtual void amend(const Settings& settings) { apply(settings); }
    /// Takes back the latest change of settings. One that began a new run brings the old one back, paused:
    /// with its networks, or if those are gone, as a new run with its settings.
    virtual void undo() = 0;
    /// Makes again what was undone last, until another change is made.
    virtual void redo() = 0;
    /// Brings back a run of Snapshot::kept, as undo() does.
    virtual void bring_back(uint64_t run) = 0;
    virtual void pin(uint64_t run, bool pinned) = 0;
    /// Running statistics become those of all examples trained on.
    virtual void recompute_statistics() {}
    /// Has an experiment conducted beside the run; see Studies.
    virtual void conduct(const Experiment&, Form) {}
    virtual void cancel_studies() {}
    /// The latest state of that; null where it was not asked for.
    virtual std::shared_ptr<const StudyView> study(const Experiment&) const { return nullptr; }
    /// Has a sweep made beside the run, or gone on with; see Sweeper.
    virtual void begin_sweep(const SweepPlan&) {}
    virtual void stop_sweep() {}
    /// The latest state of that; null where none was begun.
    virtual std::shared_ptr<const SweepView> sweep() const { return nullptr; }
    /// The latest state; never null.
    virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
};

}  // namespace lab
