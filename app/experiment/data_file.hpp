// How settings name files of data.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>

namespace lab {

/// A way in which files have examples.
struct DataFormat {
    const char* word;    ///< before the colon
    const char* choice;  ///< what may stand behind a #
    bool folder;         ///< of files, or else a file
    bool pictures;       ///< or else a table
    const char* needs;   ///< to be read
};
inline constexpr auto data_formats = std::to_array<DataFormat>(
    {{"idx", "SET", true, true, "a directory with a pair of IDX files"},
     {"cifar", "10|100|coarse", true, true, "a directory with CIFAR's binary files"},
     {"images", "HEIGHTxWIDTH", true, true, "a directory with a folder of pictures for each class"},
     {"npy", "first|last", true, true, "a directory with .npy files"},
     {"npz", "first|last", false, true, "an .npz file with arrays"},
     {"csv", "COLUMN", false, false, "a file with a table of numbers"}});

/// What Settings::data_file says, "WORD:PATH#CHOICE", the choice or not.
struct DataFile {
    const DataFormat* format;
    std::filesystem::path path;
    std::string choice;  ///< what it is depends on the format; empty: the reader chooses
};
/// None when the text begins with no word of a format. What is behind a # is the choice, unless it belongs to
/// a path that is there.
std::optional<DataFile> parse_data_file(const std::string& text);

}  // namespace lab
