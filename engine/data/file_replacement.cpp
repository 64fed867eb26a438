#include "data/file_replacement.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fcntl.h>
#include <random>
#include <string_view>
#include <sys/file.h>
#include <unistd.h>

#include "data/file.hpp"

namespace vknorm::detail {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view prefix = ".vknorm-", suffix = ".part";
constexpr size_t random_digits = 16;
constexpr mode_t whatever_the_umask_allows = 0666, of_the_owner_alone = 0600, permissions_alone = 0777;

std::string temporary_name() {
    std::random_device random;
    std::array<char, random_digits + 1> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x%08x", random(), random());
    return std::string(prefix) + digits.data() + std::string(suffix);
}

bool is_temporary_name(std::string_view name) {
    return name.size() == prefix.size() + random_digits + suffix.size() && name.starts_with(prefix) &&
           name.ends_with(suffix);
}

/// Locks are those of the open file: they end with the process that holds it, however that ends.
bool lock(const Descriptor& descriptor) {
    return ::flock(descriptor.number(), LOCK_EX | LOCK_NB) == 0;
}

/// Removes what processes that are dead were writing in `folder`; what cannot be removed stays.
void remove_abandoned(const fs::path& folder) {
    std::error_code ignored;
    for (fs::directory_iterator each(folder, ignored), end; !ignored && each != end;
         each.increment(ignored)) {
        const fs::path& file = each->path();
        if (!is_temporary_name(file.filename().native())) continue;
        const Descriptor descriptor(
            ::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
        if (descriptor.is_open() && lock(descriptor)) ::unlink(file.c_str());
    }
}

fs::path folder_of(const fs::path& file) {
    return file.has_parent_path() ? file.parent_path() : fs::path(".");
}

}  // namespace

FileReplacement::FileReplacement(const fs::path& file, Existing existing)
    : file_(file), target_(file), existing_(existing) {
    const std::optional<struct stat> replaced = find_target();
    remove_abandoned(folder_of(target_));
    make_temporary(replaced);
}

FileReplacement::~FileReplacement() {
    // The lock goes last, so that nobody takes the temporary for abandoned.
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

std::optional<struct stat> FileReplacement::find_target() {
    require_name(file_, "written");
    struct stat status {};
    if (::lstat(file_.c_str(), &status) != 0) {
        if (errno != ENOENT) fail();
        return std::nullopt;
    }
    if (S_ISLNK(status.st_mode)) {
        std::error_code error;
        target_ = fs::canonical(file_, error);
        if (error == std::errc::no_such_file_or_directory)
            throw FileError(file_, "cannot be written: it is a symbolic link to nothing", error);
        if (error) throw FileError(file_, "cannot be written: " + error.message(), error);
        if (::lstat(target_.c_str(), &status) != 0) fail();
    }
    require_regular(file_, "written", status.st_mode);
    if (existing_ == Existing::refused) fail_as_there();
    return status;
}

void FileReplacement::make_temporary(const std::optional<struct stat>& replaced) {
    const mode_t mode = replaced ? of_the_owner_alone : whatever_the_umask_allows;
    while (true) {
        temporary_ = folder_of(target_) / temporary_name();
        descriptor_ = Descriptor(
            ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
        if (!descriptor_.is_open()) {
            temporary_.clear();
            if (errno != EEXIST) fail();
            continue;
        }
        // Somebody who removes what is abandoned may have come before the lock.
        const bool locked = lock(descriptor_) || errno != EWOULDBLOCK;
        struct stat status {};
        if (locked && ::fstat(descriptor_.number(), &status) == 0 && status.st_nlink > 0) break;
        ::unlink(temporary_.c_str());
    }
    if (!replaced) return;
    // Only root can give files away, and not every file system has permissions: then they are the writer's.
    (void)!::fchown(descriptor_.number(), replaced->st_uid, replaced->st_gid);
    (void)!::fchmod(descriptor_.number(), replaced->st_mode & permissions_alone);
}

void FileReplacement::finish(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor_.number(), bytes.data(), bytes.size());
        if (written >= 0)
            bytes = bytes.subspan(static_cast<size_t>(written));
        else if (errno != EINTR)
            fail();
    }
    if (::fsync(descriptor_.number()) != 0) fail();
    rename_temporary();
    if (!descriptor_.close()) fail();
}

void FileReplacement::rename_temporary() {
    const unsigned flags = existing_ == Existing::refused ? RENAME_NOREPLACE : 0;
    int result = ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, target_.c_str(), flags);
    // Not every file system can refuse; a moment ago there was no such file.
    if (result != 0 && errno == EINVAL) result = std::rename(temporary_.c_str(), target_.c_str());
    if (result != 0 && errno == EEXIST) fail_as_there();
    if (result != 0) fail();
    temporary_.clear();
}

void FileReplacement::fail_as_there() const {
    throw FileError(file_, "is there already", std::make_error_code(std::errc::file_exists));
}

void FileReplacement::fail() const {
    const std::error_code error(errno, std::generic_category());
    throw FileError(file_, "cannot be written: " + error.message(), error);
}

}  // namespace vknorm::detail
