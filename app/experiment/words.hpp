// What the choices of the settings are called.
#pragma once

#include <array>
#include <string>

#include "app/experiment/settings.hpp"

namespace lab {

/// One value that can be chosen.
template <class T>
struct Choice {
    T value;
    const char* word;  ///< on the command line and in reports
    const char* name;  ///< on the screen
};

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

const char* word(Data data);
const char* word(vknorm::Norm norm);
const char* word(vknorm::Activation activation);
const char* word(OptimizerKind kind);
/// One for all hidden layers, or one for each, separated by commas.
std::string norm_words(const Settings& settings, size_t twin);

const char* name(Data data);
const char* name(vknorm::Norm norm);
const char* name(vknorm::Activation activation);
const char* name(OptimizerKind kind);

}  // namespace lab
