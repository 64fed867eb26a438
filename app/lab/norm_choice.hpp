// The lists from which norms are chosen: one for all hidden layers of a twin, one for a single layer.
#pragma once

#include "app/experiment/settings.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

/// For every hidden layer of a twin the next one in the list; ends the exceptions.
void next_norm(TwinSettings& twin);
/// The same by choice.
void choose_norm(const Look& look, const char* id, float width, TwinSettings& twin);
/// For one hidden layer, from 0.
void choose_norm_of(const Look& look, const char* id, float width, TwinSettings& twin, uint32_t layer);

}  // namespace lab
