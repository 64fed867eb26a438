// How a file gets its contents: all at once or not at all.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <sys/stat.h>

#include <vknorm/file.hpp>

#include "data/descriptor.hpp"

namespace vknorm::detail {

/// This is write_file() in two steps: a file gets its new contents later, or keeps the old ones. The
/// constructor tells at once, by FileError, when the file could not be written.
///
/// The temporary has a name that nobody can foresee, and its writer holds a lock on it: one that is not
/// locked was left by a process that is dead, whatever machine or container that ran on.
class FileReplacement {
  public:
    explicit FileReplacement(const std::filesystem::path& file, Existing existing = Existing::replaced);
    ~FileReplacement();
    FileReplacement(const FileReplacement&) = delete;
    FileReplacement& operator=(const FileReplacement&) = delete;

    /// Replaces the file; it may be called once. Throws FileError.
    void finish(std::span<const std::byte> bytes);

  private:
    /// Returns what is known of the file that is to be replaced; nothing when there is none.
    std::optional<struct stat> find_target();
    void make_temporary(const std::optional<struct stat>& replaced);
    void rename_temporary();
    [[noreturn]] void fail() const;  ///< errno says why
    [[noreturn]] void fail_as_there() const;

    std::filesystem::path file_;    // as messages name it
    std::filesystem::path target_;  // where it leads, if it is a symbolic link
    std::filesystem::path temporary_;
    Existing existing_;
    Descriptor descriptor_;
};

}  // namespace vknorm::detail
