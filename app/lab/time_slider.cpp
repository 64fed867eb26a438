#include "app/lab/time_slider.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "app/experiment/moments.hpp"
#include "app/lab/event_strip.hpp"
#include "app/plot/plot.hpp"
#include "app/ui/focus.hpp"
#include "app/ui/input.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

/// How fast it plays.
struct Pace {
    const char* name;
    float seconds;  ///< that a moment stays
};
constexpr std::array<Pace, 3> paces = {{{"¼", 0.6f}, {"1", 0.15f}, {"4", 0.0375f}}};
constexpr size_t most_digits = 9;  // of a step, that there is room for

constexpr float padding = 10, gap = 10, pace_width = 26, now_width = 52;
constexpr float flags_bottom = 17, track_middle = 25, track_height = 5,
                labels_top = 32;  // from the upper edge

/// Between two steps that are looked at, `keep` and before it in `past`.
size_t place_of(const std::vector<TimeSlider::Moment>& past, double step) {
    const auto after = std::find_if(past.begin(), past.end(), [&](const TimeSlider::Moment& moment) {
        return static_cast<double>(moment->step) >= step;
    });
    return static_cast<size_t>(after - past.begin());
}

void draw_labels(const Look& look, ImDrawList& list, const plot::Mapping& m, float top) {
    float free = m.left;
    for (const plot::Tick& tick :
         plot::ticks(m.x, plot::Scale::linear, static_cast<int>(m.width / look.px(90)))) {
        const ImVec2 size = plot::text_size(look.fonts.small, tick.label.c_str());
        const float left = std::clamp(m.to_x(tick.value) - size.x / 2, m.left, m.left + m.width - size.x);
        if (left < free) continue;
        plot::text(list, look.fonts.small, {left, top}, look.theme.muted, tick.label.c_str());
        free = left + size.x + look.px(6);
    }
}

}  // namespace

bool TimeSlider::has_past(const Snapshot& run) {
    return !run.moments.empty() && run.moments.front()->step < run.step;
}

TimeSlider::Moment TimeSlider::follow(const Moment& run, const Settings& settings, float seconds) {
    past_ = run->moments;
    std::erase_if(past_, [&](const Moment& moment) { return moment->step >= run->step; });
    const bool other = run->run != run_ || run->step < step_, resumed = !running_ && run->running,
               stepped = !running_ && !run->running && run->step != step_;
    run_ = run->run;
    step_ = run->step;
    running_ = run->running;
    if (other || resumed || stepped || (looked_at_ && !shows_inspected(*looked_at_, settings))) go_to_now();
    waited_ += seconds;
    if (playing_ && waited_ >= paces[static_cast<size_t>(pace_)].seconds) go_to(place() + 1);
    return looked_at_ ? looked_at_ : run;
}

std::optional<uint64_t> TimeSlider::past_step() const {
    return looked_at_ ? std::optional(looked_at_->step) : std::nullopt;
}

size_t TimeSlider::place() const {
    return looked_at_ ? place_of(past_, static_cast<double>(looked_at_->step)) : past_.size();
}

void TimeSlider::go_to(size_t place) {
    if (place >= past_.size()) return go_to_now();
    looked_at_ = past_[place];
    waited_ = 0;
}

void TimeSlider::go(int moments) {
    const auto last = static_cast<ptrdiff_t>(past_.size());
    go_to(static_cast<size_t>(std::clamp<ptrdiff_t>(static_cast<ptrdiff_t>(place()) + moments, 0, last)));
}

void TimeSlider::go_to_first() {
    go_to(0);
}

void TimeSlider::go_to_now() {
    looked_at_.reset();
    playing_ = false;
}

void TimeSlider::play_or_pause() {
    if (past_.empty()) return;
    playing_ = !playing_;
    if (playing_ && !looked_at_) go_to_first();
}

void TimeSlider::draw_track(const Look& look, const plot::Rect& area, const Snapshot& run) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const auto first = static_cast<double>(past_.front()->step), now = static_cast<double>(run.step);
    const plot::Mapping m{.x = {first, now},
                          .y = {},
                          .left = area.min.x,
                          .top = area.min.y,
                          .width = area.width(),
                          .height = area.height()};
    const float bottom = std::round(area.min.y + look.px(flags_bottom)),
                middle = std::round(area.min.y + look.px(track_middle)), half = look.px(track_height / 2);

    ImGui::SetCursorScreenPos({area.min.x - look.px(padding), bottom});
    ImGui::InvisibleButton("track", {area.width() + look.px(2 * padding), area.max.y - bottom});
    const bool held = ImGui::IsItemActive(), hovered = ImGui::IsItemHovered();
    hint(look,
         "Back through the run: drag, or left and right for the moment before and the next one, Home for the "
         "first, End for now. Everywhere: comma, period and End.",
         Side::above);
    if (held) {
        const double step = std::clamp(m.from_x(ImGui::GetMousePos().x), first, now);
        size_t nearest = place_of(past_, step);
        const auto step_at = [&](size_t place) {
            return place < past_.size() ? static_cast<double>(past_[place]->step) : now;
        };
        if (nearest > 0 && step - step_at(nearest - 1) < step_at(nearest) - step) --nearest;
        playing_ = false;
        go_to(nearest);
    }
    if (look.focus.take_part(look)) {
        if (const int moved = arrows_across()) go(moved);
        if (home_pressed()) go_to_first();
        if (ImGui::IsKeyPressed(static_cast<int>(Key::end), false)) go_to_now();
    }

    const float at = m.to_x(looked_at_ ? static_cast<double>(looked_at_->step) : now);
    const float left = area.min.x, right = area.max.x;
    list.AddRectFilled({left, middle - half}, {right, middle + half}, look.theme.control, half);
    if (!look.theme.dark)
        list.AddRect({left, middle - half}, {right, middle + half}, look.theme.control_border, half);
    list.AddRectFilled({left, middle - half}, {at, middle + half}, look.theme.grip, half);
    for (const Moment& moment : past_) {
        const float x = std::round(m.to_x(static_cast<double>(moment->step)));
        list.AddRectFilled({x, middle + half + look.px(2)}, {x + 1, middle + half + look.px(6)},
                           look.theme.muted);
    }
    draw_labels(look, list, m, area.min.y + look.px(labels_top));
    const std::vector<plot::Mark> marks = marks_of(run);
    for (const plot::Mark& mark : marks)
        if (mark.x >= first) {
            const float x = std::round(m.to_x(mark.x));
            list.AddRectFilled({x, bottom}, {x + 1, middle + half}, plot::mark_color(look, mark));
        }
    plot::disc(list, look.fonts, {at, middle}, look.px(hovered || held ? 8.5f : 7.5f), look.theme.text);
    plot::disc(list, look.fonts, {at, middle}, look.px(hovered || held ? 6.5f : 5.5f), look.theme.accent);
    if (const plot::Mark* const mark = plot::obey_flags(look, plot::flags_across(look, m, marks, bottom)))
        go_to(place_of(past_, mark->x));
}

void TimeSlider::draw(const Look& look, const plot::Rect& frame, const Snapshot& run) {
    ImDrawList& list = *ImGui::GetWindowDrawList();
    const bool back = looked_at_ != nullptr;
    plot::card(look, list, frame, look.px(8), look.theme.panel, back ? look.theme.grip : look.theme.border,
               back ? std::round(look.px(2)) : 1);
    ImGui::PushID("time");
    const float middle = std::round((frame.min.y + frame.max.y) / 2),
                top = std::round(middle - look.px(tool_height / 2));
    float x = frame.min.x + look.px(padding);
    ImGui::SetCursorScreenPos({x, top});
    // As wide for either word, so that nothing jumps.
    const float least =
        std::max(tool_button_width(look, "Play", Icon::play), tool_button_width(look, "Stop", Icon::pause));
    const bool pressed = playing_ ? tool_button(look, "play", "Stop", Icon::pause, false, least)
                                  : tool_button(look, "play", "Play", Icon::play, false, least);
    if (pressed) play_or_pause();
    hint(look, playing_ ? "Stay at this step" : "Play the run again, from the step looked at", Side::above);
    x = ImGui::GetItemRectMax().x + look.px(gap);

    const float width = look.px(pace_width);
    lab::draw_track(look, list, {x, top}, {x + width * paces.size(), top + look.px(tool_height)});
    for (int i = 0; i < static_cast<int>(paces.size()); ++i) {
        const char* const name = paces[static_cast<size_t>(i)].name;
        ImGui::SetCursorScreenPos({x, top});
        if (press_area(look, name, {width, look.px(tool_height)})) pace_ = i;
        const bool over = ImGui::IsItemHovered();
        hint(look, "How fast it plays: so many times 7 moments a second", Side::above);
        if (i == pace_) draw_raised(look, list, {x, top}, {x + width, top + look.px(tool_height)});
        const ImVec2 size = plot::text_size(look.fonts.body, name);
        plot::text(list, look.fonts.body, {x + (width - size.x) / 2, middle - size.y / 2},
                   i == pace_ || over ? look.theme.text : look.theme.muted, name);
        x += width;
    }
    x += look.px(gap + 4);

    // Two lines, as wide as the largest steps, so that nothing jumps.
    const uint64_t step = back ? looked_at_->step : run.step;
    const std::string what = "step " + std::to_string(step),
                      of = back ? "of " + std::to_string(run.step) : "now";
    plot::text(list, look.fonts.mono, {x, middle - look.px(17)}, back ? look.theme.text : look.theme.muted,
               what.c_str());
    plot::text(list, look.fonts.small, {x, middle + look.px(2)}, look.theme.muted, of.c_str());
    x += plot::text_size(look.fonts.mono, std::string(5 + most_digits, '0').c_str()).x + look.px(2 * padding);

    const float right = frame.max.x - look.px(padding + now_width);
    if (back) {
        ImGui::SetCursorScreenPos({right, top});
        if (tool_button(look, "now", "now", Icon::none, true, look.px(now_width))) go_to_now();
        hint(look, "Look at the latest step again: End", Side::above);
    }
    draw_track(look, {{x, frame.min.y}, {right - look.px(2 * padding), frame.max.y}}, run);
    ImGui::PopID();
}

}  // namespace lab
