// One row for each setting says all there is to know of it: its names, its range, what it does. The command
// line, the checks, the controls, the reports and the decision whether a change begins a new run read the
// rows; the table of them stands below the settings themselves, in settings.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "app/experiment/words.hpp"

namespace lab {

struct Settings;
struct TwinSettings;
struct Field;

/// Where a setting stands: in Settings, or in those of each twin.
template <class T>
struct Member {
    T Settings::*of_run = nullptr;
    T TwinSettings::*of_twin = nullptr;

    constexpr Member(T Settings::*member) : of_run(member) {}
    constexpr Member(T TwinSettings::*member) : of_twin(member) {}

    /// `settings` are Settings, const or not.
    template <class AnySettings>
    auto& in(AnySettings& settings, size_t twin) const {
        return of_twin ? settings.twins[twin].*of_twin : settings.*of_run;
    }
};

/// The kinds of settings.
template <class T>
struct Number {
    Member<T> member;
    T low, high;
    T slider_high = high;
    bool log = false;  ///< equal distances on the slider are equal ratios
};
template <class T>
struct OneOf {
    Member<T> member;
    std::span<const Choice<T>> choices;
};
struct Switch {
    Member<bool> member;
};
/// 1 to `most` numbers from `low` to `high`.
struct Numbers {
    Member<std::vector<uint32_t>> member;
    uint32_t low, high, most;
    const char* what;  ///< there may be so many of
};
/// A setting with a grammar of its own.
struct Written {
    std::string (*form)();
    std::string (*text)(const Settings& settings, size_t twin);
    /// Throws Unfit, with nothing changed.
    void (*read)(Settings& settings, size_t twin, const std::string& text);
    bool of_twin = false;
    std::vector<NamedValue> (*values)() = nullptr;  ///< null: it has no few of them
};

/// When a change shows.
enum class Effect {
    new_run,    ///< data and networks begin anew
    next_step,  ///< the run goes on
    view,  ///< what is measured and how fast; no influence on the run's numbers, so that any value will do
};
/// How the command line takes a setting.
enum class Flag { none, one, for_each_twin };
/// Where the control stands; own: it is one of its kind, and nobody else knows how to draw it.
enum class Section { own, data, twin, optimizer, normalization };

struct Field {
    const char* word;   ///< "--word" on the command line; in reports, with _ for -
    const char* label;  ///< of the control, and in messages
    const char* help;   ///< what it is: on the command line's help and in the control's tooltip
    const char* why;    ///< what it does to a run, in one line: in the tooltip, too
    std::variant<Number<float>, Number<uint32_t>, Number<uint64_t>, OneOf<Model>, OneOf<vknorm::Activation>,
                 OneOf<vknorm::NormOrder>, OneOf<OptimizerKind>, OneOf<Schedule>, OneOf<vknorm::Statistics>,
                 OneOf<DeviceStatistics>, OneOf<Smoothing>, OneOf<Speed>, Switch, Numbers, Written>
        kind;
    Effect effect = Effect::next_step;
    Flag flag = Flag::one;
    bool reported = true;
    Section section = Section::own;
    /// Whether it has a meaning beside the other settings; null: always.
    bool (*applies)(const Settings& settings, size_t twin) = nullptr;
};

/// A value that cannot be: "got '3x', needs a whole number from 1 to 256".
class Unfit : public std::invalid_argument {
  public:
    Unfit(const std::string& got, const std::string& needs)
        : std::invalid_argument("got " + (got.empty() ? "nothing" : "'" + got + "'") + ", needs " + needs) {}
    /// The same of one among several values: "noise: got ...".
    Unfit(const std::string& whose, const std::invalid_argument& unfit)
        : std::invalid_argument(whose + ": " + unfit.what()) {}
};

/// The number that the whole of `text` is; of float, uint32_t and uint64_t. Throws Unfit.
template <class T>
T read_number(const std::string& text, T low, T high);

std::vector<std::string> split_at_commas(const std::string& text);
/// The choice of that word; `others` are what else could stand there. Throws Unfit.
template <class T>
T read_word(const std::string& text, std::span<const Choice<T>> choices, const char* others = "") {
    for (const Choice<T>& choice : choices)
        if (text == choice.word) return choice.value;
    throw Unfit(text, "one of " + join_words(choices, ", ") + others);
}

/// "Norm of twin B" is a setting of a twin, "Batch size" one of the run, the same for all twins.
bool is_of_twin(const Field& field);

using Value = std::variant<bool, uint64_t, float, std::string, std::vector<uint32_t>>;
Value value_of(const Field& field, const Settings& settings, size_t twin);
/// As the command line takes it.
std::string text_of(const Field& field, const Settings& settings, size_t twin);
/// Takes the setting as the command line has it. Throws Unfit, with nothing changed.
void read(const Field& field, Settings& settings, size_t twin, const std::string& text);
/// What it can be set to by a word; empty: it takes numbers.
std::vector<NamedValue> values_of(const Field& field);
/// What `text` may be, in short.
std::string form_of(const Field& field);
/// What it is and what it does to a run, for its control.
std::string note_of(const Field& field);
/// "norm-a", "batch".
std::string word_of(const Field& field, size_t twin);
/// "Norm of twin A", "Batch size".
std::string name_of(const Field& field, size_t twin);
/// "--norm-a", "--batch".
std::string flag_of(const Field& field, size_t twin);

/// Which setting cannot be as it is, and why.
struct Misfit {
    const Field* field;
    size_t twin;
    std::string why;
};
/// The first setting out of range, or at odds with others; those of Effect::view may be anything.
std::optional<Misfit> find_misfit(const Settings& settings);

/// Whether the window neither shows the setting nor lets it be changed.
bool is_concealed(const Field& field, const Settings& settings, size_t twin = 0);

/// Whether going from `from` to `to` needs new data or new networks.
bool begins_new_run(const Settings& from, const Settings& to);
/// Whether both give the same run, whatever is looked at and how fast.
bool same_experiment(const Settings& a, const Settings& b);
/// `settings` with what is looked at, and how fast, from `view`.
Settings with_view_of(const Settings& view, Settings settings);

}  // namespace lab
