// Checks the arguments of one call before anything is recorded.
//
// Messages read "operation: argument: got ..., needs ...".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <vknorm/buffer.hpp>

namespace vknorm::detail {

/// Throws std::invalid_argument.
[[noreturn]] void refuse(const std::string& operation, const std::string& argument, const std::string& got,
                         const std::string& needed);

/// Takes the arguments one by one; each is checked for presence, size and offset at once. An argument that
/// needs zero bytes may be absent.
class Arguments {
  public:
    explicit Arguments(std::string operation) : operation_(std::move(operation)) {}

    void input(const char* name, const BufferView& view, uint64_t bytes);
    /// `in_place` names the argument that this one may be; else it shares memory with none.
    void output(const char* name, const BufferView& view, uint64_t bytes, const char* in_place = nullptr);
    void optional_input(const char* name, const BufferView& view, uint64_t bytes);
    void optional_output(const char* name, const BufferView& view, uint64_t bytes,
                         const char* in_place = nullptr);
    /// To be called last: no output may overlap another argument.
    void check_overlap() const;

    [[noreturn]] void refuse(const char* name, const std::string& got, const std::string& needed) const;

  private:
    struct Argument {
        const char* name;
        BufferView view;
        bool written;
        const char* in_place;
    };
    void add(const Argument& argument, uint64_t bytes);

    std::string operation_;
    std::vector<Argument> arguments_;
};

}  // namespace vknorm::detail
