// What a user asks the window to write: a picture of the screen, a run.
#pragma once

#include <filesystem>
#include <string>

#include <vknorm/device.hpp>

#include "app/experiment/snapshot.hpp"
#include "app/gpu/gpu.hpp"
#include "app/gpu/png.hpp"
#include "app/lab/shell.hpp"

namespace lab {

/// Writes `picture` into `folder` under a name that is not taken, and returns what to say of it.
std::string export_picture(const std::filesystem::path& folder, const Picture& picture);
/// Writes tables and `picture` into a new folder in `folder`; that of the sweep, too, if there is one.
std::string export_run(const std::filesystem::path& folder, const Snapshot& run, const SweepView* sweep,
                       const vknorm::DeviceInfo& device, double steps_per_second,
                       const std::string& command_line, const Picture& picture);

/// Writes one plot, if it has something to write, of what `shell` draws on `screen`, of `size` pixels, in the
/// form asked for.
std::string export_plot(const std::filesystem::path& folder, const PlotRequest& request, Shell& shell,
                        const Screen& screen, ImVec2 size, uint64_t step, Gpu& gpu);

}  // namespace lab
