// Checks the arguments of one call before anything is recorded, and keeps together what the call records.
//
// Messages read "operation: argument: got ..., needs ...".
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <vknorm/stream.hpp>

#include "vulkan/transaction.hpp"

namespace vknorm::detail {

/// Throws std::invalid_argument.
[[noreturn]] void refuse(const std::string& operation, const std::string& argument, const std::string& got,
                         const std::string& needed);

/// Refuses a value that the enumeration, which counts from 0 to `last`, does not have.
template <class Enumeration>
void require_value(const std::string& operation, const std::string& argument, Enumeration got,
                   Enumeration last) {
    const auto number = static_cast<int64_t>(got), most = static_cast<int64_t>(last);
    if (number < 0 || number > most)
        refuse(operation, argument, "value " + std::to_string(number),
               "one of the enumeration's, 0 to " + std::to_string(most));
}

/// Refuses a size of 0.
void require_positive(const std::string& operation, const std::string& argument, uint32_t got);
/// Throws Unsupported unless a binding of this device can hold the tensor.
void require_range(const Capabilities& capabilities, const std::string& tensor, uint64_t bytes);
/// Refuses a recorder that is not one of the plan's device.
void check_device(const Recorder& recorder, const DeviceState* device, const std::string& operation);

/// Takes the arguments one by one; each is checked for presence, place, size and offset at once. An argument
/// that needs zero bytes may be absent. What the call records while they live is one Transaction.
class Arguments {
  public:
    using Names = std::initializer_list<const char*>;

    Arguments(std::string operation, const Recorder& recorder);
    /// Of a call of a plan for `device`.
    Arguments(std::string operation, const Recorder& recorder, const DeviceState* device);

    // Each gives the part of the view that is used: its first `bytes`.
    BufferView input(const char* name, const BufferView& view, uint64_t bytes);
    /// `in_place` names the arguments that this one may be; it shares memory with no other.
    BufferView output(const char* name, const BufferView& view, uint64_t bytes, Names in_place = {});
    BufferView optional_input(const char* name, const BufferView& view, uint64_t bytes);
    BufferView optional_output(const char* name, const BufferView& view, uint64_t bytes, Names in_place = {});
    /// Of the offsets of the arguments that follow; 4 at first.
    void offsets(uint32_t multiple) { multiple_ = multiple; }
    /// To be called last: no output may overlap another argument.
    void check_overlap() const;

    [[noreturn]] void refuse(const char* name, const std::string& got, const std::string& needed) const;

  private:
    struct Argument {
        const char* name;
        BufferView view;
        bool written;
        std::vector<const char*> in_place;

        bool may_be(const Argument& other) const;
    };
    BufferView add(const Argument& argument, uint64_t bytes);

    const Transaction transaction_;
    std::string operation_;
    const DeviceState& device_;
    uint32_t multiple_ = sizeof(float);
    std::vector<Argument> arguments_;
};

}  // namespace vknorm::detail
