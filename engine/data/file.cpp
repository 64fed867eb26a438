#include "data/file.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <limits>
#include <new>
#include <system_error>
#include <zlib.h>

#include <vknorm/data.hpp>

namespace vknorm::detail {
namespace fs = std::filesystem;

Bytes read_file(const fs::path& file) {
    const auto fail = [&](const char* what, std::error_code code) {
        throw fs::filesystem_error(what, file, code);
    };
    // Opening a directory succeeds and opening a pipe waits, so look first.
    if (!fs::exists(file)) fail("cannot open", std::make_error_code(std::errc::no_such_file_or_directory));
    if (fs::is_directory(file)) fail("cannot read", std::make_error_code(std::errc::is_a_directory));
    if (!fs::is_regular_file(file))
        fail("no regular file", std::make_error_code(std::errc::invalid_argument));
    const auto size = fs::file_size(file);
    if (size > max_file_bytes)
        throw FormatError(file.string() + ": got " + std::to_string(size) + " bytes, needs at most " +
                          std::to_string(max_file_bytes));
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
    static_assert(max_file_bytes <= std::numeric_limits<uInt>::max());
    Inflater inflater;
    z_stream& stream = inflater.stream;
    stream.next_in =
        reinterpret_cast<Bytef*>(const_cast<std::byte*>(file.data()));  // zlib does not write to it
    stream.avail_in = static_cast<uInt>(file.size());
    Bytes bytes;
    while (bytes.size() < most) {
        const size_t done = bytes.size();
        bytes.resize(std::min(most, std::max<size_t>(2 * done, 4096)));
        stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + done);
        stream.avail_out = static_cast<uInt>(bytes.size() - done);
        const int result = inflate(&stream, Z_NO_FLUSH);
        bytes.resize(bytes.size() - stream.avail_out);
        if (result == Z_STREAM_END) {
            if (stream.avail_in > 0)
                throw FormatError(name + ": got " + std::to_string(stream.avail_in) +
                                  " bytes after the end of the gzip data, needs none");
            break;
        }
        if (result == Z_MEM_ERROR) throw std::bad_alloc();
        if (result != Z_OK && result != Z_BUF_ERROR)
            throw FormatError(
                name + ": corrupt gzip data after " + std::to_string(bytes.size()) +
                " decompressed bytes: " + (stream.msg != nullptr ? stream.msg : "cannot be decompressed"));
        if (stream.avail_out > 0)
            throw FormatError(name + ": gzip data ends early: got " + std::to_string(file.size()) +
                              " bytes, " + std::to_string(bytes.size()) + " decompressed, needs more");
    }
    return bytes;
}

}  // namespace vknorm::detail
