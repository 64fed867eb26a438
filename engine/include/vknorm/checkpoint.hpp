// A network in a file, which PyTorch reads, and a file of PyTorch's in a network.
//
// The file is a safetensors one: parameters and running statistics as float32 under the names of a
// state_dict, each norm's num_batches_tracked an int64 scalar, and beside them, under names that begin with
// "training/", what training goes on from. In Python:
//
//     state = safetensors.torch.load_file("model.safetensors")
//     model.load_state_dict({k: v for k, v in state.items() if not k.startswith("training/")})
//
// or save with .training = false, and load_state_dict(load_file(...)) it is. What comes from PyTorch is
// written by safetensors.torch.save_file(model.state_dict(), "model.safetensors").
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include <vknorm/network.hpp>
#include <vknorm/safetensors.hpp>

namespace vknorm {

struct SaveOptions {
    /// The optimizer's moments and counts too: a run that goes on from the file has the bits of one that was
    /// never interrupted, given the same optimizer, settings and batches from then on.
    bool training = true;
    /// Of the caller, such as where in the data the run is; names begin with "training/", behind which the
    /// network has "steps", "refused_batches" and "optimizer/...".
    HostTensors beside{};
    std::map<std::string, std::string>
        metadata{};  ///< beside "format": "pt", which PyTorch's readers look for
    Existing existing = Existing::replaced;
};

/// Waits for the steps in flight; after Diverged, what is written is the state before that step. The file is
/// written as a whole or not at all. Throws std::invalid_argument for a name that is not the caller's to
/// give, or that of a node that begins with "training/"; FileError.
void save_checkpoint(Network& network, const std::filesystem::path& file, const SaveOptions& options = {});

struct LoadOptions {
    /// What the network calls the tensor that the file calls `name`; empty: nothing, it is left out. Null:
    /// the same, or, where all names of the file are those of one torch.nn.Sequential ("layers.0.weight",
    /// "layers.1.running_mean", ...), its modules in the order of their numbers are the network's nodes that
    /// have tensors, in theirs. Names that begin with "training/" are not asked for.
    std::function<std::string(const std::string& name)> rename{};
    /// Takes the optimizer's moments and counts, too, where the file has them: then set_optimizer() must have
    /// said which optimizer. Otherwise these stay what they are.
    bool training = true;
};

/// Parameters and statistics may be F32, F64, F16 or BF16, counters are I64. Returns what else is there:
/// metadata, and what a caller saved beside. Throws FormatError, with nothing changed, which tells all names
/// that are missing or too many and all shapes and types that differ, before the tensors are read; or the
/// value that a network cannot have: not finite, or a variance below 0; FileError.
Safetensors load_checkpoint(Network& network, const std::filesystem::path& file,
                            const LoadOptions& options = {});

}  // namespace vknorm
