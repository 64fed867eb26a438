// Files may be missing or wrong, and are replaced as a whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace vknorm {

/// This says that a file or a folder cannot be read, written or made. The message begins with its name and
/// says why in words; code() is for programs.
class FileError : public std::filesystem::filesystem_error {
  public:
    /// `problem` is what the message says behind the name.
    FileError(const std::filesystem::path& file, const std::string& problem, std::error_code code);

    const char* what() const noexcept override { return message_.what(); }

  private:
    std::runtime_error message_;  // whose copies cannot fail, as those of an exception must not
};

/// This says that a file does not hold what its format promises. The message names the file, the place (line
/// and column for text), what stands there and what was needed.
class FormatError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// What becomes of a file that is there already.
enum class Existing { replaced, refused };

/// Makes `file` hold exactly those bytes. They go to a temporary beside it, which is flushed to the disk and
/// renamed: whatever happens, a reader finds the old file or the new one, never a part. A file that is
/// replaced keeps its permissions, and a symbolic link to it stays one. What a killed process left behind in
/// that folder is removed. Throws FileError, and then `file` is what it was: when it cannot be written, is
/// there already and to be refused, or is no regular file: a folder, a pipe, a socket, a device, a symbolic
/// link to one of them or to nothing.
void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes,
                Existing existing = Existing::replaced);
void write_file(const std::filesystem::path& file, std::string_view text,
                Existing existing = Existing::replaced);

/// Throws what write_file() would throw, so that one knows before the work is done; leaves nothing behind.
void require_writable(const std::filesystem::path& file, Existing existing = Existing::replaced);

/// Makes `folder`, and those that it is in, unless they are there. Throws FileError unless files can be
/// written there.
void make_folder(const std::filesystem::path& folder);

}  // namespace vknorm
