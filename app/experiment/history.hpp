// A record of a run that never outgrows its capacity: when full, every second entry is merged into the one
// before it, and from then on so is every second push. What remains is evenly spaced, and the very first
// entry always stays. An entry's value is that of the first push merged; of rows of numbers the least and the
// greatest of all are kept, too, so that no peak is lost.
//
// A copy costs next to nothing: finished blocks of entries never change, so that all copies share them, and
// only the entries of the last block, which is under way, are copied. Copies may be read by other threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace lab {

/// "Not measured", in any float of a Snapshot: plots leave a gap.
inline constexpr float not_measured = std::numeric_limits<float>::quiet_NaN();

/// A row names the members that have extremes: `static constexpr std::array numbers = {&Row::loss, ...}`.
template <class T>
concept RowOfNumbers = requires {
    T::numbers;
};

/// Of all the rows that became one entry.
template <class T>
struct Extremes {
    explicit Extremes(const T&) {}
    void include(const Extremes&) {}
};
template <RowOfNumbers T>
struct Extremes<T> {
    T low, high;        ///< only their `numbers`; not measured is neither
    uint32_t rows = 1;  ///< merged

    explicit Extremes(const T& row) : low(row), high(row) {}
    void include(const Extremes& later) {
        for (const auto number : T::numbers) {
            low.*number = std::fmin(low.*number, later.low.*number);
            high.*number = std::fmax(high.*number, later.high.*number);
        }
        rows += later.rows;
    }
};
/// Of several rows, each by itself.
template <RowOfNumbers T>
struct Extremes<std::vector<T>> {
    std::vector<Extremes<T>> each;

    explicit Extremes(const std::vector<T>& all) : each(all.begin(), all.end()) {}
    void include(const Extremes& later) {
        for (size_t i = 0; i < each.size(); ++i) each[i].include(later.each[i]);
    }
};

template <class T>
class History {
  public:
    struct Entry {
        uint64_t step = 0;
        T value;
        Extremes<T> extremes;
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
        const uint64_t place = pushes_++;
        if (place % stride_ == 0 && size() >= capacity_) {
            keep_every_second();
            stride_ *= 2;
        }
        Extremes<T> extremes(value);
        if (place % stride_ == 0)
            append({step, std::move(value), std::move(extremes)});
        else
            latest_.back().extremes.include(extremes);
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
    /// So many pushes are one entry.
    uint64_t stride() const { return stride_; }

  private:
    using Block = std::vector<Entry>;
    static constexpr size_t blocks_when_full = 32;

    void append(Entry entry) {
        if (latest_.size() == block_size_)
            finished_.push_back(std::make_shared<const Block>(std::exchange(latest_, {})));
        latest_.push_back(std::move(entry));
    }

    void keep_every_second() {
        History kept(capacity_);
        for (size_t i = 0; i < size(); i += 2) {
            Entry entry = (*this)[i];
            if (i + 1 < size()) entry.extremes.include((*this)[i + 1].extremes);
            kept.append(std::move(entry));
        }
        finished_ = std::move(kept.finished_);
        latest_ = std::move(kept.latest_);
    }

    size_t capacity_, block_size_;
    uint64_t pushes_ = 0, stride_ = 1;
    std::vector<std::shared_ptr<const Block>> finished_;
    Block latest_;  // at most a block's; the last one may still take in others
};

}  // namespace lab
