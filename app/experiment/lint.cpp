#include "app/experiment/lint.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "app/experiment/measured_layers.hpp"

namespace lab {

namespace {

constexpr uint32_t usual_batch = 32, usual_ghost = 16;
constexpr float usual_momentum = 0.1f;
constexpr uint32_t fewest_for_statistics = 8;

std::string twin_name(size_t index) {
    return std::string("Twin ") + twin_letter(index);
}

std::string percent(float share) {
    char text[16];
    std::snprintf(text, sizeof text, "%.0f %%", 100 * static_cast<double>(share));
    return text;
}

std::string number(float value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3g", static_cast<double>(value));
    return text;
}

/// One twin of a run, and what is found of it.
struct Subject {
    const Snapshot& run;
    size_t index;
    std::vector<Finding>& found;

    const Settings& settings() const { return run.settings; }
    const TwinSettings& its() const { return run.settings.twins[index]; }
    const TwinView& view() const { return run.twins[index]; }
    std::vector<MeasuredLayer> layers() const { return measured_layers(run.settings, index); }
    std::string layer_name(size_t layer) const {
        return is_perceptron(settings()) ? "hidden layer " + std::to_string(layer + 1) : layers()[layer].name;
    }

    void add(Severity severity, const std::string& what, const char* why, std::optional<Fix> fix = {}) const {
        found.push_back({severity, twin_name(index) + ": " + what, why, std::move(fix)});
    }
};

template <class Change>
Fix fix(const Subject& at, std::string label, Change change, bool begins_again = false) {
    Fix result{std::move(label), at.settings(), begins_again};
    change(result.settings);
    return result;
}

Fix smaller_rate(const Subject& at, bool begins_again) {
    const float rate = std::max(at.settings().learning_rate / 10, limits::min_learning_rate);
    return fix(
        at, "Learning rate " + number(rate), [rate](Settings& s) { s.learning_rate = rate; }, begins_again);
}

/// A batch whose statistics are less noisy: a larger one, or that of all devices.
Fix larger_batch(const Subject& at) {
    if (normalized_together(at.settings(), at.index) < at.settings().batch &&
        at.settings().batch >= fewest_for_statistics)
        return fix(at, "Synchronized statistics", [&](Settings& s) {
            s.twins[at.index].device_statistics = DeviceStatistics::synchronized;
        });
    return fix(at, "Batch size " + std::to_string(usual_batch), [&](Settings& s) {
        s.batch = usual_batch;
        if (s.twins[at.index].ghost_size < fewest_for_statistics ||
            s.batch % s.twins[at.index].ghost_size == 1)
            s.twins[at.index].ghost_size = usual_ghost;
    });
}

void find_divergence(const Subject& at) {
    const auto& divergence = at.view().divergence;
    if (!divergence) return;
    at.add(Severity::error, "diverged at step " + std::to_string(divergence->step) + ": " + divergence->found,
           "A step that is too large makes the next one larger still. The twin stops as it was before that "
           "step.",
           divergence->found.starts_with("an input") ? std::nullopt : std::optional(smaller_rate(at, true)));
}

void find_lone_example(const Subject& at) {
    const std::string refused = lone_example(at.settings(), at.index);
    if (refused.empty()) return;
    at.add(Severity::error, refused + "; its steps are refused",
           "A mean of one value is that value: what is left after subtracting it is 0, whatever the example.",
           larger_batch(at));
}

/// A norm whose sets have one value gives beta, whatever comes in.
void find_lone_unit(const Subject& at) {
    if (!is_perceptron(at.settings())) return;
    for (uint32_t layer = 0; layer < at.settings().hidden.size(); ++layer) {
        const uint32_t units = at.settings().hidden[layer];
        const vknorm::Norm norm = at.its().norm_of(layer);
        const bool groups = norm == vknorm::Norm::group && at.its().groups == units;
        if (!groups && !(norm == vknorm::Norm::layer && units == 1)) continue;
        at.add(Severity::error,
               "statistics over one value in " + at.layer_name(layer) + ": " + std::to_string(units) +
                   " units in " + std::to_string(groups ? at.its().groups : 1) + " groups",
               "A value minus itself is 0: the layer passes on beta, and nothing of its input.",
               groups && units > 1
                   ? std::optional(fix(at, "One group", [&](Settings& s) { s.twins[at.index].groups = 1; }))
                   : std::nullopt);
        return;
    }
}

bool all_negative(const Histogram& histogram) {
    float below = histogram.below, above = histogram.above;
    for (size_t bin = 0; bin < histogram.share.size(); ++bin)
        (histogram.edge(bin + 1) <= 0 ? below : above) += histogram.share[bin];
    return below > 0 && above == 0;
}

void find_dead_layer(const Subject& at) {
    const std::vector<MeasuredLayer> layers = at.layers();
    for (size_t layer = 0; layer < at.view().layers.size(); ++layer) {
        if (!layers[layer].rectified || !all_negative(at.view().layers[layer].normalized)) continue;
        at.add(Severity::warning,
               at.layer_name(layer) + " is dead: the input of every ReLU was negative in the whole batch",
               "No gradient passes a layer that answers 0, so neither it nor what lies before it learns.",
               smaller_rate(at, true));
        return;
    }
}

void find_dead_units(const Subject& at) {
    const std::vector<MeasuredLayer> layers = at.layers();
    for (size_t layer = 0; layer < at.view().layers.size(); ++layer) {
        const uint32_t dead = at.view().layers[layer].dead_units;
        if (dead == 0 || !layers[layer].rectified) continue;
        at.add(Severity::warning,
               std::to_string(dead) + " of " + std::to_string(layers[layer].width()) + " units of " +
                   at.layer_name(layer) + " are dead: beta is so far below 0 that no batch of " +
                   std::to_string(normalized_together(at.settings(), at.index)) + " can make them answer",
               "A ReLU that never answers has no gradient, and gamma and beta stay where they are.",
               smaller_rate(at, true));
        return;
    }
}

/// Accuracy that only batch statistics reach: the running statistics do not describe the data.
void find_stale_statistics(const Subject& at) {
    if (at.view().test.empty()) return;
    const TestRow& test = at.view().test.back().value;
    if (!(test.batch_accuracy - test.accuracy > 0.1f)) return;
    const Settings& s = at.settings();
    const std::string seen = percent(test.accuracy) + " of the test set with running statistics, " +
                             percent(test.batch_accuracy) + " with batch statistics: ";
    const Fix updated = fix(at, "Update them, at momentum " + number(usual_momentum), [](Settings& changed) {
        changed.update_running = true;
        changed.norm_momentum = usual_momentum;
    });
    const bool frozen = !s.update_running || s.norm_momentum == 0;
    // The weight of the newest batch decides what they are made of.
    const char* const state =
        frozen                    ? "the running statistics are not updated"
        : s.norm_momentum == 1    ? "at momentum 1 the running statistics are the last batch's"
        : s.norm_momentum >= 0.5f ? "the running statistics are little more than the last batch's"
                                  : "the running statistics lag behind";
    const bool usual = !frozen && s.norm_momentum <= 0.5f && s.norm_momentum >= usual_momentum;
    at.add(
        Severity::warning, seen + state,
        "Eval mode normalizes with them: where they do not describe the data, a good network answers badly.",
        usual ? std::nullopt : std::optional(updated));
}

/// The opposite: whoever forgets eval() loses what batch statistics cost.
void find_forgotten_eval(const Subject& at) {
    if (at.view().test.empty()) return;
    const TestRow& test = at.view().test.back().value;
    if (!(test.accuracy - test.batch_accuracy > 0.1f)) return;
    at.add(
        Severity::note,
        "eval() matters here: " + percent(test.accuracy) + " of the test set with running statistics, " +
            percent(test.batch_accuracy) + " with those of batches of " +
            std::to_string(normalized_together(at.settings(), at.index)),
        "In train mode an example's answer depends on who else is in its batch, and small batches are noisy.",
        normalized_together(at.settings(), at.index) < usual_batch ? std::optional(larger_batch(at))
                                                                   : std::nullopt);
}

void find_eval_while_training(const Subject& at) {
    if (at.settings().statistics != vknorm::Statistics::running || !depends_on_batch(at.settings(), at.index))
        return;
    at.add(Severity::note, "training steps normalize with running statistics, as in eval mode",
           "Then nothing keeps activations in place: the norm is a fixed scale and shift while the weights "
           "move.",
           fix(at, "Batch statistics", [](Settings& s) { s.statistics = vknorm::Statistics::batch; }));
}

/// The fewest examples that a norm of the twin takes statistics of; 0: none depends on others. Batch
/// renormalization makes up for few of them.
uint32_t fewest_together(const Settings& settings, size_t twin) {
    if (settings.statistics == vknorm::Statistics::running) return 0;
    if (has_norm(settings, twin, vknorm::Norm::ghost))
        return std::min(settings.batch, settings.twins[twin].ghost_size);
    return has_norm(settings, twin, vknorm::Norm::batch) ? normalized_together(settings, twin) : 0;
}

void find_small_batch(const Subject& at) {
    const uint32_t together = fewest_together(at.settings(), at.index);
    if (together == 0 || together >= fewest_for_statistics) return;
    if (!lone_example(at.settings(), at.index).empty()) return;
    const bool small_ghost = has_norm(at.settings(), at.index, vknorm::Norm::ghost) &&
                             at.settings().batch >= fewest_for_statistics;
    at.add(Severity::warning,
           "statistics of " + std::to_string(together) + " examples are mostly noise; " +
               std::to_string(fewest_for_statistics) + " or more are usual",
           "The error of a mean of m values falls only as 1/sqrt(m), that of a variance as sqrt(2/m).",
           small_ghost ? fix(at, "Ghost size " + std::to_string(usual_ghost),
                             [&](Settings& s) { s.twins[at.index].ghost_size = usual_ghost; })
                       : larger_batch(at));
}

void find_only_guesses(const Subject& at) {
    constexpr uint64_t patience = 300;
    const Snapshot& run = at.run;
    if (run.step < patience || !run.train || at.view().training.empty() || at.view().divergence) return;
    const float guessing = std::log(static_cast<float>(run.train->classes));
    const float loss = at.view().training.back().value.strongly_smoothed_loss;
    if (!(std::abs(loss - guessing) < 0.01f * guessing)) return;
    at.add(Severity::warning,
           "the loss stays at the logarithm of the number of classes, which is what guessing gives",
           "Nothing of the input reaches the output, or no gradient comes back: a norm or other first "
           "weights help, seldom patience.",
           at.its().norm == vknorm::Norm::none ? std::optional(fix(at, "BatchNorm",
                                                                   [&](Settings& s) {
                                                                       s.twins[at.index].norm =
                                                                           vknorm::Norm::batch;
                                                                       s.twins[at.index].exceptions.clear();
                                                                   }))
                                               : std::nullopt);
}

void find_large_rate(const Subject& at) {
    constexpr uint64_t patience = 50;
    const Snapshot& run = at.run;
    if (run.step < patience || !run.train || at.view().training.empty() || at.view().divergence) return;
    const float guessing = std::log(static_cast<float>(run.train->classes));
    const float loss = at.view().training.back().value.strongly_smoothed_loss;
    if (!(guessing > 0) || !(loss > 2 * guessing)) return;
    at.add(Severity::warning,
           "the loss is " + number(loss) + ", while guessing would give " + number(guessing) +
               ": the learning rate, " + number(at.settings().learning_rate) + ", is too high",
           "Steps overshoot: each lands higher on the other side of the valley.", smaller_rate(at, false));
}

void find_large_gain(const Subject& at) {
    constexpr float large = 100;
    for (size_t layer = 0; layer < at.view().layers.size(); ++layer) {
        const float gain = at.view().layers[layer].largest_gain;
        if (!(gain > large)) continue;
        constexpr float usual_bound = 1e-3f;
        at.add(Severity::warning,
               "gamma * inv_std reaches " + number(gain) + " in " + at.layer_name(layer) +
                   ": a unit hardly varies within a batch",
               "The norm blows up what is left of the unit, noise included, and its gradient as much.",
               at.settings().epsilon < usual_bound
                   ? std::optional(fix(at, "Epsilon " + number(usual_bound),
                                       [=](Settings& s) { s.epsilon = usual_bound; }))
                   : std::nullopt);
        return;
    }
}

void find_momentum_of_running(const Subject& at) {
    const Settings& s = at.settings();
    if (!depends_on_batch(s, at.index)) return;
    const float momentum = s.norm_momentum;
    if (momentum >= 0.5f) {
        const float meant = momentum < 1 ? 1 - momentum : usual_momentum;
        at.add(
            Severity::note,
            "momentum " + number(momentum) +
                " of the running statistics is the weight of the newest batch; Keras and ONNX would call "
                "it " +
                number(1 - momentum),
            "The two conventions are mirrored: a 0.9 copied from Keras is 0.1 here, as in PyTorch.",
            fix(at, "Momentum " + number(meant), [=](Settings& changed) { changed.norm_momentum = meant; }));
    } else if (constexpr float slow = 0.005f; momentum < slow && s.update_running) {
        const std::string steps =
            momentum > 0 ? "some " + std::to_string(std::lround(3 / momentum)) + " steps" : "for ever";
        at.add(Severity::note,
               "at momentum " + number(momentum) + " the running statistics take " + steps + " to arrive",
               "Until then eval mode normalizes with what they began with, mean 0 and variance 1.",
               fix(at, "Momentum " + number(usual_momentum),
                   [](Settings& changed) { changed.norm_momentum = usual_momentum; }));
    }
}

void find_bias_before_norm(const Subject& at) {
    if (!is_perceptron(at.settings())) return;                          // models for pictures leave them out
    if (at.its().order == vknorm::NormOrder::after_activation) return;  // which bends what the bias moves
    uint32_t biases = 0;
    for (uint32_t layer = 0; layer < at.settings().hidden.size(); ++layer)
        if (vknorm::keeps_running_statistics(at.its().norm_of(layer))) biases += at.settings().hidden[layer];
    if (biases == 0) return;
    at.add(Severity::note,
           std::to_string(biases) + " biases before a norm over the batch have no effect, and no gradient",
           "The norm subtracts the mean, and the bias with it; beta does its work. Your own layers may do "
           "without.");
}

void find_redundant_dropout(const Subject& at) {
    if (at.settings().model != Model::classifier || !depends_on_batch(at.settings(), at.index)) return;
    at.add(Severity::note, "the classifier has dropout of 0.5 beside norms over the batch",
           "Batch statistics are noise that regularizes already; dropout before such a norm shifts its "
           "variance between train and eval mode.",
           fix(at, "A model without", [](Settings& s) {
               s.model = Model::classifier_small;
               keep_norms_valid(s);
           }));
}

void find_one_class(const Snapshot& run, std::vector<Finding>& found) {
    if (!run.train || run.train->labels.empty()) return;
    const std::vector<uint32_t>& labels = run.train->labels;
    const bool one = std::adjacent_find(labels.begin(), labels.end(), std::not_equal_to<>()) == labels.end();
    if (!one) return;
    found.push_back({Severity::error,
                     "All " + std::to_string(labels.size()) + " training examples are of one class",
                     "Whatever the network sees, one answer is right: the loss falls and nothing is learned.",
                     {}});
}

}  // namespace

std::string lone_example(const Settings& settings, size_t twin) {
    if (settings.statistics == vknorm::Statistics::running || !depends_on_batch(settings, twin)) return {};
    if (settings.batch == 1) return "a batch of one has no variance";
    if (normalized_together(settings, twin) == 1)
        return std::to_string(settings.batch) + " examples on " +
               std::to_string(settings.twins[twin].devices) + " devices leave one alone, without a variance";
    const uint32_t ghost_size = settings.twins[twin].ghost_size;
    if (has_norm(settings, twin, vknorm::Norm::ghost) && settings.batch % ghost_size == 1)
        return "ghosts of " + std::to_string(ghost_size) + " leave one of " + std::to_string(settings.batch) +
               " examples alone, without a variance";
    return {};
}

std::vector<Finding> findings(const Snapshot& run) {
    std::vector<Finding> found;
    find_one_class(run, found);
    constexpr std::array finders = {find_divergence,     find_lone_example,        find_lone_unit,
                                    find_dead_layer,     find_stale_statistics,    find_only_guesses,
                                    find_large_rate,     find_dead_units,          find_large_gain,
                                    find_small_batch,    find_momentum_of_running, find_eval_while_training,
                                    find_forgotten_eval, find_redundant_dropout,   find_bias_before_norm};
    for (size_t twin = 0; twin < run.twins.size(); ++twin)
        for (const auto find : finders) find({run, twin, found});
    std::stable_sort(found.begin(), found.end(),
                     [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
    return found;
}

std::string lint(const Snapshot& run) {
    const std::vector<Finding> found = findings(run);
    return found.empty() || found.front().severity == Severity::note ? "" : found.front().what;
}

}  // namespace lab
