// Files of named tensors: safetensors (github.com/huggingface/safetensors, "Format").
//
// 8 bytes little-endian length of a JSON header, the header, then the tensors' bytes, little-endian and
// dense. The reader is strict: it takes nothing that a careful writer would not have written, and believes no
// length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace vknorm::testing {

enum class Dtype { f64, f32, f16, bf16, i64, i32, u32, u8, boolean };

uint64_t bytes_of(Dtype dtype);

const char* name_of(Dtype dtype);

using Shape = std::vector<uint64_t>;

std::string text(const Shape& shape);
uint64_t elements(const Shape& shape);

struct Tensor {
    Dtype dtype = Dtype::f32;
    Shape shape{};
    std::vector<std::byte> bytes{};

    Tensor() = default;
    /// Rounded to f16 or bf16 if that is the dtype.
    Tensor(Shape shape, std::span<const float> values, Dtype dtype = Dtype::f32);
    Tensor(Shape shape, std::span<const int64_t> values);
    Tensor(Shape shape, std::span<const uint32_t> values);

    /// The values of f32, f16 or bf16; throws std::invalid_argument for another dtype, as the next two do.
    std::vector<float> floats() const;
    std::vector<int64_t> integers() const;  ///< of i64
    std::vector<uint32_t> words() const;    ///< of u32
};

using Tensors = std::map<std::string, Tensor>;

struct Safetensors {
    Tensors tensors;
    std::map<std::string, std::string> metadata{};
};

/// Throws FormatError naming `name`, the tensor, what stands there and what was needed.
Safetensors parse_safetensors(std::span<const std::byte> bytes, const std::string& name);
/// Throws FormatError too, and std::filesystem::filesystem_error when `file` cannot be read.
Safetensors read_safetensors(const std::filesystem::path& file);

std::vector<std::byte> to_bytes(const Safetensors& content);
/// Writes a temporary beside `file` and renames it, so that no torn file is left. Throws
/// std::filesystem::filesystem_error.
void write_safetensors(const std::filesystem::path& file, const Safetensors& content);

}  // namespace vknorm::testing
