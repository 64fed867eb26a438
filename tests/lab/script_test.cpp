// Scripts: how they are read, and those of the folder scripts/, each of which is an interaction as a user has
// it.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <random>

#include "app/experiment/session.hpp"
#include "app/lab/script_player.hpp"
#include "lab/stage.hpp"
#include "support/places.hpp"

namespace {

using namespace lab;
using lab::testing::test_device;
using lab::testing::test_gpu;

const ImVec2 size{1600, 1000};

/// The Lab with a session that trains small networks, without a window.
struct Lab {
    Lab() { screen.set_theme(dark_theme()); }

    static Settings small() {
        Settings settings;
        settings.hidden = {8, 8};
        return settings;
    }

    vknorm::Device device{test_device()};
    Session session{device, small()};
    Screen screen{1, least_window};
    Shell shell{session};
    size_t frames = 0, shots = 0;
    Requests requests;
};

void play(Lab& lab, const Script& script) {
    const auto on_frame = [&](const Frame&, const Requests& now) {
        ++lab.frames;
        lab.requests.screenshot |= now.screenshot;
    };
    const auto shot = [&](const Frame&, const std::filesystem::path&) { ++lab.shots; };
    ScriptPlayer(lab.screen, lab.shell, lab.session, size, {on_frame, shot}).play(script);
}

TEST(Script, IsReadWordByWord) {
    const Script script =
        parse_script("a.txt", "# what for\n\nclick \"Learning rate\" #2 +3 -4 # there\nkey S\n");
    ASSERT_EQ(script.lines.size(), 2u);
    EXPECT_EQ(script.lines[0].number, 3u);
    const std::vector<ScriptWord>& words = script.lines[0].words;
    ASSERT_EQ(words.size(), 5u);
    EXPECT_TRUE(words[1].quoted);
    EXPECT_EQ(words[1].text, "Learning rate");
    EXPECT_EQ(words[2].text, "#2");
    EXPECT_EQ(script.lines[1].number, 4u);
    EXPECT_THROW(parse_script("a.txt", "click \"Run"), ScriptError);
}

TEST(Script, ErrorsNameFileAndLine) {
    const std::pair<const char*, const char*> cases[] = {
        {"jump", "a.txt:2: got 'jump', needs click"},
        {"click \"Nowhere\"", "a.txt:2: \"Nowhere\" is not on the screen"},
        {"click 3", "a.txt:2: a place: got nothing, needs a number"},
        {"expect \"Nowhere\"", "a.txt:2: expect: \"Nowhere\" is not on the screen"},
        {"expect batch 31", "a.txt:2: expect: batch is 32, not 31"},
        {"expect bats 31", "a.txt:2: expect: got 'bats', needs a setting"},
        {"key Hyper", "a.txt:2: key: got 'Hyper', needs"},
        {"wait 3 days", "a.txt:2: wait: got 'days', needs steps or frames"},
        {"click 3 3 3", "a.txt:2: click: got '3' too many"}};
    Lab lab;
    for (const auto& [line, wanted] : cases) try {
            ScriptPlayer player(lab.screen, lab.shell, lab.session, size,
                                {[](const Frame&, const Requests&) {}, {}}, 0.05);
            player.play(parse_script("a.txt", std::string("wait 1 frames\n") + line));
            ADD_FAILURE() << line << " was done";
        } catch (const ScriptError& error) {
            EXPECT_EQ(std::string(error.what()).find(wanted), 0u) << error.what();
        }
}

TEST(Script, PicturesAndExportsReachItsHost) {
    Lab lab;
    play(lab,
         parse_script("a.txt",
                      "key F12\nshot there.png\nwait 5 frames\ntype \"?\"\nexpect \"Keys and gestures\""));
    EXPECT_TRUE(lab.requests.screenshot);
    EXPECT_EQ(lab.shots, 1u);
    EXPECT_GT(lab.frames, 8u);
}

std::vector<std::filesystem::path> scripts() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::directory_iterator(vknorm::testing::project_file("tests/lab/scripts")))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

class EveryScript : public ::testing::TestWithParam<std::filesystem::path> {};
INSTANTIATE_TEST_SUITE_P(Script, EveryScript, ::testing::ValuesIn(scripts()),
                         [](const auto& file) { return file.param.stem().string(); });

TEST_P(EveryScript, Plays) {
    Lab lab;
    try {
        play(lab, read_script(GetParam()));
    } catch (const ScriptError& error) {
        ADD_FAILURE() << error.what();
    }
}

/// One event as nobody would think of it.
void do_anything(InputQueue& input, std::mt19937& random, ImVec2 on) {
    const auto below = [&](uint32_t end) { return static_cast<uint32_t>(random() % end); };
    static constexpr Key keys[] = {Key::tab,   Key::left,   Key::right,   Key::up,    Key::down, Key::home,
                                   Key::enter, Key::escape, Key::control, Key::shift, Key::f11,  Key::f12,
                                   key(' '),   key('S'),    key('R'),     key('T'),   key('F'),  key('B'),
                                   key('L'),   key('D'),    key('P'),     key('Z'),   key('Y'),  key('1'),
                                   key('2'),   key('3'),    key('4'),     key('5'),   key('6'),  key('7'),
                                   key('C'),   key('V'),    key(','),     key('.'),   Key::end};
    switch (below(8)) {
        case 0:
        case 1:
        case 2:
            input.move(static_cast<float>(below(static_cast<uint32_t>(on.x))),
                       static_cast<float>(below(static_cast<uint32_t>(on.y))));
            break;
        case 3:
        case 4: {
            const int button = below(5) == 0 ? 1 : 0;
            input.button(button, below(2) == 0);
            break;
        }
        case 5:
            input.wheel(0, static_cast<float>(below(7)) - 3);
            break;
        case 6:
            input.key(keys[below(std::size(keys))], below(2) == 0);
            break;
        default:
            input.text(below(4) == 0 ? '?' : '0' + below(10));
            if (below(50) == 0) input.focus(false);
    }
}

// VKNORM_MONKEY_EVENTS makes it longer.
TEST(Monkey, NothingBreaksIt) {
    const char* const wanted = std::getenv("VKNORM_MONKEY_EVENTS");
    const int events = wanted ? std::atoi(wanted) : 300;
    std::mt19937 random(7);
    Lab lab;
    Renderer renderer(test_gpu(), VK_FORMAT_R8G8B8A8_UNORM);
    const ImVec2 sizes[] = {{1600, 1000}, {1280, 800}, {900, 600}};
    for (int event = 0; event < events; ++event) {
        const ImVec2 on = sizes[static_cast<size_t>(event / 1000) % std::size(sizes)];
        do_anything(lab.screen.input(), random, on);
        lab.screen.begin(on, 1.0f / 30);
        lab.shell.draw(lab.screen, 10);
        const Frame frame = lab.screen.end();
        const ImDrawData& data = *frame.draw_data;
        for (int l = 0; l < data.CmdListsCount; ++l)
            for (const ImDrawVert& vertex : data.CmdLists[l]->VtxBuffer)
                ASSERT_TRUE(std::isfinite(vertex.pos.x) && std::isfinite(vertex.pos.y)) << "event " << event;
        if (event % 200 == 199)
            Offscreen(test_gpu(), renderer, static_cast<uint32_t>(on.x), static_cast<uint32_t>(on.y))
                .draw(frame);
    }
    // Let go of everything; it still runs.
    lab.screen.input().focus(false);
    for (int i = 0; i < 20; ++i) {
        lab.screen.begin(sizes[0], 1.0f / 30);
        lab.shell.draw(lab.screen, 10);
        lab.screen.end();
    }
    EXPECT_NE(lab.session.snapshot(), nullptr);
}

}  // namespace
