// The networks for pictures that settings may ask for.
#pragma once

#include <vknorm/data.hpp>
#include <vknorm/graph.hpp>

#include "app/experiment/settings.hpp"

namespace lab {

/// Of settings whose model is no perceptron, for pictures as `train` has them. `twin` as in Settings::twins.
/// Throws std::invalid_argument for examples that are no pictures, or too small ones.
vknorm::Graph picture_model(const Settings& settings, size_t twin, const vknorm::Dataset& train);

}  // namespace lab
