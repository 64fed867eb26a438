// PNG files, right and wrong ones.
#pragma once

#include <cstdint>
#include <string>
#include <zlib.h>

#include "support/data_files.hpp"

namespace vknorm::test {

inline void append_big_endian(Bytes& bytes, uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(std::byte(value >> shift));
}

inline void append_chunk(Bytes& png, const std::string& type, const Bytes& contents) {
    append_big_endian(png, static_cast<uint32_t>(contents.size()));
    Bytes chunk;
    for (const char c : type) chunk.push_back(std::byte(c));
    chunk.insert(chunk.end(), contents.begin(), contents.end());
    png.insert(png.end(), chunk.begin(), chunk.end());
    append_big_endian(
        png, static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(chunk.data()), chunk.size())));
}

/// With a header of those numbers, whatever `rows`, each of them a filter's byte and pixels, are. Kinds of
/// colour: 0 grey, 2 colour, 6 colour and alpha.
inline Bytes png(uint32_t width, uint32_t height, int kind, const Bytes& rows) {
    Bytes file;
    for (const int byte : {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a}) file.push_back(std::byte(byte));
    Bytes header;
    append_big_endian(header, width);
    append_big_endian(header, height);
    for (const int byte : {8, kind, 0, 0, 0}) header.push_back(std::byte(byte));
    append_chunk(file, "IHDR", header);
    uLongf bytes = compressBound(rows.size());
    Bytes packed(bytes);
    compress(reinterpret_cast<Bytef*>(packed.data()), &bytes, reinterpret_cast<const Bytef*>(rows.data()),
             rows.size());
    packed.resize(bytes);
    append_chunk(file, "IDAT", packed);
    append_chunk(file, "IEND", {});
    return file;
}

}  // namespace vknorm::test
