// vknorm_tests_device: every suite that needs a Vulkan device.
#include <cstdlib>
#include <gtest/gtest.h>
#include <iostream>

#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace {

using vknorm::testing::mode;

constexpr const char* usage =
    "usage: vknorm_tests_device [--device NAME] [--classic-descriptors] [--small-limits] [--force-staging]\n"
    "                           [--as-gpu] [--gpu-assisted] [--seed N] [--list-devices] [--gtest_...]\n"
    "NAME is a part of a device's name or driver, or its UUID; it may also be given as VKNORM_DEVICE.\n";

int list_devices() {
    for (const vknorm::DeviceInfo& device : vknorm::enumerate_devices())
        if (device.rejected.empty()) std::cout << device.name << '\n';
    return 0;
}

/// False when an argument is not understood.
bool parse(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        const bool has_value = i + 1 < argc;
        if (argument == "--device" && has_value) {
            mode().device = argv[++i];
        } else if (argument == "--seed" && has_value) {
            mode().seed = std::strtoull(argv[++i], nullptr, 10);
        } else if (argument == "--classic-descriptors") {
            mode().classic_descriptors = true;
        } else if (argument == "--small-limits") {
            mode().small_limits = true;
        } else if (argument == "--force-staging") {
            mode().force_staging = true;
        } else if (argument == "--as-gpu") {
            mode().as_gpu = true;
        } else if (argument == "--gpu-assisted") {
            mode().gpu_assisted = true;
        } else {
            std::cerr << "unknown argument " << argument << '\n' << usage;
            return false;
        }
    }
    return true;
}

// Validation layer 1.3.239 keeps what it knows of synchronization until a fence or the queue is waited for
// (it does not see timeline semaphores), and becomes ten times slower within a few hundred tests. A device
// for each test would not, but would compile all its pipelines anew.
class WaitsAfterTests : public testing::EmptyTestEventListener {
    void OnTestEnd(const testing::TestInfo&) override { vknorm::testing::test_device().wait_idle(); }
};

// Version 1.3.239 of the layer tracks hazards across submissions only when asked for it here; later versions
// always do. A canary proves that it works.
void track_hazards_across_submissions() {
    setenv("VK_LAYER_ENABLES", "VALIDATION_CHECK_ENABLE_SYNCHRONIZATION_VALIDATION_QUEUE_SUBMIT", 0);
}

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (const char* device = std::getenv("VKNORM_DEVICE")) mode().device = device;
    try {
        if (argc == 2 && std::string_view(argv[1]) == "--list-devices") return list_devices();
        if (!parse(argc, argv)) return 2;
        if (!mode().gpu_assisted) track_hazards_across_submissions();
        const vknorm::DeviceInfo info = vknorm::testing::test_device().info();
        std::cout << "device " << info.name << " (" << info.driver << "), seed " << mode().seed << std::endl;
        testing::UnitTest::GetInstance()->listeners().Append(new WaitsAfterTests);
        const int failures = RUN_ALL_TESTS();
        vknorm::testing::print_worst_errors(info.name);
        return vknorm::testing::destroy_test_device() ? failures : 1;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
