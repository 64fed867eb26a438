// Folders of pictures, a folder for each class.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include <vknorm/data.hpp>

namespace vknorm {

struct ImagesOptions {
    /// Every picture is scaled to that, each pixel the mean of what it covers. Both 0: all must be of one
    /// size.
    uint32_t height = 0, width = 0;
    /// Neither part may take more, counted as float32.
    uint64_t max_bytes = default_max_bytes;
};

struct ImagesData {
    Dataset train;                      ///< or all there is
    Dataset test;                       ///< without examples where there is no folder of a test set
    std::string train_name, test_name;  ///< those of their folders; empty: there are none
};

/// Reads the PNG and JPEG files (by .png, .jpg, .jpeg in any case) in directory/CLASS; or those in
/// directory/train/CLASS, and as the test set those in directory/test/CLASS, or else val, valid or
/// validation. Classes are in the order of their names, pictures in that of theirs. Pictures are grey where
/// all of them are, else in colour; 16 bits are taken for 8, and alpha is left out. Values are divided by
/// 255.
///
/// Throws FormatError naming the file for a picture that is damaged, of more than 2^26 pixels, or of another
/// size than the first; for a class that is in the test set alone, or a folder without pictures; TooLarge
/// above options.max_bytes. A picture is not decoded before its size is known to fit.
ImagesData read_images(const std::filesystem::path& directory, const ImagesOptions& options = {});

}  // namespace vknorm
