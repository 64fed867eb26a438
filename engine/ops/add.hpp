// The sum of two tensors.
#pragma once

#include <vknorm/stream.hpp>

namespace vknorm::detail {

/// y = a + b, as many float32 as y has, at multiples of 256 bytes; y may be a or b.
void add(Recorder& recorder, const BufferView& a, const BufferView& b, const BufferView& y);

}  // namespace vknorm::detail
