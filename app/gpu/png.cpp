#include "app/gpu/png.hpp"

#include <png.h>
#include <stdexcept>
#include <string>

namespace lab {

void write_png(const Picture& picture, const std::filesystem::path& file) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = picture.width;
    image.height = picture.height;
    image.format = PNG_FORMAT_RGBA;
    std::filesystem::path temporary = file;
    temporary += ".part";
    if (!png_image_write_to_file(&image, temporary.c_str(), 0, picture.rgba.data(), 0, nullptr))
        throw std::runtime_error(file.string() + ": cannot be written: " + image.message);
    std::error_code error;
    std::filesystem::rename(temporary, file, error);
    if (error) throw std::runtime_error(file.string() + ": cannot be written: " + error.message());
}

}  // namespace lab
