#include "app/experiment/lint.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace lab {

namespace {

std::string twin_name(size_t index) {
    return std::string("Twin ") + twin_letter(index);
}

std::string percent(float share) {
    char text[16];
    std::snprintf(text, sizeof text, "%.0f %%", 100 * static_cast<double>(share));
    return text;
}

bool all_negative(const Histogram& histogram) {
    float below = histogram.below, above = histogram.above;
    for (size_t bin = 0; bin < histogram.share.size(); ++bin)
        (histogram.edge(bin + 1) <= 0 ? below : above) += histogram.share[bin];
    return below > 0 && above == 0;
}

/// A layer whose every activation is zero: no gradient passes it, so neither it nor what lies before it
/// learns.
std::string dead_layer(const TwinView& twin, const TwinSettings& settings) {
    if (settings.activation != vknorm::Activation::relu) return {};
    for (size_t i = 0; i < twin.layers.size(); ++i)
        if (all_negative(twin.layers[i].normalized))
            return "hidden layer " + std::to_string(i + 1) +
                   " is dead: the input of every ReLU was negative in the whole batch";
    return {};
}

/// Accuracy that only batch statistics reach: the running statistics do not describe the data.
std::string statistics_gap(const TwinView& twin, const Settings& settings) {
    if (twin.test.empty()) return {};
    const TestRow& test = twin.test.back().value;
    if (!(test.batch_accuracy - test.accuracy > 0.1f)) return {};
    std::string text = percent(test.accuracy) + " of the test set with running statistics, " +
                       percent(test.batch_accuracy) + " with batch statistics: ";
    if (!settings.update_running || settings.norm_momentum == 0)
        return text + "the running statistics are not updated";
    // The weight of the newest batch decides what they are made of.
    if (settings.norm_momentum == 1)
        return text + "at momentum 1 the running statistics are the last batch's";
    if (settings.norm_momentum >= 0.5f)
        return text + "the running statistics are little more than the last batch's";
    return text + "the running statistics lag behind";
}

std::string only_guesses(const Snapshot& run, const TwinView& twin) {
    constexpr uint64_t patience = 300;
    if (run.step < patience || !run.train || twin.training.empty()) return {};
    const float guessing = std::log(static_cast<float>(run.train->classes));
    if (!(std::abs(twin.training.back().value.strongly_smoothed_loss - guessing) < 0.01f * guessing))
        return {};
    return "the loss stays at the logarithm of the number of classes, which is what guessing gives";
}

/// The fewest examples that a norm of the twin takes statistics of; 0: none depends on others. Batch
/// renormalization makes up for few of them.
uint32_t fewest_together(const Settings& settings, size_t twin) {
    if (settings.statistics == vknorm::Statistics::running) return 0;
    if (has_norm(settings, twin, vknorm::Norm::ghost))
        return std::min(settings.batch, settings.twins[twin].ghost_size);
    return has_norm(settings, twin, vknorm::Norm::batch) ? settings.batch : 0;
}

}  // namespace

std::string lone_example(const Settings& settings, size_t twin) {
    if (settings.statistics == vknorm::Statistics::running || !depends_on_batch(settings, twin)) return {};
    if (settings.batch == 1) return "a batch of one has no variance";
    const uint32_t ghost_size = settings.twins[twin].ghost_size;
    if (has_norm(settings, twin, vknorm::Norm::ghost) && settings.batch % ghost_size == 1)
        return "ghosts of " + std::to_string(ghost_size) + " leave one of " + std::to_string(settings.batch) +
               " examples alone, without a variance";
    return {};
}

std::string lint(const Snapshot& run) {
    for (size_t i = 0; i < run.twins.size(); ++i) {
        const TwinView& twin = run.twins[i];
        if (const std::string refused = lone_example(run.settings, i); !refused.empty())
            return twin_name(i) + ": " + refused + "; its steps are refused";
        for (const std::string& found : {dead_layer(twin, run.settings.twins[i]),
                                         statistics_gap(twin, run.settings), only_guesses(run, twin)})
            if (!found.empty()) return twin_name(i) + ": " + found;
        const uint32_t together = fewest_together(run.settings, i);
        if (together > 0 && together < 8)
            return twin_name(i) + ": statistics of " + std::to_string(together) +
                   " examples are mostly noise; 8 or more are usual";
    }
    return {};
}

}  // namespace lab
