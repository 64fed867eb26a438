// The input queue loses nothing, whatever happens within one slow frame.
#include "app/ui/input.hpp"

#include <gtest/gtest.h>

namespace {

using lab::InputEvent;
using lab::InputQueue;
using lab::Key;
using Kind = InputEvent::Kind;

// What each frame sees, as letters: m move, p press, r release, w wheel, d key down, u key up, t text,
// o drop.
std::vector<std::string> frames(InputQueue& queue) {
    std::vector<std::string> result;
    while (!queue.empty()) {
        std::string frame;
        for (const InputEvent& event : queue.take_frame()) switch (event.kind) {
                case Kind::move:
                    frame += 'm';
                    break;
                case Kind::button:
                    frame += event.down ? 'p' : 'r';
                    break;
                case Kind::wheel:
                    frame += 'w';
                    break;
                case Kind::key:
                    frame += event.down ? 'd' : 'u';
                    break;
                case Kind::text:
                    frame += 't';
                    break;
                case Kind::focus:
                    frame += 'f';
                    break;
                case Kind::drop:
                    frame += 'o';
                    break;
            }
        result.push_back(frame);
        if (frame.empty()) break;  // stuck
    }
    return result;
}

using Frames = std::vector<std::string>;

TEST(InputQueue, AClickWithinOneFrameTakesTwo) {
    InputQueue queue;
    queue.move(5, 5);
    queue.button(0, true);
    queue.button(0, false);
    EXPECT_EQ(frames(queue), (Frames{"mp", "r"}));
}

TEST(InputQueue, ADoubleClickTakesFour) {
    InputQueue queue;
    for (int i = 0; i < 2; ++i) queue.button(0, true), queue.button(0, false);
    EXPECT_EQ(frames(queue), (Frames{"p", "r", "p", "r"}));
}

TEST(InputQueue, AClickLandsWhereItWasMade) {
    InputQueue queue;
    queue.move(1, 1);
    queue.button(0, true);
    queue.move(900, 900);
    queue.button(0, false);
    EXPECT_EQ(frames(queue), (Frames{"mp", "mr"}));
}

TEST(InputQueue, MovesAndTextAreNotHeldBack) {
    InputQueue queue;
    for (int i = 0; i < 100; ++i) queue.move(static_cast<float>(i), 0);
    queue.text('a');
    queue.text('b');
    EXPECT_EQ(frames(queue).size(), 1u);
}

TEST(InputQueue, AKeyAndItsModifierKeepTheirOrder) {
    InputQueue queue;
    queue.key(Key::control, true);
    queue.key(lab::key('E'), true);
    queue.key(lab::key('E'), false);
    queue.key(Key::control, false);
    EXPECT_EQ(frames(queue), (Frames{"dd", "uu"}));
}

TEST(InputQueue, AShortKeyPressTakesTwoFrames) {
    InputQueue queue;
    queue.key(lab::key(' '), true);
    queue.key(lab::key(' '), false);
    queue.key(lab::key(' '), true);
    EXPECT_EQ(frames(queue), (Frames{"d", "u", "d"}));
}

TEST(InputQueue, AWheelTurnsWhereItWasTurned) {
    InputQueue queue;
    queue.move(1, 1);
    queue.wheel(0, 1);
    queue.wheel(0, 1);
    queue.move(2, 2);
    queue.button(0, true);
    queue.wheel(0, 1);
    EXPECT_EQ(frames(queue), (Frames{"mww", "mp", "w"}));
}

}  // namespace
