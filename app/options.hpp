// The command line: what the arguments say, as a value. Opens no device and no window.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "app/experiment/experiments.hpp"
#include "app/experiment/settings.hpp"
#include "app/experiment/sweep.hpp"
#include "app/ui/theme_choice.hpp"

namespace lab {

/// What the program's exit status means.
namespace exit_status {
inline constexpr int ok = 0, failed = 1, usage = 2, no_device = 3, interrupted = 130;
}

struct Options {
    Settings settings;
    bool batch_given = false;  ///< so that data with fewer examples is at odds with it
    bool headless = false;
    uint64_t steps = 1000;                   ///< of a run without a window
    std::filesystem::path out = "out";       ///< where its report goes
    std::filesystem::path tensorboard;       ///< folder for event files of it; empty: none
    std::filesystem::path load;              ///< twin A goes on from this file; empty: none
    std::filesystem::path save;              ///< it is written there in the end; empty: nowhere
    uint64_t save_every = 0;                 ///< and after so many steps, again and again; 0: not
    const Experiment* experiment = nullptr;  ///< to conduct in place of a run, without a window; null: none
    bool fast = false;                       ///< its fast form
    std::vector<SweepAxis> sweep;            ///< one or two, of a sweep in place of a run; empty: none
    uint32_t seeds = 3;                      ///< of the sweep
    bool force = false;                      ///< a report that is there already may be replaced
    std::string device;                      ///< as vknorm::DeviceOptions::select
    std::vector<std::string> devices;        ///< which ranks take in turn, likewise; empty: all take `device`
    uint32_t ranks = 0;                      ///< that train together, as threads; 0: one alone
    bool validation = false;
    std::filesystem::path tuning;  ///< folder for vknorm::tuned_in; empty: the table will do
    std::filesystem::path shot;    ///< picture of the Live screen after the steps; empty: none
    uint32_t width = 1600, height = 1000;
    ThemeChoice theme = ThemeChoice::dark;
    std::filesystem::path script;  ///< to be played without a display; empty: none
    std::string command_line;      ///< that all this comes from, as a shell takes it
};

/// A text to print in place of running, on stdout when `status` is ok and on stderr otherwise.
struct Answer {
    int status = exit_status::ok;
    std::string text;
};

/// `arguments` without the program's name. What is missing depends on the data and the preset: explicit
/// arguments win over the preset, the preset over the defaults of the data.
std::variant<Options, Answer> parse_options(std::span<const char* const> arguments);

}  // namespace lab
