// What every reader of data must keep, whatever it is given.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <vknorm/data.hpp>

namespace vknorm::testing {

/// Ends the program unless `data` is one that networks can take.
inline void require_consistent(const Dataset& data) {
    const bool holds =
        data.size() > 0 && data.features > 0 && data.classes > 0 &&
        data.inputs.size() == data.size() * data.features &&
        (data.class_names.empty() || data.class_names.size() == data.classes) &&
        std::all_of(data.labels.begin(), data.labels.end(),
                    [&](uint32_t label) { return label < data.classes; }) &&
        std::all_of(data.inputs.begin(), data.inputs.end(), [](float value) { return std::isfinite(value); });
    if (!holds) std::abort();
}

}  // namespace vknorm::testing
