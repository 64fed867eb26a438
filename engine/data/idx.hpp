// This is the IDX format of Y. LeCun's MNIST page: a big-endian magic number 00 00 type rank, `rank`
// big-endian 32-bit lengths, then the values.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <vknorm/data.hpp>

namespace vknorm::detail {

/// This is a file in memory, plain or gzip-compressed, and its name for messages.
struct NamedBytes {
    std::span<const std::byte> bytes;
    std::string name;
};

/// Reads pictures and their labels. Throws FormatError.
Dataset parse_idx(const NamedBytes& images, const NamedBytes& labels);

}  // namespace vknorm::detail
