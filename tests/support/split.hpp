// A list on a command line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vknorm::testing {

/// The parts between the separators, empty ones too: of "4x3x" the last one is.
inline std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts{""};
    for (const char character : text) {
        if (character == separator)
            parts.emplace_back();
        else
            parts.back() += character;
    }
    return parts;
}

}  // namespace vknorm::testing
