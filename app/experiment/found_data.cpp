#include "app/experiment/found_data.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "app/experiment/share.hpp"

namespace lab {

namespace {

namespace fs = std::filesystem;

constexpr const char* needed =
    "a table (.csv, .tsv, .txt), an .npz file, .npy, IDX or CIFAR files, or a folder with a folder of "
    "pictures for each class";

[[noreturn]] void refuse(const fs::path& path, const std::string& got, const std::string& needs) {
    throw std::invalid_argument(path.string() + ": got " + got + ", needs " + needs);
}

const DataFormat& format_of(std::string_view word) {
    return *std::find_if(data_formats.begin(), data_formats.end(),
                         [&](const DataFormat& format) { return format.word == word; });
}

bool ends_in_one_of(const std::string& name, std::initializer_list<const char*> endings) {
    return std::any_of(endings.begin(), endings.end(), [&](const char* one) { return name.ends_with(one); });
}

bool is_picture(const std::string& name) {
    return ends_in_one_of(lower_case(name), {".png", ".jpg", ".jpeg"});
}

/// The format of which a file of that name is, or is a part; null: of none.
const DataFormat* format_of_file(const std::string& file_name) {
    static constexpr std::array cifar = {"data_batch_1.bin",
                                         "data_batch_2.bin",
                                         "data_batch_3.bin",
                                         "data_batch_4.bin",
                                         "data_batch_5.bin",
                                         "test_batch.bin",
                                         "train.bin",
                                         "test.bin",
                                         "batches.meta.txt",
                                         "fine_label_names.txt",
                                         "coarse_label_names.txt"};
    std::string name = lower_case(file_name);
    if (std::find(cifar.begin(), cifar.end(), name) != cifar.end()) return &format_of("cifar");
    if (name.ends_with(".npz")) return &format_of("npz");
    if (name.ends_with(".npy")) return &format_of("npy");
    if (name.ends_with(".gz")) name.resize(name.size() - 3);
    if (ends_in_one_of(name, {".csv", ".tsv", ".txt"})) return &format_of("csv");
    const auto has = [&](const char* word) { return name.find(word) != std::string::npos; };
    if ((has("images") || has("labels")) && (has("idx") || has("ubyte"))) return &format_of("idx");
    return nullptr;
}

/// Whether a file of the folder is one of that format, which is of folders.
bool has_file_of(const FolderContents& folder, const char* word) {
    return std::any_of(folder.files.begin(), folder.files.end(), [&](const std::string& name) {
        const DataFormat* const format = format_of_file(name);
        return format && format->word == std::string_view(word);
    });
}

bool has_folder(const FolderContents& folder, const char* name) {
    return std::find(folder.folders.begin(), folder.folders.end(), name) != folder.folders.end();
}

/// The same, empty where it cannot be read.
FolderContents contents_or_none(const fs::path& folder) {
    try {
        return contents_of(folder);
    } catch (const std::invalid_argument&) {
        return {};
    }
}

/// Whether a folder in it has pictures.
bool has_class_of_pictures(const fs::path& path, const FolderContents& folder) {
    return std::any_of(folder.folders.begin(), folder.folders.end(), [&](const std::string& name) {
        const FolderContents inner = contents_or_none(path / name);
        return std::any_of(inner.files.begin(), inner.files.end(), is_picture);
    });
}

std::string first_names(const FolderContents& folder) {
    constexpr size_t most = 4;
    std::vector<std::string> names = folder.files;
    names.insert(names.end(), folder.folders.begin(), folder.folders.end());
    std::string text;
    for (size_t i = 0; i < std::min(most, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
    return text;
}

DataFile find_in_folder(const fs::path& path) {
    const FolderContents folder = contents_of(path);
    std::vector<const DataFormat*> found;
    if (has_file_of(folder, "cifar") || has_folder(folder, "cifar-10-batches-bin") ||
        has_folder(folder, "cifar-100-binary"))
        found.push_back(&format_of("cifar"));
    // Archives are often unpacked into a folder "raw".
    if (has_file_of(folder, "idx") ||
        (has_folder(folder, "raw") && has_file_of(contents_or_none(path / "raw"), "idx")))
        found.push_back(&format_of("idx"));
    if (has_file_of(folder, "npy")) found.push_back(&format_of("npy"));
    if (has_class_of_pictures(path, folder) ||
        (has_folder(folder, "train") &&
         has_class_of_pictures(path / "train", contents_or_none(path / "train"))))
        found.push_back(&format_of("images"));
    if (found.size() == 1) return {found.front(), path, ""};
    if (found.size() > 1) {
        std::string names;
        for (const DataFormat* const format : found)
            names += (names.empty() ? "" : " and ") + std::string(name_of(*format));
        refuse(path, "a folder with " + names, "one of their files, or a folder with one kind");
    }
    if (folder.files.empty() && folder.folders.empty()) refuse(path, "an empty folder", needed);
    if (std::any_of(folder.files.begin(), folder.files.end(), is_picture))
        refuse(path, "pictures without a class",
               "the folder above, with a folder of pictures for each class");
    if (has_file_of(folder, "csv") || has_file_of(folder, "npz"))
        refuse(path, "a folder with " + first_names(folder), "one of its files");
    refuse(path, "a folder with " + first_names(folder), needed);
}

DataFile find_one(const fs::path& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) return find_in_folder(path);
    if (!fs::exists(path, ignored)) refuse(path, "nothing", "a file or a folder that is there");
    const std::string name = path.filename().string();
    if (is_picture(name)) refuse(path, "one picture", "a folder with a folder of pictures for each class");
    const DataFormat* const format = format_of_file(name);
    if (!format || !fs::is_regular_file(path, ignored)) refuse(path, "a file of another kind", needed);
    return {format, format->folder ? path.parent_path() : path, ""};
}

}  // namespace

fs::path in_full(const fs::path& path) {
    const fs::path full = fs::absolute(path).lexically_normal();
    return full.has_filename() || !full.has_relative_path() ? full : full.parent_path();
}

FolderContents contents_of(const fs::path& folder) {
    FolderContents contents;
    std::error_code wrong;
    for (fs::directory_iterator entry(folder, wrong); !wrong && entry != fs::directory_iterator();
         entry.increment(wrong)) {
        std::error_code ignored;
        const std::string name = entry->path().filename().string();
        (entry->is_directory(ignored) ? contents.folders : contents.files).push_back(name);
    }
    if (wrong) throw std::invalid_argument(folder.string() + ": cannot be read: " + wrong.message());
    std::sort(contents.folders.begin(), contents.folders.end());
    std::sort(contents.files.begin(), contents.files.end());
    return contents;
}

DataFile find_data(const std::vector<fs::path>& paths) {
    std::vector<fs::path> all;
    for (const fs::path& path : paths) all.push_back(in_full(path));
    if (all.size() == 1) return find_one(all.front());
    if (all.empty()) throw std::invalid_argument("got nothing, needs " + std::string(needed));
    const fs::path folder = all.front().parent_path();
    const DataFormat* const first = format_of_file(all.front().filename().string());
    bool alike = first && first->folder;
    for (const fs::path& path : all) {
        if (path.parent_path() != folder) refuse(path, "files of several folders", "those of one folder");
        alike = alike && format_of_file(path.filename().string()) == first;
    }
    return alike ? DataFile{first, folder, ""} : find_in_folder(folder);
}

std::string text_of(const DataFile& file) {
    return std::string(file.format->word) + ":" + file.path.string() +
           (file.choice.empty() ? "" : "#" + file.choice);
}

const char* name_of(const DataFormat& format) {
    static constexpr std::array<const char*, data_formats.size()> names = {
        "IDX", "CIFAR", "Pictures", "NumPy arrays", "NumPy arrays", "CSV"};
    return names[static_cast<size_t>(&format - data_formats.data())];
}

std::string shared_text(const std::vector<fs::path>& paths) {
    if (paths.size() != 1 || lower_case(paths.front().extension().string()) != ".txt") return {};
    constexpr size_t most = 65536;
    std::string text(most, '\0');
    std::ifstream file(paths.front(), std::ios::binary);
    file.read(text.data(), static_cast<std::streamsize>(most));
    text.resize(static_cast<size_t>(file.gcount()));
    return has_share_string(text) ? text : "";
}

void fit_to_data(Settings& settings) {
    struct Usual {
        std::vector<uint32_t> hidden;
        uint32_t batch;
    };
    const Usual others{Settings{}.hidden, Settings{}.batch}, pictures{{256, 128}, 128};
    const bool are_pictures = is_pictures(settings);
    const Usual &from = are_pictures ? others : pictures, &to = are_pictures ? pictures : others;
    if (settings.hidden == from.hidden) settings.hidden = to.hidden;
    if (settings.batch == from.batch) settings.batch = to.batch;
    if (!are_pictures) settings.model = Model::mlp;
    keep_norms_valid(settings);
}

std::string found_in_words(const Settings& settings, const DataOrigin& origin) {
    const std::optional<DataFile> file = parse_data_file(settings.data_file);
    if (!file || origin.facts.empty()) return {};
    std::string words = name_of(*file->format) + (" " + file->path.filename().string()) + ": ";
    if (const auto& table = origin.table) {
        const std::string column = std::to_string(table->label_column);
        return words + origin.facts.front() + ", label " +
               (table->columns.empty() ? "in column " + column
                                       : "'" + table->columns[table->label_column - 1] + "'");
    }
    for (size_t i = 0; i < origin.facts.size(); ++i) words += (i == 0 ? "" : ", ") + origin.facts[i];
    return words;
}

}  // namespace lab
