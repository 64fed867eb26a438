// One case on one device: verified, then raced against copies of the same bytes and against peers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/case.hpp"
#include "bench/measure.hpp"
#include "bench/peer.hpp"
#include "bench/pool.hpp"

namespace vknorm::bench {

/// Reads and writes as many bytes as a tensor has.
struct Copy {
    std::string name;  ///< kernel, command (vkCmdCopyBuffer), or memcpy on CPU devices
    Times times;
    double gbps = 0;
};

struct Row {
    Direction direction;
    Times times;
    double gbps = 0;                        ///< by the model of bytes per element
    std::map<std::string, double> peers{};  ///< milliseconds, by contestant
};

struct Result {
    Case what;
    std::string plan;
    double worst = 0;  ///< the largest error over its bound when it was verified
    std::vector<Copy> copies;
    Times empty;  ///< of a dispatch that does next to nothing
    std::vector<Row> rows;
    double memcpy_gbps = 0;          ///< of a large tensor, while this ran; 0 on devices that are no CPU
    std::string contention;          ///< why the times mean little; empty when they are good
    std::vector<std::string> notes;  ///< what peers could not do

    const Copy& best_copy() const;
};

/// Throws std::runtime_error when a result is wrong.
Result run(Device& device, const Case& what, Pool& pool, const std::vector<Peer*>& peers, size_t rounds);

}  // namespace vknorm::bench
