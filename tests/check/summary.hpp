// What the calls of a mode of an operation came to.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "check/outcome.hpp"

namespace vknorm::check {

/// A number and the tensor it was found in.
struct Worst {
    double value = 0;
    std::string tensor{};

    void update(double candidate, const std::string& name);
};

struct Summary {
    int cases = 0, failed = 0;  ///< of those that ran
    int skipped = 0;            ///< those that the device does not support
    std::string reason{};       ///< why, of those skipped
    Worst ratio, ulps;

    void add(const Outcome& outcome);
    /// For people, as one line.
    std::string line(const std::string& name, const std::string& device) const;
};

/// By the operation and its mode; calls in 16-bit storage, whose bounds are other ones, are on their own.
using Summaries = std::map<std::string, Summary>;
Summary& summary_of(Summaries& summaries, const Call& call);

/// Runs the call, compares what it gives with what it should give, and adds that to its summary. Returns
/// nothing where the device does not support it. Throws what the operation throws.
std::optional<Outcome> check(Device& device, const Call& call, Summaries& summaries);

}  // namespace vknorm::check
