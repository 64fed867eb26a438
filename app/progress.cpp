#include "app/progress.hpp"

#include <cmath>
#include <unistd.h>

namespace lab {

namespace {

// The first steps wait for pipelines to be compiled.
constexpr uint64_t warm_up = 10;

template <class... Arguments>
std::string print(const char* format, Arguments... arguments) {
    char text[64];
    std::snprintf(text, sizeof text, format, arguments...);
    return text;
}

}  // namespace

void TimeLeft::add(uint64_t step, double seconds) {
    if (step <= warm_up) return;
    Mean& mean = evaluations_.due(step) ? evaluated_ : plain_;
    mean.seconds += seconds;
    ++mean.count;
}

double TimeLeft::seconds(uint64_t step, uint64_t steps) const {
    if (plain_.count == 0 || evaluated_.count == 0) return -1;
    uint64_t evaluations = 0;
    for (uint64_t next = evaluations_.next(step); next <= steps; next = evaluations_.next(next))
        ++evaluations;
    const auto each = [](const Mean& mean) { return mean.seconds / static_cast<double>(mean.count); };
    return each(evaluated_) * static_cast<double>(evaluations) +
           each(plain_) * static_cast<double>(steps - step - evaluations);
}

std::string progress_line(const Snapshot& run, uint64_t steps, double seconds_left) {
    std::string line = "step " + std::to_string(run.step) + "/" + std::to_string(steps);
    std::string losses, accuracies;
    for (size_t i = 0; i < run.twins.size(); ++i) {
        const auto& training = run.twins[i].training;
        const auto& tests = run.twins[i].test;
        if (!training.empty())
            losses += print("  %c %#.4g", twin_letter(i),
                            static_cast<double>(training.back().value.strongly_smoothed_loss));
        if (!tests.empty())
            accuracies +=
                print("  %c %.2f %%", twin_letter(i), 100 * static_cast<double>(tests.back().value.accuracy));
    }
    if (!losses.empty()) line += "  loss" + losses;
    if (!accuracies.empty()) line += "  accuracy" + accuracies;
    if (run.samples_per_second > 0) line += print("  %.0f samples/s per twin", run.samples_per_second);
    if (seconds_left >= 0) {
        const auto seconds = static_cast<unsigned long long>(std::ceil(seconds_left));
        line += print("  %llu:%02llu left", seconds / 60, seconds % 60);
    }
    return line;
}

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

bool Progress::due() const {
    return Clock::now() - shown_at_ >=
           (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000));
}

void Progress::show(const std::string& line) {
    // To the line's beginning, the line, and nothing of a longer one before it.
    std::fprintf(stderr, terminal_ ? "\r%s\033[K" : "%s\n", line.c_str());
    std::fflush(stderr);
    shown_at_ = Clock::now();
}

void Progress::finish() {
    if (terminal_) std::fputc('\n', stderr);
}

}  // namespace lab
