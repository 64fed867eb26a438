#include "data/idx.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <system_error>

#include "data/file.hpp"

namespace vknorm {
namespace {

namespace fs = std::filesystem;
using detail::Bytes;
using detail::NamedBytes;

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

/// Returns the first `most` bytes, or all where there are fewer.
Bytes head(std::span<const std::byte> file, size_t most, const std::string& name) {
    if (detail::is_gzip(file)) return detail::gunzip(file, most, name);
    const auto bytes = file.first(std::min(file.size(), most));
    return {bytes.begin(), bytes.end()};
}

/// This is an array of unsigned bytes of some rank.
template <size_t rank>
struct Idx {
    std::array<uint32_t, rank> lengths;
    Bytes bytes;  ///< they begin with the header

    static constexpr size_t header_bytes = 4 + 4 * rank;
    std::span<const std::byte> values() const { return std::span(bytes).subspan(header_bytes); }
};

/// Checks the header first, and takes no more memory or time than it announces, however much a compressed
/// file may hold.
template <size_t rank>
Idx<rank> parse(const NamedBytes& file) {
    constexpr size_t header_bytes = Idx<rank>::header_bytes;
    constexpr uint32_t needed_magic = 0x0800 + rank;
    const auto fail = [&](const std::string& what) { throw FormatError(file.name + ": " + what); };

    const Bytes header = head(file.bytes, header_bytes, file.name);
    if (header.size() < header_bytes)
        fail("got " + std::to_string(header.size()) + " bytes, needs at least " +
             std::to_string(header_bytes));
    const uint32_t magic = big_endian(header);
    if (magic != needed_magic)
        fail("magic number: got " + magic_text(magic) + ", needs " + magic_text(needed_magic));

    Idx<rank> idx;
    std::string shape;
    uint64_t size = 1;
    bool fits = true;
    for (size_t i = 0; i < rank; ++i) {
        idx.lengths[i] = big_endian(std::span(header).subspan(4 + 4 * i));
        shape += (i > 0 ? " x " : "") + std::to_string(idx.lengths[i]);
        size *= idx.lengths[i];
        fits = fits && size <= detail::max_file_bytes;
    }
    if (!fits) fail("got " + shape + " values, needs at most " + std::to_string(detail::max_file_bytes));
    if (size == 0) fail("got " + shape + " values, needs at least 1");

    const size_t needed = header_bytes + size;
    idx.bytes = head(file.bytes, needed + 1, file.name);
    if (idx.bytes.size() != needed) {
        std::string got = std::to_string(idx.bytes.size());
        if (idx.bytes.size() > needed)
            got = detail::is_gzip(file.bytes) ? "at least " + got : std::to_string(file.bytes.size());
        fail("got " + got + " bytes, needs " + std::to_string(needed) + " for " + shape + " values");
    }
    return idx;
}

/// Finds the file of this name, with or without .gz; none where there is neither.
std::optional<fs::path> find(const fs::path& directory, const std::string& name) {
    const fs::path plain = directory / name, compressed = directory / (name + ".gz");
    std::error_code unreadable;
    const bool is_plain = fs::exists(plain, unreadable), is_compressed = fs::exists(compressed, unreadable);
    if (is_plain && is_compressed)
        throw FormatError(directory.string() + ": got " + name + " and " + name + ".gz, needs one of them");
    if (is_plain) return plain;
    if (is_compressed) return compressed;
    return std::nullopt;
}

std::optional<Dataset> read_pair(const fs::path& directory, const std::string& prefix) {
    const std::string images_name = prefix + "-images-idx3-ubyte",
                      labels_name = prefix + "-labels-idx1-ubyte";
    const auto images = find(directory, images_name), labels = find(directory, labels_name);
    if (!images && !labels) return std::nullopt;
    if (!images || !labels)
        throw FormatError(directory.string() + ": got " + (images ? images_name : labels_name) + ", needs " +
                          (images ? labels_name : images_name) + " (or .gz) too");
    const Bytes images_bytes = detail::read_file(*images), labels_bytes = detail::read_file(*labels);
    return detail::parse_idx({images_bytes, images->string()}, {labels_bytes, labels->string()});
}

}  // namespace

Dataset detail::parse_idx(const NamedBytes& images_file, const NamedBytes& labels_file) {
    const auto images = parse<3>(images_file);
    const auto labels = parse<1>(labels_file);
    const auto [count, height, width] = images.lengths;
    if (labels.lengths[0] != count)
        throw FormatError(labels_file.name + ": got " + std::to_string(labels.lengths[0]) +
                          " labels, needs " + std::to_string(count) + " as " + images_file.name +
                          " has images");
    Dataset data;
    data.features = height * width;
    data.image_width = width;
    data.image_height = height;
    data.inputs.reserve(images.values().size());
    for (const std::byte value : images.values())
        data.inputs.push_back(static_cast<float>(std::to_integer<int>(value)) / 255.0f);
    data.labels.reserve(count);
    for (const std::byte value : labels.values()) {
        data.labels.push_back(std::to_integer<uint32_t>(value));
        data.classes = std::max(data.classes, data.labels.back() + 1);
    }
    return data;
}

Dataset read_idx(const fs::path& directory) {
    std::error_code error;
    if (!fs::is_directory(directory, error)) {
        if (!error) error = std::make_error_code(std::errc::not_a_directory);
        throw FileError(directory, "cannot be read: " + error.message(), error);
    }
    auto train = read_pair(directory, "train"), test = read_pair(directory, "t10k");
    if (!train && !test)
        throw FormatError(
            directory.string() +
            ": got neither train-images-idx3-ubyte nor t10k-images-idx3-ubyte (or .gz), needs one "
            "with its labels");
    if (!train) return std::move(*test);
    if (!test) return std::move(*train);
    if (test->image_width != train->image_width || test->image_height != train->image_height)
        throw FormatError(directory.string() + ": t10k images: got " + std::to_string(test->image_height) +
                          " x " + std::to_string(test->image_width) + ", needs " +
                          std::to_string(train->image_height) + " x " + std::to_string(train->image_width) +
                          " as the train images");
    train->classes = std::max(train->classes, test->classes);
    train->inputs.insert(train->inputs.end(), test->inputs.begin(), test->inputs.end());
    train->labels.insert(train->labels.end(), test->labels.begin(), test->labels.end());
    return std::move(*train);
}

}  // namespace vknorm
