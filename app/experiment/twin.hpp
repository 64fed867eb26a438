// One of the networks that train in lock-step, and what is measured of it.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/experiment/data.hpp"
#include "app/experiment/measured_layers.hpp"
#include "app/experiment/moving_average.hpp"
#include "app/experiment/plane_grid.hpp"
#include "app/experiment/replicas.hpp"
#include "app/experiment/snapshot.hpp"
#include "app/experiment/step_parts.hpp"
#include "app/experiment/tensor_probes.hpp"

namespace lab {

/// For use by one thread at a time.
class Twin {
  public:
    /// `index` as in Settings::twins; takes up the settings of a whole run. With an exchange what is given is
    /// that of all ranks, and each takes its share; the twin has one device on each.
    Twin(vknorm::Device& device, const Settings& settings, size_t index, const vknorm::Dataset& train,
         vknorm::Exchange* exchange = nullptr);

    /// Takes up settings that need no new run. `previous`: the ones before.
    void apply(const Settings& settings, const Settings& previous);

    /// Begins a training step; collect() ends it. Both do nothing once the twin has diverged.
    void submit(std::span<const float> inputs, std::span<const uint32_t> labels);
    /// Waits for the step and adds it to view(): numbers, or that it met NaN or an infinity, when the
    /// parameters stay those before it.
    void collect(uint64_t step);
    const std::optional<Divergence>& divergence() const { return view_.divergence; }
    bool diverged() const { return divergence().has_value(); }

    /// Adds the test set's accuracy and loss to view(), unless the twin has diverged. With batch statistics
    /// it is evaluated in batches as large as those of training, or of each device where these normalize
    /// alone, which is what happens to whoever forgets eval().
    void evaluate(uint64_t step, const vknorm::Dataset& test);
    /// Brings the decision boundary, or the classes and feature maps of the pictures shown, in view() up to
    /// date.
    void look(const vknorm::Dataset& test, const PlaneGrid& grid);

    /// Accuracy on `test`; with batch statistics in batches of `batch`. Changes nothing, view() neither.
    double test_accuracy(const vknorm::Dataset& test, vknorm::Statistics statistics, uint32_t batch);
    /// What lies along its gradient of that batch; the twin stays where it is.
    LookAhead look_ahead(std::span<const float> inputs, std::span<const uint32_t> labels,
                         std::span<const double> rates);
    /// Adds that to view(), from half to four times the learning rate of the next step, as in the paper.
    void measure_landscape(uint64_t step, std::span<const float> inputs, std::span<const uint32_t> labels);
    /// As vknorm::Network::tensor.
    std::vector<float> tensor(const std::string& name) { return replicas_.first().tensor(name); }
    /// As vknorm::Network::set_tensor.
    void set_tensor(const std::string& name, std::span<const float> values) {
        replicas_.each([&](vknorm::Network& network) { network.set_tensor(name, values); });
    }
    /// Makes the running statistics those of all of `train`.
    void recompute_running_statistics(const vknorm::Dataset& train);

    /// Writes the network, with what training goes on from, and `beside` it, as vknorm::save_checkpoint().
    void save(const std::filesystem::path& file, vknorm::HostTensors beside);
    /// Goes on from such a file, or with the weights of another; returns what was saved beside.
    vknorm::HostTensors load(const std::filesystem::path& file);

    TwinView view() const;
    uint64_t parameters() const { return replicas_.first().parameter_count(); }

  private:
    void set_hyperparameters(const Settings& settings);
    void set_probes(const Settings& settings);
    void place_probes();
    void collect_tensors(uint64_t step, const vknorm::StepResult& result);
    void set_plan(const Settings& settings);
    void set_microscope(const Settings& settings);
    /// What is known of a layer's norm before a step.
    Specimen specimen_of(size_t layer, std::span<const uint32_t> labels) const;
    UnitRow unit_row(const vknorm::StepResult& result) const;
    FeatureMaps feature_maps(std::span<const float> pictures);
    std::array<MovingAverage*, 4> averages();

    Settings settings_;  // of the steps that follow
    size_t index_;
    bool depends_on_batch_;
    uint32_t layer_ = 0, unit_ = 0;  // inspected, within the network
    Replicas replicas_;
    std::vector<MeasuredLayer> layers_;
    std::vector<vknorm::NetworkProbe> probes_;   // of every step, whatever is shown
    std::optional<TensorProbes> tensor_probes_;  // with Settings::distributions
    // Names of the probes: of what the activations receive, and of the unit inspected.
    std::vector<std::string> pre_activations_;
    std::string unit_norm_input_, unit_pre_activation_, unit_gradient_;
    TwinView view_;  // without the parts and the test at a step that the schedule leaves out
    std::optional<History<TestRow>::Entry> unscheduled_test_;
    bool plan_ = false;
    StepParts parts_;
    bool microscope_ = false;
    std::vector<Specimen> specimens_;  // of the step in flight, of each layer
    uint64_t steps_ = 0;
    MovingAverage light_loss_, strong_loss_, light_gradient_norm_, strong_gradient_norm_;
};

}  // namespace lab
