// One array in the .npy format (numpy.org/doc, "numpy.lib.format"), and where arrays come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <vknorm/npy.hpp>

#include "data/file.hpp"

namespace vknorm::detail {

struct NpyHeader {
    std::string type;  ///< "u1", "i4", "i8", "f4" or "f8"
    std::vector<uint64_t> shape;
    uint64_t elements;      ///< product of the shape
    uint64_t header_bytes;  ///< where the elements begin

    uint64_t element_bytes() const { return static_cast<uint64_t>(type[1] - '0'); }
};

/// No header may be longer.
inline constexpr size_t max_npy_header_bytes = 65536;

/// Reads the header that `beginning` begins with; the array is called `name` in messages. Throws FormatError.
NpyHeader parse_npy_header(std::span<const std::byte> beginning, const std::string& name);

/// An array that has not been read.
struct ArraySource {
    std::string name;  ///< in messages
    uint64_t bytes;    ///< as is announced
    /// Its first bytes, so many if there are; takes memory for no more.
    std::function<Bytes(size_t most)> read;
};
/// By the names of the arrays.
using ArraySources = std::map<std::string, ArraySource>;

/// The arrays of an archive. `file` lives as long as they do. Throws FormatError.
ArraySources parse_npz(std::span<const std::byte> file, const std::string& name);

/// Does what read_npy() does with those arrays, of `name`.
NpyData data_of(const ArraySources& arrays, const std::string& name, const NpyOptions& options);

}  // namespace vknorm::detail
