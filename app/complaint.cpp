#include "app/complaint.hpp"

#include <algorithm>
#include <cstdio>

#include <vknorm/device.hpp>

#include "app/options.hpp"

namespace lab {

namespace {

/// Empty when a device of this machine can be used, though not the one that was asked for.
std::string missing_packages() {
    try {
        const auto devices = vknorm::enumerate_devices();
        if (std::any_of(devices.begin(), devices.end(),
                        [](const auto& device) { return device.rejected.empty(); }))
            return {};
        return " (install a driver: mesa-vulkan-drivers works on any CPU)";
    } catch (const vknorm::Error&) {
        return " (install libvulkan1, the Vulkan loader, and a driver: mesa-vulkan-drivers works on any CPU)";
    }
}

}  // namespace

int complain(int status, const std::string& text) {
    std::fprintf(stderr, "vknorm-lab: %s\n", text.c_str());
    return status;
}

int complain_about_device(const vknorm::Error& error) {
    return complain(exit_status::no_device, error.what() + missing_packages());
}

}  // namespace lab
