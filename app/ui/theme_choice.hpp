// Which looks the screen has; what they are is in theme.hpp.
#pragma once

namespace lab {

enum class ThemeChoice { dark, light, projector };

}  // namespace lab
