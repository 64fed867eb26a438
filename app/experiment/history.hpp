// A record of a run that never outgrows its capacity: when full, every second entry is dropped and from then
// on only every second push is kept. What remains is evenly spaced, and the very first entry always stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace lab {

template <class T>
class History {
  public:
    struct Entry {
        uint64_t step = 0;
        T value;
    };

    explicit History(size_t capacity) : capacity_(capacity) {}

    void push(uint64_t step, T value) {
        if (pushes_++ % stride_ != 0) return;
        if (entries_.size() >= capacity_) {
            size_t kept = 1;  // the first is where it belongs already, and must not be moved onto itself
            for (size_t i = 2; i < entries_.size(); i += 2) entries_[kept++] = std::move(entries_[i]);
            entries_.resize(kept);
            const bool on_grid = (pushes_ - 1) % (stride_ * 2) == 0;
            stride_ *= 2;
            if (!on_grid) return;
        }
        entries_.push_back({step, std::move(value)});
    }

    void clear() {
        entries_.clear();
        pushes_ = 0;
        stride_ = 1;
    }

    /// In the order of their steps.
    const std::vector<Entry>& entries() const { return entries_; }
    bool empty() const { return entries_.empty(); }
    /// One of so many pushes is kept.
    uint64_t stride() const { return stride_; }

  private:
    size_t capacity_;
    uint64_t pushes_ = 0, stride_ = 1;
    std::vector<Entry> entries_;
};

}  // namespace lab
