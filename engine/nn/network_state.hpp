// All that a run goes on from, as tensors of the host: the state_dict, and beside it the optimizer's moments
// and counts, under names that begin with training_prefix.
#pragma once

#include <string>

#include <vknorm/safetensors.hpp>

#include "nn/training.hpp"

namespace vknorm::detail {

inline constexpr const char* training_prefix = "training/";

/// Whether a tensor of that name is none of a state_dict.
bool is_beside_state_dict(const std::string& name);
/// Whether it is one of those that a network has beside it.
bool is_training_state(const std::string& name);

/// Waits for the steps in flight. `training`: with what there is beside the state_dict.
HostTensors read_state(const Store& store, Training& training, Stream& stream, bool with_training);

/// Throws std::invalid_argument, which tells all of it, for names that are missing or too many, and for other
/// dtypes and shapes. Looks at no bytes. What a caller has beside the state_dict is let be.
void check_state(const Store& store, const Training& training, const HostTensors& state);

/// As check_state(), and for values that the network cannot have; nothing has changed then.
void write_state(const Store& store, Training& training, Stream& stream, const HostTensors& state);

/// Throws ExchangeError, on all ranks alike, which names the first tensor that differs by a bit, and the
/// rank.
void compare_states(Exchange& exchange, const std::string& where, const HostTensors& state);

}  // namespace vknorm::detail
