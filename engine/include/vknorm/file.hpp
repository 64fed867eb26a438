// Files may be wrong, and are replaced as a whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string_view>

namespace vknorm {

/// This says that a file does not hold what its format promises. The message names the file, the place (line
/// and column for text), what stands there and what was needed.
class FormatError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Makes `file` hold exactly those bytes. They go to a temporary beside it, which is flushed to the disk and
/// renamed: whatever happens, a reader finds the old file or the new one, never a part. Throws
/// std::filesystem::filesystem_error naming `file`, which then is what it was.
void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& file, std::string_view text);

}  // namespace vknorm
