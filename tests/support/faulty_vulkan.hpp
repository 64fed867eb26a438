// A Vulkan whose calls fail: those made through functions that faulty_get_instance_proc_addr() gave. For one
// thread.
#pragma once

#include <string>
#include <vector>
#include <vulkan/vulkan_core.h>

namespace vknorm::testing {

/// Starts counting: the `call`-th call (from 1) that returns a VkResult does not happen and returns
/// `result`.
void plan_fault(int call, VkResult result);

/// Starts a sweep over all calls of something that is attempted until it succeeds: in every attempt one call
/// fails, until all have failed with all of `results`. Calls are told apart by their names and what there is
/// when they are made (so what an attempt leaves behind is met again), or by their number in the attempt if
/// they create nothing.
void begin_sweep(std::vector<VkResult> results);
void begin_attempt();

/// From here on nothing fails.
void end_faults();
/// The name of the call that failed since plan_fault() or begin_attempt(), and with what; empty when none
/// did.
std::string failed_call();
VkResult failed_result();

/// What was created and not destroyed yet: "2 Buffer, 1 Memory"; empty when nothing is left.
std::string live_objects();

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL faulty_get_instance_proc_addr(VkInstance instance, const char* name);

}  // namespace vknorm::testing
