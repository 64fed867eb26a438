// Data of the latest run, for those that come after with the same.
#pragma once

#include <optional>

#include "app/experiment/data.hpp"

namespace lab {

class LatestData {
  public:
    /// Made anew unless the run before had the same. Throws as make_run_data() does.
    const RunData& of(const Settings& settings) {
        if (!data_ || !same_data(settings_, settings)) data_ = make_run_data(settings);
        settings_ = settings;
        return *data_;
    }

  private:
    std::optional<RunData> data_;
    Settings settings_;
};

}  // namespace lab
