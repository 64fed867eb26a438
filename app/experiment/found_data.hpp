// What lies at a path, told by names alone, as the user's data: so that a file or a folder can be opened
// without saying what it is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/experiment/data.hpp"

namespace lab {

/// In full, and without a slash at its end.
std::filesystem::path in_full(const std::filesystem::path& path);

/// Names in a folder, in their order.
struct FolderContents {
    std::vector<std::string> folders, files;
};
/// Throws std::invalid_argument for a folder that cannot be read.
FolderContents contents_of(const std::filesystem::path& folder);

/// What a reader would be given for a file or folder, or several of one folder, which stand for that. Throws
/// std::invalid_argument, which names what is there and what would do.
DataFile find_data(const std::vector<std::filesystem::path>& paths);
/// As Settings::data_file has it.
std::string text_of(const DataFile& file);
/// "CSV", "Pictures"
const char* name_of(const DataFormat& format);

/// What a text file holds that has a share string in it; empty: the paths are no such file.
std::string shared_text(const std::vector<std::filesystem::path>& paths);

/// Pictures have hundreds of inputs: a wider, shallower network and larger batches than for other data.
/// What is neither the usual for the one nor for the other is left as it is. Tables have no model for
/// pictures.
void fit_to_data(Settings& settings);

/// "CSV iris.csv: 150 examples of 4 features, label 'species'", of a file that was read.
std::string found_in_words(const Settings& settings, const DataOrigin& origin);

}  // namespace lab
