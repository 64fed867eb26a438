// A folder as an archive leaves it: which of its files belong together.
#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

#include "data/file.hpp"
#include "data/idx.hpp"

namespace vknorm {
namespace {

namespace fs = std::filesystem;
using detail::IdxRole;

constexpr const char* plain_set = "plain";  // what a set without a prefix is called where one is chosen

std::string join(const std::vector<std::string>& words, const char* separator) {
    std::string joined;
    for (const std::string& word : words) joined += (joined.empty() ? "" : separator) + word;
    return joined;
}

/// In lower case, without their dashes, dots and underscores.
std::vector<std::string> words_of(const std::string& name) {
    std::vector<std::string> words(1);
    for (const char c : name) {
        if (c == '-' || c == '.' || c == '_')
            words.emplace_back();
        else
            words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return words;
}

/// Images and labels, of the same name in several forms or places.
struct Pair {
    std::string name;  ///< "train", "t10k" or "test"
    std::vector<fs::path> images, labels;
};
struct Set {
    Pair train, test;
};

/// What is in a folder, and what it is called in messages.
struct Folder {
    fs::path path;
    std::vector<std::string> names;   ///< of all files, within the folder
    std::map<std::string, Set> sets;  ///< by their prefix

    [[noreturn]] void fail(const std::string& needs) const {
        constexpr size_t most = 12;
        std::vector<std::string> shown(names.begin(),
                                       names.begin() + static_cast<ptrdiff_t>(std::min(names.size(), most)));
        if (names.size() > most) shown.push_back("and " + std::to_string(names.size() - most) + " more");
        throw FormatError(path.string() + ": got " + (names.empty() ? "no file" : join(shown, ", ")) +
                          ", needs " + needs);
    }
};

Folder look_into(const fs::path& path) {
    Folder folder{.path = path, .names = {}, .sets = {}};
    std::vector<fs::path> files;
    constexpr int most_depth = 2;  // data/MNIST/raw/FILE, seen from data
    fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied);
    for (; entry != fs::recursive_directory_iterator(); ++entry) {
        if (entry.depth() == most_depth) entry.disable_recursion_pending();
        std::error_code ignored;
        if (entry->is_regular_file(ignored)) files.push_back(entry->path());
    }
    std::sort(files.begin(), files.end());  // so that the order of a folder does not matter
    for (const fs::path& file : files) {
        folder.names.push_back(file.lexically_relative(path).string());
        const auto role = detail::idx_role(file.filename().string());
        if (!role) continue;
        Set& set = folder.sets[role->set];
        Pair& pair = role->part == "train" ? set.train : set.test;
        pair.name = role->part;
        (role->labels ? pair.labels : pair.images).push_back(file);
    }
    return folder;
}

bool is_called(const std::string& set, const std::string& wanted) {
    const std::string name = join(words_of(wanted), "-");
    return set.empty() ? name == plain_set : set == name || set.ends_with("-" + name);
}

/// The prefix of the set that is to be read.
std::string choose(const Folder& folder, const std::string& wanted) {
    std::vector<std::string> all, fitting;
    for (const auto& [prefix, set] : folder.sets) {
        all.push_back(prefix.empty() ? plain_set : prefix);
        if (wanted.empty() || is_called(prefix, wanted)) fitting.push_back(prefix);
    }
    if (all.empty())
        folder.fail("train-images-idx3-ubyte or t10k-images-idx3-ubyte, with its labels, plain or .gz");
    if (fitting.size() == 1) return fitting.front();
    const std::string got = folder.path.string() + ": got the sets " + join(all, ", ");
    if (fitting.empty()) throw FormatError(got + ", needs one called " + wanted);
    throw FormatError(got + ", needs a choice of one, such as #" + words_of(all.back()).back());
}

struct File {
    fs::path path;
    detail::Bytes bytes;
};

/// The first of them. Archives are often left beside what they held; so they must hold the same.
File read_one_of(const std::vector<fs::path>& copies, uint64_t most, uint64_t max_bytes) {
    const auto read = [&](const fs::path& path) {
        constexpr uint64_t header = 1024;  // more than any has
        const auto size = fs::file_size(path);
        if (size > most + header)
            throw TooLarge(path.string() + ": got " + std::to_string(size) + " bytes, needs at most " +
                           std::to_string(max_bytes / sizeof(float)) + " values, which are " +
                           std::to_string(max_bytes) + " bytes as float32");
        return detail::read_file(path, size);
    };
    File first{copies.front(), read(copies.front())};
    for (size_t i = 1; i < copies.size(); ++i) {
        const detail::Bytes other = read(copies[i]);
        if (!detail::same_idx({first.bytes, first.path.string()}, {other, copies[i].string()}, max_bytes))
            throw FormatError(copies[i].string() + ": differs from " + first.path.string() +
                              ", needs one of them");
    }
    return first;
}

/// Without examples where there is no pair.
Dataset read_pair(const Folder& folder, const std::string& prefix, const Pair& pair, uint64_t max_bytes,
                  std::vector<fs::path>& read) {
    if (pair.images.empty() && pair.labels.empty()) return {};
    if (pair.images.empty() || pair.labels.empty())
        folder.fail((prefix.empty() ? "" : prefix + "-") + pair.name +
                    (pair.images.empty() ? "-images-idx3-ubyte" : "-labels-idx1-ubyte") +
                    " too, plain or .gz");
    // Pictures are a byte a value, labels may be four.
    const File images = read_one_of(pair.images, max_bytes / sizeof(float), max_bytes),
               labels = read_one_of(pair.labels, max_bytes, max_bytes);
    read.insert(read.end(), {images.path, labels.path});
    return detail::parse_idx({images.bytes, images.path.string()}, {labels.bytes, labels.path.string()},
                             max_bytes);
}

/// The same classes for all: from 0 to the largest label of any, or from 1 where none is 0.
void count_classes(std::initializer_list<Dataset*> parts) {
    uint32_t classes = 0, first = 1;
    for (const Dataset* part : parts) {
        classes = std::max(classes, part->classes);
        if (std::count(part->labels.begin(), part->labels.end(), 0u) > 0) first = 0;
    }
    std::vector<std::string> names;
    for (uint32_t label = first; label < classes; ++label) names.push_back(std::to_string(label));
    for (Dataset* part : parts) {
        if (part->size() == 0) continue;
        for (uint32_t& label : part->labels) label -= first;
        part->classes = static_cast<uint32_t>(names.size());
        part->class_names = names;
    }
}

}  // namespace

std::optional<IdxRole> detail::idx_role(const std::string& file_name) {
    std::vector<std::string> words = words_of(file_name);
    if (words.back() == "gz") words.pop_back();
    const auto is_one_of = [](const std::string& word, std::initializer_list<const char*> others) {
        return std::find(others.begin(), others.end(), word) != others.end();
    };
    const auto kind = std::find_if(words.begin(), words.end(), [&](const std::string& word) {
        return is_one_of(word, {"images", "labels"});
    });
    const bool has_part = kind != words.end() && kind != words.begin() &&
                          is_one_of(*std::prev(kind), {"train", "t10k", "test"});
    if (!has_part || std::next(kind) == words.end()) return std::nullopt;
    const bool is_idx = std::all_of(std::next(kind), words.end(), [&](const std::string& word) {
        return is_one_of(word, {"idx", "idx1", "idx2", "idx3", "ubyte", "int"});
    });
    if (!is_idx) return std::nullopt;
    return IdxRole{join({words.begin(), std::prev(kind)}, "-"), *std::prev(kind), *kind == "labels"};
}

IdxData read_idx(const fs::path& directory, const IdxOptions& options) {
    detail::require_folder(directory, "read");
    const Folder folder = look_into(directory);
    IdxData all;
    all.set = choose(folder, options.set);
    const Set& set = folder.sets.at(all.set);
    all.train = read_pair(folder, all.set, set.train, options.max_bytes, all.files);
    all.test = read_pair(folder, all.set, set.test, options.max_bytes, all.files);
    all.train_name = set.train.name;
    all.test_name = set.test.name;
    if (all.train.size() == 0) {
        std::swap(all.train, all.test);
        std::swap(all.train_name, all.test_name);
    }
    if (all.test.size() > 0 &&
        (all.test.image_width != all.train.image_width || all.test.image_height != all.train.image_height))
        throw FormatError(directory.string() + ": " + all.test_name + " images: got " +
                          std::to_string(all.test.image_height) + " x " +
                          std::to_string(all.test.image_width) + ", needs " +
                          std::to_string(all.train.image_height) + " x " +
                          std::to_string(all.train.image_width) + " as the train images");
    count_classes({&all.train, &all.test});
    return all;
}

}  // namespace vknorm
