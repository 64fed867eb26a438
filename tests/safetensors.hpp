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

enum class Dtype { f64, f32, f16, bf16, i64, i32, u8, boolean };

const char* name_of(Dtype dtype);

using Shape = std::vector<uint64_t>;

std::string text(const Shape& shape);
uint64_t elements(const Shape& shape);

struct Tensor {
    Dtype dtype = Dtype::f32;
    Shape shape{};
    std::vector<std::byte> bytes{};

    Tensor() = default;
    Tensor(Shape shape, std::span<const float> values);
    Tensor(Shape shape, std::span<const int64_t> values);

    /// The values; throw std::invalid_argument for another dtype than f32 or i64.
    std::vector<float> floats() const { return values<float>(Dtype::f32); }
    std::vector<int64_t> integers() const { return values<int64_t>(Dtype::i64); }

  private:
    template <class T>
    std::vector<T> values(Dtype needed) const;
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
