// vknorm-check: the command line.
#pragma once

#include <ostream>
#include <span>

namespace vknorm::check {

/// What the program's exit status means.
namespace exit_status {
inline constexpr int passed = 0, failed = 1, usage = 2, no_device = 3;
}

/// `arguments` without the program's name.
int run_program(std::span<const char* const> arguments, std::ostream& out, std::ostream& err);

}  // namespace vknorm::check
