// These are comma-separated numbers in memory.
#pragma once

#include <string>
#include <string_view>

#include <vknorm/data.hpp>

namespace vknorm::detail {

/// Does what read_csv does, with the file's contents; `name` stands in messages.
Dataset parse_csv(std::string_view text, const std::string& name);

}  // namespace vknorm::detail
