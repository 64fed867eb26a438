// The command palette: everything there is, found by a few letters. It knows no command itself.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "app/lab/dialog.hpp"

namespace lab {

/// What can be chosen.
struct PaletteEntry {
    std::string kind;    ///< what its name is the name of
    std::string name;    ///< by which it is found, together with its kind
    std::string detail;  ///< keys, or the present value
    /// Does it. Throws Unfit where `value` cannot be.
    std::function<void(const std::string& value)> act;
    std::string form{};  ///< of the value that has to be typed first; empty: none has
};

/// The entries that fit what was typed, best first.
std::vector<const PaletteEntry*> matching(std::span<const PaletteEntry> entries, const std::string& typed);

class Palette {
  public:
    static constexpr const char* id = "palette";

    /// At the top of a screen of `size`, if it is open. `entries` may differ from frame to frame.
    void draw(const Look& look, ImVec2 size, std::span<const PaletteEntry> entries);

  private:
    void choose(const PaletteEntry& entry);
    void draw_rows(const Look& look, std::span<const PaletteEntry* const> rows, float width);
    void draw_value(const Look& look, const PaletteEntry& entry);

    SearchLine line_;
    std::string typed_;  // before this frame
    DialogRows rows_;
    std::string asks_for_;   // name of the entry whose value is being typed; empty: none is
    std::string complaint_;  // why the value typed cannot be
};

}  // namespace lab
