// Numbers over steps as TensorBoard reads them: records of TensorFlow, whose messages are protocol buffers.
//
// A record is its length (8 bytes, the least significant first), the length's checksum, the message, and its
// checksum: CRC-32C, rotated and moved. A message is an Event: wall_time = 1, step = 2, file_version = 3,
// summary = 5 { value = 1 { tag = 1, simple_value = 2 } }.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace lab {

class EventFile {
  public:
    /// Begins `file` anew. Throws std::runtime_error when it cannot be written, now or later.
    explicit EventFile(std::filesystem::path file);

    /// What was measured at a step: names and numbers. `wall_time` in seconds since 1970.
    void add(uint64_t step, double wall_time, std::span<const std::pair<std::string, float>> scalars);
    /// Whoever reads the file finds all that was added.
    void flush();

  private:
    void add_record(const std::string& message);

    std::filesystem::path file_;
    std::ofstream stream_;
};

/// Of Castagnoli's polynomial.
uint32_t crc32c(std::string_view bytes);

}  // namespace lab
