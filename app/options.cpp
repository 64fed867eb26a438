#include "app/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <sstream>
#include <utility>
#include <vector>

#include "app/experiment/presets.hpp"

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
void add_number(CLI::App& app, const std::string& flag, T low, T high, std::vector<T*> targets,
                const std::string& help) {
    app.add_option_function<std::string>(
           flag,
           [=](const std::string& text) {
               for (T* target : targets) *target = read_number(flag, text, low, high);
           },
           help)
        ->type_name("NUMBER");
}

/// A flag that takes one of the names.
template <class T, size_t N>
using Names = std::array<std::pair<const char*, T>, N>;

template <class T, size_t N>
std::string join(const Names<T, N>& names, const char* separator) {
    std::string joined;
    for (const auto& entry : names) joined += (joined.empty() ? "" : separator) + std::string(entry.first);
    return joined;
}

template <class T, size_t N>
const char* word_for(const Names<T, N>& names, T value) {
    const auto found =
        std::find_if(names.begin(), names.end(), [&](const auto& entry) { return entry.second == value; });
    return found == names.end() ? "" : found->first;
}

template <class T, size_t N>
T read_word(const std::string& flag, const std::string& text, const Names<T, N>& names) {
    const auto found =
        std::find_if(names.begin(), names.end(), [&](const auto& entry) { return text == entry.first; });
    if (found == names.end()) refuse(flag, text, "one of " + join(names, ", "));
    return found->second;
}

std::vector<std::string> split_at_commas(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream stream(text + ",");
    for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
    return parts;
}

template <class T, size_t N>
void add_choice(CLI::App& app, const std::string& flag, const Names<T, N>& names, std::vector<T*> targets,
                const std::string& help) {
    app.add_option_function<std::string>(
           flag,
           [=](const std::string& text) {
               for (T* target : targets) *target = read_word(flag, text, names);
           },
           help)
        ->type_name(join(names, "|"));
}

constexpr Names<Data, 7> data_names = {{{"spiral", Data::spiral},
                                        {"circles", Data::circles},
                                        {"moons", Data::moons},
                                        {"xor", Data::xor_quadrants},
                                        {"gaussians", Data::gaussians},
                                        {"rings", Data::rings},
                                        {"digits", Data::digits}}};
constexpr Names<vknorm::Norm, 7> norm_names = {{{"none", vknorm::Norm::none},
                                                {"batch", vknorm::Norm::batch},
                                                {"layer", vknorm::Norm::layer},
                                                {"group", vknorm::Norm::group},
                                                {"rms", vknorm::Norm::rms},
                                                {"renorm", vknorm::Norm::batch_renorm},
                                                {"ghost", vknorm::Norm::ghost}}};
constexpr Names<vknorm::Activation, 4> activation_names = {{{"identity", vknorm::Activation::identity},
                                                            {"relu", vknorm::Activation::relu},
                                                            {"tanh", vknorm::Activation::tanh},
                                                            {"sigmoid", vknorm::Activation::sigmoid}}};
constexpr Names<OptimizerKind, 2> optimizer_names = {
    {{"sgd", OptimizerKind::sgd}, {"adam", OptimizerKind::adam}}};
constexpr Names<bool, 2> theme_names = {{{"dark", false}, {"light", true}}};

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
    for (const auto& entry : data_names)
        if (text == entry.first) {
            settings.data = entry.second;
            return;
        }
    refuse("--data", text, "one of " + join(data_names, ", ") + ", idx:DIR, csv:FILE");
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

/// The hidden layers are known already.
void add_norm(CLI::App& app, const std::string& flag, Settings& settings, size_t index) {
    app.add_option_function<std::string>(
           flag,
           [=, &settings](const std::string& text) {
               const std::vector<std::string> words = split_at_commas(text);
               if (words.size() > 1 && words.size() != settings.hidden.size())
                   refuse(flag, text,
                          "one norm, or one for each of " + std::to_string(settings.hidden.size()) +
                              " hidden layers");
               TwinSettings& twin = settings.twins[index];
               twin.norm = read_word(flag, words[0], norm_names);
               twin.exceptions.clear();
               for (uint32_t layer = 1; layer < words.size(); ++layer)
                   twin.set_norm_of(layer, read_word(flag, words[layer], norm_names));
           },
           std::string("Norm of twin ") + twin_letter(index) + ", or one for each hidden layer: N,N,...")
        ->type_name(join(norm_names, "|"));
}

void check_groups(const Settings& settings) {
    for (size_t twin = 0; twin < twin_count; ++twin)
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

const char* word(Data data) {
    return word_for(data_names, data);
}
const char* word(vknorm::Norm norm) {
    return word_for(norm_names, norm);
}
std::string norm_words(const Settings& settings, size_t twin) {
    const TwinSettings& its = settings.twins[twin];
    std::string words = word(its.norm_of(0));
    for (uint32_t layer = 1; layer < settings.hidden.size() && !its.exceptions.empty(); ++layer)
        words += std::string(",") + word(its.norm_of(layer));
    return words;
}
const char* word(vknorm::Activation activation) {
    return word_for(activation_names, activation);
}
const char* word(OptimizerKind kind) {
    return word_for(optimizer_names, kind);
}

std::variant<Options, Answer> parse_options(std::span<const char* const> arguments) {
    Options options;
    Settings& s = options.settings;
    bool preset_given = false, list_presets = false;

    // Callbacks run in the order of these definitions: the preset, then the data, then the details.
    CLI::App app("Trains two networks in lock-step and shows what normalization does to them.", "vknorm-lab");
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
        ->type_name(join(data_names, "|") + "|idx:DIR|csv:FILE");
    add_number<uint64_t>(app, "--seed", 0, std::numeric_limits<uint64_t>::max(), {&s.seed},
                         "Of data, weights and the order of examples");
    add_number<float>(app, "--noise", 0, limits::max_noise, {&s.noise}, "Of the points in the plane");
    app.add_option_function<std::string>(
           "--hidden", [&](const std::string& text) { s.hidden = read_widths(text); },
           "Units of each hidden layer")
        ->type_name("N,N,...");
    add_norm(app, "--norm-a", s, 0);
    add_norm(app, "--norm-b", s, 1);
    add_number<uint32_t>(app, "--groups", 1, limits::max_units, {&s.twins[0].groups, &s.twins[1].groups},
                         "Groups of units with the norm group");
    add_number<uint32_t>(app, "--ghost-size", limits::min_ghost, limits::max_ghost,
                         {&s.twins[0].ghost_size, &s.twins[1].ghost_size},
                         "Examples normalized together with the norm ghost");
    add_choice(app, "--activation", activation_names, {&s.twins[0].activation, &s.twins[1].activation},
               "Of both twins");
    add_number<uint32_t>(app, "--batch", 1, limits::max_batch, {&s.batch}, "Examples in a training step");
    add_choice(app, "--optimizer", optimizer_names, {&s.optimizer}, "How steps change the parameters");
    add_number<float>(app, "--lr", limits::min_learning_rate, limits::max_learning_rate, {&s.learning_rate},
                      "Learning rate");
    add_number<float>(app, "--momentum", 0, limits::max_momentum, {&s.momentum}, "Of SGD");
    add_number<float>(app, "--weight-decay", 0, 1, {&s.weight_decay}, "L2, added to the gradient");
    add_number<float>(app, "--norm-momentum", 0, 1, {&s.norm_momentum},
                      "Weight of the new batch in the running statistics");
    add_number<float>(app, "--epsilon", 0, 1, {&s.epsilon}, "Added to the variance in a norm");

    app.add_flag("--headless", options.headless, "Train without a window and write a report");
    add_number<uint64_t>(app, "--steps", 1, 1'000'000'000, {&options.steps},
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
    add_choice(app, "--theme", theme_names, {&options.light}, "Of the window or the picture");
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
