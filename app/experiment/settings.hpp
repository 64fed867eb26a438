// What the controls and the command line set: an experiment as a plain value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <vknorm/network.hpp>

namespace lab {

/// Networks that train in lock-step, with the same initial weights and batches, are twins: index 0 is twin A.
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
    std::vector<TwinSettings> twins = {{vknorm::Norm::batch}, {vknorm::Norm::none}};  ///< A, B, ...

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
inline constexpr uint32_t max_twins = 4;
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
/// Drops the last twins, or adds some that are like twin A but for their norm: layer norm for the third and
/// group norm for the fourth.
void set_twin_count(Settings& settings, size_t count);
/// Makes the norms fit the hidden layers after these have changed.
void keep_norms_valid(Settings& settings);

}  // namespace lab
