// Files as the system has them open.
#pragma once

#include <unistd.h>
#include <utility>

namespace vknorm::detail {

/// This is an open file, closed with this object.
class Descriptor {
  public:
    /// `number` is what open() returned.
    explicit Descriptor(int number = -1) : number_(number) {}
    ~Descriptor() { close(); }
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        close();
        number_ = std::exchange(other.number_, -1);
        return *this;
    }

    int number() const { return number_; }
    bool is_open() const { return number_ >= 0; }

    /// Tells whether all went well, which errno explains otherwise.
    bool close() { return !is_open() || ::close(std::exchange(number_, -1)) == 0; }

  private:
    int number_;
};

}  // namespace vknorm::detail
