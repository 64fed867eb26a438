#include "data/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <limits>
#include <new>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <zlib.h>

#include <vknorm/file.hpp>

#include "data/descriptor.hpp"
#include "data/file_replacement.hpp"

namespace vknorm::detail {

namespace fs = std::filesystem;

void require_name(const fs::path& file, const char* what) {
    if (file.empty() || file.native().find('\0') != std::string::npos)
        throw FileError(file, std::string("cannot be ") + what + ": that is no name of a file",
                        std::make_error_code(std::errc::invalid_argument));
}

void require_regular(const fs::path& file, const char* what, mode_t mode) {
    if (S_ISREG(mode)) return;
    const char* const kind = S_ISDIR(mode)                    ? "a folder"
                             : S_ISFIFO(mode)                 ? "a pipe"
                             : S_ISSOCK(mode)                 ? "a socket"
                             : S_ISCHR(mode) || S_ISBLK(mode) ? "a device"
                                                              : "no regular file";
    throw FileError(
        file, std::string("cannot be ") + what + ": it is " + kind + ", needs a file",
        std::make_error_code(S_ISDIR(mode) ? std::errc::is_a_directory : std::errc::invalid_argument));
}

void require_folder(const fs::path& folder, const char* what) {
    std::error_code error;
    if (fs::is_directory(folder, error)) return;
    if (!error) error = std::make_error_code(std::errc::not_a_directory);
    throw FileError(folder, std::string("cannot be ") + what + ": " + error.message(), error);
}

namespace {

/// Opens a regular file to be read; `file` is its name.
class OpenFile {
  public:
    explicit OpenFile(const fs::path& file) : file_(file) {
        require_name(file, "read");
        // To open a device may do something and to open a pipe waits, so look first, and at what was opened
        // again.
        struct stat status {};
        require(::stat(file.c_str(), &status) == 0);
        require_regular(file, "read", status.st_mode);
        descriptor_ = Descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        require(descriptor_.is_open() && ::fstat(descriptor_.number(), &status) == 0);
        require_regular(file, "read", status.st_mode);
        bytes_ = static_cast<size_t>(status.st_size);
    }

    /// As the system says.
    size_t bytes() const { return bytes_; }

    /// Returns how many of the next bytes there were, 0 at the end.
    size_t read(std::span<std::byte> to) {
        while (true) {
            const ssize_t got = ::read(descriptor_.number(), to.data(), to.size());
            if (got < 0 && errno == EINTR) continue;
            require(got >= 0);
            return static_cast<size_t>(got);
        }
    }

  private:
    void require(bool done) const {
        if (done) return;
        const std::error_code error(errno, std::generic_category());
        throw FileError(file_, "cannot be read: " + error.message(), error);
    }

    const fs::path& file_;
    Descriptor descriptor_;
    size_t bytes_ = 0;
};

}  // namespace

Bytes read_file(const fs::path& file, size_t most) {
    const auto require_at_most = [&](size_t bytes) {
        if (bytes > most)
            throw FormatError(file.string() + ": got " + std::to_string(bytes) + " bytes, needs at most " +
                              std::to_string(most));
    };
    OpenFile open(file);
    require_at_most(open.bytes());
    Bytes bytes(open.bytes() + 1);  // to read a byte more tells that there is none
    size_t done = 0;
    while (const size_t got = open.read(std::span(bytes).subspan(done))) {
        done += got;
        require_at_most(done);
        if (done == bytes.size()) bytes.resize(2 * done);  // it grows, or is one that does not say its size
    }
    bytes.resize(done);
    return bytes;
}

FileHead read_head(const fs::path& file, size_t most) {
    OpenFile open(file);
    FileHead head{Bytes(std::min(most, open.bytes())), open.bytes()};
    size_t done = 0;
    while (done < head.bytes.size()) {
        const size_t got = open.read(std::span(head.bytes).subspan(done));
        if (got == 0) break;
        done += got;
    }
    head.bytes.resize(done);
    return head;
}

bool is_gzip(std::span<const std::byte> file) {
    return file.size() >= 2 && file[0] == std::byte{0x1f} && file[1] == std::byte{0x8b};
}

namespace {

/// Releases zlib's state whichever way it is left.
struct Inflater {
    z_stream stream{};
    Inflater() {
        constexpr int gzip_format = 16;
        if (inflateInit2(&stream, MAX_WBITS + gzip_format) != Z_OK) throw std::bad_alloc();
    }
    ~Inflater() { inflateEnd(&stream); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
};

/// Decompresses all members, as gunzip() says it, and returns the number of bytes. They go where `room(done)`
/// says, as many as there is room for.
template <class Room>
size_t inflate_members(std::span<const std::byte> file, size_t most, const std::string& name, Room room) {
    Inflater inflater;
    z_stream& stream = inflater.stream;
    std::span<const std::byte> rest = file;  // of the compressed bytes
    size_t done = 0;
    while (done < most) {
        const std::span<std::byte> to = room(done);
        constexpr size_t most_at_once = std::numeric_limits<uInt>::max();
        stream.next_in =
            reinterpret_cast<Bytef*>(const_cast<std::byte*>(rest.data()));  // zlib does not write to it
        stream.avail_in = static_cast<uInt>(std::min(rest.size(), most_at_once));
        stream.next_out = reinterpret_cast<Bytef*>(to.data());
        stream.avail_out = static_cast<uInt>(std::min({to.size(), most - done, most_at_once}));
        const size_t given = stream.avail_in, given_room = stream.avail_out;
        const int result = inflate(&stream, Z_NO_FLUSH);
        rest = rest.subspan(given - stream.avail_in);
        done += given_room - stream.avail_out;
        if (result == Z_STREAM_END) {
            if (is_gzip(rest)) {
                inflateReset(&stream);
                continue;
            }
            if (!std::all_of(rest.begin(), rest.end(), [](std::byte byte) { return byte == std::byte{0}; }))
                throw FormatError(name + ": got " + std::to_string(rest.size()) +
                                  " bytes after the end of the gzip data, needs none");
            break;
        }
        if (result == Z_MEM_ERROR) throw std::bad_alloc();
        if (result != Z_OK && result != Z_BUF_ERROR)
            throw FormatError(
                name + ": corrupt gzip data after " + std::to_string(done) +
                " decompressed bytes: " + (stream.msg != nullptr ? stream.msg : "cannot be decompressed"));
        if (stream.avail_out > 0 && rest.empty())
            throw FormatError(name + ": gzip data ends early: got " + std::to_string(file.size()) +
                              " bytes, " + std::to_string(done) + " decompressed, needs more");
    }
    return done;
}

}  // namespace

Bytes gunzip(std::span<const std::byte> file, size_t most, const std::string& name) {
    Bytes bytes;
    bytes.resize(inflate_members(file, most, name, [&](size_t done) {
        constexpr size_t least = 4096;
        if (done == bytes.size()) bytes.resize(std::min(most, std::max(2 * done, least)));
        return std::span(bytes).subspan(done);
    }));
    return bytes;
}

size_t gunzipped_bytes(std::span<const std::byte> file, size_t most, const std::string& name) {
    std::array<std::byte, size_t{1} << 16> dropped;
    return inflate_members(file, most, name, [&](size_t) { return std::span(dropped); });
}

}  // namespace vknorm::detail

namespace vknorm {

namespace fs = std::filesystem;

FileError::FileError(const fs::path& file, const std::string& problem, std::error_code code)
    : fs::filesystem_error(problem, file, code),
      message_((file.empty() ? "''" : file.string()) + ": " + problem) {}

void write_file(const fs::path& file, std::span<const std::byte> bytes, Existing existing) {
    detail::FileReplacement(file, existing).finish(bytes);
}

void write_file(const fs::path& file, std::string_view text, Existing existing) {
    write_file(file, std::as_bytes(std::span(text)), existing);
}

void require_writable(const fs::path& file, Existing existing) {
    const detail::FileReplacement replacement(file, existing);
}

void make_folder(const fs::path& folder) {
    std::error_code error, ignored;
    fs::create_directories(folder, error);
    if (!fs::is_directory(folder, ignored)) {
        if (!error) error = std::make_error_code(std::errc::not_a_directory);
        throw FileError(folder, "cannot be made: " + error.message(), error);
    }
    if (::access(folder.c_str(), W_OK | X_OK) == 0) return;
    error = {errno, std::generic_category()};
    throw FileError(folder, "cannot be written to: " + error.message(), error);
}

}  // namespace vknorm
