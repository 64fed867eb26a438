// Tests of streams run on every variant of device that changes how they work.
#pragma once

#include <gtest/gtest.h>
#include <vector>

#include "support/device_fixture.hpp"

namespace vknorm::testing {

struct Variant {
    const char* name;
    void (*clamp)(Capabilities&);
};

inline void PrintTo(const Variant& variant, std::ostream* out) {
    *out << variant.name;
}

inline DeviceOptions with_clamp(void (*clamp)(Capabilities&)) {
    DeviceOptions options = test_device_options();
    options.clamp = [clamp](Capabilities& capabilities) {
        mode().clamp(capabilities);
        clamp(capabilities);
    };
    return options;
}

class DeviceVariants : public ::testing::TestWithParam<Variant> {
  protected:
    Device device{with_clamp(GetParam().clamp)};
    std::mt19937_64 random = random_generator();

    std::vector<float> floats(size_t count) { return random_floats(random, count); }
    Buffer buffer(size_t count, const char* name) { return Buffer(device, count * sizeof(float), name); }
};

inline const auto every_variant =
    ::testing::Values(Variant{"Default", [](Capabilities&) {}},
                      Variant{"Fences", [](Capabilities& c) { c.timeline_semaphores = false; }},
                      Variant{"Staged", [](Capabilities& c) { c.mapped_device_memory = false; }});

inline std::string name_of(const ::testing::TestParamInfo<Variant>& instance) {
    return instance.param.name;
}

constexpr size_t small = 1024;

}  // namespace vknorm::testing
