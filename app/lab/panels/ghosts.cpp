#include "app/lab/panels/ghosts.hpp"

namespace lab {

std::string run_name(uint64_t number) {
    return "run " + std::to_string(number);
}

std::vector<const PastRun*> ghosts(const Snapshot& run) {
    std::vector<const PastRun*> seen;
    for (const KeptRun& kept : run.kept)
        if (kept.pinned || &kept == &run.kept.back()) seen.push_back(kept.run.get());
    return seen;
}

std::vector<const PastRun*> ghosts_of_unit(const Snapshot& run) {
    std::vector<const PastRun*> seen = ghosts(run);
    const Settings& now = run.settings;
    std::erase_if(seen, [&](const PastRun* ghost) {
        const Settings& then = ghost->settings;
        return now.model != then.model || then.inspected_layer != now.inspected_layer ||
               then.inspected_unit != now.inspected_unit;
    });
    return seen;
}

}  // namespace lab
