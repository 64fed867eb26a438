// Calls with what PyTorch gives for them: tests/golden/*.safetensors, written by the script beside them.
#pragma once

#include <string>
#include <vector>

#include "check/operation.hpp"

namespace vknorm::check {

struct GoldenVector {
    std::string name;
    Call call;
    HostTensors results;  ///< float64 results rounded to float32
};
std::vector<GoldenVector> golden_vectors();

}  // namespace vknorm::check
