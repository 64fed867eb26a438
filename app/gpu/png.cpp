#include "app/gpu/png.hpp"

#include <cstddef>
#include <png.h>
#include <span>
#include <stdexcept>
#include <string>

#include <vknorm/file.hpp>

namespace lab {

void write_png(const Picture& picture, const std::filesystem::path& file) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = picture.width;
    image.height = picture.height;
    image.format = PNG_FORMAT_RGBA;
    std::vector<std::byte> bytes(PNG_IMAGE_PNG_SIZE_MAX(image));
    png_alloc_size_t size = bytes.size();
    if (!png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.rgba.data(), 0, nullptr))
        throw std::runtime_error(file.string() + ": cannot be written: " + image.message);
    vknorm::write_file(file, std::span(bytes).first(size));
}

}  // namespace lab
