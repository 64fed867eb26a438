// Another library that runs the same operations in a process of its own, one call at a time, so that its
// turns interleave with ours.
//
// One line of JSON each way. The child begins with {"title": "..."}, or {"absent": "why"} and ends. Then
//   {"prepare": {"operation", "shape", "layout", "groups", "type", "directions",
//               "rotation_bytes"}}
//       -> {"contestants": [["torch_nchw", "forward"], ...]}
//   {"run": ["torch_nchw", "forward"]} -> {"ms": 1.5, "cpu_ms": 3.0}
// and instead of any answer {"error": "why"}. The shape is as `layout` lists it. It ends with its input.
#pragma once

#include <cstdio>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bench/case.hpp"
#include "bench/measure.hpp"

namespace vknorm::bench {

class Peer {
  public:
    /// Takes a command line; the first word may be looked up in PATH.
    explicit Peer(const std::vector<std::string>& command);
    ~Peer();
    Peer(const Peer&) = delete;

    /// Why it cannot take part; empty when it can.
    const std::string& absence() const { return absence_; }
    /// "PyTorch 2.1"
    const std::string& title() const { return title_; }

    /// Its ways to do this: a name, which says the layout, and a direction. Until the next call of this.
    /// Throws std::runtime_error when it fails.
    std::vector<std::pair<std::string, Direction>> prepare(const Case& what, uint64_t rotation_bytes);
    Sample run(const std::string& contestant, Direction direction);

  private:
    nlohmann::json ask(const nlohmann::json& question);
    nlohmann::json answer();

    int process_ = -1;
    std::FILE *to_ = nullptr, *from_ = nullptr;
    std::string title_, absence_;
};

}  // namespace vknorm::bench
