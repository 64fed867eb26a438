#include "app/experiment/data_file.hpp"

#include <algorithm>

namespace lab {

std::optional<DataFile> parse_data_file(const std::string& text) {
    const size_t colon = text.find(':');
    const auto format = std::find_if(data_formats.begin(), data_formats.end(), [&](const DataFormat& one) {
        return colon != std::string::npos && text.substr(0, colon) == one.word;
    });
    if (format == data_formats.end()) return std::nullopt;
    const std::string path = text.substr(colon + 1);
    const size_t mark = path.rfind('#');
    std::error_code ignored;
    if (mark == std::string::npos || std::filesystem::exists(path, ignored))
        return DataFile{format, path, ""};
    return DataFile{format, path.substr(0, mark), path.substr(mark + 1)};
}

}  // namespace lab
