// What a key does: obeyed while nothing is typed, and listed by the help.
#pragma once

#include <functional>
#include <string>

#include "app/ui/input.hpp"

namespace lab {

struct Shortcut {
    Key key;
    bool control = false, shift = false;  ///< held, too; shift: with control
    std::string keys;                     ///< as the help names it; empty: it is listed with another one
    std::string meaning;
    std::function<void()> act;
    bool always = false;  ///< while a dialog or a list is open, too
};

}  // namespace lab
