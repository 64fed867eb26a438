// Pictures in memory and as PNG files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace lab {

/// Rows from the top, four bytes (red, green, blue, alpha) a pixel, sRGB.
struct Picture {
    uint32_t width = 0, height = 0;
    std::vector<uint8_t> rgba;

    const uint8_t* pixel(uint32_t x, uint32_t y) const { return &rgba[(size_t{y} * width + x) * 4]; }
};

/// Replaces `file` as a whole (vknorm::write_file). Throws std::runtime_error naming the file.
void write_png(const Picture& picture, const std::filesystem::path& file);

}  // namespace lab
