// The first minute: three cards in the column of controls, each below what it speaks of, until they are
// dismissed.
#pragma once

#include <array>
#include <optional>

#include "app/ui/ink.hpp"

namespace lab {

class Introduction {
  public:
    /// What a card can stand below.
    enum class Place { twins, learning_rate, batch };

    void begin() { at_ = 0; }
    bool running() const { return at_.has_value(); }
    /// The card of that place, if it is its turn. It moves what follows, and hides nothing.
    void draw_below(const Look& look, Place place);

  private:
    std::optional<size_t> at_;
    bool reveal_ = true;  // it has to be scrolled to
};

}  // namespace lab
