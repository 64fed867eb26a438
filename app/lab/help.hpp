// The dialog that lists keys and gestures, and explains words.
#pragma once

#include <span>

#include "app/lab/dialog.hpp"
#include "app/lab/shortcut.hpp"
#include "app/ui/ink.hpp"

namespace lab {

class Help {
  public:
    static constexpr const char* id = "help";

    /// What it shows when it opens next.
    void turn_to_keys() { glossary_ = false; }
    void turn_to_glossary(const char* name = "");

    /// In the middle of a screen of `size`, if it is open.
    void draw(const Look& look, ImVec2 size, std::span<const Shortcut> shortcuts);

  private:
    void draw_glossary(const Look& look, float width, float height);

    bool glossary_ = false;
    SearchLine search_;
};

}  // namespace lab
