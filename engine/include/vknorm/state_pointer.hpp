// How an object that can be moved from points to what it holds.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace vknorm::detail {

/// A smart pointer that is null only when its object was moved from: then dereferencing it throws
/// std::invalid_argument.
template <class Pointer>
class StatePointer {
  public:
    /// `object` is the name of the object's class, which must outlive this.
    StatePointer(const char* object, Pointer pointer) : object_(object), pointer_(std::move(pointer)) {}

    explicit operator bool() const { return bool(pointer_); }
    auto& operator*() const { return *checked(); }
    auto* operator->() const { return checked().get(); }
    /// Leaves it as a move does.
    Pointer take() { return std::move(pointer_); }

  private:
    const Pointer& checked() const {
        if (!pointer_) throw std::invalid_argument(std::string(object_) + ": was moved from");
        return pointer_;
    }

    const char* object_;
    Pointer pointer_;
};

}  // namespace vknorm::detail
