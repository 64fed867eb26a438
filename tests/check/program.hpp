// vknorm-check: the command line.
#pragma once

#include <ostream>
#include <span>
#include <string>

namespace vknorm::check {

struct Report;

/// What the program's exit status means.
namespace exit_status {
inline constexpr int passed = 0, failed = 1, usage = 2, no_device = 3;
}

/// `arguments` without the program's name.
int run_program(std::span<const char* const> arguments, std::ostream& out, std::ostream& err);

/// Prints the report; its JSON goes to `file`, where that has a name. Returns the exit status.
int print_report(const Report& report, const std::string& file, bool force, std::ostream& out);

}  // namespace vknorm::check
