// Every operation, as vknorm-check runs it: a line of the cases is a call with generated tensors, and each
// tensor it gives becomes a line of its type, shape and digest. Nothing is compared with a reference here.
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <vknorm/device.hpp>

#include "bits/bits.hpp"
#include "check/outcome.hpp"
#include "check/request.hpp"
#include "support/device_fixture.hpp"
#include "support/places.hpp"

namespace vknorm::bits {

namespace {

/// The calls of tests/cases.txt, one space between their words.
std::vector<std::string> calls() {
    const std::filesystem::path file = testing::project_file("tests/cases.txt");
    std::ifstream stream(file);
    std::vector<std::string> all;
    for (std::string line; std::getline(stream, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string call;
        for (std::string word; words >> word;) call += (call.empty() ? "" : " ") + word;
        if (!call.empty()) all.push_back(call);
    }
    if (all.empty()) throw std::runtime_error(file.string() + ": holds no case");
    return all;
}

Lines run_all(Device& device) {
    Lines lines;
    for (const std::string& words : calls()) {
        const check::Call call = check::generate(check::parse_request(words));
        try {
            for (const auto& [name, tensor] : check::run(device, call))
                lines.add(words + " -> " + name, std::string(name_of(tensor.dtype)) + ' ' +
                                                     shape_text(tensor.shape) + ' ' + digest(tensor.bytes));
        } catch (const Unsupported& unsupported) {
            lines.add(words, unsupported.what());
        }
    }
    return lines;
}

}  // namespace

void record_device(const std::filesystem::path& folder, const std::string& device) {
    const DeviceInfo info = Device({.select = device}).info();
    Lines lines;
    lines.add("name", info.name);
    lines.add("driver", info.driver);
    lines.write(folder / "device.txt");
}

void record_operations(const std::filesystem::path& folder, const std::string& device) {
    DeviceOptions options{.select = device};
    Device whole(options);
    run_all(whole).write(folder / "operations.txt");
    options.clamp = [](Capabilities& capabilities) {
        testing::Mode{.small_limits = true}.clamp(capabilities);
    };
    Device small(options);
    run_all(small).write(folder / "operations-small-limits.txt");
}

}  // namespace vknorm::bits
