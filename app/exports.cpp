#include "app/exports.hpp"

#include <vknorm/file.hpp>

#include "app/experiment/report.hpp"
#include "app/experiment/sweep_table.hpp"
#include "app/experiment/sweeper.hpp"

namespace lab {

namespace {

/// `folder`/`stem`1`extension`, or the first number that is not taken.
std::filesystem::path fresh(const std::filesystem::path& folder, const std::string& stem,
                            const char* extension) {
    for (int number = 1;; ++number) {
        std::filesystem::path candidate = folder / (stem + std::to_string(number) + extension);
        std::error_code unreadable;
        if (!std::filesystem::exists(candidate, unreadable)) return candidate;
    }
}

}  // namespace

std::string export_picture(const std::filesystem::path& folder, const Picture& picture) {
    vknorm::make_folder(folder);
    const std::filesystem::path file = fresh(folder, "screen-", ".png");
    write_png(picture, file);
    return "Picture: " + file.string();
}

std::string export_run(const std::filesystem::path& folder, const Snapshot& run, const SweepView* sweep,
                       const vknorm::DeviceInfo& device, double steps_per_second,
                       const std::string& command_line, const Picture& picture) {
    const std::filesystem::path its = fresh(folder, "run-", "");
    vknorm::make_folder(its);
    write_summary(its / "summary.json", run, device, steps_per_second, command_line);
    write_history(its / "history.csv", run);
    write_events(its / "events.csv", run);
    write_distributions(its / "distributions.csv", run);
    if (sweep) write_sweep(its / "sweep.csv", sweep->plan, sweep->cells);
    write_png(picture, its / "screen.png");
    const std::string note = merged_steps_note(run);
    return "Written to " + its.string() + (note.empty() ? ": tables and a picture" : ". " + note);
}

}  // namespace lab
