// Plays a script through the input queue of a screen without a display, while its session trains.
#pragma once

#include <functional>
#include <optional>

#include "app/lab/script.hpp"
#include "app/lab/shell.hpp"
#include "app/ui/drawn_text.hpp"

namespace lab {

/// What the window's surroundings do in place of one.
struct ScriptHost {
    /// Told of every frame, with what the user asked of the program.
    std::function<void(const Frame&, const Requests&)> on_frame;
    std::function<void(const Frame&, const std::filesystem::path&)> shot;
};

class ScriptPlayer {
  public:
    /// All must outlive this. `size` in pixels; `patience`: seconds in which what is looked for may come.
    ScriptPlayer(Screen& screen, Shell& shell, Commands& commands, ImVec2 size, ScriptHost host,
                 double patience = 5);

    /// Throws ScriptError for the first line that cannot be done, or expects in vain.
    void play(const Script& script);

  private:
    using Words = std::span<const ScriptWord>;

    void act(const ScriptLine& line);
    void frame();
    /// Frames until the input queue is empty and what was done has had its effect.
    void settle();
    /// Frames, while time passes, until `reached`; false: it took too long.
    bool wait_until(double seconds, const std::function<bool()>& reached);

    std::vector<plot::Rect> find(const std::string& words);
    /// Takes a place from the front of `words`, in pixels.
    ImVec2 take_place(Words& words);
    double take_number(Words& words, const char* what);
    void click(ImVec2 at, int button, int times);
    void drag(ImVec2 from, ImVec2 to);
    void press(const std::string& keys);
    void wait(Words words);
    void expect(Words words);

    Screen& screen_;
    Shell& shell_;
    Commands& commands_;
    ImVec2 size_;
    ScriptHost host_;
    double patience_;
    DrawnText text_;
    Frame frame_{};
    std::filesystem::path folder_;  // of the script
};

}  // namespace lab
