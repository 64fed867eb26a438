// Earlier runs as grey curves behind those of the present one.
#pragma once

#include <string>
#include <vector>

#include "app/experiment/snapshot.hpp"

namespace lab {

/// "run 2".
std::string run_name(uint64_t number);
/// Those that are drawn: the pinned ones and the one left last, in the order in which they were left.
std::vector<const PastRun*> ghosts(const Snapshot& run);
/// Those whose inspected unit is that of `run`.
std::vector<const PastRun*> ghosts_of_unit(const Snapshot& run);

}  // namespace lab
