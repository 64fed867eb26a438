// A Workspace has the tensors of one call in device memory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <vknorm/stream.hpp>

#include "check/operation.hpp"

namespace vknorm::check {

class Workspace {
  public:
    /// Passes are measured when it is `timed`.
    Workspace(Device& device, const Call& call, bool timed = false);

    Device& device() { return device_; }
    Recorder& recorder() { return stream_.record(); }
    /// Returns a view without a buffer where the call lacks the tensor or it has no elements. It returns the
    /// same one again.
    BufferView in(const std::string& tensor);
    /// Returns memory that is NaN, or -1 for whole numbers, until something is written.
    BufferView out(const std::string& tensor);
    /// Returns what one pass leaves for another: the call's own where it has it; else an out() where the mode
    /// gives it, and memory that is not given back where it does not. It returns the same one again.
    BufferView saved(const std::string& tensor);
    /// Returns memory that is read and given back.
    BufferView in_out(const std::string& tensor);
    /// Returns memory that is neither read from the call nor given back.
    BufferView scratch(VkDeviceSize bytes);

    /// Runs what was recorded.
    HostTensors results();
    /// Runs what was recorded, and gives what its passes took; nothing where the device cannot measure.
    std::vector<Timing> timings();

  private:
    uint64_t bytes_of_tensor(const std::string& tensor) const;
    BufferView add(const std::string& name, std::span<const std::byte> contents);
    BufferView unwritten(const std::string& name, VkDeviceSize bytes);

    Device& device_;
    const Call& call_;
    std::vector<Buffer> buffers_;
    Stream stream_;  // it goes before the buffers that its work uses
    std::map<std::string, BufferView> inputs_, outputs_, saved_;
};

}  // namespace vknorm::check
