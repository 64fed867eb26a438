// This is the IDX format of Y. LeCun's MNIST page: a big-endian magic number 00 00 type rank, `rank`
// big-endian 32-bit lengths, then the values.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include <vknorm/idx.hpp>

namespace vknorm::detail {

/// This is a file in memory, plain or gzip-compressed, and its name for messages.
struct NamedBytes {
    std::span<const std::byte> bytes;
    std::string name;
};

/// Reads pictures and their labels; these are the file's numbers, below `classes`. Throws FormatError.
Dataset parse_idx(const NamedBytes& images, const NamedBytes& labels, uint64_t max_bytes = default_max_bytes);

/// Whether both hold the same header and values. Throws FormatError when one of them does not hold what it
/// announces.
bool same_idx(const NamedBytes& a, const NamedBytes& b, uint64_t max_bytes);

/// What the name of a file says of its contents.
struct IdxRole {
    std::string set;   ///< "emnist-letters", or empty
    std::string part;  ///< "train", "t10k" or "test"
    bool labels;       ///< or else pictures
};
/// None when it is no name of an IDX file.
std::optional<IdxRole> idx_role(const std::string& file_name);

}  // namespace vknorm::detail
