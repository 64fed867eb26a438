// How the program says on stderr that something is wrong.
#pragma once

#include <string>

#include <vknorm/error.hpp>

namespace lab {

/// Prints one line and returns `status`.
int complain(int status, const std::string& text);

/// Says why no device could be used, and what to install where that helps. Returns the exit status.
int complain_about_device(const vknorm::Error& error);

}  // namespace lab
