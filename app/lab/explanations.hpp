// The table of explanations: what the titles' marks show, and the glossary.
#pragma once

#include <string_view>

#include "app/ui/explanation.hpp"

namespace lab {

// U+0302, which makes the letter before it wear a hat.
#define HAT "\xCC\x82"

/// Panels first, in the order of the screen, then words in the order in which they are met.
inline constexpr Explanation explanations[] = {
    // Panels.
    {"Training loss", "L = − mean of log p(right class)",
     "The loss of each step's batch, in nats; guessing among k classes gives log k. Batch norm keeps it "
     "above the plain twin's at equal accuracy, since the noise of batch statistics is in it. Dashed: the "
     "test set in eval mode."},
    {"Test accuracy", "right answers / examples of the test set",
     "Solid: eval mode, with running statistics, as a network is used. Dashed: with the statistics of "
     "batches, which is what whoever forgets eval() gets; the gap is the error of the running statistics or "
     "of small batches."},
    {"Decision boundary", "colour = class of the largest p(class | x, y)",
     "What the network makes of every point of the plane in eval mode: pale where it is unsure. Points are "
     "the test set."},
    {"Test pictures", "guess = class of the largest logit",
     "Pictures of the test set and what each twin takes them for, in eval mode; a cross is a mistake."},
    {"Feature maps", "y[c, i, j], one channel of a layer",
     "What the inspected channel makes of test pictures in eval mode, behind its norm: of the twin's colour "
     "where it is positive, grey where it is negative and a ReLU gives 0. Each twin has its own scale."},
    {"Data", "", "Examples without a plane or pictures to draw: this is what was found in the file."},
    {"Pre-activations", "y = γ · x" HAT " + β, or z without a norm",
     "What the activations of the inspected layer receive, one ridge for each moment of the run, the newest "
     "in front. A norm keeps it in place; without one it drifts and narrows or widens with depth."},
    {"Percentiles", "15 %, 50 %, 85 % of a unit's batch",
     "Of a normal distribution they are the mean minus one deviation, the mean, and plus one. Drifting bands "
     "are what Ioffe and Szegedy called internal covariate shift."},
    {"Batch vs running mean", "μ_run ← (1 − m) · μ_run + m · μ_batch",
     "Training subtracts the batch's mean, eval mode the running one. Where the solid line leaves the middle "
     "of the faint one, eval mode normalizes wrongly."},
    {"Batch vs running variance", "σ²_run ← (1 − m) · σ²_run + m · σ²_batch · n / (n − 1)",
     "Training divides by the batch's deviation, eval mode by the running one. It begins at 1 and takes some "
     "3 / m steps to arrive."},
    {"Gradient norm", "‖g‖ = √(Σ (dL/dw)²)",
     "How steep the loss is, over all parameters. Falling to 0: saturated or dead units. Growing by itself: "
     "the learning rate is too large."},
    {"Loss along the gradient", "L(w − η · g), η = ½ to 4 learning rates",
     "The least and the greatest loss of a step's batch where shorter and longer steps along its gradient "
     "would lead. A narrow band: the next step holds no surprise, be it long or short (Santurkar et al. "
     "2018, "
     "figure 4a)."},
    {"Change of the gradient", "‖g(w) − g(w − η · g)‖",
     "How far the gradient is from itself where such steps lead, the nearest and the farthest. Small: the "
     "slope of here is a good guide for a long step (figure 4b)."},
    {"Effective smoothness", "β = max ‖g(w) − g(w − η · g)‖ / ‖η · g‖",
     "How fast the gradient turns along itself: its change by the length of the step, at worst. A step "
     "longer "
     "than 2 / β may lead uphill (figure 4c)."},
    {"Loss of the next step", "L(w − η · g) over η",
     "The latest look: where along the gradient the loss falls, how far it goes on falling, and where it "
     "rises again. The line begins at the loss without a step."},
    {"Gradient of the next step", "‖g(w) − g(w − η · g)‖ over η",
     "The latest look: how far the gradient has turned from what it was, step length by step length. A "
     "straight line is a parabola of a loss."},
    {"Batch mean", "μ = Σ x / n",
     "The mean of each channel over the batch, one line for each, over the steps: what batch norm subtracts. "
     "Violet is below 0, yellow above."},
    {"Batch variance", "σ² = Σ (x − μ)² / n",
     "The variance of each channel over the batch: what batch norm divides by, as a root. Near 0 a channel "
     "hardly varies, and its noise is blown up."},
    {"Gamma", "y = γ · x" HAT " + β",
     "The learned scale of each channel, from 1 on. Yellow channels grew, violet ones shrank; near 0 a "
     "channel "
     "is switched off."},
    {"Beta", "y = γ · x" HAT " + β",
     "The learned shift of each channel, from 0 on. Far below 0 a ReLU behind it never answers."},
    {"Gap", "(μ_batch − μ_run) / √(σ²_run + ε)",
     "How far the batch's mean lies from the running one, in running deviations: so far eval mode moves what "
     "train mode normalizes. Large at first, then the noise of batches; a stripe that stays is wrong."},
    {"Channels", "",
     "The statistics of each unit or channel after the latest step. A click on a head sorts, a click on a "
     "line "
     "inspects it everywhere."},
    {"Batch against running", "σ²_batch ≈ σ²_run",
     "One point for each channel; on the dashed line eval mode has what training had. All below or all "
     "above: "
     "running statistics lag, or batches are too small."},
    {"Before the norm", "z = w · x + b",
     "What the linear layer or the convolution gives, all units and examples of a step's batch. Nothing "
     "holds "
     "it in place: layers before it move it, and each may shrink or widen it."},
    {"Normalized", "x" HAT " = (z − μ) / √(σ² + ε)",
     "What the norm makes of z before gamma and beta: mean 0, deviation 1, however z drifts. Two spikes at "
     "±1: batches of 2; a wide z here is narrow again."},
    {"After gamma and beta", "y = γ · x" HAT " + β",
     "What the activation receives: the norm's place and width with what the network has learned of scale "
     "and shift."},
    {"Activation", "a = max(0, y), or another function",
     "What the next layer receives. A ReLU's zeros are a spike at 0, cut by a notch where it is higher than "
     "the picture; the spike alone: dead units. Sigmoid and tanh saturate at their ends."},
    {"Gradient of z", "dL/dz",
     "What comes back to the linear layer or the convolution, for the mean loss of the batch. A spike at 0 "
     "passes nothing on; compare the widths of twins and layers: it should neither vanish nor grow."},
    {"A step of a twin", "",
     "Times that the device itself measured: a row for each layer, a column for each thing it does; darker "
     "is longer."},

    // What the Lab compares.
    {"Twin", "",
     "One of up to four networks that train in lock-step: the same first weights, the same batches. They "
     "differ in nothing but their settings, so what differs in the plots, the settings did."},
    {"Step", "w ← w − η · dL/dw", "One change of all weights, from the gradient of one batch."},
    {"Epoch", "steps · batch / examples", "Once through the training set; the order is drawn anew for each."},
    {"Batch", "", "The examples of one step. Batch norm takes its mean and variance from them."},
    {"Unit", "z = w · x + b",
     "One output of a layer, from 0 on: \"unit 3\" is the fourth. Batch norm keeps a mean, a variance, gamma "
     "and beta for each; in a convolution a unit is a channel."},
    {"Pre-activation", "a = max(0, y)",
     "What an activation receives, y here: before it without a norm stands z, with one γ · x" HAT " + β."},
    {"Mean ± deviation", "μ ± σ",
     "\"-0.08 ± 1.02\" on a layer's card: mean and standard deviation of what its activations receive, over "
     "all units and the batch of the latest step."},
    {"Percentile", "",
     "The value that so many percent of the examples stay below; unlike a deviation it does not mind "
     "outliers."},
    {"Test, eval", "", "The test set, which no step learns from, in eval mode: with running statistics."},
    {"Verdict", "", "Whether what an experiment claims was measured, by criteria set beforehand."},

    // Normalization.
    {"Batch normalization", "x" HAT " = (x − μ) / √(σ² + ε),  y = γ · x" HAT " + β",
     "Each unit by its mean and variance over the batch. The scale of the weights before it no longer "
     "matters, so that larger steps stay stable."},
    {"Batch statistics", "μ = Σ x / n,  σ² = Σ (x − μ)² / n",
     "Mean and variance of one batch: what training normalizes with. They differ from batch to batch, which "
     "is noise; of one example there is no variance."},
    {"Running statistics", "new = (1 − m) · old + m · batch's",
     "Moving averages of the batch statistics: what eval mode normalizes with, so that an example's answer "
     "does not depend on others."},
    {"Train mode", "", "Normalizes with batch statistics and updates the running ones; PyTorch's train()."},
    {"Eval mode", "",
     "Normalizes with running statistics, which stay; PyTorch's eval(). Forgotten, answers depend on who "
     "else is in the batch."},
    {"Frozen", "", "Running statistics, gamma and beta stay as they are while the rest learns: key F."},
    {"Momentum of running statistics", "PyTorch m = 0.1 is Keras, ONNX 0.9",
     "PyTorch counts the weight of the newest batch, Keras and ONNX that of the old value. 0.9 meant the "
     "other way makes the running statistics as noisy as one batch."},
    {"Gamma and beta", "y = γ · x" HAT " + β",
     "Learned scale and shift of each unit: they give back what normalizing took, if that helps. They begin "
     "at 1 and 0."},
    {"Epsilon", "√(σ² + ε)",
     "Keeps the division finite where a unit hardly varies; where σ² is far below it, the unit is not "
     "normalized."},
    {"inv_std", "1 / √(σ² + ε)",
     "What is multiplied by instead of dividing; kept from forward to backward. γ · inv_std is the gain of "
     "the whole norm: large, where a unit hardly varies."},
    {"Biased variance", "Σ (x − μ)² / n, or / (n − 1)",
     "Normalizing divides by n; PyTorch's running variance is made of the unbiased one, over n − 1. At batch "
     "2 that is a factor of 2."},
    {"Layer normalization", "μ, σ² over the units of one example",
     "Each example by itself: the batch has no say, and train and eval mode are the same."},
    {"Group normalization", "μ, σ² over a group of units of one example",
     "Between layer norm, one group, and instance norm, a group for each channel; it holds at any batch "
     "size."},
    {"RMS normalization", "y = γ · x / √(mean of x² + ε)",
     "Layer norm without the mean and without beta: cheaper, and often as good."},
    {"Batch renormalization", "y = γ · (x" HAT " · r + d) + β",
     "Batch norm corrected towards its running statistics, by r and d: training then sees what eval mode "
     "will."},
    {"Ghost batches", "", "Parts of a batch that are normalized apart, as if each were a batch of its own."},
    {"Synchronized batch norm", "",
     "Statistics over the batches of several devices: 8 devices of 4 are a batch of 32."},
    {"Gradient accumulation", "",
     "Gradients of several batches make one step. Statistics stay those of each, so it is no large batch to "
     "batch norm."},
    {"Folding", "w' = γ · inv_std · w",
     "In eval mode a norm is a fixed scale and shift, which the layer before can take in."},

    // What can go wrong.
    {"Dead unit", "y < 0 for every example",
     "A ReLU that never answers has no gradient and does not come back by itself. A smaller learning rate, "
     "or a norm, keeps units alive."},
    {"Saturation", "a' ≈ 0",
     "Where sigmoid and tanh are flat, no gradient passes: layers before it stop learning."},
    {"Divergence", "",
     "The loss or a gradient is no number any more. The twin stops as it was before that step."},
    {"Internal covariate shift", "",
     "What a layer receives changes as the layers before it learn. The paper's reason for batch norm; later "
     "work finds a smoother loss more to the point."},
    {"Smoothing", "s ← (1 − k) · s + k · x",
     "A moving average of a noisy curve, k = 0.2 or 0.03; what was measured stays faint behind."},
};

#undef HAT

/// The row of that name; a name without one does not compile.
consteval const Explanation& explained(std::string_view name) {
    for (const Explanation& row : explanations)
        if (row.name == name) return row;
    throw "nothing is explained under that name";
}

}  // namespace lab
