// Warming up: the first time that an operation is recorded, its pipelines are compiled, which takes the
// driver milliseconds each.
#pragma once

#include <functional>

#include <vknorm/stream.hpp>

namespace vknorm {

/// Compiles the pipelines of everything that `record` does with its Recorder, and records nothing:
///
///     prepare(device, [&](Recorder& recorder) { batch_norm.forward_training(recorder, tensors); });
///
/// Which pipelines an operation needs depends on its arguments: which of them are there, where they start in
/// their buffers, and whether those are the engine's. So these are the arguments of later; what the buffers
/// hold does not matter. From any thread: a pipeline is compiled once, and nobody waits who does not need it.
/// Throws what `record` throws.
void prepare(Device& device, const std::function<void(Recorder&)>& record);

}  // namespace vknorm
