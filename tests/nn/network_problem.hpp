// Networks and batches that several tests of the network use.
#pragma once

#include <array>
#include <map>

#include <vknorm/data.hpp>

#include "reference/network_reference.hpp"
#include "support/device_fixture.hpp"

namespace vknorm::testing {

inline constexpr std::array every_norm = {Norm::none, Norm::batch,        Norm::layer, Norm::group,
                                          Norm::rms,  Norm::batch_renorm, Norm::ghost};

inline const char* name(Norm norm) {
    static constexpr std::array names = {"none", "batch", "layer", "group", "rms", "batch_renorm", "ghost"};
    return names[static_cast<size_t>(norm)];
}

inline reference::Labelled random_batch(std::mt19937_64& random, const NetworkOptions& options, size_t rows) {
    reference::Labelled batch{random_floats(random, rows * options.inputs), {}};
    for (size_t i = 0; i < rows; ++i)
        batch.labels.push_back(static_cast<uint32_t>(random() % options.classes));
    return batch;
}

/// The next batch of a set.
inline reference::Labelled take(const Dataset& data, BatchOrder& order) {
    reference::Labelled batch;
    for (const uint32_t index : order.next()) {
        const std::span<const float> example = data.example(index);
        batch.inputs.insert(batch.inputs.end(), example.begin(), example.end());
        batch.labels.push_back(data.labels[index]);
    }
    return batch;
}

/// Every tensor, the counters of batches included.
inline std::map<std::string, std::vector<float>> contents_of(Network& network) {
    std::map<std::string, std::vector<float>> contents;
    for (const std::string& name : network.tensor_names()) contents[name] = network.tensor(name);
    return contents;
}

}  // namespace vknorm::testing
