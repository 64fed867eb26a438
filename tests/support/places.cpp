#include "support/places.hpp"

#include <cstdlib>

namespace vknorm::testing {

namespace {

const char* const project = VKNORM_PROJECT_FOLDER;
const char* const programs = VKNORM_PROGRAMS_FOLDER;

}  // namespace

std::filesystem::path project_file(const std::string& name) {
    return std::filesystem::path(project) / name;
}

std::string built_program(const std::string& name) {
    return (std::filesystem::path(programs) / name).string();
}

std::filesystem::path shared_file(const std::string& name) {
    const char* const elsewhere = std::getenv("VKNORM_SHARED_DIR");
    return (elsewhere != nullptr ? std::filesystem::path(elsewhere) : project_file("../shared")) / name;
}

}  // namespace vknorm::testing
