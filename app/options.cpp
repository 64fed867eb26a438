#include "app/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "app/experiment/found_data.hpp"
#include "app/experiment/presets.hpp"
#include "app/experiment/share.hpp"
#include "app/unknown_argument.hpp"

namespace lab {

namespace {

constexpr auto theme_choices =
    std::to_array<Choice<ThemeChoice>>({{ThemeChoice::dark, "dark", "Dark"},
                                        {ThemeChoice::light, "light", "Light"},
                                        {ThemeChoice::projector, "projector", "Projector"}});

/// Wrong use of the flag `flag`; the message is one line.
[[noreturn]] void refuse(const std::string& flag, const std::string& why) {
    throw CLI::ValidationError(flag, why);
}

/// An option whose text `take` takes, which throws Unfit when it cannot.
CLI::Option* add_option(CLI::App& app, const std::string& flag, const std::string& form,
                        const std::function<void(const std::string&)>& take, const std::string& help) {
    return app
        .add_option_function<std::string>(
            flag,
            [flag, take](const std::string& text) {
                try {
                    take(text);
                } catch (const Unfit& unfit) {
                    refuse(flag, unfit.what());
                }
            },
            help)
        ->type_name(form);
}

/// The flags of one setting. Those of twins that there are not make them, unless the number of twins is
/// given.
void add_setting(CLI::App& app, const Field& field, Settings& settings) {
    if (field.flag == Flag::none) return;
    if (const Switch* const one = std::get_if<Switch>(&field.kind)) {
        app.add_flag_callback(
            flag_of(field, 0), [&settings, one] { one->member.in(settings, 0) = true; }, field.help);
        return;
    }
    if (field.flag == Flag::one) {
        add_option(
            app, flag_of(field, 0), form_of(field),
            [&](const std::string& text) {
                const size_t twins = is_of_twin(field) ? settings.twins.size() : 1;
                for (size_t twin = 0; twin < twins; ++twin) read(field, settings, twin, text);
            },
            field.help);
        return;
    }
    for (size_t twin = 0; twin < limits::max_twins; ++twin)
        add_option(
            app, flag_of(field, twin), form_of(field),
            [&, twin](const std::string& text) {
                if (twin >= settings.twins.size()) {
                    if (app.count(flag_of(field_named("twins"), 0)) > 0)
                        throw Unfit(text, "--twins " + std::to_string(twin + 1) + " or more");
                    set_twin_count(settings, twin + 1);
                }
                read(field, settings, twin, text);
            },
            std::string("Twin ") + twin_letter(twin) + (twin < 2 ? ". " : ", which this adds. ") +
                field.help);
}

std::string preset_list() {
    std::string list;
    for (const Preset& preset : presets()) list += std::string(preset.name) + "\n";
    return list;
}

/// As a shell takes it.
std::string quoted(const std::string& argument) {
    const auto plain = [](unsigned char c) {
        return std::isalnum(c) || std::strchr("-_=+.,:/@%", c) != nullptr;
    };
    if (!argument.empty() && std::all_of(argument.begin(), argument.end(), plain)) return argument;
    std::string text = "'";
    for (const char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

/// The preset whose name begins with `text`, or else the only one that contains it.
const Preset& find_preset(const std::string& text) {
    const std::string wanted = lower_case(text);
    std::vector<const Preset*> beginning, containing;
    for (const Preset& preset : presets()) {
        const size_t at = lower_case(preset.name).find(wanted);
        if (at == 0) beginning.push_back(&preset);
        if (at != std::string::npos) containing.push_back(&preset);
    }
    const auto& found = beginning.empty() ? containing : beginning;
    if (text.empty() || found.size() != 1) throw Unfit(text, "a part of one name that --list-presets prints");
    return *found.front();
}

std::string experiment_list() {
    size_t width = 0;
    for (const Experiment& one : experiments()) width = std::max(width, std::strlen(one.name));
    std::string list;
    for (const Experiment& one : experiments())
        list += one.name + std::string(width + 2 - std::strlen(one.name), ' ') + one.claim + "\n";
    return list;
}

/// The names that are most like `text`.
std::string near_names(const std::string& text) {
    std::vector<std::pair<size_t, std::string>> near;
    for (const Experiment& one : experiments()) {
        const std::string name = one.name;
        const bool contained = !text.empty() && name.find(text) != std::string::npos;
        near.emplace_back(contained ? 0 : edit_distance(text, name), name);
    }
    std::sort(near.begin(), near.end());
    constexpr size_t most = 3;
    std::string names;
    for (size_t i = 0; i < most; ++i) names += (i == 0 ? "" : ", ") + near[i].second;
    return names;
}

const Experiment& experiment_named(const std::string& text) {
    const Experiment* const found = find_experiment(lower_case(text));
    if (!found)
        throw Unfit(text, "a name that --list-experiments prints, such as " + near_names(lower_case(text)));
    return *found;
}

void read_size(const std::string& text, Options& options) {
    const size_t x = text.find('x');
    if (x == std::string::npos) throw Unfit(text, "WIDTHxHEIGHT, such as 1600x1000");
    options.width = read_number<uint32_t>(text.substr(0, x), 320, 8192);
    options.height = read_number<uint32_t>(text.substr(x + 1), 200, 8192);
}

/// As the XDG base directory specification has it.
std::filesystem::path cache_folder() {
    const auto folder = [](const char* variable) {
        const char* const value = std::getenv(variable);
        return std::filesystem::path(value ? value : "");
    };
    if (const std::filesystem::path cache = folder("XDG_CACHE_HOME"); cache.is_absolute()) return cache;
    const std::filesystem::path home = folder("HOME");
    if (home.empty()) refuse("--tune", Unfit("", "HOME or XDG_CACHE_HOME to be set").what());
    return home / ".cache";
}

/// `texts` as --sweep has them, for settings that are as they will be.
void read_sweep(const std::vector<std::string>& texts, Options& options) {
    if (texts.empty()) return;
    const auto refuse_sweep = [](const std::string& why) { refuse("--sweep", why); };
    if (texts.size() > 2) refuse_sweep("got " + std::to_string(texts.size()) + " settings, needs one or two");
    if (options.experiment || !options.shot.empty() || !options.load.empty() || !options.save.empty())
        refuse_sweep("needs neither --experiment, --shot, --load nor --save beside it");
    try {
        for (const std::string& text : texts) options.sweep.push_back(read_axis(text, options.settings));
    } catch (const Unfit& unfit) {
        refuse_sweep(unfit.what());
    }
    const SweepAxis &first = options.sweep.front(), &last = options.sweep.back();
    if (texts.size() == 2 && first.field == last.field && first.twin == last.twin)
        refuse_sweep(Unfit(texts[1], "another setting than that of the first one").what());
}

}  // namespace

std::variant<Options, Answer> parse_options(std::span<const char* const> arguments) {
    Options options;
    Settings& settings = options.settings;
    bool list_presets = false, list_experiments = false;
    options.command_line = "vknorm-lab";
    for (const char* const argument : arguments) options.command_line += " " + quoted(argument);

    // Callbacks run in the order of these definitions: preset or share string, the data, the details.
    CLI::App app("Trains networks in lock-step and shows what normalization does to them.", "vknorm-lab");
    app.footer(
        "The test set is evaluated every 5 steps up to step 100, every 10 up to 200, every 20 up to 500, "
        "every 50 "
        "up to 1000,\nand so on, with or without a window: equal arguments give equal curves. In a long run "
        "a line "
        "of history.csv stands for\nseveral steps; its *_min and *_max columns are over all of them. A twin "
        "that "
        "diverges stops; the others go on.");
    app.set_version_flag("--version", "vknorm-lab " VKNORM_VERSION);
    app.add_flag("--list-presets", list_presets, "Print the names of the presets");
    CLI::Option* const preset = add_option(
        app, "--preset", "NAME", [&](const std::string& text) { settings = find_preset(text).settings; },
        "Start from the preset whose name begins with, or alone contains, NAME");
    const CLI::Option* const share =
        add_option(
            app, "--share", "STRING", [&](const std::string& text) { settings = read_share_string(text); },
            "Start from the settings of this share string, which the window copies (Ctrl + C) and a run "
            "prints")
            ->excludes(preset);
    const auto from_scratch = [&] { return preset->count() == 0 && share->count() == 0; };
    app.add_flag("--list-experiments", list_experiments, "Print name and claim of every experiment");
    CLI::Option* const experiment = add_option(
        app, "--experiment", "NAME",
        [&](const std::string& text) { options.experiment = &experiment_named(text); },
        "Conduct that experiment without a window, over three seeds. Exit status: 0 its claim holds, 1 it "
        "does "
        "not, or in part");
    app.add_flag("--fast", options.fast, "The experiment's fast form: one seed, fewer steps")
        ->needs(experiment);
    std::vector<std::string> sweep;
    app.add_option("--sweep", sweep,
                   "Train without a window once for each value, and each of three seeds: lr=0.01/0.1/1, say, "
                   "or any other setting; given twice, for each pair of values. sweep.csv has what came of "
                   "it; runs that it has are not made again")
        ->type_name("SETTING=VALUE/VALUE/...")
        ->allow_extra_args(false);
    add_option(
        app, "--seeds", "NUMBER",
        [&](const std::string& text) { options.seeds = read_number<uint32_t>(text, 1, 100); },
        "Of the sweep, from --seed on (3 if not given)");
    constexpr const Field& data = field_named("data");
    add_option(
        app, flag_of(data, 0), form_of(data),
        [&](const std::string& text) {
            read(data, settings, 0, text);
            if (from_scratch()) fit_to_data(settings);
        },
        data.help);
    for (const Field& field : fields)
        if (&field != &data) add_setting(app, field, settings);

    app.add_flag("--headless", options.headless, "Train without a window and write a report");
    add_option(
        app, "--steps", "NUMBER",
        [&](const std::string& text) { options.steps = read_number<uint64_t>(text, 1, 1'000'000'000); },
        "Training steps without a window (1000 if not given)");
    app.add_option("--out", options.out, "Folder of the report (out if not given)")
        ->type_name("DIR")
        ->check(nameless);
    app.add_option(
           "--tensorboard", options.tensorboard,
           "Without a window, write what is measured to event files in this folder, too, one for each "
           "twin")
        ->type_name("DIR")
        ->check(nameless);
    app.add_option("--load", options.load,
                   "Twin A goes on from this checkpoint, without a window; --steps counts those it has made")
        ->type_name("FILE")
        ->check(nameless);
    CLI::Option* const save = app.add_option("--save", options.save,
                                             "Write twin A to this checkpoint (safetensors) in the end, "
                                             "without a window")
                                  ->type_name("FILE")
                                  ->check(nameless);
    add_option(
        app, "--save-every", "NUMBER",
        [&](const std::string& text) { options.save_every = read_number<uint64_t>(text, 1, 1'000'000'000); },
        "And each time that so many steps have been made")
        ->needs(save);
    app.add_flag("--force", options.force, "Replace a report or picture that is there already");
    app.add_option("--shot", options.shot, "Train, write a picture of the Live screen and end")
        ->type_name("FILE")
        ->check(nameless);
    add_option(
        app, "--size", "WxH", [&](const std::string& text) { read_size(text, options); },
        "Of the window or the picture");
    add_option(
        app, "--theme", join_words<ThemeChoice>(theme_choices, "|"),
        [&](const std::string& text) { options.theme = read_word<ThemeChoice>(text, theme_choices); },
        "Of the window or the picture");
    app.add_option(
           "--script", options.script,
           "Without a display, use the Lab as this file says: click \"Run\", drag, key, wait 200 steps, "
           "expect \"Training\", shot FILE.png")
        ->type_name("FILE")
        ->check(nameless);
    app.add_option("--device", options.device, "Part of a Vulkan device's name, driver or UUID")
        ->type_name("NAME");
    CLI::Option* const ranks = add_option(
        app, "--ranks", "NUMBER",
        [&](const std::string& text) { options.ranks = read_number<uint32_t>(text, 1, limits::max_batch); },
        "Train without a window by so many ranks together, which share every batch. app/run starts them as "
        "processes, with MPI; else they are threads");
    app.add_option("--devices", options.devices, "Parts of names of devices, which ranks take in turn")
        ->type_name("NAME,NAME,...")
        ->delimiter(',');
    app.add_flag_callback(
        "--tune", [&] { options.tuning = cache_folder() / "vknorm"; },
        "Measure which kernels are the fastest here, once: ~/.cache/vknorm keeps it");
    app.add_flag("--validation", options.validation, "Check every Vulkan call; a message fails the run");

    try {
        std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
        app.parse(std::move(reversed));
        if (!options.headless && options.shot.empty())
            for (const auto& [flag, file] :
                 {std::pair("--load", options.load), std::pair("--save", options.save)})
                if (!file.empty()) refuse(flag, "needs --headless or --shot beside it");
        if (!options.tensorboard.empty() && (!options.headless || options.experiment || !sweep.empty()))
            refuse("--tensorboard", "needs --headless beside it, and neither --experiment nor --sweep");
        if (ranks->count() > 0 && (!options.headless || options.experiment || !sweep.empty()))
            refuse("--ranks", "needs --headless beside it, and neither --experiment nor --sweep");
        read_sweep(sweep, options);
        if (options.ranks > settings.batch)
            refuse("--ranks", Unfit(std::to_string(options.ranks),
                                    "at most the " + std::to_string(settings.batch) + " examples of a batch")
                                  .what());
        for (size_t twin = 0; twin < settings.twins.size() && options.ranks > 0; ++twin)
            if (settings.twins[twin].devices > 1)
                refuse(flag_of(field_named("devices"), twin),
                       Unfit(std::to_string(settings.twins[twin].devices), "1 beside --ranks").what());
        options.batch_given = app.count(flag_of(field_named("batch"), 0)) > 0;
        if (settings.schedule != Schedule::constant && app.count("--steps") > 0 && share->count() == 0 &&
            app.count(flag_of(field_named("schedule-steps"), 0)) == 0)
            settings.schedule_steps = options.steps;
        if (const auto misfit = find_misfit(settings))
            refuse(flag_of(*misfit->field, misfit->twin), misfit->why);
    } catch (const CLI::CallForHelp&) {
        return Answer{exit_status::ok, app.help()};
    } catch (const CLI::CallForVersion& version) {
        return Answer{exit_status::ok, std::string(version.what()) + "\n"};
    } catch (const CLI::ExtrasError&) {
        return Answer{exit_status::usage, unknown_argument(app)};
    } catch (const CLI::ParseError& error) {
        return Answer{exit_status::usage, error.what()};
    }
    if (list_presets) return Answer{exit_status::ok, preset_list()};
    if (list_experiments) return Answer{exit_status::ok, experiment_list()};
    return options;
}

}  // namespace lab
