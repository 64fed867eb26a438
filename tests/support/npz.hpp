// Arrays and archives as NumPy writes them.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <zlib.h>

#include "support/data_files.hpp"

namespace vknorm::test {

/// A .npy file with that header, padded to a multiple of 64 bytes as NumPy does.
template <class T>
Bytes npy(std::string header, const std::vector<T>& values, int version = 1) {
    const size_t before = version == 1 ? 10 : 12;
    header.resize((before + header.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
    header += '\n';
    std::string bytes = "\x93NUMPY";
    bytes += static_cast<char>(version);
    bytes += '\0';
    for (size_t i = 0; i < before - 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 0xff);
    bytes += header;
    const auto text = std::as_bytes(std::span(bytes)), contents = std::as_bytes(std::span(values));
    Bytes file(text.begin(), text.end());
    file.insert(file.end(), contents.begin(), contents.end());
    return file;
}

/// An archive of those files. `announced`: the size that the first one is said to have.
inline Bytes npz(const std::vector<std::pair<std::string, Bytes>>& files, bool deflate,
                 std::optional<uint64_t> announced = {}) {
    Bytes archive, directory;
    const auto append = [](Bytes& to, uint64_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) to.push_back(std::byte(value >> (8 * i) & 0xff));
    };
    const auto append_text = [](Bytes& to, const std::string& text) {
        const auto bytes = std::as_bytes(std::span(text));
        to.insert(to.end(), bytes.begin(), bytes.end());
    };
    for (const auto& [name, contents] : files) {
        Bytes packed = contents;
        if (deflate) {
            z_stream stream{};
            deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
            packed.resize(deflateBound(&stream, contents.size()));
            stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(contents.data()));
            stream.avail_in = static_cast<uInt>(contents.size());
            stream.next_out = reinterpret_cast<Bytef*>(packed.data());
            stream.avail_out = static_cast<uInt>(packed.size());
            ::deflate(&stream, Z_FINISH);
            packed.resize(stream.total_out);
            deflateEnd(&stream);
        }
        const uint64_t checksum =
            crc32(0, reinterpret_cast<const Bytef*>(contents.data()), static_cast<uInt>(contents.size()));
        const uint64_t local = archive.size(), size = announced.value_or(contents.size());
        announced.reset();
        const size_t name_length = name.size();
        const auto common = [&](Bytes& to) {
            append(to, 20, 2);
            append(to, 0, 2);
            append(to, deflate ? 8 : 0, 2);
            append(to, 0, 4);
            append(to, checksum, 4);
            append(to, packed.size(), 4);
            append(to, size, 4);
            append(to, name_length, 2);
            append(to, 0, 2);
        };
        append_text(archive, "PK\x03\x04");
        common(archive);
        append_text(archive, name);
        archive.insert(archive.end(), packed.begin(), packed.end());
        append_text(directory, "PK\x01\x02");
        append(directory, 20, 2);
        common(directory);
        append(directory, 0, 8);
        append(directory, 0, 2);
        append(directory, local, 4);
        append_text(directory, name);
    }
    const size_t begin = archive.size();
    archive.insert(archive.end(), directory.begin(), directory.end());
    append_text(archive, "PK\x05\x06");
    append(archive, 0, 4);
    append(archive, files.size(), 2);
    append(archive, files.size(), 2);
    append(archive, directory.size(), 4);
    append(archive, begin, 4);
    append(archive, 0, 2);
    return archive;
}

}  // namespace vknorm::test
