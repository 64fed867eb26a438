// What device tests share: one device per process under validation, guarded buffers, a seeded random
// generator.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vknorm/stream.hpp>

namespace vknorm::testing {

/// What the command line of vknorm_tests_device asked for.
struct Mode {
    std::string device;  ///< DeviceOptions::select
    bool classic_descriptors = false;
    bool small_limits = false;
    bool as_gpu = false;  ///< plans and kernels are those of a GPU, on whatever device
    bool force_staging = false;
    bool gpu_assisted = false;
    uint64_t seed = 1;

    void clamp(Capabilities& capabilities) const;
};
Mode& mode();

/// The device under test: validation and, unless GPU-assisted, synchronization validation are on, and any
/// message fails the running test.
Device& test_device();
/// Options that make another device like test_device(), for tests of creation.
DeviceOptions test_device_options();
/// Waits for the helpers' work and destroys the device. Returns false when the validation layer spoke outside
/// of a test, on destruction for one.
bool destroy_test_device();

/// What every instance under validation does with a message.
void report_validation_message(std::string_view message);

/// While it lives, validation messages are collected instead of failing the test.
class ExpectMessages {
  public:
    ExpectMessages();
    ~ExpectMessages();
    ExpectMessages(const ExpectMessages&) = delete;

    bool contain(std::string_view text) const;
    /// All of them, for the message of a failed assertion.
    std::string text() const;
};

/// Seeded from --seed and the running test's name, so that a test replays alone.
std::mt19937_64 random_generator();
std::vector<float> random_floats(std::mt19937_64& generator, size_t count, float low = -1, float high = 1);
/// Each of the matrices [rows, columns] that follow one another in `values`, transposed: from channels first
/// to last with one row per channel, and back with one column per channel.
std::vector<float> transposed(const std::vector<float>& values, size_t rows, size_t columns);

/// Runs what `record` records, to its end.
void run(const std::function<void(Recorder&)>& record);

/// The message of the std::invalid_argument that `call` throws, or "no error".
std::string refusal(const std::function<void()>& call);
/// The same of `record`, whose arguments are parts of `memory`; and that a refused call changed none of it.
std::string refusal(const Buffer& memory, const std::function<void(Recorder&)>& record);

/// Through a stream of the fixture's own; both have ended when they return.
void upload_bytes(const BufferView& target, std::span<const std::byte> data);
void download_bytes(const BufferView& source, std::span<std::byte> data);

template <class T>
void upload(const BufferView& target, const std::vector<T>& data) {
    upload_bytes(target, std::as_bytes(std::span(data)));
}
template <class T>
std::vector<T> download(const BufferView& source) {
    std::vector<T> data(source.bytes / sizeof(T));
    download_bytes(source, std::as_writable_bytes(std::span(data)));
    return data;
}

/// A tensor in device memory between two guards, at an offset that is a multiple of 4 and of nothing more
/// (unless `aligned`: then of 256). It starts as NaN. Whoever writes past either end fails the test, at the
/// latest when the buffer goes away.
class GuardedBuffer {
  public:
    GuardedBuffer(VkDeviceSize bytes, std::string name, bool aligned = false);
    template <class T>
    explicit GuardedBuffer(const std::vector<T>& data, std::string name = "input", bool aligned = false)
        : GuardedBuffer(data.size() * sizeof(T), std::move(name), aligned) {
        upload(data);
    }
    ~GuardedBuffer();
    GuardedBuffer(const GuardedBuffer&) = delete;

    BufferView view() const { return tensor_; }
    operator BufferView() const { return tensor_; }
    template <class T>
    void upload(const std::vector<T>& data) {
        testing::upload(tensor_, data);
    }
    template <class T = float>
    std::vector<T> download() const {
        return testing::download<T>(tensor_);
    }
    void check() const;

  private:
    std::string name_;
    VkDeviceSize words_before_;
    Buffer buffer_;
    BufferView tensor_;
};

}  // namespace vknorm::testing
