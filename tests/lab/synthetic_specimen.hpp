// A norm under the microscope that no device has computed.
#pragma once

#include <memory>

#include "app/experiment/microscope.hpp"
#include "app/experiment/settings.hpp"

namespace lab::testing {

/// Of a layer with a norm; what the device gave is float64, rounded.
std::shared_ptr<Specimen> synthetic_specimen(const Settings& settings, size_t twin, uint64_t step,
                                             uint32_t layer);
/// Of all layers; null where there is no norm.
std::vector<std::shared_ptr<const Specimen>> synthetic_specimens(const Settings& settings, size_t twin,
                                                                 uint64_t step);

}  // namespace lab::testing
