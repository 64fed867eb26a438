#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <utility>

#include <vknorm/images.hpp>

#include "data/file.hpp"
#include "data/picture.hpp"

namespace vknorm {

namespace {

namespace fs = std::filesystem;
using detail::PictureSize;

constexpr size_t most_file_bytes = size_t{1} << 26;

/// The entries of a folder of which `wanted` holds, in the order of their names.
template <class Wanted>
std::vector<fs::path> entries_of(const fs::path& folder, Wanted wanted) {
    std::vector<fs::path> entries;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        if (wanted(entry)) entries.push_back(entry.path());
    std::sort(entries.begin(), entries.end());
    return entries;
}

bool is_folder(const fs::directory_entry& entry) {
    std::error_code ignored;
    return entry.is_directory(ignored) && !entry.path().filename().string().starts_with('.');
}

bool is_picture(const fs::directory_entry& entry) {
    std::string extension = entry.path().extension().string();
    for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::error_code ignored;
    return (extension == ".png" || extension == ".jpg" || extension == ".jpeg") &&
           entry.is_regular_file(ignored);
}

struct Picture {
    fs::path file;
    uint32_t label;
    PictureSize size{};
};

/// The pictures of a part, in the order of their classes; `classes` gets new ones if they may be.
std::vector<Picture> list(const fs::path& folder, std::vector<std::string>& classes, bool may_add) {
    std::vector<Picture> pictures;
    for (const fs::path& of_class : entries_of(folder, is_folder)) {
        const std::vector<fs::path> files = entries_of(of_class, is_picture);
        if (files.empty()) continue;
        const std::string name = of_class.filename().string();
        auto label = std::find(classes.begin(), classes.end(), name);
        if (label == classes.end() && !may_add)
            throw FormatError(of_class.string() +
                              ": got a class that no picture to train on has, needs one of those");
        if (label == classes.end()) label = classes.insert(label, name);
        for (const fs::path& file : files)
            pictures.push_back({file, static_cast<uint32_t>(label - classes.begin())});
    }
    if (pictures.empty())
        throw FormatError(folder.string() +
                          ": got no picture, needs folders, one for each class, of .png, .jpg or .jpeg");
    return pictures;
}

std::string text_of(const PictureSize& size) {
    return std::to_string(size.width) + " x " + std::to_string(size.height);
}

/// A pixel is the mean of the square of the picture that it covers, by area.
std::vector<float> scaled(const std::vector<uint8_t>& pixels, const PictureSize& from, uint32_t channels,
                          uint32_t width, uint32_t height) {
    struct Part {
        uint32_t first;
        std::vector<double> shares;
    };
    const auto parts = [](uint32_t from_length, uint32_t to_length) {
        std::vector<Part> all(to_length);
        const double step = static_cast<double>(from_length) / to_length;
        for (uint32_t i = 0; i < to_length; ++i) {
            const double low = i * step, high = (i + 1) * step;
            all[i].first = std::min(static_cast<uint32_t>(low), from_length - 1);
            for (uint32_t at = all[i].first; at < from_length && at < high; ++at)
                all[i].shares.push_back((std::min(high, at + 1.0) - std::max(low, double(at))) / step);
        }
        return all;
    };
    const std::vector<Part> columns = parts(from.width, width), rows = parts(from.height, height);
    std::vector<float> result(size_t{channels} * height * width);
    for (uint32_t y = 0; y < height; ++y)
        for (uint32_t x = 0; x < width; ++x)
            for (uint32_t channel = 0; channel < channels; ++channel) {
                double sum = 0;
                for (size_t i = 0; i < rows[y].shares.size(); ++i)
                    for (size_t j = 0; j < columns[x].shares.size(); ++j)
                        sum += rows[y].shares[i] * columns[x].shares[j] *
                               pixels[(size_t{rows[y].first + static_cast<uint32_t>(i)} * from.width +
                                       columns[x].first + j) *
                                          channels +
                                      channel];
                result[(size_t{channel} * height + y) * width + x] = static_cast<float>(sum / 255);
            }
    return result;
}

/// By colour, then rows: as they are, without arithmetic that could round.
std::vector<float> planes(const std::vector<uint8_t>& pixels, uint32_t channels) {
    const size_t count = pixels.size() / channels;
    std::vector<float> result(pixels.size());
    for (size_t i = 0; i < pixels.size(); ++i)
        result[i % channels * count + i / channels] = static_cast<float>(pixels[i]) / 255.0f;
    return result;
}

/// Looks at all pictures before any is decoded.
PictureSize measure(std::vector<Picture>& pictures, const ImagesOptions& options,
                    const std::optional<PictureSize>& first) {
    std::optional<PictureSize> common = first;
    bool colour = first && first->colour;
    for (Picture& picture : pictures) {
        const std::string name = picture.file.string();
        picture.size = detail::picture_size(detail::read_file(picture.file, most_file_bytes), name);
        colour = colour || picture.size.colour;
        if (!common) common = picture.size;
        if (options.width == 0 &&
            (picture.size.width != common->width || picture.size.height != common->height))
            throw FormatError(name + ": got " + text_of(picture.size) + " pixels, needs " + text_of(*common) +
                              " as the first one has, or a size to scale all to, such as #32x32");
    }
    PictureSize size = *common;
    if (options.width > 0) size = {options.width, options.height, false};
    size.colour = colour;
    return size;
}

Dataset read(const std::vector<Picture>& pictures, const PictureSize& size, const ImagesOptions& options,
             const std::vector<std::string>& classes, const fs::path& folder) {
    Dataset data;
    data.classes = static_cast<uint32_t>(classes.size());
    data.class_names = classes;
    data.image_channels = size.colour ? 3 : 1;
    data.image_width = size.width;
    data.image_height = size.height;
    const uint64_t most = options.max_bytes / sizeof(float), features = data.image_channels * size.pixels();
    if (features > most / pictures.size())
        throw TooLarge(folder.string() + ": got " + std::to_string(pictures.size()) + " pictures of " +
                       text_of(size) + (size.colour ? " in colour" : "") + ", needs at most " +
                       std::to_string(most) + " values, which are " + std::to_string(options.max_bytes) +
                       " bytes as float32");
    data.features = static_cast<uint32_t>(features);
    data.inputs.reserve(features * pictures.size());
    for (const Picture& picture : pictures) {
        const std::string name = picture.file.string();
        const detail::Bytes file = detail::read_file(picture.file, most_file_bytes);
        const PictureSize now = detail::picture_size(file, name);
        if (now.width != picture.size.width || now.height != picture.size.height)
            throw FormatError(name + ": got a picture that changes, needs one that stays");
        const std::vector<uint8_t> pixels = detail::decode_picture(file, name, size.colour);
        const bool same = now.width == size.width && now.height == size.height;
        const std::vector<float> values =
            same ? planes(pixels, data.image_channels)
                 : scaled(pixels, now, data.image_channels, size.width, size.height);
        data.inputs.insert(data.inputs.end(), values.begin(), values.end());
        data.labels.push_back(picture.label);
    }
    return data;
}

}  // namespace

ImagesData read_images(const fs::path& directory, const ImagesOptions& options) {
    constexpr uint32_t largest = 1 << 13;
    if ((options.width == 0) != (options.height == 0) || options.width > largest || options.height > largest)
        throw std::invalid_argument("read_images: height, width: got " + std::to_string(options.height) +
                                    ", " + std::to_string(options.width) +
                                    ", needs both or neither, at most " + std::to_string(largest));
    detail::require_folder(directory, "read");
    ImagesData all;
    const auto has = [&](const char* name) {
        std::error_code ignored;
        return fs::is_directory(directory / name, ignored);
    };
    if (has("train")) {
        all.train_name = "train";
        for (const char* const name : {"test", "val", "valid", "validation"})
            if (all.test_name.empty() && has(name)) all.test_name = name;
    }
    const fs::path train_folder = all.train_name.empty() ? directory : directory / all.train_name,
                   test_folder = directory / all.test_name;
    std::vector<std::string> classes;
    std::vector<Picture> train = list(train_folder, classes, true), test;
    if (!all.test_name.empty()) test = list(test_folder, classes, false);
    PictureSize size = measure(train, options, std::nullopt);
    if (!test.empty()) size = measure(test, options, size);
    all.train = read(train, size, options, classes, train_folder);
    if (!test.empty()) all.test = read(test, size, options, classes, test_folder);
    return all;
}

}  // namespace vknorm
