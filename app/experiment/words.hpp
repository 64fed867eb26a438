// What can be chosen in an experiment, and what the choices are called.
#pragma once

#include <array>
#include <span>
#include <string>

#include <vknorm/network.hpp>

namespace lab {

enum class Data { spiral, circles, moons, xor_quadrants, gaussians, rings, digits, file };
enum class OptimizerKind { sgd, adam };

/// One value that can be chosen.
template <class T>
struct Choice {
    T value;
    const char* word;  ///< on the command line and in reports
    const char* name;  ///< on the screen
};

/// Their words.
template <class T>
std::string join_words(std::span<const Choice<T>> choices, const char* separator) {
    std::string joined;
    for (const auto& choice : choices) joined += (joined.empty() ? "" : separator) + std::string(choice.word);
    return joined;
}

/// All but a file, whose word is its name.
inline constexpr std::array<Choice<Data>, 7> data_choices = {{{Data::spiral, "spiral", "Spiral"},
                                                              {Data::circles, "circles", "Circles"},
                                                              {Data::moons, "moons", "Moons"},
                                                              {Data::xor_quadrants, "xor", "XOR"},
                                                              {Data::gaussians, "gaussians", "Gaussians"},
                                                              {Data::rings, "rings", "Rings"},
                                                              {Data::digits, "digits", "Digits 28 x 28"}}};
inline constexpr std::array<Choice<vknorm::Norm>, 7> norm_choices = {
    {{vknorm::Norm::none, "none", "None"},
     {vknorm::Norm::batch, "batch", "BatchNorm"},
     {vknorm::Norm::layer, "layer", "LayerNorm"},
     {vknorm::Norm::group, "group", "GroupNorm"},
     {vknorm::Norm::rms, "rms", "RMSNorm"},
     {vknorm::Norm::batch_renorm, "renorm", "BatchRenorm"},
     {vknorm::Norm::ghost, "ghost", "GhostNorm"}}};
inline constexpr std::array<Choice<vknorm::Activation>, 4> activation_choices = {
    {{vknorm::Activation::identity, "identity", "Identity"},
     {vknorm::Activation::relu, "relu", "ReLU"},
     {vknorm::Activation::tanh, "tanh", "Tanh"},
     {vknorm::Activation::sigmoid, "sigmoid", "Sigmoid"}}};
inline constexpr std::array<Choice<OptimizerKind>, 2> optimizer_choices = {
    {{OptimizerKind::sgd, "sgd", "SGD"}, {OptimizerKind::adam, "adam", "Adam"}}};
inline constexpr std::array<Choice<vknorm::Statistics>, 2> statistics_choices = {
    {{vknorm::Statistics::batch, "batch", "Batch (train)"},
     {vknorm::Statistics::running, "running", "Running (eval)"}}};

const char* word(Data data);
const char* word(vknorm::Norm norm);
const char* word(vknorm::Activation activation);
const char* word(OptimizerKind kind);

const char* name(Data data);
const char* name(vknorm::Norm norm);
const char* name(vknorm::Activation activation);
const char* name(OptimizerKind kind);

}  // namespace lab
