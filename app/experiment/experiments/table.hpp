// What the tables of experiments share.
#pragma once

#include <cstdio>
#include <string>

#include "app/experiment/experiments.hpp"
#include "app/experiment/measures.hpp"

namespace lab::table {

inline constexpr size_t a = 0, b = 1, c = 2, d = 3;  // twins
inline constexpr auto steps = Figure::Axis::steps;
inline constexpr auto values = Figure::Axis::values;

inline std::string text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

inline Settings spiral(uint32_t layers, uint32_t units, uint32_t batch, float rate) {
    Settings s;
    s.hidden.assign(layers, units);
    s.batch = batch;
    s.learning_rate = rate;
    s.inspected_layer = layers - 1;
    return s;
}

inline Settings digits(uint32_t layers, uint32_t units, uint32_t batch, float rate) {
    Settings s = spiral(layers, units, batch, rate);
    s.data = Data::digits;
    return s;
}

/// The curves of the first run.
inline Curve first_accuracy(const Trial& trial, size_t twin) {
    return accuracy_curve(trial.runs[0], twin);
}
inline Curve first_loss(const Trial& trial, size_t twin) {
    return loss_curve(trial.runs[0], twin);
}

template <float UnitRow::*column>
Curve first_unit(const Trial& trial, size_t twin) {
    return unit_curve(trial.runs[0], twin, column);
}

}  // namespace lab::table
