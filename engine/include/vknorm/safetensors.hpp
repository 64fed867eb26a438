// Files of named tensors are safetensors (github.com/huggingface/safetensors, "Format"). This needs no
// Vulkan.
//
// Such a file begins with 8 bytes, the little-endian length of a JSON header; the header and the tensors'
// bytes, little-endian and dense, follow. The reader is strict: it takes nothing that a careful writer would
// not have written, believes no length, and refuses a file before it allocates memory for a tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <vknorm/file.hpp>

namespace vknorm {

/// The types of elements, by the names that the format has for them in capitals; "BOOL" is a byte, 0 or 1.
enum class Dtype { f64, f32, f16, bf16, i64, i32, u32, u8, boolean };

/// Names `dtype` as the format does: "F32".
const char* name_of(Dtype dtype);
/// Returns the bytes of an element.
uint64_t bytes_of(Dtype dtype);

/// These are the lengths of a tensor's dimensions; a scalar has none.
using TensorShape = std::vector<uint64_t>;

/// Writes `shape` as "(2, 3)".
std::string shape_text(const TensorShape& shape);
/// Counts the elements. Throws std::invalid_argument when 64 bits do not hold their number.
uint64_t element_count(const TensorShape& shape);

/// This is a tensor in the memory of the host, row by row.
struct HostTensor {
    Dtype dtype = Dtype::f32;
    TensorShape shape{};
    std::vector<std::byte> bytes{};  ///< element_count(shape) * bytes_of(dtype), little-endian

    HostTensor() = default;
    // Each throws std::invalid_argument unless there are as many values as `shape` has elements.
    /// `dtype` is f32, or f16 or bf16, to which values are rounded (to the nearest, ties to even).
    HostTensor(TensorShape shape, std::span<const float> values, Dtype dtype = Dtype::f32);
    HostTensor(TensorShape shape, std::span<const int64_t> values);
    HostTensor(TensorShape shape, std::span<const uint32_t> values);

    /// Returns the values of f32, f16 or bf16, or those of f64 rounded to float32; throws
    /// std::invalid_argument for another dtype, as the next two do.
    std::vector<float> floats() const;
    std::vector<int64_t> integers() const;  ///< of dtype i64
    std::vector<uint32_t> words() const;    ///< of dtype u32
};

using HostTensors = std::map<std::string, HostTensor>;

/// A file holds this.
struct Safetensors {
    HostTensors tensors;                            ///< by name, in UTF-8
    std::map<std::string, std::string> metadata{};  ///< texts about the tensors, in UTF-8
};

/// Reads the file of those bytes, called `name` in messages. Throws FormatError naming it, the tensor, what
/// stands there and what was needed.
Safetensors parse_safetensors(std::span<const std::byte> bytes, const std::string& name);
/// Throws FormatError too, and FileError when `file` cannot be read.
Safetensors read_safetensors(const std::filesystem::path& file);
/// Before the tensors are read, `check` is called with all of them but their bytes, and may throw.
Safetensors read_safetensors(const std::filesystem::path& file,
                             const std::function<void(const HostTensors& announced)>& check);

/// Returns the file that holds `content`: the same bytes for the same content, each tensor aligned to its
/// elements. Throws std::invalid_argument naming the tensor for bytes that do not fit its shape and dtype,
/// for a name or text that is not UTF-8, and for the name "__metadata__", which the format keeps for itself.
std::vector<std::byte> safetensors_bytes(const Safetensors& content);
/// As write_file() does. Throws std::invalid_argument too.
void write_safetensors(const std::filesystem::path& file, const Safetensors& content,
                       Existing existing = Existing::replaced);

}  // namespace vknorm
