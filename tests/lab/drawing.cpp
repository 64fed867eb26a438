#include "lab/drawing.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace lab::testing {

namespace {

float overlap(const plot::Rect& a, const plot::Rect& b) {
    const float x = std::min(a.max.x, b.max.x) - std::max(a.min.x, b.min.x);
    const float y = std::min(a.max.y, b.max.y) - std::max(a.min.y, b.min.y);
    return x > 0 && y > 0 ? x * y : 0;
}

}  // namespace

void expect_letters_apart(Stage& stage) {
    const std::vector<Glyph>& glyphs = stage.glyphs();
    for (size_t i = 0; i < glyphs.size(); ++i)
        for (size_t k = i + 1; k < glyphs.size(); ++k) {
            const float least = std::min(glyphs[i].rect.width() * glyphs[i].rect.height(),
                                         glyphs[k].rect.width() * glyphs[k].rect.height());
            const plot::Rect& at = glyphs[i].rect;
            ASSERT_LT(overlap(at, glyphs[k].rect), 0.3f * least) << "at " << at.min.x << ", " << at.min.y;
        }
}

void expect_letters_whole(Stage& stage) {
    const std::vector<plot::Rect> cards = stage.frames();
    const plot::Rect controls = stage.layout().controls;
    for (const Glyph& glyph : stage.glyphs()) {
        const plot::Rect& r = glyph.rect;
        const plot::Rect& clip = glyph.clip;
        const bool scrolls = controls.contains(clip.min) && controls.contains(clip.max);
        const bool inside = std::any_of(cards.begin(), cards.end(), [&](const plot::Rect& card) {
            return r.min.x >= card.min.x && r.max.x <= card.max.x &&
                   (scrolls || (r.min.y >= card.min.y && r.max.y <= card.max.y));
        });
        ASSERT_TRUE(inside) << r.min.x << ", " << r.min.y;
        ASSERT_TRUE(r.min.x >= clip.min.x - 1 && r.max.x <= clip.max.x + 1 &&
                    (scrolls || (r.min.y >= clip.min.y - 1 && r.max.y <= clip.max.y + 1)))
            << r.min.x << " to " << r.max.x << ", " << r.min.y << " in " << clip.min.x << " to " << clip.max.x
            << ", " << clip.min.y;
    }
}

}  // namespace lab::testing
