// The one way by which mouse and keyboard reach the screen, whether they come from a window, a script or a
// test.
//
// ImGui 1.86 only sees the state of a key or button at each frame, so that a press and its release within one
// slow frame are lost. The queue hands out the events of one frame such that nothing is: at most one change
// of every button and key, and no movement after a change (the click would land elsewhere).
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace lab {

/// Characters stand for themselves ('A', '1', ' '); the rest have names.
enum class Key : uint16_t {
    tab = 256,
    left,
    right,
    up,
    down,
    page_up,
    page_down,
    home,
    end,
    insert,
    del,
    backspace,
    enter,
    escape,
    control,
    shift,
    alt,
    f11,
    f12,
};
constexpr Key key(char character) {
    return static_cast<Key>(character);
}
inline constexpr int key_count = 512;  ///< more than the largest Key

struct InputEvent {
    enum class Kind { move, button, wheel, key, text, focus, drop };
    Kind kind;
    float x = 0, y = 0;  ///< move: pixels; wheel: notches, y away from the user
    int button = 0;      ///< 0 left, 1 right, 2 middle
    Key key{};
    bool down = false;  ///< button, key; focus: gained
    uint32_t character = 0;
    std::vector<std::string> paths{};  ///< drop: of files and folders
};

class InputQueue {
  public:
    void move(float x, float y) { push({.kind = InputEvent::Kind::move, .x = x, .y = y}); }
    void button(int button, bool down) {
        push({.kind = InputEvent::Kind::button, .button = button, .down = down});
    }
    void wheel(float x, float y) { push({.kind = InputEvent::Kind::wheel, .x = x, .y = y}); }
    void key(Key key, bool down) { push({.kind = InputEvent::Kind::key, .key = key, .down = down}); }
    void text(uint32_t character) { push({.kind = InputEvent::Kind::text, .character = character}); }
    void drop(std::vector<std::string> paths) {
        push({.kind = InputEvent::Kind::drop, .paths = std::move(paths)});
    }
    void focus(bool gained) { push({.kind = InputEvent::Kind::focus, .down = gained}); }

    bool empty() const { return events_.empty(); }
    /// Removes and returns what the next frame may see, in order.
    std::vector<InputEvent> take_frame();

  private:
    void push(InputEvent event) { events_.push_back(std::move(event)); }
    std::deque<InputEvent> events_;
};

}  // namespace lab
