#include "app/lab/script_player.hpp"

#include <array>
#include <cctype>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

namespace lab {

namespace {

using Clock = std::chrono::steady_clock;

constexpr float frame_seconds = 1.0f / 30;
constexpr double patience_with_steps = 120;  // seconds; they may be slow
constexpr auto pause = std::chrono::milliseconds(5);
constexpr int frames_of_a_drag = 4;

/// Why a line cannot be done; play() adds where it stands.
[[noreturn]] void refuse(const std::string& why) {
    throw std::invalid_argument(why);
}

std::optional<double> number_in(const std::string& text) {
    try {
        size_t end = 0;
        const double value = std::stod(text, &end);
        if (end == text.size() && std::isfinite(value)) return value;
    } catch (const std::exception&) {
    }
    return std::nullopt;
}

Key key_named(const std::string& name) {
    static constexpr std::pair<const char*, Key> named[] = {
        {"Space", key(' ')},    {"Tab", Key::tab},     {"Enter", Key::enter}, {"Escape", Key::escape},
        {"Left", Key::left},    {"Right", Key::right}, {"Up", Key::up},       {"Down", Key::down},
        {"Home", Key::home},    {"End", Key::end},     {"Delete", Key::del},  {"Backspace", Key::backspace},
        {"Ctrl", Key::control}, {"Shift", Key::shift}, {"Alt", Key::alt},     {"F11", Key::f11},
        {"F12", Key::f12}};
    for (const auto& [word, key] : named)
        if (name == word) return key;
    if (name.size() != 1 || !std::isgraph(static_cast<unsigned char>(name[0])))
        refuse("key: got '" + name + "', needs a character, or a name such as Ctrl, Enter or F11");
    return key(static_cast<char>(std::toupper(static_cast<unsigned char>(name[0]))));
}

}  // namespace

ScriptPlayer::ScriptPlayer(Screen& screen, Shell& shell, Commands& commands, ImVec2 size, ScriptHost host,
                           double patience)
    : screen_(screen),
      shell_(shell),
      commands_(commands),
      size_(size),
      host_(std::move(host)),
      patience_(patience) {}

void ScriptPlayer::play(const Script& script) {
    folder_ = std::filesystem::path(script.name).parent_path();
    settle();
    for (const ScriptLine& line : script.lines) try {
            act(line);
        } catch (const std::invalid_argument& wrong) {
            throw ScriptError(script.name, line.number, wrong.what());
        }
}

void ScriptPlayer::act(const ScriptLine& line) {
    const std::string& verb = line.words[0].text;
    Words rest = Words(line.words).subspan(1);
    if (verb == "click" || verb == "right-click" || verb == "double-click") {
        const ImVec2 at = take_place(rest);
        click(at, verb == "right-click" ? 1 : 0, verb == "double-click" ? 2 : 1);
    } else if (verb == "hover") {
        const ImVec2 at = take_place(rest);
        screen_.input().move(at.x, at.y);
    } else if (verb == "drag") {
        const ImVec2 from = take_place(rest);
        if (rest.empty() || rest[0].text != "to") refuse("drag: needs a place, to, and another place");
        rest = rest.subspan(1);
        drag(from, take_place(rest));
    } else if (verb == "wheel") {
        screen_.input().wheel(0, static_cast<float>(take_number(rest, "wheel: notches")));
    } else if (verb == "key" || verb == "type" || verb == "shot") {
        if (rest.size() != 1) refuse(verb + ": needs one word");
        const std::string word = rest[0].text;
        rest = {};
        if (verb == "key") press(word);
        if (verb == "type")
            for (const char character : word) screen_.input().text(static_cast<unsigned char>(character));
        if (verb == "shot") return host_.shot(frame_, word);
    } else if (verb == "drop") {
        if (rest.empty()) refuse("drop: needs paths of files or a folder");
        std::vector<std::string> paths;
        for (const ScriptWord& word : std::exchange(rest, {}))
            paths.push_back((folder_ / word.text).string());
        screen_.input().drop(std::move(paths));
    } else if (verb == "wait") {
        wait(std::exchange(rest, {}));
    } else if (verb == "expect") {
        expect(std::exchange(rest, {}));
    } else {
        refuse(
            "got '" + verb +
            "', needs click, right-click, double-click, hover, drag, wheel, key, type, drop, wait, expect or "
            "shot");
    }
    if (!rest.empty()) refuse(verb + ": got '" + rest[0].text + "' too many");
    settle();
}

void ScriptPlayer::frame() {
    screen_.begin(size_, frame_seconds);
    const Requests requests = shell_.draw(screen_, 0);
    frame_ = screen_.end();
    host_.on_frame(frame_, requests);
}

void ScriptPlayer::settle() {
    while (!screen_.input().empty()) frame();
    for (int i = 0; i < 3; ++i) frame();
}

bool ScriptPlayer::wait_until(double seconds, const std::function<bool()>& reached) {
    const Clock::time_point give_up =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    while (true) {
        if (reached()) return true;
        if (Clock::now() > give_up) return false;
        std::this_thread::sleep_for(pause);
        frame();
    }
}

std::vector<plot::Rect> ScriptPlayer::find(const std::string& words) {
    const std::vector<Glyph> glyphs = text_.read(*frame_.draw_data);
    const Fonts& fonts = screen_.look().fonts;
    std::vector<plot::Rect> found;
    for (const ImFont* font : {fonts.body, fonts.strong, fonts.small, fonts.mono})
        for (const plot::Rect& rect : find_words(glyphs, words, font)) found.push_back(rect);
    return found;
}

ImVec2 ScriptPlayer::take_place(Words& words) {
    if (words.empty()) refuse("needs a place: \"WORDS\", or two numbers");
    if (!words[0].quoted) {
        const double x = take_number(words, "a place"), y = take_number(words, "a place");
        return {static_cast<float>(x), static_cast<float>(y)};
    }
    const std::string text = words[0].text;
    words = words.subspan(1);
    size_t which = 1;
    if (!words.empty() && !words[0].quoted && words[0].text[0] == '#') {
        which = static_cast<size_t>(number_in(words[0].text.substr(1)).value_or(0));
        words = words.subspan(1);
    }
    const bool offset =
        words.size() >= 2 && !words[0].quoted && (words[0].text[0] == '+' || words[0].text[0] == '-');
    std::vector<plot::Rect> found;
    if (!wait_until(patience_, [&] { return (found = find(text)).size() >= std::max<size_t>(which, 1); }) ||
        which == 0)
        refuse("\"" + text + "\" is " +
               (found.empty() ? "not" : "only " + std::to_string(found.size()) + " times") +
               " on the screen");
    const plot::Rect& rect = found[which - 1];
    ImVec2 at{(rect.min.x + rect.max.x) / 2, (rect.min.y + rect.max.y) / 2};
    if (offset) {
        at.x = rect.min.x +
               screen_.look().px(static_cast<float>(take_number(words, "pixels right of the words")));
        at.y =
            rect.min.y + screen_.look().px(static_cast<float>(take_number(words, "pixels below the words")));
    }
    const ImVec2 pixels = ImGui::GetIO().DisplayFramebufferScale;
    return {at.x * pixels.x, at.y * pixels.y};
}

double ScriptPlayer::take_number(Words& words, const char* what) {
    const std::string got = words.empty() ? "nothing" : "'" + words[0].text + "'";
    const std::optional<double> value = words.empty() ? std::nullopt : number_in(words[0].text);
    if (!value) refuse(std::string(what) + ": got " + got + ", needs a number");
    words = words.subspan(1);
    return *value;
}

void ScriptPlayer::click(ImVec2 at, int button, int times) {
    screen_.input().move(at.x, at.y);
    for (int i = 0; i < times; ++i)
        for (const bool down : {true, false}) screen_.input().button(button, down);
}

void ScriptPlayer::drag(ImVec2 from, ImVec2 to) {
    screen_.input().move(from.x, from.y);
    screen_.input().button(0, true);
    for (int i = 1; i <= frames_of_a_drag; ++i) {
        settle();
        const float t = static_cast<float>(i) / frames_of_a_drag;
        screen_.input().move(from.x + (to.x - from.x) * t, from.y + (to.y - from.y) * t);
    }
    settle();
    screen_.input().button(0, false);
}

// "Ctrl+Shift+Z" is held in that order and let go of in the other one.
void ScriptPlayer::press(const std::string& keys) {
    if (keys == "?") return screen_.input().text('?');
    std::vector<Key> held;
    for (size_t begin = 0; begin <= keys.size();) {
        const size_t end = std::min(keys.find('+', begin), keys.size());
        held.push_back(key_named(keys.substr(begin, end - begin)));
        begin = end + 1;
    }
    for (const Key key : held) screen_.input().key(key, true);
    for (size_t i = held.size(); i-- > 0;) screen_.input().key(held[i], false);
}

void ScriptPlayer::wait(Words words) {
    const double count = take_number(words, "wait");
    if (words.size() != 1 || count < 0) refuse("wait: needs a number of steps or frames");
    if (words[0].text == "frames") {
        for (int i = 0; i < static_cast<int>(count); ++i) frame();
    } else if (words[0].text == "steps") {
        const uint64_t wanted = commands_.snapshot()->step + static_cast<uint64_t>(count);
        if (!wait_until(patience_with_steps, [&] { return commands_.snapshot()->step >= wanted; }))
            refuse("wait: the run is at step " + std::to_string(commands_.snapshot()->step) + ", not at " +
                   std::to_string(wanted));
    } else {
        refuse("wait: got '" + words[0].text + "', needs steps or frames");
    }
}

void ScriptPlayer::expect(Words words) {
    if (words.empty()) refuse("expect: needs \"WORDS\", no \"WORDS\", step N, or a setting and its value");
    const bool none = words[0].text == "no" && !words[0].quoted && words.size() == 2 && words[1].quoted;
    if (words[0].quoted || none) {
        const std::string text = words.back().text;
        if (!wait_until(patience_, [&] { return find(text).empty() == none; }))
            refuse("expect: \"" + text + "\" is " + (none ? "still" : "not") + " on the screen");
        return;
    }
    if (words.size() != 2) refuse("expect: needs one value of " + words[0].text);
    const std::string name = words[0].text, value = words[1].text;
    if (name == "step") {
        words = words.subspan(1);
        const auto step = static_cast<uint64_t>(take_number(words, "expect: step"));
        if (!wait_until(patience_with_steps, [&] { return commands_.snapshot()->step >= step; }))
            refuse("expect: the run is at step " + std::to_string(commands_.snapshot()->step));
        return;
    }
    for (const Field& field : fields)
        for (size_t twin = 0; twin < (is_of_twin(field) ? limits::max_twins : 1); ++twin) {
            if (word_of(field, twin) != name) continue;
            const auto now = [&] {
                const std::shared_ptr<const Snapshot> run = commands_.snapshot();
                return twin < run->settings.twins.size() ? text_of(field, run->settings, twin) : "";
            };
            if (!wait_until(patience_, [&] { return now() == value; }))
                refuse("expect: " + name + " is " + now() + ", not " + value);
            return;
        }
    refuse("expect: got '" + name + "', needs a setting as the command line names it");
}

}  // namespace lab
