// Files that a program leaves: one that is there already is replaced by --force only.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include <vknorm/file.hpp>

namespace lab {

inline vknorm::Existing existing_files(bool force) {
    return force ? vknorm::Existing::replaced : vknorm::Existing::refused;
}

/// Throws std::runtime_error when `file` cannot be written, or is there already and `force` is not given: to
/// be found out before the work is done.
inline void require_output(const std::filesystem::path& file, bool force) {
    try {
        vknorm::require_writable(file, existing_files(force));
    } catch (const vknorm::FileError& error) {
        if (error.code() != std::errc::file_exists) throw;
        throw std::runtime_error(std::string(error.what()) + ": --force replaces it");
    }
}

}  // namespace lab
