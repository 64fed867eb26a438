#include "app/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <functional>
#include <limits>
#include <numeric>
#include <sstream>
#include <utility>
#include <vector>

#include "app/experiment/presets.hpp"
#include "app/experiment/words.hpp"

namespace lab {

namespace {

/// Wrong use of the flag `flag`; the message is one line.
[[noreturn]] void refuse(const std::string& flag, const std::string& got, const std::string& needs) {
    throw CLI::ValidationError(flag,
                               "got " + (got.empty() ? "nothing" : "'" + got + "'") + ", needs " + needs);
}

template <class T>
T read_number(const std::string& flag, const std::string& text, T low, T high) {
    T value{};
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    // Negated, so that NaN is refused too.
    if (error != std::errc() || stopped != end || !(value >= low && value <= high)) {
        std::ostringstream needs;
        needs << (std::is_integral_v<T> ? "a whole number from " : "a number from ") << low << " to " << high;
        refuse(flag, text, needs.str());
    }
    return value;
}

template <class T>
void add_number(CLI::App& app, const std::string& flag, T low, T high, const std::function<void(T)>& take,
                const std::string& help) {
    app.add_option_function<std::string>(
           flag, [=](const std::string& text) { take(read_number(flag, text, low, high)); }, help)
        ->type_name("NUMBER");
}

template <class T, size_t N>
std::string join(const std::array<Choice<T>, N>& choices, const char* separator) {
    std::string joined;
    for (const auto& choice : choices) joined += (joined.empty() ? "" : separator) + std::string(choice.word);
    return joined;
}

template <class T, size_t N>
T read_word(const std::string& flag, const std::string& text, const std::array<Choice<T>, N>& choices) {
    const auto found = std::find_if(choices.begin(), choices.end(),
                                    [&](const Choice<T>& choice) { return text == choice.word; });
    if (found == choices.end()) refuse(flag, text, "one of " + join(choices, ", "));
    return found->value;
}

std::vector<std::string> split_at_commas(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream stream(text + ",");
    for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
    return parts;
}

/// A flag that takes one of the words.
template <class T, size_t N>
void add_choice(CLI::App& app, const std::string& flag, const std::array<Choice<T>, N>& choices,
                const std::function<void(T)>& take, const std::string& help) {
    app.add_option_function<std::string>(
           flag, [=](const std::string& text) { take(read_word(flag, text, choices)); }, help)
        ->type_name(join(choices, "|"));
}

constexpr std::array<Choice<bool>, 2> theme_choices = {{{false, "dark", "Dark"}, {true, "light", "Light"}}};

std::string preset_list() {
    std::string list;
    for (const Preset& preset : presets()) list += std::string(preset.name) + "\n";
    return list;
}

std::string lower_case(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
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
    if (text.empty() || found.size() != 1)
        refuse("--preset", text, "a part of one name that --list-presets prints");
    return *found.front();
}

void read_data(const std::string& text, Settings& settings) {
    const bool pictures = text.starts_with("idx:"), table = text.starts_with("csv:");
    if (pictures || table) {
        const std::filesystem::path path = text.substr(4);
        std::error_code ignored;
        if (pictures && !std::filesystem::is_directory(path, ignored))
            refuse("--data", text, "a directory with a pair of IDX files after idx:");
        if (table && !std::filesystem::is_regular_file(path, ignored))
            refuse("--data", text, "a file of comma-separated numbers after csv:");
        settings.data = Data::file;
        settings.data_file = text;
        return;
    }
    for (const auto& choice : data_choices)
        if (text == choice.word) {
            settings.data = choice.value;
            return;
        }
    refuse("--data", text, "one of " + join(data_choices, ", ") + ", idx:DIR, csv:FILE");
}

/// Pictures have hundreds of inputs: a wider, shallower network and larger batches than the points of the
/// plane.
void prefer_for_pictures(Settings& settings) {
    settings.hidden = {256, 128};
    settings.batch = 128;
}

std::vector<uint32_t> read_widths(const std::string& text) {
    std::vector<uint32_t> widths;
    for (const std::string& part : split_at_commas(text))
        widths.push_back(read_number<uint32_t>("--hidden", part, 1, limits::max_units));
    if (widths.size() > limits::max_layers)
        refuse("--hidden", text, "1 to " + std::to_string(limits::max_layers) + " layers");
    return widths;
}

/// The hidden layers are known already, and `twins`, the number that was asked for: 0, when it was not.
void add_norm(CLI::App& app, Settings& settings, const uint32_t& twins, size_t index) {
    const std::string flag = std::string("--norm-") + static_cast<char>('a' + index);
    app.add_option_function<std::string>(
           flag,
           [=, &settings, &twins](const std::string& text) {
               if (twins > 0 && index >= twins)
                   refuse(flag, text, "--twins " + std::to_string(index + 1) + " or more");
               if (index >= settings.twins.size()) set_twin_count(settings, index + 1);
               const std::vector<std::string> words = split_at_commas(text);
               if (words.size() > 1 && words.size() != settings.hidden.size())
                   refuse(flag, text,
                          "one norm, or one for each of " + std::to_string(settings.hidden.size()) +
                              " hidden layers");
               TwinSettings& twin = settings.twins[index];
               twin.norm = read_word(flag, words[0], norm_choices);
               twin.exceptions.clear();
               for (uint32_t layer = 1; layer < words.size(); ++layer)
                   twin.set_norm_of(layer, read_word(flag, words[layer], norm_choices));
           },
           std::string("Norm of twin ") + twin_letter(index) + ", or one for each hidden layer: N,N,..." +
               (index < 2 ? "" : "; makes as many twins unless --twins is given"))
        ->type_name(join(norm_choices, "|"));
}

void check_groups(const Settings& settings) {
    for (size_t twin = 0; twin < settings.twins.size(); ++twin)
        for (uint32_t layer = 0; layer < settings.hidden.size(); ++layer)
            if (settings.twins[twin].norm_of(layer) == vknorm::Norm::group &&
                settings.hidden[layer] % settings.twins[twin].groups != 0)
                refuse("--groups", std::to_string(settings.twins[twin].groups),
                       "a divisor of the " + std::to_string(settings.hidden[layer]) +
                           " units of hidden layer " + std::to_string(layer + 1));
}

void read_size(const std::string& text, Options& options) {
    const size_t x = text.find('x');
    if (x == std::string::npos) refuse("--size", text, "WIDTHxHEIGHT, such as 1600x1000");
    options.width = read_number<uint32_t>("--size", text.substr(0, x), 320, 8192);
    options.height = read_number<uint32_t>("--size", text.substr(x + 1), 200, 8192);
}

/// As the XDG base directory specification has it.
std::filesystem::path cache_folder() {
    const auto folder = [](const char* variable) {
        const char* const value = std::getenv(variable);
        return std::filesystem::path(value ? value : "");
    };
    if (const std::filesystem::path cache = folder("XDG_CACHE_HOME"); cache.is_absolute()) return cache;
    const std::filesystem::path home = folder("HOME");
    if (home.empty()) refuse("--tune", "", "HOME or XDG_CACHE_HOME to be set");
    return home / ".cache";
}

size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), size_t{0});
    for (size_t i = 0; i < a.size(); ++i) {
        size_t diagonal = std::exchange(row[0], i + 1);
        for (size_t j = 0; j < b.size(); ++j) {
            const size_t replaced = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::string unknown_argument(const CLI::App& app, const std::string& argument) {
    if (!argument.starts_with("-")) return "unexpected argument '" + argument + "'";
    const std::string flag = argument.substr(0, argument.find('='));
    std::string nearest;
    size_t best = std::numeric_limits<size_t>::max();
    for (const CLI::Option* option : app.get_options()) {
        const std::string name = "--" + option->get_lnames().front();
        if (const size_t distance = edit_distance(flag, name); distance < best)
            best = distance, nearest = name;
    }
    return "unknown option '" + flag + "': did you mean " + nearest + "?";
}

}  // namespace

std::variant<Options, Answer> parse_options(std::span<const char* const> arguments) {
    Options options;
    Settings& s = options.settings;
    bool preset_given = false, list_presets = false;
    uint32_t twins = 0;
    const auto into = [](auto& target) { return [&target](auto value) { target = value; }; };

    // Callbacks run in the order of these definitions: the preset, then the data, then the details.
    CLI::App app("Trains networks in lock-step and shows what normalization does to them.", "vknorm-lab");
    app.set_version_flag("--version", "vknorm-lab " VKNORM_VERSION);
    app.add_flag("--list-presets", list_presets, "Print the names of the presets");
    app.add_option_function<std::string>(
           "--preset",
           [&](const std::string& text) {
               s = find_preset(text).settings;
               preset_given = true;
           },
           "Start from the preset whose name begins with, or alone contains, NAME")
        ->type_name("NAME");
    app.add_option_function<std::string>(
           "--data",
           [&](const std::string& text) {
               read_data(text, s);
               const bool pictures = s.data == Data::digits || text.starts_with("idx:");
               if (pictures && !preset_given) prefer_for_pictures(s);
           },
           "What to learn")
        ->type_name(join(data_choices, "|") + "|idx:DIR|csv:FILE");
    add_number<uint64_t>(app, "--seed", 0, std::numeric_limits<uint64_t>::max(), into(s.seed),
                         "Of data, weights and the order of examples");
    add_number<float>(app, "--noise", 0, limits::max_noise, into(s.noise), "Of the points in the plane");
    app.add_option_function<std::string>(
           "--hidden", [&](const std::string& text) { s.hidden = read_widths(text); },
           "Units of each hidden layer")
        ->type_name("N,N,...");
    add_number<uint32_t>(
        app, "--twins", 1, limits::max_twins,
        [&](uint32_t count) {
            twins = count;
            set_twin_count(s, count);
        },
        "Networks trained in lock-step (2 if not given)");
    for (size_t index = 0; index < limits::max_twins; ++index) add_norm(app, s, twins, index);
    const auto of_all_twins = [&s](auto TwinSettings::*member) {
        return [&s, member](auto value) {
            for (TwinSettings& twin : s.twins) twin.*member = value;
        };
    };
    add_number<uint32_t>(app, "--groups", 1, limits::max_units, of_all_twins(&TwinSettings::groups),
                         "Groups of units with the norm group");
    add_number<uint32_t>(app, "--ghost-size", limits::min_ghost, limits::max_ghost,
                         of_all_twins(&TwinSettings::ghost_size),
                         "Examples normalized together with the norm ghost");
    add_choice<vknorm::Activation>(app, "--activation", activation_choices,
                                   of_all_twins(&TwinSettings::activation), "Of all twins");
    add_number<uint32_t>(app, "--batch", 1, limits::max_batch, into(s.batch), "Examples in a training step");
    add_choice<OptimizerKind>(app, "--optimizer", optimizer_choices, into(s.optimizer),
                              "How steps change the parameters");
    add_number<float>(app, "--lr", limits::min_learning_rate, limits::max_learning_rate,
                      into(s.learning_rate), "Learning rate");
    add_number<float>(app, "--momentum", 0, limits::max_momentum, into(s.momentum), "Of SGD");
    add_number<float>(app, "--weight-decay", 0, 1, into(s.weight_decay), "L2, added to the gradient");
    add_number<float>(app, "--norm-momentum", 0, 1, into(s.norm_momentum),
                      "Weight of the new batch in the running statistics");
    add_number<float>(app, "--epsilon", 0, 1, into(s.epsilon), "Added to the variance in a norm");

    app.add_flag("--headless", options.headless, "Train without a window and write a report");
    add_number<uint64_t>(app, "--steps", 1, 1'000'000'000, into(options.steps),
                         "Training steps without a window (1000 if not given)");
    app.add_option("--out", options.out, "Folder of the report (out if not given)")->type_name("DIR");
    app.add_flag("--force", options.force, "Replace a report or picture that is there already");
    app.add_option("--shot", options.shot, "Train, write a picture of the Live screen and end")
        ->type_name("FILE");
    app.add_option_function<std::string>(
           "--size", [&](const std::string& text) { read_size(text, options); },
           "Of the window or the picture")
        ->type_name("WxH");
    app.add_flag("--plan", s.plan, "Show the plan of a training step: its parts and their times");
    add_choice<bool>(app, "--theme", theme_choices, into(options.light), "Of the window or the picture");
    app.add_option("--device", options.device, "Part of a Vulkan device's name, driver or UUID")
        ->type_name("NAME");
    app.add_flag_callback(
        "--tune", [&] { options.tuning = cache_folder() / "vknorm"; },
        "Measure which kernels are the fastest here, once: ~/.cache/vknorm keeps it");
    app.add_flag("--validation", options.validation, "Check every Vulkan call; a message fails the run");

    try {
        std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
        app.parse(std::move(reversed));
        check_groups(s);
    } catch (const CLI::CallForHelp&) {
        return Answer{exit_status::ok, app.help()};
    } catch (const CLI::CallForVersion& version) {
        return Answer{exit_status::ok, std::string(version.what()) + "\n"};
    } catch (const CLI::ExtrasError&) {
        return Answer{exit_status::usage, unknown_argument(app, app.remaining().front())};
    } catch (const CLI::ParseError& error) {
        return Answer{exit_status::usage, error.what()};
    }
    if (list_presets) return Answer{exit_status::ok, preset_list()};
    return options;
}

}  // namespace lab
