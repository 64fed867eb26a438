// The kernels that are chosen for some typical work, and what they cost a multiprocessor.
#pragma once

#include <iosfwd>

namespace vknorm::testing {

/// Of the best device, a line for each kernel: device, work, kernel and cost, with tabs between them.
/// tests/gpu/plan_table puts those of many devices together.
void print_plans(std::ostream& out);

}  // namespace vknorm::testing
