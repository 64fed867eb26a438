// A batch normalization with its data: runs on the device in guarded, poisoned buffers, and against the
// reference.
#pragma once

#include <functional>
#include <random>
#include <vector>

#include <vknorm/batch_norm.hpp>

#include "reference/batch_norm_expected.hpp"

namespace vknorm::testing {

struct Problem : reference::BatchNormData {
    bool aligned = false;  ///< tensors at offsets that allow vector accesses
    bool in_place = false;
};

/// Normal values of that mean and deviation per channel, dy, gamma, beta around one, and running statistics.
Problem random_problem(const BatchNormOptions& options, std::mt19937_64& random, float mean = 0,
                       float deviation = 1);

/// x(channel, index within the channel's sequence) for every value.
void fill(Problem& problem, const std::function<float(size_t, size_t)>& value);

struct Forward {
    std::vector<float> y, mean, inv_std, running_mean, running_var;
    int64_t batches = 0;
};
Forward forward_training(const Problem& problem);
std::vector<float> forward_inference(const Problem& problem);

struct Gradients {
    std::vector<float> dx, dgamma, dbeta;
};
struct Wanted {
    bool dx = true, dgamma = true, dbeta = true;
};
/// With the statistics that forward_training saved.
Gradients backward(const Problem& problem, const Forward& forward, Wanted wanted = {});
Gradients backward_frozen(const Problem& problem, Wanted wanted = {});

/// Runs each operation and compares everything it gives with the reference, to the bounds of the design.
void check_forward_training(const Problem& problem);
void check_forward_inference(const Problem& problem);
void check_backward(const Problem& problem, Wanted wanted = {});
void check_backward_frozen(const Problem& problem, Wanted wanted = {});
void check_everything(const Problem& problem);

}  // namespace vknorm::testing
