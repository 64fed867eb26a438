// Arrays of NumPy: .npy files in a folder, or an .npz archive of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <vknorm/data.hpp>

namespace vknorm {

/// Where an array [N, a, b, c] has its channels.
enum class ChannelAxis {
    found,  ///< last where c is 1 or 3, else first where a is
    first,
    last,
};

struct NpyOptions {
    ChannelAxis channels = ChannelAxis::found;
    /// Neither part may take more, counted as float32.
    uint64_t max_bytes = default_max_bytes;
};

struct NpyData {
    Dataset train;                    ///< or all there is
    Dataset test;                     ///< without examples where there are no arrays of a test set
    std::vector<std::string> arrays;  ///< the names of those read: inputs and labels of train, then of test
};

/// Reads the .npy files of a folder, or those in an .npz archive (stored or deflated), by their names in any
/// case: inputs are "x", "images", "inputs" or "data", labels "y", "labels", "label", "targets" or "target",
/// and "train" or "test" stands before or behind that, as in x_train, test_images, with an underscore, a dash
/// or a dot between, or nothing: then there is no test set; "arr_0" and "arr_1" are such inputs and labels.
/// Other arrays are left out.
///
/// Inputs are u1, which is divided by 255, f4 or f8, little-endian: [N, features], [N, height, width], or [N]
/// and channels, height and width. Labels are u1, i4 or i8, [N] or [N, 1], from 0 to 999.
///
/// Throws FormatError naming the array for an array without its partner, two that could be one, another type,
/// order or shape, values that are not finite, labels out of range, a file that is damaged, truncated or
/// longer than it says; TooLarge above options.max_bytes.
NpyData read_npy(const std::filesystem::path& path, const NpyOptions& options = {});

}  // namespace vknorm
