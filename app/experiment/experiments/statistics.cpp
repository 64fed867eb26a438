// Experiments about batch and running statistics: what they are, when they are used, and how they go wrong.
#include <algorithm>
#include <array>
#include <cmath>

#include "app/experiment/experiments/table.hpp"

namespace lab {

namespace {

using namespace table;

double accuracy_in_eval_mode(Trainer& trainer, size_t twin) {
    return trainer.test_accuracy(twin, vknorm::Statistics::running, 0);
}

Settings only_batch_norm(Settings settings) {
    settings.twins = {{vknorm::Norm::batch}};
    return settings;
}

// --- Forgot eval()

constexpr std::array tested_batches = {1u, 2u, 4u, 8u, 32u, 256u};

std::string train_mode(uint32_t batch) {
    return "train mode, batch " + std::to_string(batch);
}

std::vector<RunPlan> forgot_eval(Form form) {
    RunPlan plan{.name = "the run",
                 .settings = only_batch_norm(spiral(4, 48, 32, 0.3f)),
                 .steps = form == Form::full ? 1000u : 400u};
    for (const uint32_t batch : tested_batches)
        plan.events.push_back({.step = plan.steps,
                               .name = train_mode(batch),
                               .measure = [batch](Trainer& trainer, size_t twin) {
                                   return trainer.test_accuracy(twin, vknorm::Statistics::batch, batch);
                               }});
    return {plan};
}

double forgotten(const Trial& trial, uint32_t batch) {
    return measured(trial.runs[0], train_mode(batch), a);
}

// --- Running momentum

std::vector<RunPlan> momenta(Form form) {
    std::vector<RunPlan> plans;
    for (const float momentum : form == Form::full ? std::vector{0.001f, 0.01f, 0.1f, 0.5f, 1.0f}
                                                   : std::vector{0.001f, 0.1f, 1.0f}) {
        Settings s = only_batch_norm(spiral(4, 48, 32, 0.3f));
        s.norm_momentum = momentum;
        plans.push_back({.name = "momentum " + text(static_cast<double>(momentum)),
                         .x = static_cast<double>(momentum),
                         .settings = s,
                         .steps = form == Form::full ? 1000u : 400u});
    }
    return plans;
}

double batch_accuracy(const RunRecord& run) {
    const auto& test = run.run.twins[a].test;
    return test.empty() ? NAN : static_cast<double>(test.back().value.batch_accuracy);
}

// --- Statistics of small batches

constexpr std::array all_batches = {2u, 4u, 8u, 16u, 32u, 64u, 128u};

std::vector<RunPlan> noise(Form form) {
    std::vector<RunPlan> plans;
    for (const uint32_t batch : all_batches) {
        // Weights that hardly move: what changes from step to step is the batch.
        Settings s = only_batch_norm(spiral(2, 32, batch, limits::min_learning_rate));
        s.train_affine = false;
        s.inspected_layer = 0;
        plans.push_back({.name = "batch " + std::to_string(batch),
                         .x = static_cast<double>(batch),
                         .settings = s,
                         .steps = form == Form::full ? 1000u : 200u});
    }
    return plans;
}

/// The error of a batch's mean, in standard deviations of the data.
double error_of_mean(const RunRecord& run) {
    const double values = run.run.settings.batch;
    const double variance = mean(run, a, &UnitRow::batch_variance) * values / (values - 1);
    return deviation(run, a, &UnitRow::batch_mean) / std::sqrt(variance);
}
/// The error of a batch's variance, relative to it.
double error_of_variance(const RunRecord& run) {
    return deviation(run, a, &UnitRow::batch_variance) / mean(run, a, &UnitRow::batch_variance);
}
/// What the error of a mean is said to be: batches are drawn from `examples` without returning them.
double expected_error(const RunRecord& run) {
    const double values = run.run.settings.batch, examples = static_cast<double>(run.run.train->size());
    return std::sqrt((1 - values / examples) / values);
}

double greatest_deviation_from_law(const Trial& trial) {
    double greatest = 1;
    for (const RunRecord& run : trial.runs) {
        const double ratio = error_of_mean(run) / expected_error(run);
        greatest = std::max({greatest, ratio, 1 / ratio});
    }
    return greatest;
}

// --- Output spread

std::vector<RunPlan> spread(Form) {
    std::vector<RunPlan> plans = noise(Form::fast);
    for (RunPlan& plan : plans) {
        plan.steps = 60;
        for (uint64_t step = 1; step <= plan.steps; ++step)
            plan.events.push_back(
                {.step = step, .name = "spread", .measure = [](Trainer& trainer, size_t twin) {
                     const TwinView view = trainer.twins()[twin].view();
                     return static_cast<double>(view.layers.front().deviation);
                 }});
    }
    return plans;
}

double spread_at(const Trial& trial, double batch) {
    return mean_measured(run_at(trial, batch), "spread", a);
}

// --- Frozen statistics

std::vector<RunPlan> fine_tuning(Form form) {
    const uint64_t first = form == Form::full ? 600 : 300, then = form == Form::full ? 1200 : 600;
    const auto plan = [&](const char* name, bool frozen) {
        RunPlan run{.name = name,
                    .x = frozen ? 1.0 : 0.0,
                    .settings = only_batch_norm(spiral(4, 48, 32, 0.3f)),
                    .steps = first + then};
        run.events = {{.step = first, .name = "before", .measure = accuracy_in_eval_mode},
                      {.step = first, .name = "batches of 2", .change = [frozen](Settings& s) {
                           s.batch = 2;
                           s.learning_rate *= 2.0f / 32;  // as it goes with the batch
                           if (!frozen) return;
                           s.statistics = vknorm::Statistics::running;
                           s.update_running = false;
                       }}};
        return run;
    };
    return {plan("batch statistics", false), plan("frozen statistics", true)};
}

// On average over the tests after the batches became small: one may stop anywhere there.
double lost(const RunRecord& run) {
    double sum = 0;
    int tests = 0;
    const auto found = run.measured.find("before");
    if (found == run.measured.end() || found->second[a].empty()) return NAN;
    for (const auto& [step, value] : accuracy_curve(run, a))
        if (step > static_cast<double>(found->second[a][0].step)) sum += value, ++tests;
    return measured(run, "before", a) - sum / tests;
}

// --- Domain shift

std::vector<RunPlan> domain_shift(Form form) {
    RunPlan plan{.name = "the run",
                 .settings = only_batch_norm(spiral(4, 48, 32, 0.3f)),
                 .steps = form == Form::full ? 1000u : 400u};
    const auto test = [](Trainer& trainer, size_t twin) { return accuracy_in_eval_mode(trainer, twin); };
    plan.events = {{.step = plan.steps, .name = "own data", .measure = test},
                   {.step = plan.steps,
                    .name = "inputs x 1.5 + 1",
                    .change =
                        [](Settings& s) {
                            s.input_scale = 1.5f;
                            s.input_shift = 1;
                        }},
                   {.step = plan.steps, .name = "shifted", .measure = test},
                   {.step = plan.steps, .name = "statistics anew", .recompute = true},
                   {.step = plan.steps, .name = "statistics anew", .measure = test}};
    return {plan};
}

}  // namespace

std::vector<Experiment> statistics_experiments() {
    return {
        {.name = "forgot-eval",
         .title = "Forgot eval()",
         .claim = "A trained network tested in training mode is worse, and worthless in small batches.",
         .source = "Ioffe & Szegedy 2015, 3.1",
         .setup = "Spiral \xC2\xB7 4 x 48 ReLU \xC2\xB7 batch 32 \xC2\xB7 rate 0.3",
         .seeing =
             "One network, trained once. In [training mode|1] each example is normalized by those it happens "
             "to be tested with: in batches of 256 that is harmless, in batches of 2 what is left of a value "
             "is "
             "its sign, and of a single one nothing. In [eval mode|2] it was as good all along.",
         .plans = forgot_eval,
         .criteria = {{"Eval mode", [](const Trial& t) { return accuracy(t.runs[0], a); }, at_least(0.95),
                       "the network has learnt the spiral"},
                      {"Training mode, batch 256", [](const Trial& t) { return forgotten(t, 256); },
                       at_least(0.9), "statistics of 256 err by 1/16 of a deviation"},
                      {"Training mode, batch 2", [](const Trial& t) { return forgotten(t, 2); },
                       at_most(0.75), "two values become +1 and -1, whatever they were"},
                      {"Training mode, batch 1", [](const Trial& t) { return forgotten(t, 1); }, at_most(0.6),
                       "every output is beta: one class for all, 0.5"}},
         .figures = {{.title = "Test accuracy, training mode",
                      .x = values,
                      .x_name = "batch of the test",
                      .twins = {a},
                      .points =
                          [](const Trial& t, size_t) {
                              Curve points;
                              for (const uint32_t batch : tested_batches)
                                  if (t.runs[0].measured.contains(train_mode(batch)))
                                      points.emplace_back(batch, forgotten(t, batch));
                              return points;
                          },
                      .references = {{1, .50, a, "earlier trainer"},
                                     {2, .52, a, "earlier trainer"},
                                     {4, .57, a, "earlier trainer"},
                                     {8, .64, a, "earlier trainer"},
                                     {32, .88, a, "earlier trainer"},
                                     {256, .99, a, "earlier trainer"}}},
                     {.title = "Test accuracy, eval mode",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a},
                      .points = first_accuracy}}},
        {.name = "running-momentum",
         .title = "Running momentum",
         .claim =
             "Running statistics that take in too little of each batch are not ready when the network is.",
         .source = "Ioffe & Szegedy 2015, 3.1; PyTorch, BatchNorm1d",
         .setup = "Spiral \xC2\xB7 4 x 48 ReLU \xC2\xB7 batch 32 \xC2\xB7 rate 0.3",
         .seeing =
             "The same training every time; what differs is the weight of the newest batch in the running "
             "statistics, as PyTorch counts it. In [eval mode|1] a weight of 0.001 still has most of where "
             "it "
             "began, mean 0 and variance 1; at 1 they are those of the last batch. With [batch "
             "statistics|2] all are equal: nothing is wrong with the weights.",
         .plans = momenta,
         .criteria = {{"Eval mode at 0.1", [](const Trial& t) { return accuracy(run_at(t, 0.1), a); },
                       at_least(0.95), "0.9^400 of the beginning is left: nothing"},
                      {"Eval mode at 0.001", [](const Trial& t) { return accuracy(run_at(t, 0.001), a); },
                       at_most(0.8), "0.999^1000 = 0.37 of the beginning is left"},
                      {"Batch statistics at 0.001",
                       [](const Trial& t) { return batch_accuracy(run_at(t, 0.001)); }, at_least(0.8),
                       "the weights are those of 0.1; batches of 32 are noisy"}},
         .figures = {{.title = "Test accuracy, eval mode",
                      .x = values,
                      .x_name = "momentum",
                      .twins = {a},
                      .points = accuracy_over_runs,
                      .references = {{1, .87, a, "earlier trainer"},
                                     {.5, .99, a, "earlier trainer"},
                                     {.1, .99, a, "earlier trainer"},
                                     {.01, 1, a, "earlier trainer"},
                                     {.001, .45, a, "earlier trainer"}}},
                     {.title = "Test accuracy, batch statistics",
                      .x = values,
                      .x_name = "momentum",
                      .twins = {a},
                      .points = [](const Trial& t, size_t) { return over_runs(t, batch_accuracy); }}}},
        {.name = "statistics-noise",
         .title = "Noise of statistics",
         .claim =
             "The mean of a batch errs by a deviation over the root of its size, and so does its variance.",
         .source = "Textbooks: the standard error of a mean",
         .setup = "Spiral \xC2\xB7 2 x 32 ReLU \xC2\xB7 weights stand still",
         .seeing =
             "One unit, looked at with ever larger batches. The [error of the mean|1] falls as the law says, "
             "1 over the root of the batch (hollow marks), and so does the [error of the variance|2]. Four "
             "times the "
             "batch halves the noise; this noise is what small batches suffer from, and what regularizes.",
         .plans = noise,
         .criteria = {{"Mean, measured / law, worst batch", greatest_deviation_from_law, at_most(1.25),
                       "the deviation of 200 errors is known to 1 / sqrt(400) = 5 %; five of those"},
                      {"Variance, error at 8 / at 128",
                       [](const Trial& t) {
                           return error_of_variance(run_at(t, 8)) / error_of_variance(run_at(t, 128));
                       },
                       at_least(3), "sqrt(128 / 8) = 4, less what chance does"},
                      {"Variance, error at 8 / at 128, most",
                       [](const Trial& t) {
                           return error_of_variance(run_at(t, 8)) / error_of_variance(run_at(t, 128));
                       },
                       at_most(6), "4 / sqrt(1 - 128 / 512) = 4.6 without returning examples, and chance"}},
         .figures = {{.title = "Error of the mean, in deviations",
                      .x = values,
                      .x_name = "batch",
                      .twins = {a},
                      .points = [](const Trial& t, size_t) { return over_runs(t, error_of_mean); },
                      .log = true,
                      .references = {{2, 0.706, a, "the law"},
                                     {8, 0.351, a, "the law"},
                                     {32, 0.171, a, "the law"},
                                     {128, 0.0765, a, "the law"}}},
                     {.title = "Error of the variance, relative",
                      .x = values,
                      .x_name = "batch",
                      .twins = {a},
                      .points = [](const Trial& t, size_t) { return over_runs(t, error_of_variance); },
                      .log = true}}},
        {.name = "output-spread",
         .title = "Spread of the output",
         .claim = "In small batches the outputs of batch norm spread less than in large ones.",
         .source = "Texts: tables of standard deviation by batch size",
         .setup = "Spiral \xC2\xB7 2 x 32 ReLU \xC2\xB7 gamma 1, beta 0",
         .seeing =
             "Tables of this are often shown, and the claim is wrong by reasoning: a batch is divided by its "
             "own standard deviation, so that what comes out has [standard deviation|1] 1 at every size from "
             "2 on, "
             "but for epsilon. What small batches change is how well they tell the [statistics of the "
             "data|2]: "
             "these are noisy.",
         .plans = spread,
         .criteria = {{"1 minus deviation, batch 2", [](const Trial& t) { return 1 - spread_at(t, 2); },
                       at_least(0.1), "less than that would not be worth a table"},
                      {"1 minus deviation, batch 4", [](const Trial& t) { return 1 - spread_at(t, 4); },
                       at_least(0.05), "the same, half as much"}},
         .figures = {{.title = "Standard deviation of the output",
                      .x = values,
                      .x_name = "batch",
                      .twins = {a},
                      .points =
                          [](const Trial& t, size_t) {
                              return over_runs(
                                  t, [](const RunRecord& run) { return mean_measured(run, "spread", a); });
                          },
                      .from_zero = true},
                     {.title = "Error of the mean, in deviations",
                      .x = values,
                      .x_name = "batch",
                      .twins = {a},
                      .points = [](const Trial& t, size_t) { return over_runs(t, error_of_mean); },
                      .log = true}},
         .expected = Verdict::does_not_hold},
        {.name = "frozen-statistics",
         .title = "Frozen statistics",
         .claim =
             "Fine-tuning in batches of 2 keeps the accuracy with frozen statistics, and loses it without.",
         .source = "He et al. 2016, 2017: detection with frozen batch norm",
         .setup = "Spiral \xC2\xB7 4 x 48 ReLU \xC2\xB7 batch 32, then 2",
         .seeing = "A network learns in batches of 32; then training goes on in batches of 2, as where "
                   "pictures are "
                   "large. [With batch statistics|1] half of what it normalizes by is noise, and the running "
                   "statistics follow that noise. [With frozen ones|2] batch norm is a constant scale and "
                   "shift, and "
                   "nothing happens.",
         .plans = fine_tuning,
         .criteria = {{"Lost with batch statistics", [](const Trial& t) { return lost(t.runs[0]); },
                       at_least(0.05), "five points: more than the test's 512 points leave to chance"},
                      {"Lost with frozen statistics", [](const Trial& t) { return lost(t.runs[1]); },
                       at_most(0.02), "within what the test's 512 points leave to chance"}},
         .figures = {{.title = "Batch statistics: test accuracy, eval",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a},
                      .points = first_accuracy},
                     {.title = "Frozen statistics: test accuracy, eval",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a},
                      .points =
                          [](const Trial& t, size_t twin) {
                              return t.runs.size() > 1 ? accuracy_curve(t.runs[1], twin) : Curve{};
                          }}}},
        {.name = "domain-shift",
         .title = "Domain shift",
         .claim =
             "New data breaks the old running statistics; measuring them anew heals it, without training.",
         .source = "Li et al. 2016, AdaBN",
         .setup = "Spiral x 1.5 + 1 \xC2\xB7 4 x 48 ReLU \xC2\xB7 batch 32",
         .seeing =
             "A trained network meets inputs that are 1.5 times as large and shifted by 1. Its [accuracy|1] "
             "falls, though the pattern is the same: what it subtracts and divides by is that of the old "
             "data. No "
             "weight is trained; only the statistics are measured anew, and it is back. This is how it had "
             "[learnt|2].",
         .plans = domain_shift,
         .criteria = {{"On its own data", [](const Trial& t) { return measured(t.runs[0], "own data", a); },
                       at_least(0.95), "the network has learnt the spiral"},
                      {"Shifted", [](const Trial& t) { return measured(t.runs[0], "shifted", a); },
                       at_most(0.75), "half way from there to guessing"},
                      {"Lost in the end",
                       [](const Trial& t) {
                           return measured(t.runs[0], "own data", a) -
                                  measured(t.runs[0], "statistics anew", a);
                       },
                       at_most(0.02), "a scale and a shift are what the first norm takes out again"}},
         .figures = {{.title = "Test accuracy: own, shifted, anew",
                      .x = values,
                      .x_name = "1 own data, 2 shifted, 3 statistics anew",
                      .twins = {a},
                      .points =
                          [](const Trial& t, size_t) {
                              Curve points;
                              double x = 0;
                              for (const char* const name : {"own data", "shifted", "statistics anew"}) {
                                  ++x;
                                  if (t.runs[0].measured.contains(name))
                                      points.emplace_back(x, measured(t.runs[0], name, a));
                              }
                              return points;
                          },
                      .references = {{1, .999, a, "earlier trainer"},
                                     {2, .57, a, "earlier trainer"},
                                     {3, .998, a, "earlier trainer"}}},
                     {.title = "Test accuracy while it learnt",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a},
                      .points = first_accuracy}}},
    };
}

}  // namespace lab
