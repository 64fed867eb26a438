#include "app/lab/norm_choice.hpp"

#include <algorithm>
#include <array>

#include "app/experiment/words.hpp"

namespace lab {

namespace {

using vknorm::Norm;

constexpr std::array<Norm, 7> all = {Norm::none, Norm::batch,        Norm::layer, Norm::group,
                                     Norm::rms,  Norm::batch_renorm, Norm::ghost};

const char* note(Norm norm) {
    switch (norm) {
        case Norm::none:
            return "Activations receive what the weights give";
        case Norm::batch:
            return "Each unit by its mean and variance over the batch";
        case Norm::layer:
            return "Each example by the mean and variance of its units; the batch has no say";
        case Norm::group:
            return "Each example by the mean and variance of groups of its units";
        case Norm::rms:
            return "Each example by the root mean square of its units; no mean, no beta";
        case Norm::batch_renorm:
            return "BatchNorm, corrected more and more towards its running statistics (the paper's schedule, "
                   "100 times "
                   "as fast)";
        case Norm::ghost:
            return "BatchNorm over parts of the batch, as if each were a batch of its own";
    }
    return "";
}

template <class Function>
auto for_all(Function function) {
    std::array<const char*, all.size()> texts{};
    std::transform(all.begin(), all.end(), texts.begin(), function);
    return texts;
}

/// Returns whether another one than `current` was chosen; -1: none of them.
bool choose(const Look& look, const char* id, float width, const char* preview, int& current) {
    return choice(look, id, width, preview, for_all([](Norm norm) { return name(norm); }), current,
                  for_all(note));
}

int index_of(Norm norm) {
    return static_cast<int>(std::find(all.begin(), all.end(), norm) - all.begin());
}

}  // namespace

std::span<const Norm> norms() {
    return all;
}

void choose_norm(const Look& look, const char* id, float width, TwinSettings& twin) {
    const bool mixed = !twin.exceptions.empty();
    int chosen = mixed ? -1 : index_of(twin.norm);
    if (choose(look, id, width, mixed ? "Mixed" : name(twin.norm), chosen)) {
        twin.norm = all[static_cast<size_t>(chosen)];
        twin.exceptions.clear();
    }
    hint(look, mixed ? "Hidden layers have different norms; a right click on a card changes its layer's"
                     : note(twin.norm));
}

void choose_norm_of(const Look& look, const char* id, float width, TwinSettings& twin, uint32_t layer) {
    const Norm before = twin.norm_of(layer);
    int chosen = index_of(before);
    if (choose(look, id, width, name(before), chosen))
        twin.set_norm_of(layer, all[static_cast<size_t>(chosen)]);
    hint(look, note(before));
}

}  // namespace lab
