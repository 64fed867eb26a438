// Files are read and decompressed as a whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

namespace vknorm::detail {

using Bytes = std::vector<std::byte>;

/// No file read here, nor what it decompresses to, may be larger.
inline constexpr size_t max_file_bytes = size_t{1} << 30;

/// Returns what `file` holds. Throws FileError when `file` is missing, no regular file or unreadable, and
/// FormatError above `most` bytes.
Bytes read_file(const std::filesystem::path& file, size_t most = max_file_bytes);
/// Its first `most` bytes, or all where there are fewer; and how many there are. Throws FileError.
struct FileHead {
    Bytes bytes;
    uint64_t file_bytes;
};
FileHead read_head(const std::filesystem::path& file, size_t most);

// These three throw FileError. `what`, in its message, is what cannot be done to `file`: "read" or "written".
/// Refuses what cannot be the name of a file, whatever is there.
void require_name(const std::filesystem::path& file, const char* what);
/// Refuses all but regular files; `mode` is that of stat().
void require_regular(const std::filesystem::path& file, const char* what, mode_t mode);

/// Refuses all but folders. `what` here is such as "read" or "written to".
void require_folder(const std::filesystem::path& folder, const char* what);

bool is_gzip(std::span<const std::byte> file);

/// Returns the first `most` bytes of what the gzip file `file`, called `name` in messages, holds: the
/// contents of all its members, one after the other, as `gzip -dc` gives them. Where it holds no more than
/// that, the checksums are verified too, and that nothing but zeros follows. Memory grows with what is there,
/// not with what is claimed. Throws FormatError.
Bytes gunzip(std::span<const std::byte> file, size_t most, const std::string& name);
/// How many bytes gunzip() with these arguments would return, for no memory. Throws the same.
size_t gunzipped_bytes(std::span<const std::byte> file, size_t most, const std::string& name);

}  // namespace vknorm::detail
