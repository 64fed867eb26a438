// Swaps or counts one entry of a device's function table while it lives.
#pragma once

#include <atomic>
#include <type_traits>
#include <utility>

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

    Function original() const { return original_; }

  private:
    Function& entry_;
    const Function original_;
};

/// `entry` is a member of Functions, as in CountedCalls<&detail::Functions::QueueSubmit>. One at a time per
/// entry.
template <auto entry, class Function = std::decay_t<decltype(std::declval<detail::Functions>().*entry)>>
class CountedCalls;

template <auto entry, class Result, class... Arguments>
class CountedCalls<entry, Result(VKAPI_PTR*)(Arguments...)> {
  public:
    explicit CountedCalls(Device& device) : entry_(device.state().vk.*entry) {
        original_ = std::exchange(entry_, call);
        calls_ = 0;
    }
    ~CountedCalls() { entry_ = original_; }
    CountedCalls(const CountedCalls&) = delete;

    int count() const { return calls_; }

  private:
    using Function = Result(VKAPI_PTR*)(Arguments...);
    static VKAPI_ATTR Result VKAPI_CALL call(Arguments... arguments) {
        ++calls_;
        return original_(arguments...);
    }

    static inline Function original_ = nullptr;
    static inline std::atomic<int> calls_ = 0;
    Function& entry_;
};

}  // namespace vknorm::testing
