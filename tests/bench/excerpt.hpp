// The part of a tensor that a float64 reference can afford: whole channels, groups or rows from both its
// ends.
#pragma once

#include <vector>

#include "bench/case.hpp"
#include "reference/sets.hpp"

namespace vknorm::bench {

class Excerpt {
  public:
    explicit Excerpt(const Case& what);

    /// As a tensor of its own, which is normalized as it is within the whole one.
    const std::vector<uint32_t>& shape() const { return shape_; }
    uint32_t groups() const { return groups_; }
    std::vector<float> values(const std::vector<float>& whole) const;
    /// What the parameters of the excerpt are among [C], or among [D] of rows.
    std::vector<float> parameters(const std::vector<float>& whole) const;

  private:
    bool rows_;
    reference::Geometry whole_;       // with rows for channels where rows are normalized
    std::vector<uint32_t> channels_;  // those that were taken
    std::vector<uint32_t> shape_;
    uint32_t groups_ = 1;
};

}  // namespace vknorm::bench
