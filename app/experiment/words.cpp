#include "app/experiment/words.hpp"

#include <algorithm>
#include <cctype>

namespace lab {

namespace {

/// Null for a value that is no choice.
template <class T, size_t N>
const Choice<T>* find(const std::array<Choice<T>, N>& choices, T value) {
    const auto found = std::find_if(choices.begin(), choices.end(),
                                    [&](const Choice<T>& choice) { return choice.value == value; });
    return found == choices.end() ? nullptr : &*found;
}

}  // namespace

std::string lower_case(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

const char* word(Data data) {
    const auto* const choice = find(data_choices, data);
    return choice ? choice->word : "";
}
const char* word(Model model) {
    return find(model_choices, model)->word;
}
const char* word(vknorm::Norm norm) {
    return find(norm_choices, norm)->word;
}
const char* word(vknorm::Activation activation) {
    return find(activation_choices, activation)->word;
}
const char* word(OptimizerKind kind) {
    return find(optimizer_choices, kind)->word;
}

const char* name(Data data) {
    const auto* const choice = find(data_choices, data);
    return choice ? choice->name : "File";
}
const char* name(Model model) {
    return find(model_choices, model)->name;
}
const char* name(vknorm::Norm norm) {
    return find(norm_choices, norm)->name;
}
const char* name(vknorm::Activation activation) {
    return find(activation_choices, activation)->name;
}
const char* name(OptimizerKind kind) {
    return find(optimizer_choices, kind)->name;
}

}  // namespace lab
