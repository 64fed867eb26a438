#include "support/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <vknorm/data.hpp>

#include "data/file.hpp"
#include "support/half.hpp"

namespace vknorm::testing {

namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "tensors are copied byte for byte");

constexpr uint64_t max_header_bytes = 100'000'000;
constexpr const char* metadata_key = "__metadata__";

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
    return *std::ranges::find(dtype_names, dtype, &DtypeName::dtype);
}

[[noreturn]] void refuse(const std::string& where, const std::string& got, const std::string& needs) {
    throw FormatError(where + ": got " + got + ", needs " + needs);
}

/// Stops at duplicate keys, of which a parsed document shows no trace, and at depths that no header has.
class HeaderEvents {
  public:
    explicit HeaderEvents(std::string name) : name_(std::move(name)) {}

    bool operator()(int depth, json::parse_event_t event, json& parsed) {
        if (depth > 3) throw FormatError(name_ + ": header: values are nested deeper than in any tensor");
        if (event == json::parse_event_t::object_start) keys_.emplace_back();
        if (event == json::parse_event_t::object_end) keys_.pop_back();
        if (event == json::parse_event_t::key && !keys_.back().insert(parsed.get<std::string>()).second)
            throw FormatError(name_ + ": header: the key '" + parsed.get<std::string>() +
                              "' stands there twice");
        return true;
    }

  private:
    std::string name_;
    std::vector<std::set<std::string>> keys_;
};

json parse_header(std::span<const std::byte> bytes, const std::string& name) {
    const auto* begin = reinterpret_cast<const char*>(bytes.data());
    if (bytes.empty() || *begin != '{') throw FormatError(name + ": header: does not begin with {");
    try {
        return json::parse(begin, begin + bytes.size(), HeaderEvents(name));
    } catch (const json::exception& error) {
        throw FormatError(name + ": header: is no JSON: " + error.what());
    }
}

/// An array of whole numbers from 0 on.
std::vector<uint64_t> numbers(const json& value, const std::string& where) {
    const auto whole = [](const json& number) { return number.is_number_unsigned(); };
    if (!value.is_array() || !std::ranges::all_of(value, whole))
        refuse(where, value.dump(), "an array of whole numbers from 0 on");
    return value.get<std::vector<uint64_t>>();
}

/// Where a tensor's bytes stand after the header.
struct Place {
    uint64_t begin = 0, end = 0;
    std::string name;

    auto operator<=>(const Place&) const = default;
};

/// `tensor` gets all but its bytes.
Place read_entry(const json& entry, const std::string& file, const std::string& name, uint64_t data_bytes,
                 Tensor& tensor) {
    const std::string where = file + ": " + name;
    if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
        !entry.contains("data_offsets"))
        refuse(where, entry.dump(), "dtype, shape and data_offsets");
    const auto known = std::ranges::find_if(
        dtype_names, [&](const DtypeName& dtype) { return entry["dtype"] == dtype.name; });
    if (known == dtype_names.end())
        refuse(where + ": dtype", entry["dtype"].dump(), "F64, F32, F16, BF16, I64, I32, U32, U8 or BOOL");
    tensor.dtype = known->dtype;
    tensor.shape = numbers(entry["shape"], where + ": shape");
    uint64_t bytes = known->bytes;
    for (const uint64_t length : tensor.shape) {
        if (length != 0 && bytes > std::numeric_limits<uint64_t>::max() / length)
            refuse(where + ": shape", text(tensor.shape), "one whose bytes 64 bits can count");
        bytes *= length;
    }
    const std::vector<uint64_t> offsets = numbers(entry["data_offsets"], where + ": data_offsets");
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_bytes)
        refuse(where + ": data_offsets", entry["data_offsets"].dump(),
               "a begin and an end within the " + std::to_string(data_bytes) + " bytes there are");
    if (offsets[1] - offsets[0] != bytes)
        refuse(where + ": data_offsets", std::to_string(offsets[1] - offsets[0]) + " bytes",
               std::to_string(bytes) + " for " + known->name + " " + text(tensor.shape));
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

std::map<std::string, std::string> read_metadata(const json& value, const std::string& name) {
    const auto is_text = [](const json& entry) { return entry.is_string(); };
    if (!value.is_object() || !std::ranges::all_of(value, is_text))
        refuse(name + ": " + metadata_key, value.dump(), "an object of texts");
    return value.get<std::map<std::string, std::string>>();
}

template <class T>
std::vector<std::byte> raw(std::span<const T> values, const Shape& shape) {
    if (values.size() != elements(shape))
        throw std::invalid_argument("tensor: values: got " + std::to_string(values.size()) + ", needs " +
                                    std::to_string(elements(shape)) + " for shape " + text(shape));
    const auto bytes = std::as_bytes(values);
    return {bytes.begin(), bytes.end()};
}

template <class T>
std::vector<T> values_of(const Tensor& tensor, const char* needed, bool fits) {
    if (!fits)
        throw std::invalid_argument(std::string("tensor: dtype: got ") + name_of(tensor.dtype) + ", needs " +
                                    needed);
    std::vector<T> result(tensor.bytes.size() / sizeof(T));
    if (!result.empty()) std::memcpy(result.data(), tensor.bytes.data(), tensor.bytes.size());
    return result;
}

}  // namespace

const char* name_of(Dtype dtype) {
    return entry_of(dtype).name;
}

uint64_t bytes_of(Dtype dtype) {
    return entry_of(dtype).bytes;
}

std::string text(const Shape& shape) {
    std::string result = "(";
    for (size_t i = 0; i < shape.size(); ++i) result += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return result + ")";
}

uint64_t elements(const Shape& shape) {
    return std::accumulate(shape.begin(), shape.end(), uint64_t{1}, std::multiplies<>());
}

Tensor::Tensor(Shape shape_, std::span<const float> values, Dtype dtype_)
    : dtype(dtype_), shape(std::move(shape_)) {
    if (dtype == Dtype::f32) {
        bytes = raw(values, shape);
        return;
    }
    std::vector<uint16_t> rounded(values.size());
    std::ranges::transform(values, rounded.begin(), dtype == Dtype::f16 ? to_float16 : to_bfloat16);
    bytes = raw(std::span<const uint16_t>(rounded), shape);
}

Tensor::Tensor(Shape shape_, std::span<const int64_t> values)
    : dtype(Dtype::i64), shape(std::move(shape_)), bytes(raw(values, shape)) {}

Tensor::Tensor(Shape shape_, std::span<const uint32_t> values)
    : dtype(Dtype::u32), shape(std::move(shape_)), bytes(raw(values, shape)) {}

std::vector<float> Tensor::floats() const {
    if (dtype == Dtype::f32) return values_of<float>(*this, "F32, F16 or BF16", true);
    const bool stored = dtype == Dtype::f16 || dtype == Dtype::bf16;
    const auto halves = values_of<uint16_t>(*this, "F32, F16 or BF16", stored);
    std::vector<float> result(halves.size());
    std::ranges::transform(halves, result.begin(), dtype == Dtype::f16 ? from_float16 : from_bfloat16);
    return result;
}

std::vector<int64_t> Tensor::integers() const {
    return values_of<int64_t>(*this, "I64", dtype == Dtype::i64);
}

std::vector<uint32_t> Tensor::words() const {
    return values_of<uint32_t>(*this, "U32", dtype == Dtype::u32);
}

Safetensors parse_safetensors(std::span<const std::byte> bytes, const std::string& name) {
    uint64_t header_bytes = 0;
    if (bytes.size() < sizeof header_bytes)
        refuse(name, std::to_string(bytes.size()) + " bytes", "at least 8 for the header's length");
    std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
    const auto rest = bytes.subspan(sizeof header_bytes);
    const uint64_t most = std::min<uint64_t>(rest.size(), max_header_bytes);
    if (header_bytes > most)
        refuse(name + ": header", std::to_string(header_bytes) + " bytes",
               "at most " + std::to_string(most) +
                   (most == rest.size() ? ", as the file ends there" : ", whatever the file's size"));
    const json header = parse_header(rest.first(header_bytes), name);
    const auto data = rest.subspan(header_bytes);

    Safetensors result;
    std::vector<Place> places;
    for (const auto& [key, value] : header.items()) {
        if (key == metadata_key)
            result.metadata = read_metadata(value, name);
        else
            places.push_back(read_entry(value, name, key, data.size(), result.tensors[key]));
    }
    check_places(places, name, data.size());
    for (const Place& place : places) {
        const auto part = data.subspan(place.begin, place.end - place.begin);
        result.tensors[place.name].bytes.assign(part.begin(), part.end());
    }
    return result;
}

Safetensors read_safetensors(const std::filesystem::path& file) {
    return parse_safetensors(detail::read_file(file), file.string());
}

std::vector<std::byte> to_bytes(const Safetensors& content) {
    // Larger elements first: then each tensor is aligned to its own elements.
    std::vector<const Tensors::value_type*> order;
    for (const auto& entry : content.tensors) order.push_back(&entry);
    std::ranges::stable_sort(order, std::ranges::greater(),
                             [](const auto* entry) { return entry_of(entry->second.dtype).bytes; });
    json header = json::object();
    if (!content.metadata.empty()) header[metadata_key] = content.metadata;
    uint64_t end = 0;
    for (const auto* entry : order) {
        const auto& [name, tensor] = *entry;
        const uint64_t begin = std::exchange(end, end + tensor.bytes.size());
        header[name] = {
            {"dtype", name_of(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    }
    std::string header_text = header.dump();
    header_text.resize((header_text.size() + 7) / 8 * 8, ' ');

    const uint64_t header_bytes = header_text.size();
    std::vector<std::byte> bytes(sizeof header_bytes + header_bytes + end);
    auto at = bytes.begin();
    const auto append = [&](std::span<const std::byte> part) { at = std::ranges::copy(part, at).out; };
    append(std::as_bytes(std::span(&header_bytes, 1)));
    append(std::as_bytes(std::span(header_text)));
    for (const auto* entry : order) append(entry->second.bytes);
    return bytes;
}

void write_safetensors(const std::filesystem::path& file, const Safetensors& content) {
    const std::vector<std::byte> bytes = to_bytes(content);
    std::filesystem::path temporary = file;
    temporary += ".part";
    std::error_code error;
    errno = 0;
    std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    if (!stream)
        error = {errno != 0 ? errno : EIO, std::generic_category()};
    else
        std::filesystem::rename(temporary, file, error);
    if (!error) return;
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw std::filesystem::filesystem_error("cannot write", file, error);
}

}  // namespace vknorm::testing
