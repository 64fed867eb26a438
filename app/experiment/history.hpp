// A record of a run that never outgrows its capacity: when full, every second entry is dropped and from then
// on only every second push is kept. What remains is evenly spaced, and the very first entry always stays.
//
// A copy costs next to nothing: finished blocks of entries never change, so that all copies share them, and
// only the entries of the last block, which is under way, are copied. Copies may be read by other threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
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

    /// In the order of their steps.
    class Iterator {
      public:
        Iterator(const History& history, size_t index) : history_(&history), index_(index) {}
        const Entry& operator*() const { return (*history_)[index_]; }
        Iterator& operator++() {
            ++index_;
            return *this;
        }
        bool operator==(const Iterator&) const = default;

      private:
        const History* history_;
        size_t index_;
    };

    explicit History(size_t capacity)
        : capacity_(capacity), block_size_(std::max<size_t>(1, capacity / blocks_when_full)) {}

    void push(uint64_t step, T value) {
        if (pushes_++ % stride_ != 0) return;
        if (size() >= capacity_) {
            keep_every_second();
            const bool on_grid = (pushes_ - 1) % (stride_ * 2) == 0;
            stride_ *= 2;
            if (!on_grid) return;
        }
        append({step, std::move(value)});
    }

    void clear() { *this = History(capacity_); }

    size_t size() const { return finished_.size() * block_size_ + latest_.size(); }
    bool empty() const { return size() == 0; }
    const Entry& operator[](size_t index) const {
        const size_t block = index / block_size_;
        return block < finished_.size() ? (*finished_[block])[index % block_size_]
                                        : latest_[index - finished_.size() * block_size_];
    }
    const Entry& back() const { return (*this)[size() - 1]; }
    Iterator begin() const { return {*this, 0}; }
    Iterator end() const { return {*this, size()}; }
    /// One of so many pushes is kept.
    uint64_t stride() const { return stride_; }

  private:
    using Block = std::vector<Entry>;
    static constexpr size_t blocks_when_full = 32;

    void append(Entry entry) {
        latest_.push_back(std::move(entry));
        if (latest_.size() == block_size_)
            finished_.push_back(std::make_shared<const Block>(std::exchange(latest_, {})));
    }

    void keep_every_second() {
        History kept(capacity_);
        for (size_t i = 0; i < size(); i += 2) kept.append((*this)[i]);
        finished_ = std::move(kept.finished_);
        latest_ = std::move(kept.latest_);
    }

    size_t capacity_, block_size_;
    uint64_t pushes_ = 0, stride_ = 1;
    std::vector<std::shared_ptr<const Block>> finished_;
    Block latest_;  // fewer than a block's
};

}  // namespace lab
