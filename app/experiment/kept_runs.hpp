// Runs that others have taken the place of: all leave their curves, the latest their networks, too.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/experiment/lockstep.hpp"
#include "app/experiment/snapshot.hpp"

namespace lab {

class KeptRuns {
  public:
    static constexpr uint64_t fewest_steps = 20;  ///< shorter runs are not missed
    /// Of those that are not pinned, of those that are, and of those with networks on the device.
    static constexpr size_t most = 4, most_pinned = 6, most_alive = 3;

    /// Puts run `number` aside, if it has made steps enough. `change`: as PastRun::change.
    void keep(uint64_t number, Trainer trainer, std::string change);
    /// Takes that run out, to go on with it; none if its networks are gone.
    std::optional<Trainer> take(uint64_t number);
    /// The settings of that run; null: it is not kept.
    const Settings* settings_of(uint64_t number) const;
    /// Where too many are pinned, the one pinned first is not any more.
    void pin(uint64_t number, bool pinned);

    std::vector<KeptRun> runs() const;

  private:
    struct Kept {
        std::shared_ptr<const PastRun> run;
        std::optional<Trainer> trainer;
    };

    bool pinned(uint64_t number) const;
    void forget_the_oldest();

    std::vector<Kept> kept_;        // the one left last at the end
    std::vector<uint64_t> pinned_;  // numbers of runs, the one pinned last at the end
};

}  // namespace lab
