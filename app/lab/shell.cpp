#include "app/lab/shell.hpp"

#include <algorithm>
#include <imgui_internal.h>

#include "app/experiment/events.hpp"
#include "app/experiment/found_data.hpp"
#include "app/experiment/measured_layers.hpp"
#include "app/experiment/share.hpp"
#include "app/lab/cards.hpp"
#include "app/lab/controls.hpp"
#include "app/lab/findings.hpp"
#include "app/lab/norm_choice.hpp"
#include "app/lab/palette_entries.hpp"
#include "app/lab/runs.hpp"
#include "app/lab/status_bar.hpp"
#include "app/lab/toolbar.hpp"
#include "app/ui/widgets.hpp"

namespace lab {

namespace {

constexpr double note_seconds = 6;

void freeze_or_thaw(Settings& settings) {
    const bool learns = settings.update_running || settings.train_affine;
    settings.update_running = settings.train_affine = !learns;
}

void switch_statistics(Settings& settings) {
    settings.statistics = settings.statistics == vknorm::Statistics::batch ? vknorm::Statistics::running
                                                                           : vknorm::Statistics::batch;
}

bool typed(char character) {
    const ImGuiIO& io = ImGui::GetIO();
    const ImVector<ImWchar>& typed = io.InputQueueCharacters;
    return !io.WantTextInput && std::find(typed.begin(), typed.end(), ImWchar(character)) != typed.end();
}

bool dialog_or_list_open() {
    return ImGui::GetCurrentContext()->OpenPopupStack.Size > 0;
}

}  // namespace

ShellLayout lay_out(const Look& look, ImVec2 size, size_t kept_runs, bool turns_back) {
    ShellLayout layout;
    const float gap = look.px(8), left = gap, right = size.x - gap;
    const float controls_width = look.px(size.x < look.px(1400) ? 236 : 268);
    layout.toolbar = {{left, gap}, {right, gap + look.px(44)}};
    layout.status = {{left, size.y - look.px(30)}, {right, size.y - look.px(4)}};
    const float top = layout.toolbar.max.y + gap, bottom = layout.status.min.y - look.px(4);
    const float runs = runs_height(look, kept_runs), controls_right = left + controls_width;
    layout.runs = {{left, bottom - runs}, {controls_right, bottom}};
    layout.controls = {{left, top}, {controls_right, bottom - (runs > 0 ? runs + gap : 0)}};
    const float area_left = controls_right + gap;
    layout.tabs = {{area_left, top}, {right, top + look.px(tool_height)}};
    const float cards_height = look.px(size.y < look.px(900) ? 72 : 84), cards_top = layout.tabs.max.y + gap;
    layout.cards = {{area_left, cards_top}, {right, cards_top + cards_height}};
    const float time = turns_back ? look.px(TimeSlider::height) : 0;
    layout.time = {{area_left, bottom - time}, {right, bottom}};
    layout.tab = {{area_left, layout.cards.max.y + gap}, {right, bottom - (time > 0 ? time + gap : 0)}};
    return layout;
}

Shell::Shell(Commands& commands, std::span<const MakeTab> tabs)
    : commands_(commands), settings_(commands.snapshot()->settings), applied_(settings_) {
    for (const MakeTab make : tabs) tabs_.push_back(make());
    show_what_is_measured();
}

void Shell::announce(std::string note) {
    note_ = std::move(note);
    note_until_ = ImGui::GetTime() + note_seconds;
}

void Shell::show(size_t tab) {
    shown_ = tab;
    for (size_t i = 0; i < tabs_.size(); ++i)
        if (const auto measured = tabs_[i]->measured()) settings_.*measured = i == shown_;
}

void Shell::show_what_is_measured() {
    size_t front = shown_;
    for (size_t i = 0; i < tabs_.size(); ++i)
        if (const auto measured = tabs_[i]->measured(); measured && i != shown_ && settings_.*measured)
            front = i;
    show(front);
}

void Shell::show_measured(bool Settings::*setting) {
    for (size_t i = 0; i < tabs_.size(); ++i)
        if (tabs_[i]->measured() == setting) show(i);
}

bool Shell::take_preset(const Settings& preset) {
    const Settings before = settings_;
    settings_ = preset;
    settings_.concealed = before.concealed;
    settings_.data_file = before.data_file;
    settings_.max_bytes = before.max_bytes;
    settings_.speed = before.speed;
    settings_.smoothing = before.smoothing;
    settings_.pause_on_divergence = before.pause_on_divergence;
    show(shown_);
    if (take_back_concealed()) return false;
    begin_run();
    return true;
}

void Shell::begin_run() {
    panels_.fit();
    const bool begins_anew = begins_new_run(applied_, settings_);
    apply_settings();
    if (!begins_anew) commands_.reset();
}

bool Shell::take_back_concealed() {
    for (const ChangedSetting& changed : changed_settings(applied_, settings_)) {
        if (!is_concealed(*changed.field, applied_, changed.twin)) continue;
        announce("Hidden here, and left as it is: " + name_of(*changed.field, changed.twin));
        settings_ = applied_;
        return true;
    }
    return false;
}

void Shell::copy_share_string() {
    const std::string text = share_string(settings_);
    ImGui::SetClipboardText(text.c_str());
    announce("Copied: " + text);
}

void Shell::open_clipboard() {
    const char* const text = ImGui::GetClipboardText();
    open_share_string(text ? text : "");
}

void Shell::open_share_string(const std::string& text) {
    const Settings before = settings_;
    try {
        settings_ = read_share_string(text);
    } catch (const Unfit& unfit) {
        return announce(std::string("Not opened: ") + unfit.what());
    }
    if (settings_.data != Data::file) settings_.data_file = before.data_file;
    applied_.concealed.clear();  // nothing was hidden from who wrote the string
    show_what_is_measured();
    begin_run();
}

void Shell::ask_for_data() {
    const std::optional<DataFile> file = parse_data_file(settings_.data_file);
    open_dialog_.begin(file ? file->path.parent_path() : "");
    asked_for_ = OpenDialog::id;
}

void Shell::open_data(const std::vector<std::filesystem::path>& paths, const std::string& choice) {
    if (const std::string shared = shared_text(paths); !shared.empty()) return open_share_string(shared);
    try {
        DataFile file = find_data(paths);
        file.choice = choice;
        settings_.data = Data::file;
        settings_.data_file = text_of(file);
    } catch (const std::invalid_argument& unfit) {
        return announce(std::string("Not opened: ") + unfit.what());
    }
    fit_to_data(settings_);
    if (!take_back_concealed()) begin_run();
}

void Shell::take_fix(const Fix& fix) {
    settings_ = fix.settings;
    if (take_back_concealed()) return;
    apply_settings();
    if (fix.begins_again) commands_.reset();
}

void Shell::look_up(const char* name) {
    help_.turn_to_glossary(name);
    asked_for_ = Help::id;
}

void Shell::open_keys() {
    help_.turn_to_keys();
    asked_for_ = Help::id;
}

void Shell::open_palette() {
    palette_ = {};
    asked_for_ = Palette::id;
}

void Shell::introduce() {
    settings_.speed = Speed::slow;
    introduction_.begin();
    commands_.run();
}

void Shell::begin_experiment(const Experiment& experiment) {
    commands_.conduct(experiment, Form::full);
    const RunPlan plan = experiment.plans(Form::full).front();
    // What acts on a twin at a step comes too late for a run that goes on meanwhile.
    if (std::any_of(plan.events.begin(), plan.events.end(),
                    [](const PlannedEvent& event) { return event.act != nullptr; }))
        return;
    live_ = LivePlan{plan, commands_.snapshot()->run};
    if (!take_preset(live_->plan.settings)) return live_.reset();
    commands_.run();
}

void Shell::follow_plan(const Snapshot& run) {
    if (!live_ || run.run == live_->run_before) return;  // it has not begun
    if (!live_->run) live_->run = run.run;
    if (live_->run != run.run) return live_.reset();  // the user has begun another
    std::vector<PlannedEvent>& events = live_->plan.events;
    while (!events.empty() && events.front().step <= run.step) {
        const PlannedEvent event = events.front();
        events.erase(events.begin());
        if (event.change) event.change(settings_);
        if (event.recompute) commands_.recompute_statistics();
    }
    if (run.step < live_->plan.steps) return;
    commands_.pause();
    live_.reset();
}

// What begins a new run waits until the mouse or the arrow is released, so that a drag does not begin a
// hundred.
void Shell::apply_settings() {
    bool held = ImGui::IsMouseDown(ImGuiMouseButton_Left);
    for (const Key arrow : {Key::left, Key::right, Key::up, Key::down})
        held = held || ImGui::IsKeyDown(static_cast<int>(arrow));
    if (!held) moving_ = false;
    take_back_concealed();
    if (settings_ == applied_ || (begins_new_run(applied_, settings_) && held)) return;
    keep_norms_valid(settings_);
    moving_ ? commands_.amend(settings_) : commands_.apply(settings_);
    moving_ = held;
    applied_ = settings_;
}

void Shell::run_or_pause(const Snapshot& run) {
    run.running ? commands_.pause() : commands_.run();
}

void Shell::follow(const Snapshot& run) {
    toast_.watch(run);
    if (std::exchange(settings_restored_, run.settings_restored) == run.settings_restored) return;
    settings_ = applied_ = run.settings;
    show(shown_);
}

void Shell::step_back(Focus& focus) {
    if (const int open = ImGui::GetCurrentContext()->OpenPopupStack.Size; open > 0)
        ImGui::ClosePopupToLevel(open - 1, true);
    else if (focus.active())
        focus.leave();
    else if (gallery_.open())
        gallery_.close();
    else if (!tabs_[shown_]->step_back() && !panels_.leave_full() && tabs_[shown_]->turns_back())
        time_.go_to_now();
}

void Shell::switch_theme(Screen& screen) {
    screen.set_theme(theme_of(next_theme(screen.look().theme)));
}

std::vector<Shortcut> Shell::shortcuts(Screen& screen, const Snapshot& run, Requests& requests) {
    std::vector<Shortcut> all;
    const auto add = [&](Key key, const char* keys, std::string meaning, std::function<void()> act) {
        all.push_back({.key = key, .keys = keys, .meaning = std::move(meaning), .act = std::move(act)});
    };
    const auto add_with_control = [&](char letter, const char* keys, const char* meaning,
                                      std::function<void()> act) {
        all.push_back(
            {.key = key(letter), .control = true, .keys = keys, .meaning = meaning, .act = std::move(act)});
    };
    add(key(' '), "Space", "run or pause", [&] { run_or_pause(run); });
    add(key('S'), "S", "one step", [&] { commands_.step(); });
    add(key('R'), "R", "begin the run again", [&] { commands_.reset(); });
    add_with_control('Z', "Ctrl + Z", "undo a change of settings, or a restart", [&] { commands_.undo(); });
    add_with_control('Y', "Ctrl + Y", "redo; also Ctrl + Shift + Z", [&] { commands_.redo(); });
    add_with_control('Z', "", "", [&] { commands_.redo(); });
    all.back().shift = true;
    if (turns_back(run)) {
        add(key(','), ",  .  End", "look at the step kept before, at the next one, at now",
            [this] { time_.go(-1); });
        add(key('.'), "", "look at the next step that was kept", [this] { time_.go(1); });
        add(Key::end, "", "look at the latest step again", [this] { time_.go_to_now(); });
        add({}, "", "look at the first step that was kept", [this] { time_.go_to_first(); });
        add({}, "", "play the run again, or stop", [this] { time_.play_or_pause(); });
    }
    const auto is_there = [&](const Field& field) { return !is_concealed(field, settings_); };
    if (is_there(field_named("statistics")))
        add(key('T'), "T", "training steps use batch or running statistics",
            [&] { switch_statistics(settings_); });
    if (is_there(field_named("update-running")) && is_there(field_named("train-affine")))
        add(key('F'), "F", "freeze: running statistics, gamma and beta stay",
            [&] { freeze_or_thaw(settings_); });
    if (is_there(field_named("norm")))
        add(key('B'), "B", "next normalization of twin A", [&] { next_norm(settings_.twins.front()); });
    if (settings_.concealed.count(concealable::experiments) == 0)
        add(key('E'), "E", "experiments", [&] { gallery_.toggle(); });
    for (Shortcut& own : tabs_[shown_]->shortcuts(panels_)) {
        std::erase_if(
            all, [&](const Shortcut& other) { return other.key == own.key && other.control == own.control; });
        all.push_back(std::move(own));
    }
    for (size_t i = 0; i < tabs_.size(); ++i) {
        const std::string name = tabs_[i]->name();
        all.push_back({.key = static_cast<Key>('1' + i),
                       .keys = std::to_string(i + 1),
                       .meaning = "show " + name,
                       .act = [this, i] { show(i); }});
        if (const char letter = tabs_[i]->letter())
            all.push_back({.key = key(letter),
                           .keys = std::string(1, letter),
                           .meaning = "show " + name + ", or " + tabs_[0]->name() + " again",
                           .act = [this, i] { show(shown_ == i ? 0 : i); }});
    }
    add_with_control('P', "Ctrl + P", "find an action, a setting, a plot, a word",
                     [this] { open_palette(); });
    add(key('W'), "W", "what the linter found", [this] { asked_for_ = findings_id; });
    add(key('G'), "G", "glossary", [this] { look_up(""); });
    add(key('?'), "?", "keys and gestures", [this] { open_keys(); });
    add({}, "", "show all steps and values", [this] { panels_.fit(); });
    add(key('D'), "D", "dark, light, or for a projector", [&] { switch_theme(screen); });
    add(Key::f12, "F12", "picture of the screen", [&] { requests.screenshot = true; });
    add_with_control('E', "Ctrl + E", "write tables and a picture of the run",
                     [&] { requests.export_run = true; });
    add_with_control('C', "Ctrl + C", "copy share string: all settings as a line of text",
                     [this] { copy_share_string(); });
    add_with_control('V', "Ctrl + V", "open the share string that was copied", [this] { open_clipboard(); });
    if (is_there(field_named("data")))
        add_with_control('O', "Ctrl + O", "open data...", [this] { ask_for_data(); });
    add_with_control('Q', "Ctrl + Q", "quit", [&] { requests.close = true; });
    all.back().always = true;
    return all;
}

void Shell::obey_keys(Screen& screen, std::span<const Shortcut> shortcuts) {
    Focus& focus = screen.look().focus;
    if (pressed(Key::escape)) step_back(focus);
    const bool open = dialog_or_list_open();
    for (const Shortcut& shortcut : shortcuts) {
        if (open && !shortcut.always) continue;
        if (shortcut.key == key('?') && typed('?')) shortcut.act();
        // What has the keyboard is pressed by one, and moved by the others.
        const bool of_controls =
            shortcut.key == key(' ') || shortcut.key == Key::left || shortcut.key == Key::right;
        if (of_controls && focus.active()) continue;
        const bool down =
            shortcut.control ? pressed_with_control(shortcut.key, shortcut.shift) : pressed(shortcut.key);
        if (down) shortcut.act();
    }
}

void Shell::draw_dialogs(const Look& look, ImVec2 size, const ShellLayout& layout,
                         std::span<const Shortcut> shortcuts, std::span<const Finding> found) {
    if (asked_for_) ImGui::OpenPopup(std::exchange(asked_for_, nullptr));
    help_.draw(look, size, shortcuts);
    if (const auto opened = open_dialog_.draw(look, size)) open_data({opened->path}, opened->choice);
    if (const auto fix = draw_findings(look, {layout.time.min.x, layout.time.max.y}, found)) take_fix(*fix);
    if (!ImGui::IsPopupOpen(Palette::id)) return;
    palette_.draw(
        look, size,
        palette_entries({.shortcuts = shortcuts,
                         .settings = settings_,
                         .panels = panels(),
                         .take_preset = [this](const Preset& preset) { take_preset(preset.settings); },
                         .show_experiment =
                             [this](const Experiment& experiment) {
                                 if (!gallery_.open()) gallery_.toggle();
                                 gallery_.show(experiment);
                                 if (!commands_.study(experiment)) begin_experiment(experiment);
                             },
                         .show_panel =
                             [this](const std::string& id) {
                                 show(0);
                                 panels_.fill_with(id);
                             },
                         .explain = [this](const char* name) { look_up(name); },
                         .plots = look.plots.all(),
                         .save_plot = [this](const PlotRequest& plot) { plot_asked_for_ = plot; }}));
    show_what_is_measured();  // it may have been chosen as a setting
}

void Shell::draw_window(Screen& screen, ImVec2 size, const Snapshot& run, const Snapshot& then,
                        float frame_ms, std::span<const Shortcut> shortcuts) {
    const Look look = screen.look();
    ShellLayout layout = lay_out(look, size, run.kept.size(), turns_back(run));
    if (gallery_.open()) {
        const float moved = gallery_.width(look, size.x) - layout.controls.width();
        layout.controls.max = {layout.controls.max.x + moved, layout.time.max.y};
        layout.tabs.min.x += moved;
        layout.cards.min.x += moved;
        layout.tab.min.x += moved;
        layout.time.min.x += moved;
    }
    const ToolbarClicks clicks = draw_toolbar(look, {.frame = layout.toolbar,
                                                     .run = run,
                                                     .then = then,
                                                     .settings = settings_,
                                                     .shortcuts = shortcuts,
                                                     .frame_ms = frame_ms});
    if (clicks.run) run_or_pause(run);
    if (clicks.step) commands_.step();
    if (clicks.reset) commands_.reset();
    if (clicks.experiments) gallery_.toggle();
    if (clicks.speed) settings_.speed = *clicks.speed;
    if (clicks.help) open_keys();
    if (clicks.palette) open_palette();
    if (clicks.theme) switch_theme(screen);
    if (clicks.preset) take_preset(clicks.preset->settings);

    const float tabs_width = tab_strip_width(look, tabs_);
    if (const auto tab = draw_tab_strip(look, layout.tabs.min, tabs_, shown_)) show(*tab);
    if (toast_.draw(look,
                    {{layout.tabs.min.x + tabs_width + look.px(8), layout.tabs.min.y}, layout.tabs.max}))
        commands_.undo();

    panels_.begin(run, then);
    const TabFrame frame{look, layout.tab, run, then, panels_, settings_, commands_};
    if (gallery_.open()) {
        const GalleryClicks asked = gallery_.draw(look, layout.controls, commands_);
        if (asked.run) begin_experiment(*asked.run);
        if (asked.close) gallery_.close();
    } else {
        if (draw_controls(look, layout.controls, settings_, introduction_,
                          [&] { tabs_[shown_]->draw_controls(frame); }))
            ask_for_data();
        if (!run.kept.empty()) draw_runs(look, layout.runs, run, commands_);
    }
    if (gallery_.open() && gallery_.shown()) {
        gallery_.draw_shown(look, {layout.cards.min, layout.time.max}, commands_);
    } else {
        if (draw_cards(look, layout.cards, then, settings_, tabs_[shown_]->followed()))
            show_measured(&Settings::microscope);
        tabs_[shown_]->draw(frame);
        if (layout.time.height() > 0) time_.draw(look, layout.time, run);
    }
    if (auto asked = plot_menu_.draw(look)) plot_asked_for_ = std::move(asked);
    const std::vector<Finding> found = findings(run);
    const StatusClicks offers = draw_status_bar(look, {.frame = layout.status,
                                                       .run = run,
                                                       .then = then,
                                                       .settings = settings_,
                                                       .found = found,
                                                       .note = ImGui::GetTime() < note_until_ ? note_ : "",
                                                       .zoomed_to = panels_.zoomed_to()});
    if (offers.findings) asked_for_ = findings_id;
    if (offers.see_all) panels_.fit();
    if (offers.share) copy_share_string();
    if (offers.pause_on_divergence) settings_.pause_on_divergence = !settings_.pause_on_divergence;
    draw_dialogs(look, size, layout, shortcuts, found);
}

Requests Shell::draw(Screen& screen, float frame_ms) {
    Requests requests;
    const std::shared_ptr<const Snapshot> run = commands_.snapshot();
    follow(*run);
    if (const std::vector<std::string> dropped = screen.take_dropped(); !dropped.empty())
        open_data({dropped.begin(), dropped.end()});
    const std::vector<Shortcut> keys = shortcuts(screen, *run, requests);
    obey_keys(screen, keys);
    const bool introducing = introduction_.running();
    const ImVec2 size = ImGui::GetIO().DisplaySize;
    ImGui::SetNextWindowPos({0, 0});
    ImGui::SetNextWindowSize(size);
    ImGui::Begin("lab", nullptr,
                 ImGuiWindowFlags_NoDecoration | ImGuiWindowFlags_NoSavedSettings | ImGuiWindowFlags_NoNav |
                     ImGuiWindowFlags_NoBringToFrontOnFocus | ImGuiWindowFlags_NoScrollWithMouse);
    const TimeSlider::Moment looked_at = time_.follow(run, settings_, ImGui::GetIO().DeltaTime);
    draw_window(screen, size, *run, turns_back(*run) ? *looked_at : *run, frame_ms, keys);
    ImGui::End();
    requests.introduced = introducing && !introduction_.running();

    requests.plot = std::exchange(plot_asked_for_, std::nullopt);
    requests.redraw = tabs_[shown_]->moves() || time_.plays();
    follow_plan(*run);
    keep_inspected_valid(settings_);
    apply_settings();
    return requests;
}

}  // namespace lab
