// Experiments about why batch norm helps: the shift of distributions, and the landscape of the loss.
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>

#include "app/experiment/experiments/table.hpp"

namespace lab {

namespace {

using namespace table;

// --- Covariate shift

std::vector<RunPlan> covariate_shift(Form form) {
    Settings s = digits(3, 100, 60, 0.1f);
    for (TwinSettings& twin : s.twins) twin.activation = vknorm::Activation::sigmoid;
    return {{.name = "the run", .settings = s, .steps = form == Form::full ? 2000u : 600u}};
}

// --- Landscape

constexpr double probed_rate = 0.2;
constexpr std::array multiples = {0.5, 1.0, 2.0, 4.0};  // of the rate, as in the paper

double loss_range(Trainer& trainer, size_t twin) {
    std::array<double, multiples.size()> rates;
    std::transform(multiples.begin(), multiples.end(), rates.begin(),
                   [](double multiple) { return multiple * probed_rate; });
    const std::vector<double> losses = trainer.look_ahead(twin, rates).losses;
    const auto [low, high] = std::minmax_element(losses.begin(), losses.end());
    return *high - *low;
}

std::vector<RunPlan> landscape(Form form) {
    const bool full = form == Form::full;
    RunPlan plan{.name = "the run",
                 .settings = digits(4, 64, 64, static_cast<float>(probed_rate)),
                 .steps = full ? 600u : 240u};
    for (uint64_t step = 20; step <= plan.steps; step += 20)
        plan.events.push_back({.step = step, .name = "loss range", .measure = loss_range});
    return {plan};
}

// --- Injected noise

constexpr uint32_t noisy_layers = 10;
constexpr double most_shift = 0.5, most_scale = 1.25;  // as in the paper

/// From `low` to `high`, the same for the same numbers.
double drawn(uint64_t seed, uint64_t step, uint64_t index, double low, double high) {
    std::seed_seq sequence{seed, step, index};
    uint32_t bits = 0;
    sequence.generate(&bits, &bits + 1);
    return low + (high - low) * bits * 0x1p-32;
}

/// Scales and shifts what the norms of a twin give, each unit otherwise and at each step otherwise, through
/// gamma and beta: what was added to them for a step is taken away behind it, and they learn in between.
class Noise {
  public:
    void begin(Trainer& trainer) {
        for (uint32_t layer = 0; layer < noisy_layers; ++layer) {
            const std::string norm = std::to_string(layer) + ".norm.";
            std::vector<float>& more_gamma = added_[norm + "weight"];
            std::vector<float>& more_beta = added_[norm + "bias"];
            more_gamma = trainer.tensor(b, norm + "weight");
            more_beta = trainer.tensor(b, norm + "bias");
            for (size_t unit = 0; unit < more_gamma.size(); ++unit) {
                const uint64_t index = layer * more_gamma.size() + unit, seed = trainer.settings().seed;
                const double scale = drawn(seed, trainer.steps(), 2 * index, 1, most_scale),
                             shift = drawn(seed, trainer.steps(), 2 * index + 1, -most_shift, most_shift);
                more_gamma[unit] = static_cast<float>((scale - 1) * more_gamma[unit]);
                more_beta[unit] = static_cast<float>((scale - 1) * more_beta[unit] + shift);
            }
        }
        add(trainer, 1);
    }
    void end(Trainer& trainer) {
        add(trainer, -1);
        added_.clear();
    }

  private:
    void add(Trainer& trainer, float times) {
        for (const auto& [name, values] : added_) {
            std::vector<float> tensor = trainer.tensor(b, name);
            for (size_t i = 0; i < tensor.size(); ++i) tensor[i] += times * values[i];
            trainer.set_tensor(b, name, tensor);
        }
    }

    std::map<std::string, std::vector<float>> added_;  // to tensors, by name
};

std::vector<RunPlan> injected_noise(Form form) {
    Settings s = spiral(noisy_layers, 32, 32, 0.1f);
    s.twins = {{vknorm::Norm::batch}, {vknorm::Norm::batch}, {vknorm::Norm::none}};
    RunPlan plan{.name = "the run", .settings = s, .steps = form == Form::full ? 1000u : 400u};
    const auto noise = std::make_shared<Noise>();
    for (uint64_t step = 0; step <= plan.steps; ++step) {
        const auto only_b = [noise](void (Noise::*what)(Trainer&)) {
            return [noise, what](Trainer& trainer, size_t twin) {
                if (twin == b) (*noise.*what)(trainer);
            };
        };
        plan.events.push_back({.step = step, .act = only_b(&Noise::end)});
        if (step % 20 == 0)
            plan.events.push_back({.step = step,
                                   .name = "accuracy without the noise",
                                   .measure = [](Trainer& trainer, size_t twin) {
                                       // Running statistics are those of the noise, too.
                                       return trainer.test_accuracy(twin, vknorm::Statistics::batch,
                                                                    trainer.settings().batch);
                                   }});
        if (step < plan.steps) plan.events.push_back({.step = step, .act = only_b(&Noise::begin)});
    }
    return {plan};
}

double without_noise(const Trial& trial, size_t twin) {
    return measured(trial.runs[0], "accuracy without the noise", twin);
}

/// How far the median that the inspected unit's activation receives goes from step to step, of the width of
/// the middle 70 %.
double unrest(const Trial& trial, size_t twin) {
    const RunRecord& run = trial.runs[0];
    return deviation(run, twin, &UnitRow::percentile50) / middle_width(run, twin);
}

}  // namespace

std::vector<Experiment> reason_experiments() {
    return {
        {.name = "covariate-shift",
         .title = "Covariate shift",
         .claim = "With batch norm the input of a late unit keeps its distribution; without, it drifts, and "
                  "the network learns slowly.",
         .source = "Ioffe & Szegedy 2015, Fig. 1",
         .setup = "Digits \xC2\xB7 3 x 100 sigmoid \xC2\xB7 batch 60 \xC2\xB7 rate 0.1",
         .seeing =
             "Two networks see the same pictures in the same order. Follow their [test accuracy|1]: A "
             "leaves guessing behind in the first steps. The [input of one late unit|2] shows why: its "
             "middle 70 % stay about as wide, and about where they were. Without a norm the [same unit|3] "
             "gets nearly the same value for every picture, and that value moves. The [loss|4] of B "
             "stays near ln 10 = 2.303, which is guessing among ten.",
         .plans = covariate_shift,
         .criteria = {{"A reaches 0.80 by step",
                       [](const Trial& t) { return step_reaching(t.runs[0], a, 0.8); }, at_most(500),
                       "Fig. 1a: of 50 000 steps a hundredth suffices A for most of what it learns"},
                      {"A minus B in the end",
                       [](const Trial& t) { return accuracy(t.runs[0], a) - accuracy(t.runs[0], b); },
                       at_least(0.2), "Fig. 1a: B is far behind all along"},
                      {"Drift / spread of A", [](const Trial& t) { return drift_over_spread(t.runs[0], a); },
                       at_most(0.5), "Fig. 1c: the median stays inside the middle of its band"},
                      {"Drift / spread of B", [](const Trial& t) { return drift_over_spread(t.runs[0], b); },
                       at_least(1), "Fig. 1b: the band leaves the place where it was"}},
         .figures = {{.title = "Test accuracy, eval mode",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b},
                      .points = first_accuracy,
                      .references = {{100, .58, a, "earlier trainer, other digits"},
                                     {1000, .75, a, "earlier trainer, other digits"},
                                     {2000, .84, a, "earlier trainer, other digits"},
                                     {100, .10, b, "earlier trainer, other digits"},
                                     {1000, .15, b, "earlier trainer, other digits"},
                                     {2000, .29, b, "earlier trainer, other digits"}}},
                     {.title = "A: input of one unit, 15 to 85 %",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a},
                      .points = first_unit<&UnitRow::percentile15>,
                      .upper = first_unit<&UnitRow::percentile85>},
                     {.title = "B: the same unit, 15 to 85 %",
                      .x = steps,
                      .x_name = "step",
                      .twins = {b},
                      .points = first_unit<&UnitRow::percentile15>,
                      .upper = first_unit<&UnitRow::percentile85>},
                     {.title = "Training loss",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b},
                      .points = first_loss,
                      .log = true}}},
        {.name = "loss-landscape",
         .title = "Loss landscape",
         .claim = "Along the gradient the loss varies less with batch norm: the landscape is smoother.",
         .source = "Santurkar et al. 2018, Fig. 4a",
         .setup = "Digits \xC2\xB7 4 x 64 ReLU \xC2\xB7 batch 64 \xC2\xB7 rate 0.2",
         .seeing =
             "Every 20 steps both networks look ahead along their gradient, half to four times as far as the "
             "next step goes, and come back. The [range of the loss|1] that they find there is narrower for "
             "A: "
             "a step may be long without a surprise. [Training loss|2] is what came of it.",
         .plans = landscape,
         .criteria = {{"Mean range, B / A",
                       [](const Trial& t) {
                           return mean_measured(t.runs[0], "loss range", b) /
                                  mean_measured(t.runs[0], "loss range", a);
                       },
                       at_least(2),
                       "Fig. 4a: the bands differ by more than a factor of two for most of training"}},
         .figures = {{.title = "Range of the loss along the gradient",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b},
                      .points = [](const Trial& t,
                                   size_t twin) { return measured_curve(t.runs[0], "loss range", twin); },
                      .log = true},
                     {.title = "Training loss",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b},
                      .points = first_loss,
                      .log = true}}},
        {.name = "injected-noise",
         .title = "Injected noise",
         .claim = "Noise that shifts every unit at every step hardly harms batch norm: that distributions "
                  "stay is not "
                  "why it works.",
         .source = "Santurkar et al. 2018, Fig. 2",
         .setup = "Spiral \xC2\xB7 10 x 32 ReLU \xC2\xB7 batch 32 \xC2\xB7 rate 0.1",
         .seeing = "A and B have batch norm. At every step what leaves a norm of B is scaled by 1 to 1.25 "
                   "and shifted by up "
                   "to half a deviation, each unit in its own way, so that the [input of one late unit|2] is "
                   "more restless "
                   "than in A and in the plain network C. Tested without the noise, with statistics of "
                   "batches of 32, B is [about as good|1] "
                   "as A all the "
                   "same, and far better than C.",
         .plans = injected_noise,
         .criteria = {{"Unrest, B / A", [](const Trial& t) { return unrest(t, b) / unrest(t, a); },
                       at_least(1.5), "the noise must be seen, or nothing is tested"},
                      {"Accuracy, A minus B",
                       [](const Trial& t) { return without_noise(t, a) - without_noise(t, b); },
                       at_most(0.05), "Fig. 2a: the two curves end close to each other"},
                      {"Accuracy, B minus C",
                       [](const Trial& t) { return without_noise(t, b) - without_noise(t, c); },
                       at_least(0.1),
                       "Fig. 2a: the plain network is far behind both; ten layers are as in the experiment "
                       "about depth"}},
         .figures = {{.title = "Test accuracy without the noise",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b, c},
                      .points =
                          [](const Trial& t, size_t twin) {
                              return measured_curve(t.runs[0], "accuracy without the noise", twin);
                          },
                      .names = {"BatchNorm", "BatchNorm, noisy", "none"}},
                     {.title = "Median of what a late unit receives",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b, c},
                      .points =
                          [](const Trial& t, size_t twin) {
                              return unit_curve(t.runs[0], twin, &UnitRow::percentile50);
                          },
                      .names = {"BatchNorm", "BatchNorm, noisy", "none"}}}},
    };
}

}  // namespace lab
