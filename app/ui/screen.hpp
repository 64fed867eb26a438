// One ImGui context: feeds it the input queue, begins and ends its frames.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "app/ui/drawn_plots.hpp"
#include "app/ui/focus.hpp"
#include "app/ui/input.hpp"
#include "app/ui/theme.hpp"

struct ImGuiContext;

namespace lab {

/// All that a renderer needs: the ground, plates on it, ImGui's triangles on top.
struct Frame {
    ImDrawData* draw_data;
    Color ground;
    std::span<const Plate> plates;
};

class Screen {
  public:
    /// `scale` is the display's: 1 for 96 dots per inch. Where there are fewer than `least` pixels at that
    /// scale everything shrinks instead of being cut.
    explicit Screen(float scale, ImVec2 least = {0, 0});
    /// One like it but `larger` times as large, that nobody points at. While it lives, ImGui's calls are its.
    Screen(const Screen& like, float larger);
    ~Screen();
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    InputQueue& input() { return input_; }
    Look look() { return {*theme_, fonts(), scale_ * theme_->type, plates_, focus_, plots_}; }
    void set_theme(const Theme& theme);
    /// Those of the latest frame.
    DrawnPlots& plots() { return plots_; }

    /// Begins a frame of `size` pixels, `seconds` after the previous one.
    void begin(ImVec2 size, float seconds);
    /// Ends it; what is returned lives until the next frame begins.
    Frame end();
    /// Paths of what was dropped since this was last called.
    std::vector<std::string> take_dropped() { return std::exchange(dropped_, {}); }
    /// Whether the picture may still change with nothing new to show: input waits, a button is held, text
    /// blinks.
    bool restless() const;

  private:
    void feed();
    const Fonts& fonts() const { return fonts_[theme_->type > 1 ? 1 : 0]; }

    ImGuiContext* before_;  // current when this one came
    ImGuiContext* context_;
    float scale_;
    ImVec2 least_;
    float shrinking_ = 1;       // from ImGui's pixels to the display's
    std::vector<Fonts> fonts_;  // of the usual size, and larger ones
    const Theme* theme_ = nullptr;
    InputQueue input_;
    std::vector<std::string> dropped_;
    std::vector<Plate> plates_;
    Focus focus_;
    DrawnPlots plots_;
};

/// Whether `key` went down in this frame, nothing is being typed and no control, shift or alt is held.
bool pressed(Key key);
/// The same with control held, and shift or not.
bool pressed_with_control(Key key, bool shift = false);

}  // namespace lab
