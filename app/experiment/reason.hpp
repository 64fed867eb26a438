// What an exception says to people.
#pragma once

#include <exception>
#include <filesystem>
#include <string>

namespace lab {

/// Of a file: its name first, then what is wrong with it; the library says "filesystem error: WHY [FILE]".
inline std::string reason_of(const std::exception& error) {
    const auto* const of_file = dynamic_cast<const std::filesystem::filesystem_error*>(&error);
    if (!of_file || of_file->path1().empty()) return error.what();
    std::string why = of_file->what();
    why = why.substr(0, why.find(" [" + of_file->path1().string()));
    const std::string prefix = "filesystem error: ";
    if (why.starts_with(prefix)) why.erase(0, prefix.size());
    return of_file->path1().string() + ": " + why;
}

}  // namespace lab
