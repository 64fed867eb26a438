// Experiments about what trains: rates, initial weights, depth, norms, schedules.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "app/experiment/experiments/table.hpp"

namespace lab {

namespace {

using namespace table;

// --- Learning rate

std::vector<RunPlan> learning_rates(Form form) {
    std::vector<RunPlan> plans;
    const bool full = form == Form::full;
    for (const float rate :
         full ? std::vector{0.003f, 0.01f, 0.03f, 0.1f, 0.3f, 1.0f, 3.0f} : std::vector{0.01f, 0.1f, 1.0f})
        plans.push_back({.name = "rate " + text(static_cast<double>(rate)),
                         .x = static_cast<double>(rate),
                         .settings = spiral(4, 32, 64, rate),
                         .steps = full ? 1000u : 500u});
    return plans;
}

// --- Initial weights

std::vector<RunPlan> initial_weights(Form form) {
    std::vector<RunPlan> plans;
    const bool full = form == Form::full;
    for (const float scale :
         full ? std::vector{0.1f, 0.3f, 1.0f, 3.0f, 10.0f} : std::vector{0.1f, 1.0f, 10.0f}) {
        Settings s = spiral(8, 32, 32, 0.1f);
        s.init_scale = scale;
        plans.push_back({.name = "weights x " + text(static_cast<double>(scale)),
                         .x = static_cast<double>(scale),
                         .settings = s,
                         .steps = full ? 1000u : 700u});
    }
    return plans;
}

// --- Depth

std::vector<RunPlan> depths(Form form) {
    std::vector<RunPlan> plans;
    for (const uint32_t layers : form == Form::full ? std::vector{2u, 4u, 6u, 8u, 10u} : std::vector{2u, 10u})
        plans.push_back({.name = std::to_string(layers) + " layers",
                         .x = static_cast<double>(layers),
                         .settings = spiral(layers, 32, 32, 0.1f),
                         .steps = form == Form::full ? 1000u : 400u});
    return plans;
}

std::vector<RunPlan> family(Form form) {
    Settings s = spiral(10, 32, 32, 0.1f);
    set_twin_count(s, 4);
    const std::array norms = {vknorm::Norm::batch, vknorm::Norm::layer, vknorm::Norm::group,
                              vknorm::Norm::rms};
    for (size_t twin = 0; twin < norms.size(); ++twin) s.twins[twin].norm = norms[twin];
    Settings plain = s;
    plain.twins = {{vknorm::Norm::none}};
    const uint64_t count = form == Form::full ? 1000 : 320;
    return {{.name = "normalized", .settings = s, .steps = count},
            {.name = "plain", .settings = plain, .steps = count}};
}

// --- Layer order

std::vector<RunPlan> layer_order(Form form) {
    Settings s = spiral(10, 32, 32, 0.1f);
    s.twins = {{vknorm::Norm::batch}, {vknorm::Norm::batch}, {vknorm::Norm::none}};
    s.twins[b].order = vknorm::NormOrder::after_activation;
    return {{.name = "the run", .settings = s, .steps = form == Form::full ? 1000u : 400u}};
}

// --- Redundant bias

std::vector<float> hidden_biases(Trainer& trainer, size_t twin) {
    std::vector<float> all;
    for (size_t layer = 0; layer < trainer.settings().hidden.size(); ++layer) {
        const std::vector<float> its = trainer.tensor(twin, std::to_string(layer) + ".linear.bias");
        all.insert(all.end(), its.begin(), its.end());
    }
    return all;
}

std::vector<RunPlan> redundant_bias(Form form) {
    RunPlan plan{
        .name = "the run", .settings = spiral(4, 48, 32, 0.3f), .steps = form == Form::full ? 600u : 200u};
    // Each twin's biases before the first step.
    const auto begin = std::make_shared<std::array<std::vector<float>, 2>>();
    const auto moved_by = [begin](Trainer& trainer, size_t twin) {
        const std::vector<float> now = hidden_biases(trainer, twin);
        if ((*begin)[twin].empty()) (*begin)[twin] = now;
        double most = 0;
        for (size_t i = 0; i < now.size(); ++i)
            most = std::max(most, std::abs(static_cast<double>(now[i]) - (*begin)[twin][i]));
        return most;
    };
    for (uint64_t step = 0; step <= plan.steps; step += 20)
        plan.events.push_back({.step = step, .name = "moved", .measure = moved_by});
    return {plan};
}

// --- Schedule

std::vector<RunPlan> schedules(Form form) {
    const uint64_t count = form == Form::full ? 1200 : 300;
    Settings s = digits(3, 64, 16, 0.1f);
    s.momentum = 0.9f;
    s.twins = {{vknorm::Norm::batch}};
    RunPlan constant{.name = "constant rate", .x = 1, .settings = s, .steps = count},
        precise{.name = "precise statistics", .x = 2, .settings = s, .steps = count};
    s.schedule = Schedule::cosine;
    s.schedule_steps = count;
    RunPlan to_zero{.name = "cosine to 0", .x = 3, .settings = s, .steps = count};
    const auto test = [](Trainer& trainer, size_t twin) {
        return trainer.test_accuracy(twin, vknorm::Statistics::running, 0);
    };
    // The last fifth of the steps.
    for (RunPlan* const plan : {&constant, &precise, &to_zero})
        for (uint64_t step = count - count / 5; step <= count; step += 10) {
            if (plan == &precise) plan->events.push_back({.step = step, .name = "", .recompute = true});
            plan->events.push_back({.step = step, .name = "test", .measure = test});
        }
    return {constant, precise, to_zero};
}

double swing(const RunRecord& run) {
    const Curve curve = measured_curve(run, "test", a);
    double low = 1, high = 0;
    for (const auto& [step, value] : curve) low = std::min(low, value), high = std::max(high, value);
    return high - low;
}

}  // namespace

std::vector<Experiment> training_experiments() {
    return {
        {.name = "learning-rate",
         .title = "Learning rate",
         .claim = "Batch norm trains at rates that differ thirtyfold; the plain network in a narrow range.",
         .source = "Ioffe & Szegedy 2015, 4.2.1",
         .setup = "Spiral \xC2\xB7 4 x 32 ReLU \xC2\xB7 batch 64",
         .seeing =
             "One dot is one network, trained at one rate. The [accuracy|1] of A is high over most of the "
             "axis, that of B at few rates or none. The [loss|2] tells the two ways to fail apart: at low "
             "rates B has not moved from ln 2 = 0.69 yet; at high ones it diverges or dies.",
         .plans = learning_rates,
         .criteria = {{"Range of rates of A", [](const Trial& t) { return range_reaching(t, a, 0.9); },
                       at_least(30), "4.2.1: Inception with batch norm trains at 1 to 30 times the rate"},
                      {"A's range / B's",
                       [](const Trial& t) {
                           return range_reaching(t, a, 0.9) / std::max(range_reaching(t, b, 0.9), 1.0);
                       },
                       at_least(5), "4.2.1: without it, five times the rate diverges"},
                      {"Rates fit for A, not for B",
                       [](const Trial& t) { return runs_reaching(t, a, 0.9) - runs_reaching(t, b, 0.9); },
                       at_least(2), "Two rates in ten between neighbours: a sixth of the range or more"}},
         .figures = {{.title = "Test accuracy",
                      .x = values,
                      .x_name = "learning rate",
                      .twins = {a, b},
                      .points = accuracy_over_runs,
                      .references = {{0.003, .955, a, "earlier trainer, at least"},
                                     {1, .955, a, "earlier trainer, at least"},
                                     {0.1, .66, b, "earlier trainer, at most"}}},
                     {.title = "Training loss in the end",
                      .x = values,
                      .x_name = "learning rate",
                      .twins = {a, b},
                      .points =
                          [](const Trial& t, size_t twin) {
                              return over_runs(t, [&](const RunRecord& run) {
                                  const Curve curve = loss_curve(run, twin);
                                  return curve.empty() ? NAN : curve.back().second;
                              });
                          },
                      .log = true}}},
        {.name = "initial-weights",
         .title = "Initial weights",
         .claim = "With batch norm the scale of the initial weights hardly matters; without, it decides.",
         .source = "Ioffe & Szegedy 2015, 3.3",
         .setup = "Spiral \xC2\xB7 8 x 32 ReLU \xC2\xB7 batch 32 \xC2\xB7 rate 0.1",
         .seeing =
             "Weights begin as ever, times 0.1 to 10. A normalizes what the weights give, so that their "
             "scale drops out, and its [accuracy|1] is nearly the same along the axis. But not at its left "
             "end, so the claim shows in part: for weights a tenth as large gradients are ten times as "
             "large, "
             "and the first steps a hundred times, of what they change. In B every layer multiplies the "
             "scale "
             "once more: see the [gradient norm|2] of the first step vanish and explode.",
         .plans = initial_weights,
         .criteria = {{"A at its worst scale", [](const Trial& t) { return worst_accuracy(t, a); },
                       at_least(0.9), "3.3: BN((aW)u) = BN(Wu)"},
                      {"Scales at which B learns", [](const Trial& t) { return runs_reaching(t, b, 0.9); },
                       at_most(2), "a scale of 3 or 1/3 is 3^8 = 6561 after eight layers"}},
         .figures = {{.title = "Test accuracy",
                      .x = values,
                      .x_name = "scale of the initial weights",
                      .twins = {a, b},
                      .points = accuracy_over_runs,
                      .references = {{0.1, .99, a, "earlier trainer"},
                                     {10, .99, a, "earlier trainer"},
                                     {0.1, .5, b, "earlier trainer"},
                                     {10, .5, b, "earlier trainer"}}},
                     {.title = "Gradient norm, first step",
                      .x = values,
                      .x_name = "scale of the initial weights",
                      .twins = {a, b},
                      .points =
                          [](const Trial& t, size_t twin) {
                              return over_runs(t, [&](const RunRecord& run) {
                                  if (twin >= run.run.twins.size() || run.run.twins[twin].training.empty())
                                      return double{NAN};
                                  return static_cast<double>(
                                      run.run.twins[twin].training[0].value.gradient_norm);
                              });
                          },
                      .log = true}},
         .expected = Verdict::holds_in_part},
        {.name = "depth",
         .title = "Depth",
         .claim = "Batch norm trains ten layers as well as two; the plain network does not.",
         .source = "Ioffe & Szegedy 2015, 1 and 3.3",
         .setup = "Spiral \xC2\xB7 2 to 10 x 32 ReLU \xC2\xB7 batch 32 \xC2\xB7 rate 0.1",
         .seeing =
             "From left to right networks get deeper, and nothing else changes. The [accuracy|1] of A stays; "
             "that of B falls to guessing, though deeper networks can say more. At its [first step|2] B's "
             "gradient is smaller with every layer.",
         .plans = depths,
         .criteria = {{"A at 10 layers", [](const Trial& t) { return accuracy(run_at(t, 10), a); },
                       at_least(0.9), "it learns: of what guessing has wrong a fifth is left"},
                      {"A at 10 - at 2 layers",
                       [](const Trial& t) { return accuracy(run_at(t, 10), a) - accuracy(run_at(t, 2), a); },
                       at_least(-0.05), "not worse, but for what 512 points leave to chance"},
                      {"B at 10 layers", [](const Trial& t) { return accuracy(run_at(t, 10), b); },
                       at_most(0.85),
                       "PyTorch's weights of 1/sqrt(inputs) shrink ReLU signals in every layer"}},
         .figures = {{.title = "Test accuracy",
                      .x = values,
                      .x_name = "hidden layers",
                      .twins = {a, b},
                      .points = accuracy_over_runs,
                      .references = {{10, .995, a, "earlier trainer, at least"},
                                     {10, .85, b, "earlier trainer, at most"}}},
                     {.title = "Gradient norm, first step",
                      .x = values,
                      .x_name = "hidden layers",
                      .twins = {a, b},
                      .points =
                          [](const Trial& t, size_t twin) {
                              return over_runs(t, [&](const RunRecord& run) {
                                  if (twin >= run.run.twins.size() || run.run.twins[twin].training.empty())
                                      return double{NAN};
                                  return static_cast<double>(
                                      run.run.twins[twin].training[0].value.gradient_norm);
                              });
                          },
                      .log = true}}},
        {.name = "norm-family",
         .title = "The family",
         .claim = "Batch, layer, group and RMS norm all train a deep network where none does not.",
         .source = "Ba 2016, Wu & He 2018, Zhang & Sennrich 2019",
         .setup = "Spiral \xC2\xB7 10 x 32 ReLU \xC2\xB7 batch 32 \xC2\xB7 rate 0.1",
         .seeing =
             "Four twins with four norms, and a plain network that was trained alone. Here the claim shows "
             "in "
             "part: in [test accuracy|1] batch norm alone leaves guessing behind. Norms within an example "
             "keep "
             "values in scale, but with two inputs and ten layers examples become alike; those over a batch "
             "keep examples apart (Daneshmand et al. 2020). The [loss|2] of the others stays near ln 2.",
         .plans = family,
         .criteria = {{"Batch norm", [](const Trial& t) { return accuracy(t.runs[0], a); }, at_least(0.9),
                       "the claim: it learns"},
                      {"Layer norm", [](const Trial& t) { return accuracy(t.runs[0], b); }, at_least(0.9),
                       "the claim: it learns"},
                      {"Group norm", [](const Trial& t) { return accuracy(t.runs[0], c); }, at_least(0.9),
                       "the claim: it learns"},
                      {"RMS norm", [](const Trial& t) { return accuracy(t.runs[0], d); }, at_least(0.9),
                       "the claim: it learns"},
                      {"None", [](const Trial& t) { return accuracy(t.runs[1], a); }, at_most(0.85),
                       "as in the experiment about depth"}},
         .figures = {{.title = "Test accuracy, eval mode",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b, c, d},
                      .points = first_accuracy},
                     {.title = "Training loss",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b, c, d},
                      .points = first_loss,
                      .log = true}},
         .expected = Verdict::holds_in_part},
        {.name = "layer-order",
         .title = "Layer order",
         .claim = "After the activation batch norm trains a deep network as well as before it.",
         .source = "Mishkin et al. 2017, batch normalization",
         .setup = "Spiral \xC2\xB7 10 x 32 ReLU \xC2\xB7 batch 32 \xC2\xB7 rate 0.1",
         .seeing = "A normalizes what the weights give, as Ioffe & Szegedy have it, B what the ReLU gives, C "
                   "nothing. On ImageNet Mishkin et al. found 49.3 % for the order of B, 47.8 % for that of "
                   "A. Here "
                   "compare their [accuracy|1] and [loss|2]. What a [late ReLU receives|3] is normalized in "
                   "A only; "
                   "in B it is made of values that were, which is enough to keep it in scale.",
         .plans = layer_order,
         .criteria =
             {{"B minus A in the end",
               [](const Trial& t) { return accuracy(t.runs[0], b) - accuracy(t.runs[0], a); },
               at_least(-0.05),
               "Mishkin et al.: 1.5 points better; not worse, but for what 512 points leave to chance"},
              {"B in the end", [](const Trial& t) { return accuracy(t.runs[0], b); }, at_least(0.9),
               "it learns, as in the experiment about depth"},
              {"None", [](const Trial& t) { return accuracy(t.runs[0], c); }, at_most(0.85),
               "as in the experiment about depth"}},
         .figures = {{.title = "Test accuracy, eval mode",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b, c},
                      .points = first_accuracy},
                     {.title = "Training loss",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b, c},
                      .points = first_loss,
                      .log = true},
                     {.title = "Median of what a late ReLU receives",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b, c},
                      .points = first_unit<&UnitRow::percentile50>}}},
        {.name = "redundant-bias",
         .title = "Redundant bias",
         .claim = "A bias before batch norm does nothing: the mean takes it away, and it never learns.",
         .source = "Ioffe & Szegedy 2015, 3.2",
         .setup = "Spiral \xC2\xB7 4 x 48 ReLU \xC2\xB7 batch 32 \xC2\xB7 rate 0.3",
         .seeing =
             "Both networks have biases in their hidden layers. [How far they moved|1] since the first step: "
             "those of B learn; those of A have a gradient that is zero but for rounding, and stay. Leaving "
             "them out loses nothing but memory. Both [learn|2] all the same.",
         .plans = redundant_bias,
         .criteria = {{"Largest move, A", [](const Trial& t) { return measured(t.runs[0], "moved", a); },
                       at_most(1e-4),
                       "in exact arithmetic 0; float32 rounds to 1e-7 in each of hundreds of steps"},
                      {"Largest move, B", [](const Trial& t) { return measured(t.runs[0], "moved", b); },
                       at_least(1e-2), "they begin within 0.7, and must learn"}},
         .figures = {{.title = "Largest move of a hidden bias",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b},
                      .points = [](const Trial& t,
                                   size_t twin) { return measured_curve(t.runs[0], "moved", twin); },
                      .log = true},
                     {.title = "Test accuracy, eval mode",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b},
                      .points = first_accuracy}}},
        {.name = "swinging-evaluation",
         .title = "Swinging evaluation",
         .claim = "At a constant rate the accuracy in eval mode swings; a rate that ends at 0, or precise "
                  "statistics, cure it.",
         .source = "Wu & Johnson 2021, 3",
         .setup = "Digits \xC2\xB7 3 x 64 ReLU \xC2\xB7 batch 16 \xC2\xB7 rate 0.1, momentum 0.9",
         .seeing =
             "The same network three times, tested every 10 steps of the last fifth of its training. With a "
             "[constant rate|1] it swings, and it does so with statistics [measured anew|2] before each "
             "test, too: in "
             "this small network it is the weights that swing, more than what the running statistics are "
             "late "
             "by. With a [rate that ends at 0|3] the network stands still. So the claim shows in part.",
         .plans = schedules,
         .criteria = {{"Swing, constant / precise",
                       [](const Trial& t) { return swing(t.runs[0]) / std::max(swing(t.runs[1]), 1e-3); },
                       at_least(2), "a cure must take away at least half; 1e-3 is one picture"},
                      {"Swing, constant / cosine",
                       [](const Trial& t) { return swing(t.runs[0]) / std::max(swing(t.runs[2]), 1e-3); },
                       at_least(2), "a cure must take away at least half"}},
         .figures = {{.title = "Constant rate",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a},
                      .points = [](const Trial& t,
                                   size_t twin) { return measured_curve(t.runs[0], "test", twin); }},
                     {.title = "Constant rate, precise statistics",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a},
                      .points =
                          [](const Trial& t, size_t twin) {
                              return t.runs.size() > 1 ? measured_curve(t.runs[1], "test", twin) : Curve{};
                          }},
                     {.title = "Rate that ends at 0",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a},
                      .points =
                          [](const Trial& t, size_t twin) {
                              return t.runs.size() > 2 ? measured_curve(t.runs[2], "test", twin) : Curve{};
                          }}},
         .expected = Verdict::holds_in_part},
    };
}

}  // namespace lab
