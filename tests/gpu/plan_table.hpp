// The kernels that are chosen for some typical work, as rows of a Markdown table, with what they cost a
// multiprocessor.
#pragma once

#include <iosfwd>

namespace vknorm::testing {

/// Of the best device. tests/gpu/plan_table puts those of many devices together.
void print_plans(std::ostream& out);

}  // namespace vknorm::testing
