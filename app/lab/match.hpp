// How well a few typed letters fit a name.
#pragma once

#include <optional>
#include <string_view>

namespace lab {

/// 0 is best; none: they do not fit. Every word typed must begin a word of the name, stand in it, or have its
/// letters in it in that order, near each other; capitals do not matter.
std::optional<float> match(std::string_view typed, std::string_view name);

}  // namespace lab
