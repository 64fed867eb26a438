#include "app/lab/norm_choice.hpp"

#include <algorithm>
#include <array>

#include "app/experiment/words.hpp"

namespace lab {

namespace {

using vknorm::Norm;

/// Returns whether another one than `current`, an index of norm_choices, was chosen; -1: none of them.
bool choose(const Look& look, const char* id, float width, const char* preview, int& current) {
    std::array<const char*, norm_choices.size()> names{}, notes{};
    for (size_t i = 0; i < norm_choices.size(); ++i) {
        names[i] = norm_choices[i].name;
        notes[i] = norm_choices[i].note;
    }
    return choice(look, id, width, preview, names, current, notes);
}

int index_of(Norm norm) {
    const auto found = std::find_if(norm_choices.begin(), norm_choices.end(),
                                    [&](const auto& choice) { return choice.value == norm; });
    return static_cast<int>(found - norm_choices.begin());
}

const char* note(Norm norm) {
    return norm_choices[static_cast<size_t>(index_of(norm))].note;
}

Norm chosen_norm(int index) {
    return norm_choices[static_cast<size_t>(index)].value;
}

}  // namespace

void next_norm(TwinSettings& twin) {
    twin.norm = chosen_norm((index_of(twin.norm) + 1) % static_cast<int>(norm_choices.size()));
    twin.exceptions.clear();
}

void choose_norm(const Look& look, const char* id, float width, TwinSettings& twin) {
    const bool mixed = !twin.exceptions.empty();
    int chosen = mixed ? -1 : index_of(twin.norm);
    if (choose(look, id, width, mixed ? "Mixed" : name(twin.norm), chosen)) {
        twin.norm = chosen_norm(chosen);
        twin.exceptions.clear();
    }
    const std::string what =
        mixed ? "Hidden layers have different norms; a right click on a card changes its layer's"
              : note(twin.norm);
    hint(look, (what + "\n" + field_named("norm").why).c_str());
}

void choose_norm_of(const Look& look, const char* id, float width, TwinSettings& twin, uint32_t layer) {
    const Norm before = twin.norm_of(layer);
    int chosen = index_of(before);
    if (choose(look, id, width, name(before), chosen)) twin.set_norm_of(layer, chosen_norm(chosen));
    hint(look, note(before));
}

}  // namespace lab
