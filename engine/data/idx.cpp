#include "data/idx.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <initializer_list>
#include <utility>

#include "data/file.hpp"

namespace vknorm {
namespace {

using detail::Bytes;
using detail::NamedBytes;

// The type is unsigned byte or int32; the lower byte is the rank.
constexpr uint32_t byte_pictures = 0x0803, byte_labels = 0x0801, int_labels = 0x0c02;

uint32_t big_endian(std::span<const std::byte> bytes) {
    uint32_t value = 0;
    for (const std::byte byte : bytes.first(4)) value = value << 8 | std::to_integer<uint32_t>(byte);
    return value;
}

std::string magic_text(uint32_t magic) {
    std::array<char, 11> text;
    std::snprintf(text.data(), text.size(), "0x%08x", magic);
    return text.data();
}

[[noreturn]] void fail(const NamedBytes& file, const std::string& what) {
    throw FormatError(file.name + ": " + what);
}

/// Returns the first `most` bytes, or all where there are fewer.
Bytes head(const NamedBytes& file, size_t most) {
    if (detail::is_gzip(file.bytes)) return detail::gunzip(file.bytes, most, file.name);
    const auto bytes = file.bytes.first(std::min(file.bytes.size(), most));
    return {bytes.begin(), bytes.end()};
}

/// What a file announces.
struct Header {
    uint32_t magic;
    std::vector<uint32_t> lengths;
    std::string shape;      ///< the lengths in words
    uint64_t values;        ///< their product
    uint64_t header_bytes;  ///< where the values begin

    uint64_t value_bytes() const { return magic == int_labels ? sizeof(int32_t) : 1; }
    uint64_t file_bytes() const { return header_bytes + values * value_bytes(); }
};

/// Needs one of `magics`, and at most `max_bytes` of values as float32.
Header read_header(const NamedBytes& file, std::initializer_list<uint32_t> magics, uint64_t max_bytes) {
    constexpr size_t magic_bytes = 4, length_bytes = 4;
    Header header{.magic = *magics.begin(), .lengths = {}, .shape = "", .values = 1, .header_bytes = 0};
    const auto rank = [&] { return header.magic & 0xff; };
    const auto bytes_of_header = [&] { return magic_bytes + length_bytes * rank(); };
    const Bytes start = head(file, bytes_of_header() + length_bytes);
    if (start.size() >= magic_bytes) {
        header.magic = big_endian(start);
        if (std::find(magics.begin(), magics.end(), header.magic) == magics.end()) {
            std::string needed;
            for (const uint32_t magic : magics) needed += (needed.empty() ? "" : " or ") + magic_text(magic);
            fail(file, "magic number: got " + magic_text(header.magic) + ", needs " + needed);
        }
    }
    header.header_bytes = bytes_of_header();
    if (start.size() < header.header_bytes)
        fail(file, "got " + std::to_string(start.size()) + " bytes, needs at least " +
                       std::to_string(header.header_bytes));

    const uint64_t most = max_bytes / sizeof(float);
    bool fits = true;
    for (size_t i = 0; i < rank(); ++i) {
        const uint32_t length = big_endian(std::span(start).subspan(magic_bytes + length_bytes * i));
        header.lengths.push_back(length);
        header.shape += (i > 0 ? " x " : "") + std::to_string(length);
        // A product above `most` is not gone on with, so that it cannot overflow.
        if (fits) header.values *= length;
        fits = fits && header.values <= most;
    }
    const bool none = std::count(header.lengths.begin(), header.lengths.end(), 0u) > 0;
    if (none) fail(file, "got " + header.shape + " values, needs at least 1");
    if (!fits)
        throw TooLarge(file.name + ": got " + header.shape + " values, needs at most " +
                       std::to_string(most) + ", which are " + std::to_string(max_bytes) +
                       " bytes as float32");
    return header;
}

/// Header and values. Takes no more memory or time than the header announces, however much a compressed file
/// may hold.
Bytes read_all(const NamedBytes& file, const Header& header) {
    const uint64_t needed = header.file_bytes();
    Bytes bytes = head(file, needed + 1);
    if (bytes.size() == needed) return bytes;
    std::string got = std::to_string(bytes.size());
    if (bytes.size() > needed)
        got = detail::is_gzip(file.bytes) ? "at least " + got : std::to_string(file.bytes.size());
    fail(file, "got " + got + " bytes, needs " + std::to_string(needed) + " for " + header.shape + " values");
}

std::vector<uint32_t> read_labels(const NamedBytes& file, const Header& header) {
    const Bytes bytes = read_all(file, header);
    const auto values = std::span(bytes).subspan(header.header_bytes);
    std::vector<uint32_t> labels;
    labels.reserve(header.lengths[0]);
    if (header.magic == byte_labels) {
        for (const std::byte value : values) labels.push_back(std::to_integer<uint32_t>(value));
        return labels;
    }
    // The first column is the class, the others say who wrote the digit, and where it was found.
    constexpr uint32_t most = 255;  // as a byte could be
    const size_t row_bytes = header.value_bytes() * header.lengths[1];
    for (size_t row = 0; row < header.lengths[0]; ++row) {
        labels.push_back(big_endian(values.subspan(row * row_bytes)));
        if (labels.back() > most)
            fail(file, "label " + std::to_string(row + 1) + ": got " +
                           std::to_string(static_cast<int32_t>(labels.back())) + ", needs a class, 0 to " +
                           std::to_string(most));
    }
    return labels;
}

}  // namespace

Dataset detail::parse_idx(const NamedBytes& images_file, const NamedBytes& labels_file, uint64_t max_bytes) {
    const Header images = read_header(images_file, {byte_pictures}, max_bytes);
    const Header labels = read_header(labels_file, {byte_labels, int_labels}, max_bytes);
    const uint32_t count = images.lengths[0];
    if (labels.lengths[0] != count)
        fail(labels_file, "got " + std::to_string(labels.lengths[0]) + " labels, needs " +
                              std::to_string(count) + " as " + images_file.name + " has images");
    Dataset data;
    data.image_height = images.lengths[1];
    data.image_width = images.lengths[2];
    data.features = data.image_height * data.image_width;
    data.labels = read_labels(labels_file, labels);
    data.classes = *std::max_element(data.labels.begin(), data.labels.end()) + 1;
    const Bytes bytes = read_all(images_file, images);
    data.inputs.reserve(images.values);
    for (const std::byte value : std::span(bytes).subspan(images.header_bytes))
        data.inputs.push_back(static_cast<float>(std::to_integer<int>(value)) / 255.0f);
    return data;
}

bool detail::same_idx(const NamedBytes& a, const NamedBytes& b, uint64_t max_bytes) {
    const auto contents = [&](const NamedBytes& file) {
        return read_all(file, read_header(file, {byte_pictures, byte_labels, int_labels}, max_bytes));
    };
    return contents(a) == contents(b);
}

}  // namespace vknorm
