// A card of numbers among the controls: of what pointer or keyboard is on, or of what is inspected.
#pragma once

#include <string>

#include "app/ui/ink.hpp"

namespace lab {

class NumberCard {
  public:
    /// Of so many rows, where the controls go on. `title` may have hats; `lit` where it is of what is pointed
    /// at.
    NumberCard(const Look& look, const std::string& title, const char* note, size_t rows, bool lit);

    /// Small words above two columns.
    void heads(const char* first, const char* second);
    void row(const char* words, const std::string& first, const std::string& second);
    void row(const char* words, const std::string& number) { row(words, "", number); }
    /// The controls go on below.
    void end();

  private:
    void right_aligned(ImFont* font, float edge, Color color, const std::string& words);

    const Look& look_;
    ImDrawList& list_;
    plot::Rect frame_;
    float y_, left_, right_, middle_;
};

}  // namespace lab
