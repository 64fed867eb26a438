// Swaps one entry of a device's function table while it lives.
#pragma once

#include "vulkan/device_state.hpp"

namespace vknorm::testing {

template <class Function>
class ReplacedFunction {
  public:
    ReplacedFunction(Function& entry, Function replacement) : entry_(entry), original_(entry) {
        entry = replacement;
    }
    ~ReplacedFunction() { entry_ = original_; }
    ReplacedFunction(const ReplacedFunction&) = delete;

  private:
    Function& entry_;
    const Function original_;
};

}  // namespace vknorm::testing
