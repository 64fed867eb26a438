#include "support/device_fixture.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>

namespace vknorm::testing {

namespace {

std::mutex messages_mutex;
std::vector<std::string> messages;
bool messages_expected = false;
bool message_outside_of_tests = false;

std::unique_ptr<Device> device;
std::optional<Stream> stream;

Stream& helper_stream() {
    if (!stream) stream.emplace(test_device());
    return *stream;
}

constexpr uint32_t guard = 0xfeedface, poison = 0x7fc0dead;  // poison is a NaN
// As much as any offset alignment, so that a range aligned down still starts inside the guard, plus an odd
// number of words.
constexpr VkDeviceSize words_before_aligned = 64, words_before_odd = 67, words_after = 64;

}  // namespace

void report_validation_message(std::string_view message) {
    const std::lock_guard lock(messages_mutex);
    if (messages_expected) {
        messages.emplace_back(message);
        return;
    }
    if (!::testing::UnitTest::GetInstance()->current_test_info()) message_outside_of_tests = true;
    ADD_FAILURE() << "validation: " << message;
}

void Mode::clamp(Capabilities& capabilities) const {
    if (classic_descriptors || small_limits) capabilities.push_descriptors = false;
    if (force_staging || small_limits) capabilities.mapped_device_memory = false;
    if (as_gpu) capabilities.cpu = false;
    if (!small_limits) return;
    capabilities.max_storage_buffer_range = 64 << 10;
    capabilities.max_workgroup_invocations = 128;
    capabilities.max_workgroups = 7;
    capabilities.subgroup_size = 0;
    capabilities.timeline_semaphores = false;
}

Mode& mode() {
    static Mode mode;
    return mode;
}

DeviceOptions test_device_options() {
    DeviceOptions options;
    options.select = mode().device;
    options.validation = true;
    options.gpu_assisted = mode().gpu_assisted;
    options.on_validation_message = report_validation_message;
    options.clamp = [](Capabilities& capabilities) { mode().clamp(capabilities); };
    return options;
}

Device& test_device() {
    if (!device) device = std::make_unique<Device>(test_device_options());
    return *device;
}

bool destroy_test_device() {
    stream.reset();
    device.reset();
    return !message_outside_of_tests;
}

ExpectMessages::ExpectMessages() {
    const std::lock_guard lock(messages_mutex);
    messages_expected = true;
    messages.clear();
}

ExpectMessages::~ExpectMessages() {
    const std::lock_guard lock(messages_mutex);
    messages_expected = false;
}

bool ExpectMessages::contain(std::string_view text) const {
    const std::lock_guard lock(messages_mutex);
    return std::any_of(messages.begin(), messages.end(), [text](const std::string& message) {
        return message.find(text) != std::string::npos;
    });
}

std::string ExpectMessages::text() const {
    const std::lock_guard lock(messages_mutex);
    std::string all = std::to_string(messages.size()) + " messages";
    for (const std::string& message : messages) all += "\n  " + message;
    return all;
}

std::mt19937_64 random_generator() {
    const ::testing::TestInfo* test = ::testing::UnitTest::GetInstance()->current_test_info();
    std::vector<uint32_t> seed = {static_cast<uint32_t>(mode().seed),
                                  static_cast<uint32_t>(mode().seed >> 32)};
    if (test)
        for (const char* c = test->name(); *c; ++c) seed.push_back(static_cast<unsigned char>(*c));
    std::seed_seq sequence(seed.begin(), seed.end());
    return std::mt19937_64(sequence);
}

std::vector<float> random_floats(std::mt19937_64& generator, size_t count, float low, float high) {
    std::uniform_real_distribution<float> distribution(low, high);
    std::vector<float> values(count);
    for (float& value : values) value = distribution(generator);
    return values;
}

std::vector<float> transposed(const std::vector<float>& values, size_t rows, size_t columns) {
    std::vector<float> result(values.size());
    const size_t matrix = rows * columns;
    for (size_t i = 0; i < values.size(); ++i)
        result[i / matrix * matrix + i % columns * rows + i % matrix / columns] = values[i];
    return result;
}

void run(const std::function<void(Recorder&)>& record) {
    Stream own(test_device());
    record(own.record());
    own.wait(own.submit());
}

std::string refusal(const std::function<void()>& call) {
    try {
        call();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "no error";
}

std::string refusal(const Buffer& memory, const std::function<void(Recorder&)>& record) {
    // Ones are labels of some class, too.
    const std::vector<uint32_t> before(memory.bytes() / sizeof(uint32_t), 1);
    upload(memory, before);
    Stream own(test_device());
    const std::string message = refusal([&] { record(own.record()); });
    own.wait(own.submit());
    if (message != "no error") {
        EXPECT_EQ(download<uint32_t>(memory), before) << message;
    }
    return message;
}

void upload_bytes(const BufferView& target, std::span<const std::byte> data) {
    helper_stream().upload(target, data);
    helper_stream().wait(helper_stream().submit());
}

void download_bytes(const BufferView& source, std::span<std::byte> data) {
    helper_stream().download(source, data);
}

GuardedBuffer::GuardedBuffer(VkDeviceSize bytes, std::string name, bool aligned)
    : name_(std::move(name)), words_before_(aligned ? words_before_aligned : words_before_odd) {
    const VkDeviceSize words = bytes / 4 + (bytes % 4 != 0);
    buffer_ = Buffer(test_device(), 4 * (words_before_ + words + words_after), name_);
    tensor_ = buffer_.view(4 * words_before_, bytes);
    std::vector<uint32_t> contents(words_before_, guard);
    contents.resize(words_before_ + words, poison);
    contents.resize(words_before_ + words + words_after, guard);
    testing::upload(buffer_, contents);
}

GuardedBuffer::~GuardedBuffer() {
    try {
        check();
    } catch (const std::exception& error) {
        ADD_FAILURE() << name_ << ": guards: " << error.what();
    }
}

void GuardedBuffer::check() const {
    const VkDeviceSize after = buffer_.bytes() - 4 * words_after;
    for (const BufferView& view :
         {buffer_.view(0, 4 * words_before_), buffer_.view(after, 4 * words_after)}) {
        const auto words = testing::download<uint32_t>(view);
        const auto damaged =
            std::find_if(words.begin(), words.end(), [](uint32_t word) { return word != guard; });
        if (damaged == words.end()) continue;
        const auto offset = static_cast<int64_t>(view.offset) + 4 * (damaged - words.begin());
        ADD_FAILURE() << name_ << ": written outside of its " << tensor_.bytes << " bytes, at byte "
                      << offset - static_cast<int64_t>(tensor_.offset);
    }
}

}  // namespace vknorm::testing
