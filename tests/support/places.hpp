// Where tests find what is no part of them. One source is compiled for each place of the project, and all
// others but once.
#pragma once

#include <filesystem>
#include <string>

namespace vknorm::testing {

/// Of the project, such as tests/cases.txt.
std::filesystem::path project_file(const std::string& name);
/// One that was built with the tests.
std::string built_program(const std::string& name);
/// Files beside the project, in ../shared or the folder VKNORM_SHARED_DIR, that make some tests possible
/// where they are at hand.
std::filesystem::path shared_file(const std::string& name);

}  // namespace vknorm::testing
