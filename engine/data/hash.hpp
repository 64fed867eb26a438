// A hash tells contents apart; it keeps nobody from forging them.
#pragma once

#include <cstdint>

namespace vknorm::detail {

/// FNV-1a of 64 bits (G. Fowler, L. C. Noll, K.-P. Vo): what is added is bytes, or for speed whole words,
/// which give another hash.
class Fnv1a {
  public:
    void add(uint64_t word) { value_ = (value_ ^ word) * prime; }
    uint64_t value() const { return value_; }

  private:
    static constexpr uint64_t prime = 0x100000001b3;

    uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace vknorm::detail
