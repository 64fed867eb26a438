#include "data/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <limits>
#include <new>
#include <random>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <zlib.h>

#include <vknorm/file.hpp>

namespace vknorm::detail {
namespace fs = std::filesystem;

Bytes read_file(const fs::path& file, size_t most) {
    const auto fail = [&](const char* what, std::error_code code) {
        throw fs::filesystem_error(what, file, code);
    };
    // Opening a directory succeeds and opening a pipe waits, so look first.
    if (!fs::exists(file)) fail("cannot open", std::make_error_code(std::errc::no_such_file_or_directory));
    if (fs::is_directory(file)) fail("cannot read", std::make_error_code(std::errc::is_a_directory));
    if (!fs::is_regular_file(file))
        fail("no regular file", std::make_error_code(std::errc::invalid_argument));
    const auto size = fs::file_size(file);
    if (size > most)
        throw FormatError(file.string() + ": got " + std::to_string(size) + " bytes, needs at most " +
                          std::to_string(most));
    errno = 0;
    std::ifstream stream(file, std::ios::binary);
    if (!stream) fail("cannot open", {errno, std::generic_category()});
    Bytes bytes(size);
    stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
    if (static_cast<size_t>(stream.gcount()) != size)
        fail("cannot read", {errno != 0 ? errno : EIO, std::generic_category()});
    return bytes;
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

}  // namespace

Bytes gunzip(std::span<const std::byte> file, size_t most, const std::string& name) {
    Inflater inflater;
    z_stream& stream = inflater.stream;
    std::span<const std::byte> rest = file;  // of the compressed bytes
    Bytes bytes;
    size_t done = 0;
    while (done < most) {
        if (done == bytes.size()) bytes.resize(std::min(most, std::max<size_t>(2 * done, 4096)));
        constexpr size_t most_at_once = std::numeric_limits<uInt>::max();
        stream.next_in =
            reinterpret_cast<Bytef*>(const_cast<std::byte*>(rest.data()));  // zlib does not write to it
        stream.avail_in = static_cast<uInt>(std::min(rest.size(), most_at_once));
        stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + done);
        stream.avail_out = static_cast<uInt>(std::min(bytes.size() - done, most_at_once));
        const size_t given = stream.avail_in, room = stream.avail_out;
        const int result = inflate(&stream, Z_NO_FLUSH);
        rest = rest.subspan(given - stream.avail_in);
        done += room - stream.avail_out;
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
    bytes.resize(done);
    return bytes;
}

namespace {

/// Returns a name that nobody else has, as others may write the same file at the same time.
fs::path temporary_beside(const fs::path& file) {
    std::array<char, 16> suffix{};
    std::snprintf(suffix.data(), suffix.size(), ".%08x.part", std::random_device{}());
    fs::path temporary = file;
    temporary += suffix.data();
    return temporary;
}

}  // namespace

FileReplacement::FileReplacement(const fs::path& file) : file_(file) {
    constexpr mode_t whatever_the_umask_allows = 0666;
    do {
        temporary_ = temporary_beside(file_);
        descriptor_ =
            ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, whatever_the_umask_allows);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ < 0) fail();
}

FileReplacement::~FileReplacement() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void FileReplacement::finish(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written >= 0)
            bytes = bytes.subspan(static_cast<size_t>(written));
        else if (errno != EINTR)
            fail();
    }
    if (::fsync(descriptor_) != 0) fail();
    if (::close(std::exchange(descriptor_, -1)) != 0) fail();
    if (std::rename(temporary_.c_str(), file_.c_str()) != 0) fail();
    temporary_.clear();
}

void FileReplacement::fail() const {
    throw fs::filesystem_error("cannot write", file_, {errno, std::generic_category()});
}

}  // namespace vknorm::detail

namespace vknorm {

void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes) {
    detail::FileReplacement(file).finish(bytes);
}

void write_file(const std::filesystem::path& file, std::string_view text) {
    write_file(file, std::as_bytes(std::span(text)));
}

}  // namespace vknorm
