// What tests of ranks that train together share: a network, batches, and each rank's part of them.
#pragma once

#include <vknorm/network.hpp>

#include "nn/network_problem.hpp"

namespace vknorm::testing {

inline NetworkOptions shared_options(Norm norm = Norm::batch) {
    return {.inputs = 6,
            .hidden = {{20, norm, Activation::relu}, {13, norm, Activation::tanh}},
            .classes = 3,
            .max_batch = 48,
            .seed = 9};
}

/// Each rank's rows of a batch.
using Shards = std::vector<uint32_t>;

inline reference::Labelled shard_of(const reference::Labelled& batch, const Shards& shards, uint32_t rank) {
    const size_t features = batch.inputs.size() / batch.labels.size();
    size_t first = 0;
    for (uint32_t r = 0; r < rank; ++r) first += shards[r];
    const auto inputs = batch.inputs.begin() + static_cast<ptrdiff_t>(first * features);
    const auto labels = batch.labels.begin() + static_cast<ptrdiff_t>(first);
    return {{inputs, inputs + static_cast<ptrdiff_t>(shards[rank] * features)},
            {labels, labels + shards[rank]}};
}

inline Ticket step(Network& network, const reference::Labelled& batch) {
    return network.train_step(batch.inputs, batch.labels);
}

inline std::vector<reference::Labelled> batches_for(const NetworkOptions& options, size_t rows,
                                                    size_t count = 3) {
    std::mt19937_64 random = random_generator();
    std::vector<reference::Labelled> batches;
    for (size_t i = 0; i < count; ++i) batches.push_back(random_batch(random, options, rows));
    return batches;
}

}  // namespace vknorm::testing
