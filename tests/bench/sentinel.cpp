#include "bench/sentinel.hpp"

#include "vulkan/dispatch.hpp"

namespace vknorm::bench {

namespace {

constexpr size_t bytes = 64u << 20;

}  // namespace

Sentinel::Sentinel() : from_(bytes, 1), to_(bytes, 2) {}

Sentinel::Sentinel(Device& device) {
    if (device.info().type == VK_PHYSICAL_DEVICE_TYPE_CPU) {
        from_.assign(bytes, 1);
        to_.assign(bytes, 2);
        return;
    }
    source_ = {device, bytes, "source"};
    target_ = {device, bytes, "target"};
    clock_.emplace(device);
}

Sample Sentinel::copy() {
    if (clock_) return clock_->time([this](Recorder& recorder) { detail::copy(recorder, source_, target_); });
    return time_on_host([this] { copy_in_parallel(to_.data(), from_.data(), bytes); });
}

std::string Sentinel::contention(const Times& times) const {
    return bench::contention(times, clock_ ? 0 : copy_threads(bytes));
}

}  // namespace vknorm::bench
