// Ready-made start settings, offered by name.
#pragma once

#include <span>

#include "app/experiment/settings.hpp"

namespace lab {

struct Preset {
    const char* name;
    Settings settings;
};

std::span<const Preset> presets();

}  // namespace lab
