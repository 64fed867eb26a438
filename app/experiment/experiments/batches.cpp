// Experiments about what is in a batch: how many examples, which ones, and who is normalized with whom.
#include <algorithm>
#include <cmath>

#include "app/experiment/experiments/table.hpp"

namespace lab {

namespace {

using namespace table;

// --- Batch size

constexpr double rate_of_32 = 0.1;

std::vector<RunPlan> batch_sizes(Form form) {
    const bool full = form == Form::full;
    const uint64_t examples = full ? 12'000 : 2'000;  // that each network sees
    std::vector<RunPlan> plans;
    for (const uint32_t batch : full ? std::vector{2u, 4u, 8u, 16u, 32u} : std::vector{2u, 32u}) {
        // The learning rate goes with the batch.
        Settings s = digits(3, 64, batch, static_cast<float>(rate_of_32 * batch / 32));
        s.twins = {{vknorm::Norm::batch}, {vknorm::Norm::group}, {vknorm::Norm::layer}};
        plans.push_back({.name = "batch " + std::to_string(batch),
                         .x = static_cast<double>(batch),
                         .settings = s,
                         .steps = examples / batch});
    }
    return plans;
}

double error_at(const Trial& trial, double batch, size_t twin) {
    return 1 - accuracy(run_at(trial, batch), twin);
}

// --- Batch of one

std::vector<RunPlan> batch_of_one(Form form) {
    const uint64_t count = form == Form::full ? 5000 : 2500;
    Settings batch = spiral(3, 32, 1, 0.01f);  // 0.3 for a batch of 32, in proportion
    batch.data = Data::circles;                // which a few thousand examples suffice to learn
    batch.twins = {{vknorm::Norm::batch}};
    Settings others = batch;
    others.twins = {{vknorm::Norm::layer}, {vknorm::Norm::group}};
    // Learns in batches of 32 before.
    RunPlan frozen{.name = "batch norm, frozen", .x = 3, .settings = batch, .steps = 300 + 300};
    frozen.settings.batch = 32;
    frozen.settings.learning_rate = 0.3f;
    frozen.events = {{.step = 300, .name = "batches of 1, statistics frozen", .change = [](Settings& s) {
                          s.batch = 1;
                          s.learning_rate /= 32;
                          s.statistics = vknorm::Statistics::running;
                          s.update_running = false;
                      }}};
    return {{.name = "batch norm", .x = 1, .settings = batch, .steps = count},
            {.name = "layer and group norm", .x = 2, .settings = others, .steps = count},
            frozen};
}

// --- Batches of few classes

std::vector<RunPlan> few_classes(Form form) {
    Settings s = digits(3, 64, 32, 0.1f);
    s.twins = {{vknorm::Norm::batch}, {vknorm::Norm::batch_renorm}, {vknorm::Norm::layer}};
    Settings any = s;
    any.twins.resize(1);
    s.batch_classes = 2;
    const uint64_t count = form == Form::full ? 2000 : 900;
    return {{.name = "two classes in a batch", .settings = s, .steps = count},
            {.name = "any classes", .settings = any, .steps = count}};
}

// --- Accumulation

std::vector<RunPlan> accumulation(Form form) {
    Settings big = spiral(4, 48, 32, 0.1f);
    big.twins = {{vknorm::Norm::batch}, {vknorm::Norm::layer}};
    Settings parts = big;
    parts.batch = 8;
    parts.accumulate = 4;
    Settings ghosts = big;
    ghosts.twins = {{vknorm::Norm::ghost}};
    ghosts.twins[a].ghost_size = 8;
    const uint64_t count = form == Form::full ? 400 : 100;
    return {{.name = "one batch of 32", .settings = big, .steps = count},
            {.name = "four of 8", .settings = parts, .steps = count},
            {.name = "ghosts of 8 in 32", .settings = ghosts, .steps = count}};
}

/// A curve for each run from `first` on: the loss of one twin.
template <size_t first, size_t twin>
Curve loss_of_runs(const Trial& trial, size_t curve) {
    return trial.runs.size() > first + curve ? loss_curve(trial.runs[first + curve], twin) : Curve{};
}

constexpr uint64_t compared = 20;  // steps; later, rounding has grown

// --- Synchronized statistics

std::vector<RunPlan> synchronized(Form form) {
    Settings s = spiral(4, 48, 32, 0.1f);
    s.twins = std::vector<TwinSettings>(3, {vknorm::Norm::batch});
    s.twins[b].devices = s.twins[c].devices = 4;
    s.twins[c].device_statistics = DeviceStatistics::alone;
    return {{.name = "one device, four, and four alone",
             .settings = s,
             .steps = form == Form::full ? 400u : 60u}};
}

}  // namespace

std::vector<Experiment> batch_experiments() {
    return {
        {.name = "batch-size",
         .title = "Batch size",
         .claim = "Batch norm gets worse below a batch of 8; group norm does not.",
         .source = "Wu & He 2018, Fig. 1",
         .setup = "Digits \xC2\xB7 3 x 64 ReLU \xC2\xB7 rate 0.1 for 32",
         .seeing =
             "Every network sees as many pictures, in batches of 2 to 32. The [error|1] of batch norm rises "
             "to the left: means and variances of few pictures are noise. Group and layer norm take theirs "
             "within one picture, and do not care. In [batches of 2|2] see how each learns.",
         .plans = batch_sizes,
         .criteria = {{"Batch norm, error at 2 - at 32",
                       [](const Trial& t) { return error_at(t, 2, a) - error_at(t, 32, a); }, at_least(0.1),
                       "Fig. 1: 34.7 - 23.6 = 11.1 points"},
                      {"Group norm, error at 2 - at 32",
                       [](const Trial& t) { return error_at(t, 2, b) - error_at(t, 32, b); }, at_most(0.03),
                       "Fig. 1: 0.0 points; 1000 pictures tell an error to 1.2"},
                      {"Error at 2, batch - group",
                       [](const Trial& t) { return error_at(t, 2, a) - error_at(t, 2, b); }, at_least(0.1),
                       "Fig. 1: 34.7 - 24.1 = 10.6 points"}},
         .figures = {{.title = "Test error",
                      .x = values,
                      .x_name = "batch",
                      .twins = {a, b, c},
                      .points =
                          [](const Trial& t, size_t twin) {
                              return over_runs(t,
                                               [&](const RunRecord& run) { return 1 - accuracy(run, twin); });
                          },
                      .references = {{2, .347, a, "Wu & He: ResNet-50, ImageNet"},
                                     {4, .273, a, "Wu & He: ResNet-50, ImageNet"},
                                     {8, .248, a, "Wu & He: ResNet-50, ImageNet"},
                                     {16, .237, a, "Wu & He: ResNet-50, ImageNet"},
                                     {32, .236, a, "Wu & He: ResNet-50, ImageNet"},
                                     {2, .241, b, "Wu & He: ResNet-50, ImageNet"},
                                     {32, .241, b, "Wu & He: ResNet-50, ImageNet"}}},
                     {.title = "Batches of 2: test accuracy, eval mode",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b, c},
                      .points = first_accuracy}}},
        {.name = "batch-of-one",
         .title = "A batch of one",
         .claim =
             "Batch norm cannot train on single examples, unless its statistics are frozen; layer and group "
             "norm can.",
         .source = "PyTorch: expected more than 1 value per channel",
         .setup = "Circles \xC2\xB7 3 x 32 ReLU \xC2\xB7 batch 1",
         .seeing =
             "One example has no variance: x minus its mean is 0, whatever x was. The step of batch norm is "
             "refused, with a message, before anything changes. Layer and group norm [learn|1] from single "
             "examples. So "
             "does batch norm that is [frozen|2] after 300 steps in batches of 32.",
         .plans = batch_of_one,
         .criteria = {{"Steps of batch norm",
                       [](const Trial& t) { return static_cast<double>(t.runs[0].run.step); }, at_most(0),
                       "a variance of one value does not exist"},
                      {"Layer norm", [](const Trial& t) { return accuracy(t.runs[1], a); }, at_least(0.9),
                       "its set is the example itself"},
                      {"Group norm", [](const Trial& t) { return accuracy(t.runs[1], b); }, at_least(0.9),
                       "its set is a part of the example"},
                      {"Batch norm, frozen", [](const Trial& t) { return accuracy(t.runs[2], a); },
                       at_least(0.9), "a constant scale and shift"}},
         .figures = {{.title = "Batches of 1: test accuracy",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b},
                      .points =
                          [](const Trial& t, size_t twin) {
                              return t.runs.size() > 1 ? accuracy_curve(t.runs[1], twin) : Curve{};
                          },
                      .names = {"layer norm", "group norm"}},
                     {.title = "Batch norm, frozen at step 300",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a},
                      .points =
                          [](const Trial& t, size_t twin) {
                              return t.runs.size() > 2 ? accuracy_curve(t.runs[2], twin) : Curve{};
                          }}}},
        {.name = "few-classes",
         .title = "Batches of few classes",
         .claim =
             "Where a batch has two classes only, batch norm fails the test; batch renormalization recovers.",
         .source = "Ioffe 2017, 4.3 and Fig. 3",
         .setup = "Digits \xC2\xB7 3 x 64 ReLU \xC2\xB7 batch 32 of 2 classes",
         .seeing =
             "Batches are not drawn from all pictures: each has two digits. Batch norm then tells them "
             "apart by "
             "their batch, which is not there in the [test|1]. Renormalization trains with what the "
             "test will use, "
             "and layer norm never saw the batch. In [training|2] all three seem to do well. Here batch norm "
             "loses less than the 11 points of the paper: 6, 3 and 4 over three seeds.",
         .plans = few_classes,
         .criteria = {{"Lost by batch norm",
                       [](const Trial& t) { return accuracy(t.runs[1], a) - accuracy(t.runs[0], a); },
                       at_least(0.05), "Fig. 3: 11 points of Inception"},
                      {"Part that renorm recovers",
                       [](const Trial& t) {
                           return (accuracy(t.runs[0], b) - accuracy(t.runs[0], a)) /
                                  std::max(accuracy(t.runs[1], a) - accuracy(t.runs[0], a), 1e-3);
                       },
                       at_least(0.5), "Fig. 3: nearly all of it; half would still be recovering"}},
         .figures = {{.title = "Test accuracy, eval mode",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b, c},
                      .points = first_accuracy,
                      .references = {{2000, .71, a, "earlier trainer, batch norm"},
                                     {2000, .84, c, "earlier trainer, layer norm"}}},
                     {.title = "Training loss",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b, c},
                      .points = first_loss,
                      .log = true}}},
        {.name = "gradient-accumulation",
         .title = "Gradient accumulation",
         .claim = "Four batches of 8 whose gradients are summed are a batch of 32 to layer norm; to batch "
                  "norm they are "
                  "ghost batches of 8.",
         .source = "Hoffer et al. 2017, Algorithm 1",
         .setup = "Spiral \xC2\xB7 4 x 48 ReLU \xC2\xB7 32 examples a step \xC2\xB7 rate 0.1",
         .seeing =
             "The same 32 examples in every step, in one batch or in four parts. The [loss of layer norm|1] "
             "is "
             "the same but for rounding. That of [batch norm|2] is not: each part was normalized by its own "
             "eight "
             "examples, exactly as [ghost batch norm|3] does on purpose. To have the large batch, statistics "
             "must be exchanged as well.",
         .plans = accumulation,
         .criteria = {{"Layer norm: 32 against 4 x 8",
                       [](const Trial& t) { return loss_difference(t.runs[0], b, t.runs[1], b, compared); },
                       at_most(1e-3), "the same sums in another order: 20 steps of float32 rounding"},
                      {"Batch norm: 32 against 4 x 8",
                       [](const Trial& t) { return loss_difference(t.runs[0], a, t.runs[1], a, compared); },
                       at_least(0.02), "statistics of 8 err by a third of a deviation"},
                      {"4 x 8 against ghosts of 8",
                       [](const Trial& t) { return loss_difference(t.runs[1], a, t.runs[2], a, compared); },
                       at_most(1e-3), "the same statistics, the same sums in another order"}},
         .figures = {{.title = "Layer norm: loss of 32, and of 4 x 8",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b},
                      .points = loss_of_runs<0, b>,
                      .log = true,
                      .names = {"32", "4 x 8"}},
                     {.title = "Batch norm: loss of 32, and of 4 x 8",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b},
                      .points = loss_of_runs<0, a>,
                      .log = true,
                      .names = {"32", "4 x 8"}},
                     {.title = "4 x 8, and ghosts of 8",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b},
                      .points = loss_of_runs<1, a>,
                      .log = true,
                      .names = {"4 x 8", "ghosts of 8"}}}},
        {.name = "synchronized",
         .title = "Synchronized statistics",
         .claim = "Four devices with 8 examples each that exchange their statistics have the batch norm of "
                  "32; each alone has that of 8.",
         .source = "Peng et al. 2018 (MegDet); PyTorch SyncBatchNorm",
         .setup = "Spiral \xC2\xB7 4 x 48 ReLU \xC2\xB7 32 examples a step \xC2\xB7 rate 0.1",
         .seeing =
             "The same 32 examples in every step: on one device (A), and in four parts, on what stands for "
             "four devices. Those of B exchange count, mean and squares of every unit, and two sums on the "
             "way back: the [loss|1] is that of one device but for rounding. C's add up gradients alone; "
             "each normalizes by eight examples, and the loss is [another|2].",
         .plans = synchronized,
         .criteria = {{"32 against 4 x 8, synchronized",
                       [](const Trial& t) { return loss_difference(t.runs[0], a, t.runs[0], b, compared); },
                       at_most(1e-3), "the same sums in another order: 20 steps of float32 rounding"},
                      {"32 against 4 x 8, each alone",
                       [](const Trial& t) { return loss_difference(t.runs[0], a, t.runs[0], c, compared); },
                       at_least(0.02), "statistics of 8 err by a third of a deviation"}},
         .figures = {{.title = "Loss of 32, and of 4 x 8 synchronized",
                      .x = steps,
                      .x_name = "step",
                      .twins = {a, b},
                      .points = first_loss,
                      .log = true,
                      .names = {"32", "4 x 8"}},
                     {.title = "Loss of 4 x 8: synchronized, alone",
                      .x = steps,
                      .x_name = "step",
                      .twins = {b, c},
                      .points = first_loss,
                      .log = true,
                      .names = {nullptr, "synchronized", "alone"}}}},
    };
}

}  // namespace lab
