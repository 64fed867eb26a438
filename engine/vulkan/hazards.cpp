#include "vulkan/hazards.hpp"

#include <algorithm>
#include <iterator>

namespace vknorm::detail {

bool HazardTracker::Ranges::overlaps(uint64_t begin, uint64_t end) const {
    const auto after = ranges_.lower_bound(end);
    return after != ranges_.begin() && std::prev(after)->second > begin;
}

void HazardTracker::Ranges::insert(uint64_t begin, uint64_t end) {
    auto first = ranges_.upper_bound(begin);
    if (first != ranges_.begin() && std::prev(first)->second >= begin) --first;
    while (first != ranges_.end() && first->first <= end) {
        begin = std::min(begin, first->first);
        end = std::max(end, first->second);
        first = ranges_.erase(first);
    }
    ranges_.emplace(begin, end);
}

bool HazardTracker::conflicts(const Use& use) const {
    if (use.begin >= use.end) return false;
    const auto found = buffers_.find(use.buffer);
    if (found == buffers_.end()) return false;
    const Touched& touched = found->second;
    return touched.written.overlaps(use.begin, use.end) ||
           (use.write && touched.read.overlaps(use.begin, use.end));
}

bool HazardTracker::add(std::span<const Use> uses) {
    const bool barrier =
        forgot_ || std::any_of(uses.begin(), uses.end(), [this](const Use& use) { return conflicts(use); });
    if (barrier) clear();
    for (const Use& use : uses) {
        if (use.begin >= use.end) continue;
        Touched& touched = buffers_[use.buffer];
        if (use.read) touched.read.insert(use.begin, use.end);
        if (use.write) touched.written.insert(use.begin, use.end);
    }
    return barrier;
}

void HazardTracker::clear() {
    buffers_.clear();
    forgot_ = false;
}

void HazardTracker::forget() {
    buffers_.clear();
    forgot_ = true;
}

}  // namespace vknorm::detail
