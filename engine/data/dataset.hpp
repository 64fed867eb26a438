// The generators of data sets share these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/random.hpp"

namespace vknorm::detail {

/// Throws std::invalid_argument unless 1 <= size <= most.
void require_size(const std::string& operation, size_t size, size_t most);

/// Returns as many labels of every class, within one, in random order.
std::vector<uint32_t> balanced_labels(size_t size, uint32_t classes, Random& random);

}  // namespace vknorm::detail
