#include "data/npy.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace vknorm {

namespace {

namespace fs = std::filesystem;
using detail::ArraySource;
using detail::ArraySources;
using detail::Bytes;
using detail::NpyHeader;

constexpr uint32_t most_classes = 1000;

[[noreturn]] void fail(const std::string& name, const std::string& what) {
    throw FormatError(name + ": " + what);
}

/// Reads the text of a header, a Python dictionary as NumPy writes it.
class HeaderText {
  public:
    HeaderText(std::string_view text, const std::string& name) : text_(text), name_(name) {}

    bool take(char c) {
        skip_space();
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    void require(char c) {
        if (!take(c)) refuse();
    }
    std::string quoted() {
        skip_space();
        const char quote = at_ < text_.size() ? text_[at_] : '\0';
        if (quote != '\'' && quote != '"') refuse();
        const size_t end = text_.find(quote, at_ + 1);
        if (end == std::string_view::npos) refuse();
        const size_t begin = std::exchange(at_, end + 1) + 1;
        return std::string(text_.substr(begin, end - begin));
    }
    /// Letters.
    std::string_view word() {
        skip_space();
        const size_t begin = at_;
        while (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_]))) ++at_;
        return text_.substr(begin, at_ - begin);
    }
    uint64_t number() {
        skip_space();
        uint64_t value = 0;
        const char* const end = text_.data() + text_.size();
        const auto [stopped, error] = std::from_chars(text_.data() + at_, end, value);
        if (error != std::errc()) refuse();
        at_ = static_cast<size_t>(stopped - text_.data());
        take('L');  // as Python 2 wrote long integers
        return value;
    }
    bool at_end() {
        skip_space();
        return at_ == text_.size();
    }
    [[noreturn]] void refuse() const {
        constexpr size_t enough_to_see = 100;
        std::string shown(text_.substr(0, enough_to_see));
        for (char& c : shown)
            if (c < ' ' || c > '~') c = '?';
        fail(name_,
             "header: got " + shown + ", needs {'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }");
    }

  private:
    void skip_space() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    }

    std::string_view text_;
    const std::string& name_;
    size_t at_ = 0;
};

std::vector<uint64_t> read_shape(HeaderText& text) {
    std::vector<uint64_t> shape;
    text.require('(');
    while (!text.take(')')) {
        shape.push_back(text.number());
        if (text.take(',')) continue;
        text.require(')');
        break;
    }
    return shape;
}

std::string shape_in_words(const std::vector<uint64_t>& shape) {
    std::string text = "(";
    for (const uint64_t length : shape) text += (text.size() == 1 ? "" : ", ") + std::to_string(length);
    return text + ")";
}

std::string lower_case(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

template <size_t N>
bool is_one_of(const std::string& word, const std::array<const char*, N>& words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// What an array is, by its name.
struct Role {
    bool test, labels;
};
std::optional<Role> role_of(const std::string& name) {
    static constexpr std::array inputs = {"x", "images", "inputs", "data", "arr_0"};
    static constexpr std::array labels = {"y", "labels", "label", "targets", "target", "arr_1"};
    std::string what = lower_case(name);
    bool test = false;
    for (const std::string part : {"train", "test"}) {
        const auto separated = [](char c) { return c == '_' || c == '-' || c == '.'; };
        std::string rest;
        if (what.starts_with(part) && what.size() > part.size() + 1 && separated(what[part.size()]))
            rest = what.substr(part.size() + 1);
        if (what.ends_with(part) && what.size() > part.size() + 1 &&
            separated(what[what.size() - part.size() - 1]))
            rest = what.substr(0, what.size() - part.size() - 1);
        if (rest.empty()) continue;
        what = rest;
        test = part == "test";
        break;
    }
    if (is_one_of(what, inputs)) return Role{test, false};
    if (is_one_of(what, labels)) return Role{test, true};
    return std::nullopt;
}

/// The header of an array that has what it announces.
NpyHeader header_of(const ArraySource& array) {
    const NpyHeader header = detail::parse_npy_header(array.read(detail::max_npy_header_bytes), array.name);
    const uint64_t values = array.bytes - header.header_bytes;
    // A division: the product of what is announced may leave 64 bits.
    if (values / header.element_bytes() != header.elements || values % header.element_bytes() != 0)
        fail(array.name, "got " + std::to_string(array.bytes) + " bytes, needs a header of " +
                             std::to_string(header.header_bytes) + " and " + header.type + " " +
                             shape_in_words(header.shape));
    return header;
}

Bytes read_whole(const ArraySource& array) {
    Bytes bytes = array.read(array.bytes);
    if (bytes.size() != array.bytes)
        fail(array.name,
             "got " + std::to_string(bytes.size()) + " bytes, needs " + std::to_string(array.bytes));
    return bytes;
}

template <class T>
T value_at(const Bytes& bytes, uint64_t offset) {
    T value{};
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

std::vector<uint32_t> read_labels(const ArraySource& array) {
    const NpyHeader header = header_of(array);
    if (header.type[0] == 'f') fail(array.name, "got labels of type " + header.type + ", needs u1, i4 or i8");
    if (header.shape.size() != 1 && (header.shape.size() != 2 || header.shape[1] != 1))
        fail(array.name, "got shape " + shape_in_words(header.shape) + ", needs (N,) or (N, 1)");
    const Bytes bytes = read_whole(array);
    std::vector<uint32_t> labels;
    labels.reserve(header.elements);
    for (uint64_t i = 0; i < header.elements; ++i) {
        const uint64_t at = header.header_bytes + i * header.element_bytes();
        const int64_t label = header.type == "u1"   ? value_at<uint8_t>(bytes, at)
                              : header.type == "i4" ? value_at<int32_t>(bytes, at)
                                                    : value_at<int64_t>(bytes, at);
        if (label < 0 || label >= int64_t{most_classes})
            fail(array.name, "label " + std::to_string(i + 1) + ": got " + std::to_string(label) +
                                 ", needs a class, 0 to " + std::to_string(most_classes - 1));
        labels.push_back(static_cast<uint32_t>(label));
    }
    return labels;
}

/// Sets the shape of an example; tells whether its channels come last.
bool read_example_shape(const ArraySource& array, const std::vector<uint64_t>& shape, ChannelAxis channels,
                        Dataset& data) {
    const auto holds_channels = [](uint64_t length) { return length == 1 || length == 3; };
    const auto take = [&](uint64_t count, uint64_t height, uint64_t width) {
        data.image_channels = static_cast<uint32_t>(count);
        data.image_height = static_cast<uint32_t>(height);
        data.image_width = static_cast<uint32_t>(width);
    };
    if (shape.size() == 2) return false;
    if (shape.size() == 3) {
        take(1, shape[1], shape[2]);
        return false;
    }
    if (shape.size() != 4)
        fail(array.name, "got shape " + shape_in_words(shape) +
                             ", needs 2 to 4 dimensions, the first one that of the examples");
    const bool last =
        channels == ChannelAxis::last || (channels == ChannelAxis::found && holds_channels(shape[3]));
    if (!holds_channels(last ? shape[3] : shape[1]))
        fail(array.name, "got shape " + shape_in_words(shape) + ", needs 1 or 3 channels, second or last");
    if (last)
        take(shape[3], shape[1], shape[2]);
    else
        take(shape[1], shape[2], shape[3]);
    return last;
}

Dataset read_pair(const ArraySource& inputs, const ArraySource& labels, const NpyOptions& options) {
    const NpyHeader header = header_of(inputs);
    if (header.type[0] == 'i')
        fail(inputs.name, "got inputs of type " + header.type + ", needs u1, f4 or f8");
    if (header.elements == 0 || header.shape.empty())
        fail(inputs.name, "got shape " + shape_in_words(header.shape) + ", needs at least one value");
    if (header.elements > options.max_bytes / sizeof(float))
        throw TooLarge(inputs.name + ": got shape " + shape_in_words(header.shape) + ", needs at most " +
                       std::to_string(options.max_bytes / sizeof(float)) + " values, which are " +
                       std::to_string(options.max_bytes) + " bytes as float32");
    Dataset data;
    const uint64_t size = header.shape[0];
    if (header.elements / size > std::numeric_limits<int32_t>::max())
        fail(inputs.name,
             "got shape " + shape_in_words(header.shape) + ", needs examples of at most 2147483647 values");
    const bool channels_last = read_example_shape(inputs, header.shape, options.channels, data);
    data.features = static_cast<uint32_t>(header.elements / size);
    if (labels.bytes / sizeof(int64_t) > size + detail::max_npy_header_bytes)
        fail(labels.name, "got " + std::to_string(labels.bytes) + " bytes, needs " + std::to_string(size) +
                              " labels as " + inputs.name + " has examples");
    data.labels = read_labels(labels);
    if (data.labels.size() != size)
        fail(labels.name, "got " + std::to_string(data.labels.size()) + " labels, needs " +
                              std::to_string(size) + " as " + inputs.name + " has examples");
    data.classes = *std::max_element(data.labels.begin(), data.labels.end()) + 1;
    const Bytes bytes = read_whole(inputs);
    data.inputs.resize(header.elements);
    const uint64_t pixels = channels_last ? data.features / data.image_channels : 1;
    for (uint64_t i = 0; i < header.elements; ++i) {
        const uint64_t at = header.header_bytes + i * header.element_bytes();
        const float value = header.type == "u1"   ? static_cast<float>(value_at<uint8_t>(bytes, at)) / 255.0f
                            : header.type == "f4" ? value_at<float>(bytes, at)
                                                  : static_cast<float>(value_at<double>(bytes, at));
        if (!std::isfinite(value))
            fail(inputs.name, "value " + std::to_string(i + 1) +
                                  ": got one that is not finite as float32, "
                                  "needs a number");
        const uint64_t within = i % data.features;
        const uint64_t place =
            channels_last ? within % data.image_channels * pixels + within / data.image_channels : within;
        data.inputs[i - within + place] = value;
    }
    return data;
}

}  // namespace

NpyHeader detail::parse_npy_header(std::span<const std::byte> beginning, const std::string& name) {
    constexpr std::array<unsigned char, 6> magic = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    constexpr size_t version_bytes = magic.size() + 2;
    const auto byte = [&](size_t at) { return std::to_integer<size_t>(beginning[at]); };
    if (beginning.size() < version_bytes + 2 ||
        std::memcmp(beginning.data(), magic.data(), magic.size()) != 0)
        fail(name, "got " + std::to_string(beginning.size()) + " bytes without the magic number, needs .npy");
    const size_t version = byte(magic.size());
    if (version < 1 || version > 3) fail(name, "got version " + std::to_string(version) + ", needs 1 to 3");
    const size_t length_bytes = version == 1 ? 2 : 4;
    size_t length = 0;
    for (size_t i = length_bytes; i-- > 0 && version_bytes + i < beginning.size();)
        length = length << 8 | byte(version_bytes + i);
    const size_t start = version_bytes + length_bytes;
    if (beginning.size() < start || length > beginning.size() - start)
        fail(name, "header: got " + std::to_string(length) + " bytes, needs at most " +
                       std::to_string(beginning.size() < start ? 0 : beginning.size() - start));
    HeaderText text({reinterpret_cast<const char*>(beginning.data()) + start, length}, name);
    std::optional<std::string> descr, order;
    std::optional<std::vector<uint64_t>> shape;
    text.require('{');
    while (!text.take('}')) {
        const std::string key = text.quoted();
        text.require(':');
        if (key == "descr" && !descr)
            descr = text.quoted();
        else if (key == "fortran_order" && !order)
            order = std::string(text.word());
        else if (key == "shape" && !shape)
            shape = read_shape(text);
        else
            text.refuse();
        if (text.take(',')) continue;
        text.require('}');
        break;
    }
    if (!descr || !order || !shape || !text.at_end() || (*order != "False" && *order != "True"))
        text.refuse();
    if (*order == "True") fail(name, "got Fortran order, needs C order");
    static constexpr std::array types = {"|u1", "<i4", "<i8", "<f4", "<f8"};
    if (!is_one_of(*descr, types)) fail(name, "got type " + *descr + ", needs |u1, <i4, <i8, <f4 or <f8");
    NpyHeader header{
        .type = descr->substr(1), .shape = *shape, .elements = 1, .header_bytes = start + length};
    constexpr uint64_t most = uint64_t{1} << 40;  // so that no number of bytes leaves 64 bits
    for (const uint64_t length_of_dimension : *shape) {
        if (length_of_dimension > 0 && header.elements > most / length_of_dimension)
            fail(name, "got shape " + shape_in_words(*shape) + ", needs at most " + std::to_string(most) +
                           " values");
        header.elements *= length_of_dimension;
    }
    return header;
}

NpyData detail::data_of(const ArraySources& arrays, const std::string& name, const NpyOptions& options) {
    std::array<std::array<const ArraySources::value_type*, 2>, 2> found{};  // by test, labels
    std::string names;
    for (const auto& array : arrays) {
        names += (names.empty() ? "" : ", ") + array.first;
        const auto role = role_of(array.first);
        if (!role) continue;
        const auto*& place = found[role->test ? 1 : 0][role->labels ? 1 : 0];
        if (place != nullptr)
            fail(name, "got " + place->first + " and " + array.first + ", needs one of them");
        place = &array;
    }
    NpyData all;
    const auto read = [&](const auto& pair, Dataset& part) {
        if (pair[0] == nullptr && pair[1] == nullptr) return;
        if (pair[0] == nullptr || pair[1] == nullptr)
            fail(name, "got " + pair[pair[0] == nullptr ? 1 : 0]->first + " alone, needs " +
                           (pair[0] == nullptr ? "inputs" : "labels") + " for it among " + names);
        part = read_pair(pair[0]->second, pair[1]->second, options);
        for (const auto* const array : pair) all.arrays.push_back(array->first);
    };
    read(found[0], all.train);
    read(found[1], all.test);
    if (all.train.size() == 0) std::swap(all.train, all.test);
    if (all.train.size() == 0)
        fail(name, "got " + (names.empty() ? "no array" : names) + ", needs x_train and y_train, or x and y");
    if (all.test.size() == 0) return all;
    if (all.test.shape() != all.train.shape())
        fail(name, "got a test set of other shapes than the examples to train on, needs the same");
    all.train.classes = all.test.classes = std::max(all.train.classes, all.test.classes);
    return all;
}

NpyData read_npy(const fs::path& path, const NpyOptions& options) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
        const Bytes file = detail::read_file(path);
        return detail::data_of(detail::parse_npz(file, path.string()), path.string(), options);
    }
    ArraySources arrays;
    for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
        const fs::path file = entry.path();
        if (file.extension() != ".npy" || !role_of(file.stem().string())) continue;
        arrays[file.stem().string()] = {file.string(), detail::read_head(file, 0).file_bytes,
                                        [file](size_t most) { return detail::read_head(file, most).bytes; }};
    }
    return detail::data_of(arrays, path.string(), options);
}

}  // namespace vknorm
