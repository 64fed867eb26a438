#include "app/first_run.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace lab {

namespace {

// As the XDG base directory specification has it; empty without a home.
std::filesystem::path mark() {
    const auto folder = [](const char* variable) {
        const char* const value = std::getenv(variable);
        return std::filesystem::path(value ? value : "");
    };
    std::filesystem::path configuration = folder("XDG_CONFIG_HOME");
    if (!configuration.is_absolute()) {
        const std::filesystem::path home = folder("HOME");
        if (!home.is_absolute()) return {};
        configuration = home / ".config";
    }
    return configuration / "vknorm" / "introduced";
}

}  // namespace

bool was_introduced() {
    std::error_code unreadable;
    const std::filesystem::path file = mark();
    return file.empty() || std::filesystem::exists(file, unreadable);
}

void remember_introduction() {
    const std::filesystem::path file = mark();
    if (file.empty()) return;
    std::error_code unwritable;
    std::filesystem::create_directories(file.parent_path(), unwritable);
    std::ofstream(file).flush();
}

}  // namespace lab
