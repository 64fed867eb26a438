// Lists of cases: each line is a call in the words of the command line; # begins a remark.
#pragma once

#include <string>
#include <vector>

#include "check/request.hpp"

namespace vknorm::check {

struct Case {
    std::string where;  ///< "FILE:LINE: ", or nothing; it begins messages
    Request request;
};

/// Throws std::invalid_argument for a line that is no call and for a list without any.
std::vector<Case> read_cases(const std::string& file);
/// Those of tests/cases.txt, which the program holds.
std::vector<Case> committed_cases();

}  // namespace vknorm::check
