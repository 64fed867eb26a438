#include "app/experiment/run_log.hpp"

#include <chrono>
#include <cstdlib>
#include <stdexcept>

#include "app/experiment/report.hpp"
#include "app/experiment/settings.hpp"

namespace lab {

namespace {

bool is_of_line(const std::string& name) {
    return name == "step" || name == "twin" || name == "steps" || name == "unit_steps" || name == "layer" ||
           name == "unit";
}

}  // namespace

std::filesystem::path event_file(const std::filesystem::path& folder, size_t twin) {
    return folder / std::string(1, twin_letter(twin)) / "events.out.tfevents.vknorm";
}

RunLog::RunLog(std::filesystem::path file, const std::filesystem::path& events, size_t twins)
    : file_(std::move(file)), stream_(file_, std::ios::trunc) {
    for (size_t twin = 0; !events.empty() && twin < twins; ++twin)
        events_.emplace_back(event_file(events, twin));
}

void RunLog::add(const Snapshot& run) {
    const uint64_t steps = steps_per_line(run);
    if (run.step >= steps) add_until(run, run.step - steps + 1);
}

void RunLog::finish(const Snapshot& run) {
    add_until(run, UINT64_MAX);
}

void RunLog::add_until(const Snapshot& run, uint64_t end) {
    if (end <= next_) return;
    const std::vector<std::string> names = split_at_commas(history_head());
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    for (const HistoryLine& line : history_lines(run, next_)) {
        if (line.step >= end) break;
        const std::vector<std::string> cells = split_at_commas(line.cells);
        std::string object;
        std::vector<std::pair<std::string, float>> scalars;
        for (size_t i = 0; i < names.size(); ++i) {
            const bool word = names[i] == "twin";
            object += (i == 0 ? "{\"" : ",\"") + names[i] + "\":" +
                      (cells[i].empty() ? "null"
                       : word           ? '"' + cells[i] + '"'
                                        : cells[i]);
            if (!is_of_line(names[i]) && !cells[i].empty())
                scalars.emplace_back(names[i], std::strtof(cells[i].c_str(), nullptr));
        }
        stream_ << object << "}\n";
        if (!events_.empty()) events_[line.twin].add(line.step, now, scalars);
    }
    next_ = end;
    if (!stream_.flush()) throw std::runtime_error(file_.string() + ": cannot be written");
    for (EventFile& events : events_) events.flush();
}

}  // namespace lab
