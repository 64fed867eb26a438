// Maps and the windows that are pooled. An invocation has a run of up to four values beside each other in a line of a
// map, and divides for the run, not for each of them.
#include "nn.h"

layout(local_size_x_id = 0) in;

// Known when the pipeline is made, so that loops unroll: their rounds are constants, and some may have nothing to do.
layout(constant_id = 1) const uint kernel = 2;
layout(constant_id = 2) const uint stride = 2;
layout(constant_id = 3) const uint padding = 0;
layout(constant_id = 4) const uint dilation = 1;
const uint reach = dilation * (kernel - 1) + 1;  // of a window
const uint windows_over_a_value = (reach + stride - 1) / stride;

PUSH_CONSTANTS(Pooling, p)

struct Run {
    uint map;
    uint line;
    uint first;  // values of the line, to `end`
    uint end;
};

// Of maps of `height` lines of `width` values.
Run run_at(uint index, uint height, uint width) {
    const uint runs = (width + 3) / 4, line = index / runs, map = line / height, first = 4 * (index - line * runs);
    return Run(map, line - map * height, first, min(first + 4, width));
}

struct Span {
    uint first;
    uint end;
};

// Where the values of a window may be that is `place` windows from the first, in a length of `length`; of the padding
// nothing.
Span values_of(uint place, uint length) {
    const uint first = place * stride;
    // In the padding before the map, the first value of the window that is in the map.
    const uint skipped = first < padding ? (padding - first + dilation - 1) / dilation * dilation : 0;
    return Span(first + skipped - padding, min(first + reach - padding, length));
}

// The windows that may have a value, among `windows`.
Span windows_of(uint value, uint windows) {
    const uint from_edge = value + padding;
    const uint first = from_edge < reach ? 0 : (from_edge - reach) / stride + 1;
    return Span(first, min(from_edge / stride + 1, windows));
}
