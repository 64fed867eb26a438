// Records of CIFAR in memory: bytes of labels, then 32 x 32 pixels in red, in green, and in blue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <vknorm/cifar.hpp>

namespace vknorm::detail {

inline constexpr uint32_t cifar_side = 32, cifar_channels = 3;
inline constexpr size_t cifar_pixels = size_t{cifar_channels} * cifar_side * cifar_side;

/// Which bytes of a record are its class.
struct CifarLabels {
    size_t bytes;  ///< of labels before the pixels
    size_t at;     ///< which of them counts
    uint32_t classes;
};

/// Appends the records of a file, called `name` in messages, to `data`. Throws FormatError.
void parse_cifar(std::span<const std::byte> file, const std::string& name, const CifarLabels& labels,
                 Dataset& data);

}  // namespace vknorm::detail
