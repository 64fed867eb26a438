// A HazardTracker decides where barriers go. It is pure: it knows no Vulkan.
//
// It remembers which bytes of which buffers were read and written since the last barrier. A use that overlaps
// an earlier write, or a write that overlaps an earlier read, needs a barrier first. One barrier orders
// everything, so the memory is then empty.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>

namespace vknorm::detail {

/// One command uses the bytes [begin, end) of a buffer.
struct Use {
    uint64_t buffer;
    uint64_t begin, end;
    bool read, write;
};

class HazardTracker {
  public:
    /// Records the uses of one command. It returns true when a barrier must precede the command, and then
    /// assumes that one does. Uses of one command do not conflict with each other.
    bool add(std::span<const Use> uses);
    /// Forgets everything: a barrier was placed for another reason.
    void clear();
    /// Forgets everything, barriers too, as commands were dropped: the next one needs a barrier.
    void forget();

  private:
    // These ranges, from begin to end, neither overlap nor touch.
    class Ranges {
      public:
        bool overlaps(uint64_t begin, uint64_t end) const;
        void insert(uint64_t begin, uint64_t end);

      private:
        std::map<uint64_t, uint64_t> ranges_;
    };
    struct Touched {
        Ranges read, written;
    };

    bool conflicts(const Use& use) const;

    std::unordered_map<uint64_t, Touched> buffers_;
    bool forgot_ = false;
};

}  // namespace vknorm::detail
