#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <vknorm/safetensors.hpp>

#include "data/file.hpp"
#include "data/half.hpp"
#include "data/json.hpp"

namespace vknorm {

namespace {

using detail::JsonReader;

static_assert(std::endian::native == std::endian::little, "tensors are copied byte for byte");

constexpr uint64_t max_header_bytes = 100'000'000;
constexpr const char* metadata_key = "__metadata__";
/// The header is an object of objects, and these have arrays.
constexpr int header_depth = 3;

struct DtypeName {
    Dtype dtype;
    const char* name;
    uint64_t bytes;
};
constexpr std::array<DtypeName, 9> dtype_names{{{Dtype::f64, "F64", 8},
                                                {Dtype::f32, "F32", 4},
                                                {Dtype::f16, "F16", 2},
                                                {Dtype::bf16, "BF16", 2},
                                                {Dtype::i64, "I64", 8},
                                                {Dtype::i32, "I32", 4},
                                                {Dtype::u32, "U32", 4},
                                                {Dtype::u8, "U8", 1},
                                                {Dtype::boolean, "BOOL", 1}}};

const DtypeName& entry_of(Dtype dtype) {
    const auto entry = std::ranges::find(dtype_names, dtype, &DtypeName::dtype);
    if (entry == dtype_names.end())
        throw std::invalid_argument("Dtype: got value " + std::to_string(static_cast<int>(dtype)) +
                                    ", needs one of the enumeration's");
    return *entry;
}

[[noreturn]] void refuse(const std::string& where, std::string_view got, const std::string& needs) {
    constexpr size_t enough_to_see = 200;
    const std::string shown(got.substr(0, enough_to_see));
    throw FormatError(where + ": got " + shown + (got.size() > enough_to_see ? "..." : "") + ", needs " +
                      needs);
}

/// Reads `text`, an array of whole numbers from 0 on.
std::vector<uint64_t> numbers_of(std::string_view text, const std::string& where) {
    const auto require = [&](bool whole) {
        if (!whole) refuse(where, text, "an array of whole numbers from 0 on");
    };
    JsonReader reader(text, where, header_depth);
    require(reader.next() == '[');
    std::vector<uint64_t> numbers;
    reader.array([&] {
        const std::string_view number = reader.value();
        const char* end = number.data() + number.size();
        const auto [stopped, error] = std::from_chars(number.data(), end, numbers.emplace_back());
        require(error == std::errc() && stopped == end);
    });
    return numbers;
}

/// Returns nothing where 64 bits do not hold it.
std::optional<uint64_t> product(uint64_t first, const TensorShape& lengths) {
    for (const uint64_t length : lengths) {
        if (length != 0 && first > std::numeric_limits<uint64_t>::max() / length) return std::nullopt;
        first *= length;
    }
    return first;
}

/// A tensor's bytes stand there, counted from the end of the header.
struct Place {
    uint64_t begin = 0, end = 0;
    std::string name;

    auto operator<=>(const Place&) const = default;
};

/// Reads the entry of the tensor `name`, which is the next value; `tensor` gets all but its bytes.
Place read_entry(JsonReader& header, const std::string& file, const std::string& name, uint64_t data_bytes,
                 HostTensor& tensor) {
    const std::string where = file + ": " + name, needed = "dtype, shape and data_offsets";
    if (header.next() != '{') refuse(where, header.value(), needed);
    std::string_view dtype, shape, data_offsets, other;
    const std::string_view entry = header.object([&](const std::string& key) {
        std::string_view& place = key == "dtype"          ? dtype
                                  : key == "shape"        ? shape
                                  : key == "data_offsets" ? data_offsets
                                                          : other;
        place = header.value();
    });
    if (dtype.empty() || shape.empty() || data_offsets.empty() || !other.empty())
        refuse(where, entry, needed);
    const auto known = std::ranges::find_if(dtype_names, [&](const DtypeName& candidate) {
        return dtype == '"' + std::string(candidate.name) + '"';
    });
    if (known == dtype_names.end())
        refuse(where + ": dtype", dtype, "F64, F32, F16, BF16, I64, I32, U32, U8 or BOOL");
    tensor.dtype = known->dtype;
    tensor.shape = numbers_of(shape, where + ": shape");
    const std::optional<uint64_t> bytes = product(known->bytes, tensor.shape);
    if (!bytes) refuse(where + ": shape", shape_text(tensor.shape), "one whose bytes 64 bits can count");
    const std::vector<uint64_t> offsets = numbers_of(data_offsets, where + ": data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_bytes)
        refuse(where + ": data_offsets", data_offsets,
               "a begin and an end within the " + std::to_string(data_bytes) + " bytes there are");
    if (offsets[1] - offsets[0] != *bytes)
        refuse(where + ": data_offsets", std::to_string(offsets[1] - offsets[0]) + " bytes",
               std::to_string(*bytes) + " for " + known->name + " " + shape_text(tensor.shape));
    return {offsets[0], offsets[1], name};
}

/// Every byte belongs to exactly one tensor.
void check_places(std::vector<Place> places, const std::string& file, uint64_t data_bytes) {
    std::ranges::sort(places);
    uint64_t end = 0;
    for (const Place& place : places) {
        if (place.begin < end)
            refuse(file + ": " + place.name + ": data_offsets", "byte " + std::to_string(place.begin),
                   "to begin where the tensor before it ends, at " + std::to_string(end) + ": they overlap");
        if (place.begin > end)
            refuse(
                file + ": " + place.name + ": data_offsets", "byte " + std::to_string(place.begin),
                "to begin where the tensor before it ends, at " + std::to_string(end) + ": there is a hole");
        end = place.end;
    }
    if (end != data_bytes)
        refuse(file, std::to_string(data_bytes) + " bytes of tensors",
               std::to_string(end) + ": some follow the last tensor");
}

/// Reads the next value, an object of texts.
std::map<std::string, std::string> read_metadata(JsonReader& header, const std::string& file) {
    const std::string where = file + ": " + metadata_key, needed = "an object of texts";
    if (header.next() != '{') refuse(where, header.value(), needed);
    std::map<std::string, std::string> metadata;
    header.object([&](const std::string& key) {
        if (header.next() != '"') refuse(where + ": " + key, header.value(), "a text");
        metadata[key] = header.string();
    });
    return metadata;
}

/// Returns what a file with that header and `data_bytes` bytes of tensors holds, but for those bytes;
/// `places` gets where they are.
Safetensors read_header(std::string_view text, const std::string& file, uint64_t data_bytes,
                        std::vector<Place>& places) {
    if (!text.starts_with('{')) throw FormatError(file + ": header: does not begin with {");
    Safetensors content;
    JsonReader header(text, file + ": header", header_depth);
    header.object([&](const std::string& key) {
        if (key == metadata_key)
            content.metadata = read_metadata(header, file);
        else
            places.push_back(read_entry(header, file, key, data_bytes, content.tensors[key]));
    });
    header.end();
    check_places(places, file, data_bytes);
    return content;
}

/// Returns the length of the header of a file of `file_bytes` bytes that begins with those.
uint64_t header_bytes(std::span<const std::byte> beginning, uint64_t file_bytes, const std::string& file) {
    uint64_t header = 0;
    if (beginning.size() < sizeof header)
        refuse(file, std::to_string(beginning.size()) + " bytes", "at least 8 for the header's length");
    std::memcpy(&header, beginning.data(), sizeof header);
    const uint64_t rest = file_bytes - sizeof header, most = std::min<uint64_t>(rest, max_header_bytes);
    if (header > most)
        refuse(file + ": header", std::to_string(header) + " bytes",
               "at most " + std::to_string(most) +
                   (most == rest ? ", as the file ends there" : ", whatever the file's size"));
    return header;
}

/// Returns the header, of that length, of the file that begins with those bytes.
std::string_view text_of(std::span<const std::byte> beginning, uint64_t header) {
    return {reinterpret_cast<const char*>(beginning.data()) + sizeof header, header};
}

template <class T>
std::vector<std::byte> raw(std::span<const T> values, const TensorShape& shape) {
    if (values.size() != element_count(shape))
        throw std::invalid_argument("HostTensor: values: got " + std::to_string(values.size()) + ", needs " +
                                    std::to_string(element_count(shape)) + " for shape " + shape_text(shape));
    const auto bytes = std::as_bytes(values);
    return {bytes.begin(), bytes.end()};
}

template <class T>
std::vector<T> values_of(const HostTensor& tensor, const char* needed, bool fits) {
    if (!fits)
        throw std::invalid_argument(std::string("HostTensor: dtype: got ") + name_of(tensor.dtype) +
                                    ", needs " + needed);
    std::vector<T> result(tensor.bytes.size() / sizeof(T));
    if (!result.empty()) std::memcpy(result.data(), tensor.bytes.data(), tensor.bytes.size());
    return result;
}

void require_writable(const std::string& name, const HostTensor& tensor) {
    if (name == metadata_key)
        throw std::invalid_argument("safetensors_bytes: tensors: got the name " + name +
                                    ", needs one that the format does not keep for itself");
    if (product(bytes_of(tensor.dtype), tensor.shape) != tensor.bytes.size())
        throw std::invalid_argument("safetensors_bytes: " + name + ": got " +
                                    std::to_string(tensor.bytes.size()) + " bytes, needs those of " +
                                    name_of(tensor.dtype) + " " + shape_text(tensor.shape));
}

}  // namespace

const char* name_of(Dtype dtype) {
    return entry_of(dtype).name;
}

uint64_t bytes_of(Dtype dtype) {
    return entry_of(dtype).bytes;
}

std::string shape_text(const TensorShape& shape) {
    std::string result = "(";
    for (size_t i = 0; i < shape.size(); ++i) result += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return result + ")";
}

uint64_t element_count(const TensorShape& shape) {
    const std::optional<uint64_t> count = product(1, shape);
    if (!count)
        throw std::invalid_argument("element_count: shape: got " + shape_text(shape) +
                                    ", needs at most 18446744073709551615 elements");
    return *count;
}

HostTensor::HostTensor(TensorShape shape_, std::span<const float> values, Dtype dtype_)
    : dtype(dtype_), shape(std::move(shape_)) {
    if (dtype == Dtype::f32) {
        bytes = raw(values, shape);
        return;
    }
    if (dtype != Dtype::f16 && dtype != Dtype::bf16)
        throw std::invalid_argument(std::string("HostTensor: dtype: got ") + name_of(dtype) +
                                    ", needs F32, F16 or BF16");
    std::vector<uint16_t> rounded(values.size());
    std::ranges::transform(values, rounded.begin(),
                           dtype == Dtype::f16 ? detail::to_float16 : detail::to_bfloat16);
    bytes = raw(std::span<const uint16_t>(rounded), shape);
}

HostTensor::HostTensor(TensorShape shape_, std::span<const int64_t> values)
    : dtype(Dtype::i64), shape(std::move(shape_)), bytes(raw(values, shape)) {}

HostTensor::HostTensor(TensorShape shape_, std::span<const uint32_t> values)
    : dtype(Dtype::u32), shape(std::move(shape_)), bytes(raw(values, shape)) {}

std::vector<float> HostTensor::floats() const {
    if (dtype == Dtype::f32) return values_of<float>(*this, "", true);
    if (dtype == Dtype::f64) {
        const auto doubles = values_of<double>(*this, "", true);
        return {doubles.begin(), doubles.end()};
    }
    const bool stored = dtype == Dtype::f16 || dtype == Dtype::bf16;
    const auto halves = values_of<uint16_t>(*this, "F64, F32, F16 or BF16", stored);
    std::vector<float> result(halves.size());
    std::ranges::transform(halves, result.begin(),
                           dtype == Dtype::f16 ? detail::from_float16 : detail::from_bfloat16);
    return result;
}

std::vector<int64_t> HostTensor::integers() const {
    return values_of<int64_t>(*this, "I64", dtype == Dtype::i64);
}

std::vector<uint32_t> HostTensor::words() const {
    return values_of<uint32_t>(*this, "U32", dtype == Dtype::u32);
}

Safetensors parse_safetensors(std::span<const std::byte> bytes, const std::string& name) {
    const uint64_t header = header_bytes(bytes, bytes.size(), name);
    const auto data = bytes.subspan(sizeof header + header);
    std::vector<Place> places;
    Safetensors content = read_header(text_of(bytes, header), name, data.size(), places);
    for (const Place& place : places) {
        const auto part = data.subspan(place.begin, place.end - place.begin);
        content.tensors[place.name].bytes.assign(part.begin(), part.end());
    }
    return content;
}

Safetensors read_safetensors(const std::filesystem::path& file) {
    return parse_safetensors(detail::read_file(file), file.string());
}

Safetensors read_safetensors(const std::filesystem::path& file,
                             const std::function<void(const HostTensors& announced)>& check) {
    const std::string name = file.string();
    const auto [length, file_bytes] = detail::read_head(file, sizeof(uint64_t));
    const uint64_t header = header_bytes(length, file_bytes, name);
    const detail::Bytes head = detail::read_head(file, sizeof header + header).bytes;
    if (head.size() < sizeof header + header) refuse(name, "a file that changes", "one that stays");
    std::vector<Place> places;
    check(read_header(text_of(head, header), name, file_bytes - head.size(), places).tensors);
    return read_safetensors(file);
}

std::vector<std::byte> safetensors_bytes(const Safetensors& content) {
    const auto in_braces = [](const std::map<std::string, std::string>& members) {
        std::string text;
        for (const auto& [key, value] : members)
            text += (text.empty() ? "" : ",") + detail::json_string(key) + ":" + value;
        return "{" + text + "}";
    };
    // Larger elements come first: then each tensor is aligned to its own elements.
    std::vector<const HostTensors::value_type*> order;
    for (const auto& entry : content.tensors) order.push_back(&entry);
    std::ranges::stable_sort(order, std::ranges::greater(),
                             [](const auto* entry) { return bytes_of(entry->second.dtype); });
    std::map<std::string, std::string> entries;
    uint64_t end = 0;
    for (const auto* entry : order) {
        const auto& [name, tensor] = *entry;
        require_writable(name, tensor);
        const uint64_t begin = std::exchange(end, end + tensor.bytes.size());
        std::string lengths;
        for (const uint64_t length : tensor.shape)
            lengths += (lengths.empty() ? "" : ",") + std::to_string(length);
        entries[name] =
            in_braces({{"dtype", detail::json_string(name_of(tensor.dtype))},
                       {"shape", "[" + lengths + "]"},
                       {"data_offsets", "[" + std::to_string(begin) + "," + std::to_string(end) + "]"}});
    }
    if (!content.metadata.empty()) {
        std::map<std::string, std::string> texts;
        for (const auto& [key, text] : content.metadata) texts[key] = detail::json_string(text);
        entries[metadata_key] = in_braces(texts);
    }
    std::string header = in_braces(entries);
    constexpr size_t header_alignment = 8;
    header.resize((header.size() + header_alignment - 1) / header_alignment * header_alignment, ' ');

    const uint64_t header_bytes = header.size();
    std::vector<std::byte> bytes(sizeof header_bytes + header_bytes + end);
    auto at = bytes.begin();
    const auto append = [&](std::span<const std::byte> part) { at = std::ranges::copy(part, at).out; };
    append(std::as_bytes(std::span(&header_bytes, 1)));
    append(std::as_bytes(std::span(header)));
    for (const auto* entry : order) append(entry->second.bytes);
    return bytes;
}

void write_safetensors(const std::filesystem::path& file, const Safetensors& content, Existing existing) {
    write_file(file, safetensors_bytes(content), existing);
}

}  // namespace vknorm
