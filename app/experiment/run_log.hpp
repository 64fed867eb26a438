// What of a run can be followed while it goes: log.jsonl, an object with the columns of history.csv for each
// of its lines, and TensorBoard's event files.
#pragma once

#include <filesystem>
#include <fstream>
#include <vector>

#include "app/experiment/event_file.hpp"
#include "app/experiment/snapshot.hpp"

namespace lab {

/// Where a twin's events are, in a folder of its own: TensorBoard takes it for a run.
std::filesystem::path event_file(const std::filesystem::path& folder, size_t twin);

class RunLog {
  public:
    /// Begins the files anew; no `events`: no such files. Throws std::runtime_error for those that cannot be
    /// written, now or later.
    RunLog(std::filesystem::path file, const std::filesystem::path& events, size_t twins);

    /// Adds the lines that are complete.
    void add(const Snapshot& run);
    /// Adds those that are left.
    void finish(const Snapshot& run);

  private:
    void add_until(const Snapshot& run, uint64_t end);

    std::filesystem::path file_;
    std::ofstream stream_;
    std::vector<EventFile> events_;  // of the twins, or none
    uint64_t next_ = 0;              // step from which on nothing is written
};

}  // namespace lab
