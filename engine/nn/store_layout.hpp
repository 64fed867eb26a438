// Where the tensors of a network stand in its flat buffers: pure arithmetic, no Vulkan.
//
// One buffer holds all parameters (another, alike, their gradient): first weights and biases, then gamma and
// beta, so that training without the latter means a shorter range. Another holds all running statistics, then
// the counters of batches; a third what the norms save of the latest batch. Every tensor starts at a multiple
// of 256 bytes, which any device can bind; what lies between tensors stays zero.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <vknorm/network.hpp>

namespace vknorm::detail {

/// Elements [first, first + count) of four bytes of a flat buffer.
struct Range {
    uint64_t first = 0, count = 0;

    uint64_t end() const { return first + count; }
};

/// Empty where the layer's norm has no such tensor.
struct NormTensors {
    Range gamma{}, beta{};                     ///< of the parameters
    Range running_mean{}, running_variance{};  ///< of the running statistics
    Range batches{};                           ///< of the running statistics: an int64
    Range mean{}, inv_std{};  ///< of what is saved: two numbers and one for each set, in a largest batch
    Range r{}, d{};           ///< of what is saved
};

struct LayerTensors {
    uint32_t inputs = 0, outputs = 0;
    Range weight{}, bias{};  ///< of the parameters
    std::optional<NormTensors> norm{};
};

struct Layout {
    explicit Layout(const NetworkOptions& options);

    std::vector<LayerTensors> layers{};  ///< hidden layers, then the output layer
    Range linear{};                      ///< weights and biases with what lies between
    Range affine{};                      ///< gamma and beta of all layers
    Range parameters{};                  ///< both
    Range running{};                     ///< running statistics but for the counters
    Range running_words{};               ///< with the counters
    Range batch_norm{};                  ///< what Norm::batch saves, whole in every batch
    Range batch{};                       ///< with what the others with running statistics save
    Range saved{};                       ///< with what the others save
    uint64_t parameter_count = 0;        ///< without padding
};

/// A tensor as torch's state_dict names it.
struct NamedTensor {
    enum class Home { parameters, running, batches };
    std::string name;
    Home home;
    Range range;
};
std::vector<NamedTensor> named_tensors(const Layout& layout);

/// Parameters at the start, padding included: weights and biases uniform within +-scale / sqrt(inputs), as
/// torch.nn.Linear, gamma 1, beta 0. Those of a layer depend on `seed`, the layer's number and its sizes
/// only.
std::vector<float> initial_parameters(const Layout& layout, uint64_t seed, float scale);
/// Mean 0, variance 1, counters 0.
std::vector<uint32_t> initial_running(const Layout& layout);

}  // namespace vknorm::detail
