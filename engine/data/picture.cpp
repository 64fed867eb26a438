#include "data/picture.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <vknorm/file.hpp>

namespace {

// A small file may decompress to gigabytes, whatever size the picture has: the decoder gets no more than this
// at once.
thread_local size_t most_at_once = 0;

void* limited_malloc(size_t bytes) {
    return bytes <= most_at_once ? std::malloc(bytes) : nullptr;
}
void* limited_realloc(void* block, size_t bytes) {
    return bytes <= most_at_once ? std::realloc(block, bytes) : nullptr;
}

}  // namespace

#define STBI_MALLOC(bytes) limited_malloc(bytes)
#define STBI_REALLOC(block, bytes) limited_realloc(block, bytes)
#define STBI_FREE(block) std::free(block)
#define STBI_MAX_DIMENSIONS (1 << 16)
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_NO_SIMD  // the same bits on every CPU
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>

namespace vknorm::detail {

namespace {

constexpr uint64_t most_pixels = uint64_t{1} << 26;

const stbi_uc* begin_of(std::span<const std::byte> file) {
    return reinterpret_cast<const stbi_uc*>(file.data());
}

/// read_file() takes no larger ones.
int length_of(std::span<const std::byte> file) {
    return static_cast<int>(std::min<size_t>(file.size(), 1 << 30));
}

[[noreturn]] void refuse(const std::string& name) {
    const char* const reason = stbi_failure_reason();
    throw FormatError(name + ": got a picture that cannot be read (" +
                      (reason == nullptr ? "unknown" : reason) + "), needs PNG or JPEG");
}

}  // namespace

PictureSize picture_size(std::span<const std::byte> file, const std::string& name) {
    constexpr size_t enough_for_headers = 1 << 20;
    most_at_once = enough_for_headers;
    int width = 0, height = 0, channels = 0;
    if (!stbi_info_from_memory(begin_of(file), length_of(file), &width, &height, &channels) || width <= 0 ||
        height <= 0)
        refuse(name);
    constexpr int grey_and_alpha = 2;
    const PictureSize size{static_cast<uint32_t>(width), static_cast<uint32_t>(height),
                           channels > grey_and_alpha};
    if (size.pixels() > most_pixels)
        throw FormatError(name + ": got " + std::to_string(width) + " x " + std::to_string(height) +
                          " pixels, needs at most " + std::to_string(most_pixels) + " of them");
    return size;
}

std::vector<uint8_t> decode_picture(std::span<const std::byte> file, const std::string& name, bool colour) {
    const PictureSize announced = picture_size(file, name);
    constexpr size_t most_bytes_of_pixel = 8, spare = 1 << 16;  // four channels of 16 bits; tables
    // Buffers grow by doubling.
    most_at_once = 2 * (most_bytes_of_pixel * announced.pixels() + announced.height + file.size()) + spare;
    int width = 0, height = 0, channels = 0;
    const int wanted = colour ? 3 : 1;
    const std::unique_ptr<stbi_uc, decltype(&std::free)> pixels(
        stbi_load_from_memory(begin_of(file), length_of(file), &width, &height, &channels, wanted),
        std::free);
    if (!pixels) refuse(name);
    return {pixels.get(), pixels.get() + announced.pixels() * wanted};
}

}  // namespace vknorm::detail
