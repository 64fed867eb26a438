// vknorm-check --inspect: whether the norms of a checkpoint are in the state that inference needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <vknorm/safetensors.hpp>

namespace vknorm::check {

/// Of PyTorch's modules, which a file does not tell.
inline constexpr double inspected_epsilon = 1e-5, inspected_momentum = 0.1;

struct Finding {
    std::string kind;                ///< such as "zero variance"
    std::string text;                ///< what stands there and what that does
    std::vector<size_t> channels{};  ///< those concerned; none: it is the layer
};

struct Extent {
    double least = 0, greatest = 0;
};

/// A norm layer of a file.
struct InspectedNorm {
    std::string name;
    size_t channels = 0;
    std::optional<int64_t> batches{};          ///< num_batches_tracked
    std::optional<Extent> mean{}, variance{};  ///< of its running statistics; none: it keeps none
    std::optional<double> largest_scale{};     ///< of abs(gamma) / sqrt(variance + epsilon)
    std::string folds_into{};                  ///< the layer before it; empty: the names do not tell
    double largest_weight = 0, largest_folded_weight = 0;  ///< of that layer, before and after folding
    std::vector<Finding> findings{};
};

/// In the order of their names; those in "training/", beside a state_dict, are none. A norm is a module with
/// a running_mean and a running_var, or one whose weight, as that of no other layer, is a vector. Throws
/// FormatError naming `file` and the tensor where the tensors of one norm do not fit each other, or there is
/// no norm.
std::vector<InspectedNorm> inspect(const HostTensors& tensors, const std::string& file);

/// Prints a table and what was found to `out`, and writes the same as JSON to `json`, if that has a name.
/// Returns the exit status: 0 nothing was found, 1 something was, 2 a file cannot be read or written.
int run_inspection(const std::filesystem::path& file, const std::filesystem::path& json, bool force,
                   std::ostream& out, std::ostream& err);

}  // namespace vknorm::check
