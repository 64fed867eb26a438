// The Lab's window as a picture, with no display.
#pragma once

#include "app/experiment/snapshot.hpp"
#include "app/gpu/offscreen.hpp"

namespace lab {

/// How `run` looks on a screen of `width` x `height`.
Picture live_picture(Gpu& gpu, const Snapshot& run, uint32_t width, uint32_t height, const Theme& theme);

}  // namespace lab
