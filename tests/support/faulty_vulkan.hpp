// A Vulkan whose n-th call fails.
#pragma once

#include <string>
#include <vulkan/vulkan_core.h>

namespace vknorm::testing {

/// Starts counting: the `call`-th call (from 1) that returns a VkResult does not happen and returns
/// `result`. Calls are those made through functions that faulty_get_instance_proc_addr() gave.
void plan_fault(int call, VkResult result);
/// From here on nothing fails.
void end_faults();
/// The name of the call that failed; empty when it was not reached.
std::string failed_call();

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL faulty_get_instance_proc_addr(VkInstance instance, const char* name);

}  // namespace vknorm::testing
