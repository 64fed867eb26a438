// Errors of vknorm.
//
// Wrong arguments throw std::invalid_argument before anything is recorded or changed; its message names the
// operation, the argument, what it got and what it needed. Everything that fails at run time throws Error.
#pragma once

#include <stdexcept>
#include <string>
#include <vulkan/vulkan_core.h>

namespace vknorm {

/// A Vulkan call, or the device itself, failed. After VK_ERROR_DEVICE_LOST every further use of that device
/// throws this again; after an out-of-memory result the engine stays usable.
class Error : public std::runtime_error {
  public:
    Error(VkResult result, const std::string& what) : std::runtime_error(what), result_(result) {}
    VkResult result() const { return result_; }

  private:
    VkResult result_;
};

/// What was asked for needs a feature that this device lacks; the message names the feature.
class Unsupported : public Error {
  public:
    explicit Unsupported(const std::string& what) : Error(VK_ERROR_FEATURE_NOT_PRESENT, what) {}
};

}  // namespace vknorm
