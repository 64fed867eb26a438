// Files are read, decompressed and replaced as a whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace vknorm::detail {

using Bytes = std::vector<std::byte>;

/// No file read here, nor what it decompresses to, may be larger.
inline constexpr size_t max_file_bytes = size_t{1} << 30;

/// Returns what `file` holds. Throws std::filesystem::filesystem_error when `file` is missing, no regular
/// file or unreadable, and FormatError above `most` bytes.
Bytes read_file(const std::filesystem::path& file, size_t most = max_file_bytes);

bool is_gzip(std::span<const std::byte> file);

/// Returns the first `most` bytes of what the gzip file `file`, called `name` in messages, holds: the
/// contents of all its members, one after the other, as `gzip -dc` gives them. Where it holds no more than
/// that, the checksums are verified too, and that nothing but zeros follows. Memory grows with what is there,
/// not with what is claimed. Throws FormatError.
Bytes gunzip(std::span<const std::byte> file, size_t most, const std::string& name);

/// This is write_file() in two steps: a file gets its new contents later, or keeps the old ones. The
/// constructor tells at once, by std::filesystem::filesystem_error, when the file could not be written.
class FileReplacement {
  public:
    explicit FileReplacement(const std::filesystem::path& file);
    ~FileReplacement();
    FileReplacement(const FileReplacement&) = delete;
    FileReplacement& operator=(const FileReplacement&) = delete;

    /// Replaces the file; it may be called once. Throws std::filesystem::filesystem_error.
    void finish(std::span<const std::byte> bytes);

  private:
    [[noreturn]] void fail() const;

    std::filesystem::path file_, temporary_;
    int descriptor_ = -1;
};

}  // namespace vknorm::detail
