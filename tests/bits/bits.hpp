// vknorm-bits: the proof that a change of the code changed no bit of what the code computes.
//
// A recording is a folder that says what one build computed on one device: text files of one line a result,
// which ends in a digest of its bits or in the number itself, tables of training runs, and pictures. It holds
// for one machine with one driver, as both have a say in the last bit; within that it repeats exactly, so
// whatever differs between the recordings of two builds differs by their code. Each part of a recording is
// made by one function below, which writes into the folder it is given and nowhere else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace vknorm::bits {

/// 64-bit FNV-1a of all bytes, as 16 hexadecimal digits.
std::string digest(std::span<const std::byte> bytes);

template <class T>
std::string digest(const std::vector<T>& values) {
    return digest(std::as_bytes(std::span(values)));
}

/// What is read to be compared, line by line: "KEY: VALUE", each key once.
class Lines {
  public:
    /// Throws std::logic_error for a key that is there already, or that holds ": ".
    void add(const std::string& key, const std::string& value);
    void write(const std::filesystem::path& file) const;

  private:
    std::vector<std::pair<std::string, std::string>> lines_;
};

// `device` is as DeviceOptions::select. They throw for what cannot be computed, but note what this device
// does not support as the result it is.

/// device.txt: on what the rest was computed.
void record_device(const std::filesystem::path& folder, const std::string& device);
/// operations.txt: each tensor that each line of tests/cases.txt gives; and operations-small-limits.txt, on a
/// device that claims the least of everything, so that tensors are sliced and sweeps take turns.
void record_operations(const std::filesystem::path& folder, const std::string& device);
/// training.txt: networks of every norm, activation and optimizer, step by step, and the sets they learn.
void record_training(const std::filesystem::path& folder, const std::string& device);
/// lab/RUN: the report of the Lab for each preset, without the picture and the speed.
void record_lab(const std::filesystem::path& folder, const std::string& device);
/// pictures/NAME.png: the Lab's screen with runs that never happened, as they show no measured speed.
void record_pictures(const std::filesystem::path& folder, const std::string& device);

/// Prints every difference between two recordings, then how much of each part is equal, and returns whether
/// all is. Lines are compared by their keys, pictures by their pixels, other files by their bytes.
bool compare_recordings(const std::filesystem::path& before, const std::filesystem::path& now);

}  // namespace vknorm::bits
