// Where the time of training steps goes, over the latest ones.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include <vknorm/graph.hpp>
#include <vknorm/stream.hpp>

namespace lab {

class StepParts {
  public:
    /// Timings of one step, of which those inside others are left out. None, of a step that was not measured,
    /// change nothing.
    void push(std::vector<vknorm::Timing> timings);
    void clear() { steps_.clear(); }
    bool empty() const { return steps_.empty(); }
    /// Each part's median, in the order of the step.
    std::vector<vknorm::Timing> medians() const;

  private:
    std::deque<std::vector<vknorm::Timing>> steps_;
};

/// The same time by what is done: "linear", "norm", "activation" and so on, of all the graph's nodes of a
/// kind together, forward and backward; and whatever else a step has.
std::vector<vknorm::Timing> by_kind(const std::vector<vknorm::Timing>& parts, const vknorm::Graph& graph);

}  // namespace lab
