// The examples of a run: made or read as the settings say, and parted into those trained on and those tested
// on.
#pragma once

#include <memory>

#include <vknorm/data.hpp>

#include "app/experiment/settings.hpp"

namespace lab {

struct RunData {
    std::shared_ptr<const vknorm::Dataset> train, test;
};

/// Equal settings give equal data. Throws vknorm::FormatError for a file that cannot be read, and
/// std::invalid_argument for one with too few examples to hold some back for the test.
RunData make_run_data(const Settings& settings);

/// Whether both settings mean the same data.
bool same_data(const Settings& a, const Settings& b);

}  // namespace lab
