// How a run says that twins have diverged, without the names of functions and nodes.
#pragma once

#include <string>

#include "app/experiment/snapshot.hpp"

namespace lab {

/// In plain words what a vknorm::Diverged tells: "a value that is not a number in hidden layer 2".
std::string what_was_found(const std::string& diagnosis);

/// "B diverged at step 412: a loss that is not a number; lower the learning rate". Empty: no twin has.
std::string divergence_message(const Snapshot& run);

}  // namespace lab
