// These are tables in memory.
#pragma once

#include <string>
#include <string_view>

#include <vknorm/csv.hpp>

namespace vknorm::detail {

/// Does what read_csv does, with the file's decompressed contents; `name` stands in messages.
CsvData parse_csv(std::string_view text, const std::string& name, const CsvOptions& options = {});

}  // namespace vknorm::detail
