// One picture in a file, PNG or JPEG.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vknorm::detail {

struct PictureSize {
    uint32_t width, height;
    bool colour;

    uint64_t pixels() const { return uint64_t{width} * height; }
};

/// What the file, called `name` in messages, announces. Throws FormatError, also above 2^26 pixels.
PictureSize picture_size(std::span<const std::byte> file, const std::string& name);

/// The values of all pixels row by row: one of each, or red, green and blue. Takes no more memory than some
/// times what the picture announces and its file has. Throws FormatError.
std::vector<uint8_t> decode_picture(std::span<const std::byte> file, const std::string& name, bool colour);

}  // namespace vknorm::detail
