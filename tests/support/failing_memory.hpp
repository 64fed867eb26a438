// An operator new that fails: what the thread allocates itself, not what a driver does on its behalf.
#pragma once

namespace vknorm::testing {

/// Starts counting: the `allocation`-th (from 1) by this thread throws std::bad_alloc.
void plan_bad_alloc(long allocation);
/// From here on none fails. Returns whether one did.
bool end_bad_alloc();

/// While it lives, allocations of this thread are not counted.
class UncountedMemory {
  public:
    UncountedMemory();
    ~UncountedMemory();
    UncountedMemory(const UncountedMemory&) = delete;
};

}  // namespace vknorm::testing
