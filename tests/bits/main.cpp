// vknorm-bits: records what this build computes, or compares it with a recording.
//
// Exit status: 0 recorded, or no difference; 1 a difference, or something could not be computed; 2 wrong
// usage. `record` wants a folder that is new or empty, so that no recording is lost. `compare` records into
// FOLDER/now, which stays, to be looked at, only when something differs.
#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string_view>

#include <vknorm/file.hpp>

#include "bits/bits.hpp"

namespace {

namespace bits = vknorm::bits;
using std::filesystem::path;

constexpr const char* usage =
    "usage: vknorm-bits record FOLDER [--device NAME]   writes what this build computes on that device\n"
    "       vknorm-bits compare FOLDER [--device NAME]  computes it again and prints every difference\n"
    "NAME is a part of a device's name or driver, or its UUID. A recording holds for one machine.\n";

void record(const path& folder, const std::string& device) {
    const struct {
        const char* name;
        void (*record)(const path&, const std::string&);
    } parts[] = {{"device", bits::record_device},
                 {"operations", bits::record_operations},
                 {"training", bits::record_training},
                 {"lab", bits::record_lab},
                 {"pictures", bits::record_pictures}};
    vknorm::make_folder(folder);
    for (const auto& part : parts) {
        const auto begin = std::chrono::steady_clock::now();
        part.record(folder, device);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        std::fprintf(stderr, "%s: %.1f s\n", part.name, took.count());
    }
}

bool compare(const path& folder, const std::string& device) {
    std::error_code error;
    if (!std::filesystem::exists(folder / "device.txt", error))
        throw std::runtime_error(folder.string() + " holds no recording");
    const path now = folder / "now";
    const auto remove_now = [&] {
        std::filesystem::remove_all(now, error);
        if (error) throw vknorm::FileError(now, "cannot be removed: " + error.message(), error);
    };
    remove_now();
    record(now, device);
    const bool same = bits::compare_recordings(folder, now);
    if (same) remove_now();
    return same;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view command = argc > 1 ? argv[1] : "";
    const bool named = argc == 5 && std::string_view(argv[3]) == "--device";
    if ((command != "record" && command != "compare") || (argc != 3 && !named)) {
        std::fputs(usage, stderr);
        return 2;
    }
    const path folder = argv[2];
    const std::string device = named ? argv[4] : "";
    try {
        if (command == "compare") return compare(folder, device) ? 0 : 1;
        std::error_code error;
        if (std::filesystem::exists(folder, error) && !std::filesystem::is_empty(folder, error))
            throw std::runtime_error(folder.string() + " is there already");
        record(folder, device);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
