#include "data/cifar.hpp"

#include <array>
#include <optional>
#include <sstream>
#include <utility>

#include "data/file.hpp"

namespace vknorm {

namespace {

namespace fs = std::filesystem;
using detail::cifar_pixels;
using detail::CifarLabels;

struct Set {
    const char* name;    ///< as CifarOptions has it
    const char* folder;  ///< as the archive calls it
    std::vector<const char*> train;
    const char* test;
    const char* class_names;
    CifarLabels labels;
};

const std::array<Set, 3>& sets() {
    static const std::array<Set, 3> all = {{{"10",
                                             "cifar-10-batches-bin",
                                             {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                              "data_batch_4.bin", "data_batch_5.bin"},
                                             "test_batch.bin",
                                             "batches.meta.txt",
                                             {.bytes = 1, .at = 0, .classes = 10}},
                                            {"100",
                                             "cifar-100-binary",
                                             {"train.bin"},
                                             "test.bin",
                                             "fine_label_names.txt",
                                             {.bytes = 2, .at = 1, .classes = 100}},
                                            {"coarse",
                                             "cifar-100-binary",
                                             {"train.bin"},
                                             "test.bin",
                                             "coarse_label_names.txt",
                                             {.bytes = 2, .at = 0, .classes = 20}}}};
    return all;
}

/// Where the set's first file is; none: it is not there.
std::optional<fs::path> folder_of(const fs::path& directory, const Set& set) {
    for (const fs::path& folder : {directory, directory / set.folder}) {
        std::error_code ignored;
        if (fs::exists(folder / set.train.front(), ignored)) return folder;
    }
    return std::nullopt;
}

const Set& choose(const fs::path& directory, const std::string& wanted) {
    const Set *ten = &sets()[0], *hundred = &sets()[1];
    for (const Set& set : sets())
        if (set.name == wanted) return set;
    if (!wanted.empty())
        throw FormatError(directory.string() + ": got the choice " + wanted + ", needs 10, 100 or coarse");
    const bool has_ten = folder_of(directory, *ten).has_value(),
               has_hundred = folder_of(directory, *hundred).has_value();
    if (has_ten && has_hundred)
        throw FormatError(directory.string() +
                          ": got CIFAR-10 and CIFAR-100, needs a choice of one, such as #100");
    return has_hundred ? *hundred : *ten;
}

/// Throws before anything is read.
void require_sizes(const std::vector<fs::path>& files, const CifarLabels& labels, uint64_t max_bytes) {
    uint64_t records = 0;
    for (const fs::path& file : files) {
        std::error_code ignored;
        const uint64_t bytes = fs::file_size(file, ignored);
        if (!ignored) records += bytes / (labels.bytes + cifar_pixels);
    }
    if (records > max_bytes / (cifar_pixels * sizeof(float)))
        throw TooLarge(files.front().string() + ": got " + std::to_string(records) +
                       " pictures with the files beside it, needs at most " +
                       std::to_string(max_bytes / (cifar_pixels * sizeof(float))) + ", which are " +
                       std::to_string(max_bytes) + " bytes as float32");
}

/// Empty where there is no such file.
std::vector<std::string> read_names(const fs::path& file, uint32_t classes) {
    std::error_code ignored;
    if (!fs::exists(file, ignored)) return {};
    constexpr size_t most = 65536;
    const detail::Bytes bytes = detail::read_file(file, most);
    std::istringstream text(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    std::vector<std::string> names;
    for (std::string line; std::getline(text, line);) {
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
        for (const char c : line)
            if (c < ' ' || c > '~')
                throw FormatError(file.string() + ": got a byte " +
                                  std::to_string(static_cast<unsigned char>(c)) + ", needs names in ASCII");
        if (!line.empty()) names.push_back(line);
    }
    if (names.size() != classes)
        throw FormatError(file.string() + ": got " + std::to_string(names.size()) + " names, needs " +
                          std::to_string(classes));
    return names;
}

}  // namespace

void detail::parse_cifar(std::span<const std::byte> file, const std::string& name, const CifarLabels& labels,
                         Dataset& data) {
    const size_t record = labels.bytes + cifar_pixels;
    if (file.empty() || file.size() % record != 0)
        throw FormatError(name + ": got " + std::to_string(file.size()) +
                          " bytes, needs a whole number of records of " + std::to_string(record));
    data.features = cifar_pixels;
    data.classes = labels.classes;
    data.image_width = data.image_height = cifar_side;
    data.image_channels = cifar_channels;
    data.inputs.reserve(data.inputs.size() + file.size() / record * cifar_pixels);
    for (size_t at = 0; at < file.size(); at += record) {
        const auto label = std::to_integer<uint32_t>(file[at + labels.at]);
        if (label >= labels.classes)
            throw FormatError(name + ": picture " + std::to_string(at / record + 1) + ": got label " +
                              std::to_string(label) + ", needs a class, 0 to " +
                              std::to_string(labels.classes - 1));
        data.labels.push_back(label);
        for (const std::byte value : file.subspan(at + labels.bytes, cifar_pixels))
            data.inputs.push_back(static_cast<float>(std::to_integer<int>(value)) / 255.0f);
    }
}

CifarData read_cifar(const fs::path& directory, const CifarOptions& options) {
    detail::require_folder(directory, "read");
    const Set& set = choose(directory, options.set);
    const std::optional<fs::path> folder = folder_of(directory, set);
    if (!folder)
        throw FormatError(directory.string() + ": got no " + set.train.front() + ", needs it, or " +
                          (options.set.empty()
                               ? "train.bin, or a folder cifar-10-batches-bin or cifar-100-binary"
                               : std::string("a folder ") + set.folder));
    CifarData all;
    all.set = set.name;
    const std::vector<std::string> names = read_names(*folder / set.class_names, set.labels.classes);
    const auto read = [&](const std::vector<const char*>& file_names, Dataset& part) {
        std::vector<fs::path> files;
        for (const char* const name : file_names) files.push_back(*folder / name);
        require_sizes(files, set.labels, options.max_bytes);
        for (const fs::path& file : files) {
            detail::parse_cifar(detail::read_file(file), file.string(), set.labels, part);
            all.files.push_back(file);
        }
        part.class_names = names;
    };
    read(set.train, all.train);
    read({set.test}, all.test);
    return all;
}

}  // namespace vknorm
