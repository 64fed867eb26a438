// The windows of average pooling, and what their sums are divided by.
#include "nn/pooling.glsl"

layout(constant_id = 5) const uint average = average_of_kernel;

// The values of a window among `windows` in a length of `length`.
Span averaged(uint place, uint length, uint windows) {
    if (average != average_of_bins) return values_of(place, length);
    return Span(place * length / windows, ((place + 1) * length + windows - 1) / windows);
}

// The windows that have a value.
Span averaging(uint value, uint length, uint windows) {
    if (average != average_of_bins) return windows_of(value, windows);
    return Span(value * windows / length, ((value + 1) * windows + length - 1) / length);
}

// Rounds of a loop over the values of a window, or the windows that have a value.
uint rounds_of_values(Span span) { return average == average_of_bins ? span.end - span.first : kernel; }
uint rounds_of_windows(Span span) { return average == average_of_bins ? span.end - span.first : windows_over_a_value; }

uint divisor(Span rows, Span columns) {
    if (average == average_of_kernel) return kernel * kernel;
    return (rows.end - rows.first) * (columns.end - columns.first);
}
