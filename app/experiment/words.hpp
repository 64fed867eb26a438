// What can be chosen in an experiment, and what the choices are called.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include <vknorm/network.hpp>

namespace lab {

enum class Data { spiral, circles, moons, xor_quadrants, gaussians, rings, digits, shapes, file };
/// What network twins are: a perceptron with hidden layers of choice, or one of vknorm/models.hpp.
enum class Model { mlp, classifier, classifier_small, resnet8, resnet20, preresnet20 };
enum class OptimizerKind { sgd, adam, adamw };
/// How the learning rate changes over a run.
enum class Schedule { constant, step, cosine, one_cycle };
/// How much of the past the moving averages of noisy curves hold.
enum class Smoothing { off, light, strong };
/// How fast a run in the window goes.
enum class Speed { slow, normal, fast };

/// Of a twin with several devices: what a norm over the batch normalizes with.
enum class DeviceStatistics { synchronized, alone };

/// One value that can be chosen.
template <class T>
struct Choice {
    T value;
    const char* word;       ///< on the command line and in reports
    const char* name;       ///< on the screen
    const char* note = "";  ///< what it does, where the screen explains it
};

/// The same without its type.
struct NamedValue {
    std::string word, name;
};
template <class T>
std::vector<NamedValue> named_values(std::span<const Choice<T>> choices) {
    std::vector<NamedValue> values;
    for (const auto& choice : choices) values.push_back({choice.word, choice.name});
    return values;
}

/// Their words.
template <class T>
std::string join_words(std::span<const Choice<T>> choices, const char* separator) {
    std::string joined;
    for (const auto& choice : choices) joined += (joined.empty() ? "" : separator) + std::string(choice.word);
    return joined;
}

/// All but a file, whose word is its name.
inline constexpr auto data_choices =
    std::to_array<Choice<Data>>({{Data::spiral, "spiral", "Spiral"},
                                 {Data::circles, "circles", "Circles"},
                                 {Data::moons, "moons", "Moons"},
                                 {Data::xor_quadrants, "xor", "XOR"},
                                 {Data::gaussians, "gaussians", "Gaussians"},
                                 {Data::rings, "rings", "Rings"},
                                 {Data::digits, "digits", "Digits 28 x 28"},
                                 {Data::shapes, "shapes", "Coloured shapes 32 x 32"}});
inline constexpr auto model_choices =
    std::to_array<Choice<Model>>({{Model::mlp, "mlp", "Perceptron"},
                                  {Model::classifier, "classifier", "Classifier"},
                                  {Model::classifier_small, "classifier-small", "Classifier, small"},
                                  {Model::resnet8, "resnet8", "ResNet-8"},
                                  {Model::resnet20, "resnet20", "ResNet-20"},
                                  {Model::preresnet20, "preresnet20", "ResNet-20, pre-activation"}});
inline constexpr auto norm_choices = std::to_array<Choice<vknorm::Norm>>(
    {{vknorm::Norm::none, "none", "None", "Activations receive what the weights give"},
     {vknorm::Norm::batch, "batch", "BatchNorm", "Each unit by its mean and variance over the batch"},
     {vknorm::Norm::layer, "layer", "LayerNorm",
      "Each example by the mean and variance of its units; the batch has no say"},
     {vknorm::Norm::group, "group", "GroupNorm",
      "Each example by the mean and variance of groups of its units"},
     {vknorm::Norm::rms, "rms", "RMSNorm",
      "Each example by the root mean square of its units; no mean, no beta"},
     {vknorm::Norm::batch_renorm, "renorm", "BatchRenorm",
      "BatchNorm, corrected more and more towards its running statistics (the paper's schedule, 100 times as "
      "fast)"},
     {vknorm::Norm::ghost, "ghost", "GhostNorm",
      "BatchNorm over parts of the batch, as if each were a batch of its own"}});
inline constexpr auto activation_choices =
    std::to_array<Choice<vknorm::Activation>>({{vknorm::Activation::identity, "identity", "Identity"},
                                               {vknorm::Activation::relu, "relu", "ReLU"},
                                               {vknorm::Activation::tanh, "tanh", "Tanh"},
                                               {vknorm::Activation::sigmoid, "sigmoid", "Sigmoid"}});
inline constexpr auto order_choices = std::to_array<Choice<vknorm::NormOrder>>(
    {{vknorm::NormOrder::before_activation, "before", "Before the activation"},
     {vknorm::NormOrder::after_activation, "after", "After the activation"}});
inline constexpr auto optimizer_choices =
    std::to_array<Choice<OptimizerKind>>({{OptimizerKind::sgd, "sgd", "SGD"},
                                          {OptimizerKind::adam, "adam", "Adam"},
                                          {OptimizerKind::adamw, "adamw", "AdamW"}});
inline constexpr auto schedule_choices =
    std::to_array<Choice<Schedule>>({{Schedule::constant, "constant", "Constant"},
                                     {Schedule::step, "step", "Step"},
                                     {Schedule::cosine, "cosine", "Cosine"},
                                     {Schedule::one_cycle, "onecycle", "1 cycle"}});
inline constexpr auto statistics_choices =
    std::to_array<Choice<vknorm::Statistics>>({{vknorm::Statistics::batch, "batch", "Batch (train)"},
                                               {vknorm::Statistics::running, "running", "Running (eval)"}});
inline constexpr auto device_statistics_choices =
    std::to_array<Choice<DeviceStatistics>>({{DeviceStatistics::synchronized, "synchronized", "Synchronized"},
                                             {DeviceStatistics::alone, "alone", "Each alone"}});
inline constexpr auto smoothing_choices =
    std::to_array<Choice<Smoothing>>({{Smoothing::off, "off", "Off"},
                                      {Smoothing::light, "light", "Light"},
                                      {Smoothing::strong, "strong", "Strong"}});
inline constexpr auto speed_choices =
    std::to_array<Choice<Speed>>({{Speed::slow, "slow", "Slow", "Every step can be seen"},
                                  {Speed::normal, "normal", "Normal", "A run takes seconds"},
                                  {Speed::fast, "fast", "Fast", "As many steps as the device does"}});

/// Of ASCII letters.
std::string lower_case(std::string text);

const char* word(Data data);
const char* word(Model model);
const char* word(vknorm::Norm norm);
const char* word(vknorm::Activation activation);
const char* word(OptimizerKind kind);

const char* name(Data data);
const char* name(Model model);
const char* name(vknorm::Norm norm);
const char* name(vknorm::Activation activation);
const char* name(OptimizerKind kind);

}  // namespace lab
