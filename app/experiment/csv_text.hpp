// Text in a cell of a CSV file.
#pragma once

#include <string>

namespace lab {

/// In quotes, with those in it doubled (RFC 4180).
inline std::string in_quotes(std::string text) {
    for (size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) text.insert(at, 1, '"');
    return '"' + text + '"';
}

}  // namespace lab
