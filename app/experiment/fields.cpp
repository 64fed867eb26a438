#include "app/experiment/fields.hpp"

#include <algorithm>
#include <charconv>
#include <concepts>
#include <sstream>
#include <type_traits>

#include "app/experiment/settings.hpp"

namespace lab {

namespace {

template <class... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

template <class T>
std::string range_of(T low, T high) {
    std::ostringstream words;
    words << (std::is_integral_v<T> ? "a whole number from " : "a number from ") << low << " to " << high;
    return words.str();
}

std::string shortest(float value) {
    char characters[32];
    return std::string(characters, std::to_chars(characters, characters + sizeof characters, value).ptr);
}

std::string text_of(const Value& value) {
    return std::visit(Overloaded{[](bool on) { return std::string(on ? "on" : "off"); },
                                 [](uint64_t number) { return std::to_string(number); },
                                 [](float number) { return shortest(number); },
                                 [](const std::string& text) { return text; },
                                 [](const std::vector<uint32_t>& numbers) {
                                     std::string list;
                                     for (const uint32_t number : numbers)
                                         list += (list.empty() ? "" : ",") + std::to_string(number);
                                     return list;
                                 }},
                      value);
}

template <class T>
const Choice<T>& chosen(const OneOf<T>& one, const Settings& settings, size_t twin) {
    const T value = one.member.in(settings, twin);
    return *std::find_if(one.choices.begin(), one.choices.end(),
                         [&](const Choice<T>& choice) { return choice.value == value; });
}

/// What a value must be; empty, when it is that.
template <class T>
std::string needs(const Number<T>& number, const Settings& settings, size_t twin) {
    const T value = number.member.in(settings, twin);
    // Asked so that NaN is not.
    return value >= number.low && value <= number.high ? "" : range_of(number.low, number.high);
}
std::string needs(const Numbers& numbers, const Settings& settings, size_t twin) {
    const std::vector<uint32_t>& values = numbers.member.in(settings, twin);
    if (values.empty() || values.size() > numbers.most)
        return "1 to " + std::to_string(numbers.most) + " " + numbers.what;
    const bool fit = std::all_of(values.begin(), values.end(), [&](uint32_t value) {
        return value >= numbers.low && value <= numbers.high;
    });
    return fit ? "" : range_of(numbers.low, numbers.high);
}
// Types leave no other values, or a setting is at odds with others only.
template <class Kind>
std::string needs(const Kind&, const Settings&, size_t) {
    return {};
}

bool same(const Field& field, const Settings& a, const Settings& b) {
    const size_t twins = is_of_twin(field) ? std::min(a.twins.size(), b.twins.size()) : 1;
    for (size_t twin = 0; twin < twins; ++twin)
        if (value_of(field, a, twin) != value_of(field, b, twin)) return false;
    return true;
}

bool same(Effect effect, const Settings& a, const Settings& b) {
    return std::all_of(std::begin(fields), std::end(fields),
                       [&](const Field& field) { return field.effect != effect || same(field, a, b); });
}

}  // namespace

template <class T>
T read_number(const std::string& text, T low, T high) {
    T value{};
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    // Negated, so that NaN is refused too.
    if (error != std::errc() || stopped != end || !(value >= low && value <= high))
        throw Unfit(text, range_of(low, high));
    return value;
}
template float read_number(const std::string&, float, float);
template uint32_t read_number(const std::string&, uint32_t, uint32_t);
template uint64_t read_number(const std::string&, uint64_t, uint64_t);

std::vector<std::string> split_at_commas(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream stream(text + ",");
    for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
    return parts;
}

bool is_of_twin(const Field& field) {
    return std::visit(Overloaded{[](const Written& written) { return written.of_twin; },
                                 [](const auto& kind) { return kind.member.of_twin != nullptr; }},
                      field.kind);
}

Value value_of(const Field& field, const Settings& settings, size_t twin) {
    return std::visit(
        Overloaded{[&](const Number<float>& number) -> Value { return number.member.in(settings, twin); },
                   [&]<class T>(const Number<T>& number) -> Value {
                       return uint64_t{number.member.in(settings, twin)};
                   },
                   [&]<class T>(const OneOf<T>& one) -> Value {
                       return std::string(chosen(one, settings, twin).word);
                   },
                   [&](const Switch& one) -> Value { return one.member.in(settings, twin); },
                   [&](const Numbers& numbers) -> Value { return numbers.member.in(settings, twin); },
                   [&](const Written& written) -> Value { return written.text(settings, twin); }},
        field.kind);
}

std::string text_of(const Field& field, const Settings& settings, size_t twin) {
    return text_of(value_of(field, settings, twin));
}

void read(const Field& field, Settings& settings, size_t twin, const std::string& text) {
    std::visit(Overloaded{[&]<class T>(const Number<T>& number) {
                              number.member.in(settings, twin) = read_number(text, number.low, number.high);
                          },
                          [&]<class T>(const OneOf<T>& one) {
                              one.member.in(settings, twin) = read_word(text, one.choices);
                          },
                          [&](const Switch& one) {
                              if (text != "on" && text != "off") throw Unfit(text, "on or off");
                              one.member.in(settings, twin) = text == "on";
                          },
                          [&](const Numbers& numbers) {
                              std::vector<uint32_t> values;
                              for (const std::string& part : split_at_commas(text))
                                  values.push_back(read_number(part, numbers.low, numbers.high));
                              if (values.size() > numbers.most)
                                  throw Unfit(text,
                                              "1 to " + std::to_string(numbers.most) + " " + numbers.what);
                              numbers.member.in(settings, twin) = values;
                          },
                          [&](const Written& written) { written.read(settings, twin, text); }},
               field.kind);
}

std::vector<NamedValue> values_of(const Field& field) {
    return std::visit(Overloaded{[]<class T>(const OneOf<T>& one) { return named_values(one.choices); },
                                 [](const Switch&) {
                                     return std::vector<NamedValue>{{"on", "on"}, {"off", "off"}};
                                 },
                                 [](const Written& written) {
                                     return written.values ? written.values() : std::vector<NamedValue>();
                                 },
                                 [](const auto&) { return std::vector<NamedValue>(); }},
                      field.kind);
}

std::string form_of(const Field& field) {
    return std::visit(Overloaded{[]<class T>(const Number<T>&) { return std::string("NUMBER"); },
                                 []<class T>(const OneOf<T>& one) { return join_words(one.choices, "|"); },
                                 [](const Switch&) { return std::string("on|off"); },
                                 [](const Numbers&) { return std::string("N,N,..."); },
                                 [](const Written& written) { return written.form(); }},
                      field.kind);
}

std::string note_of(const Field& field) {
    return std::string(field.help) + "\n" + field.why;
}

std::string word_of(const Field& field, size_t twin) {
    return field.word + (is_of_twin(field) ? std::string("-") + static_cast<char>('a' + twin) : "");
}

std::string name_of(const Field& field, size_t twin) {
    return field.label + (is_of_twin(field) ? std::string(" of twin ") + twin_letter(twin) : "");
}

std::string flag_of(const Field& field, size_t twin) {
    return "--" + (field.flag == Flag::for_each_twin ? word_of(field, twin) : field.word);
}

std::optional<Misfit> find_misfit(const Settings& settings) {
    const size_t twins = settings.twins.size();
    if (twins < 1 || twins > limits::max_twins)
        return Misfit{&field_named("twins"), 0,
                      Unfit(std::to_string(twins), range_of(1u, limits::max_twins)).what()};
    for (const Field& field : fields) {
        if (field.effect == Effect::view) continue;
        for (size_t twin = 0; twin < (is_of_twin(field) ? twins : 1); ++twin) {
            const std::string needed =
                std::visit([&](const auto& kind) { return needs(kind, settings, twin); }, field.kind);
            if (!needed.empty())
                return Misfit{&field, twin, Unfit(text_of(field, settings, twin), needed).what()};
        }
    }
    const bool perceptron = is_perceptron(settings);
    if (!perceptron && is_planar(settings.data))
        return Misfit{&field_named("model"), 0,
                      Unfit(word(settings.model), "pictures: digits, or files of them").what()};
    for (size_t twin = 0; twin < twins; ++twin) {
        const TwinSettings& its = settings.twins[twin];
        if (const uint32_t most = most_groups(settings, twin);
            !perceptron && most > 0 && most % its.groups != 0)
            return Misfit{&field_named("groups"), twin,
                          Unfit(std::to_string(its.groups), "a divisor of " + std::to_string(most) +
                                                                ", channels of " + word(settings.model))
                              .what()};
        for (uint32_t layer = 0; layer < settings.hidden.size() && perceptron; ++layer)
            if (its.norm_of(layer) == vknorm::Norm::group && settings.hidden[layer] % its.groups != 0)
                return Misfit{&field_named("groups"), twin,
                              Unfit(std::to_string(its.groups),
                                    "a divisor of the " + std::to_string(settings.hidden[layer]) +
                                        " units of hidden layer " + std::to_string(layer + 1))
                                  .what()};
        for (const vknorm::Norm norm : {vknorm::Norm::ghost, vknorm::Norm::batch_renorm})
            if (its.devices > 1 && has_norm(settings, twin, norm))
                return Misfit{&field_named("devices"), twin,
                              Unfit(std::to_string(its.devices), std::string("1 with ") + name(norm)).what()};
        if (its.devices > settings.batch)
            return Misfit{&field_named("devices"), twin,
                          Unfit(std::to_string(its.devices),
                                "at most the " + std::to_string(settings.batch) + " examples of a batch")
                              .what()};
        if (settings.epsilon == 0 && has_norm(settings, twin, vknorm::Norm::batch_renorm))
            return Misfit{&field_named("epsilon"), twin, Unfit("0", "more with BatchRenorm").what()};
    }
    return std::nullopt;
}

bool is_concealed(const Field& field, const Settings& settings, size_t twin) {
    return settings.concealed.count(field.word) > 0 || settings.concealed.count(word_of(field, twin)) > 0;
}

bool begins_new_run(const Settings& from, const Settings& to) {
    // The memory of a model for pictures is that of its batch.
    const bool other_size = !is_perceptron(to) && from.batch != to.batch;
    return other_size || !same(Effect::new_run, from, to);
}

bool same_experiment(const Settings& a, const Settings& b) {
    return same(Effect::new_run, a, b) && same(Effect::next_step, a, b);
}

Settings with_view_of(const Settings& view, Settings settings) {
    for (const Field& field : fields) {
        if (field.effect != Effect::view) continue;
        std::visit(
            Overloaded{[](const Written&) {},  // what is hidden comes and goes with the settings
                       [&](const auto& kind) { kind.member.in(settings, 0) = kind.member.in(view, 0); }},
            field.kind);
    }
    return settings;
}

}  // namespace lab
