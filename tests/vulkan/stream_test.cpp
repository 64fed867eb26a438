// Submissions, transfers and timings, in every variant of device that changes how they work.
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <thread>

#include <vknorm/stream.hpp>

#include "support/device_fixture.hpp"
#include "support/held_queue.hpp"
#include "support/replaced_function.hpp"
#include "vulkan/device_variants.hpp"
#include "vulkan/dispatch.hpp"
#include "vulkan/staging.hpp"

namespace vknorm::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class StreamTest : public DeviceVariants {};
INSTANTIATE_TEST_SUITE_P(Variants, StreamTest, every_variant, name_of);

/// Tests of what a queue that stands still has yet to do.
class HeldStream : public StreamTest {
  protected:
    void SetUp() override {
        if (mode().gpu_assisted) GTEST_SKIP() << HeldQueue::impossible;
    }
};
INSTANTIATE_TEST_SUITE_P(Variants, HeldStream, every_variant, name_of);

/// A stream's submission that does not run before it is released.
struct HeldSubmission {
    Buffer target;
    Stream stream;
    HeldQueue queue;
    Ticket ticket;

    explicit HeldSubmission(Device& device)
        : target(device, small * sizeof(float), "target"), stream(device), queue(device) {
        detail::fill(stream.record(), target, 0);
        ticket = stream.submit();
    }
    std::jthread released_after(std::chrono::milliseconds time) {
        return std::jthread([this, time] {
            std::this_thread::sleep_for(time);
            queue.release();
        });
    }
};

TEST_P(StreamTest, UploadsAndDownloadsWhatDoesNotFitIntoTheStagingMemory) {
    const std::vector<float> data = floats(5 * detail::Staging::piece_bytes / sizeof(float) + 13);
    const Buffer target = buffer(data.size(), "target");
    Stream stream(device);
    stream.record();  // so that even mapped memory is written through staging, in order
    stream.upload(target, data);
    EXPECT_TRUE(stream.download<float>(target) == data);
}

TEST_P(StreamTest, StagingMemoryIsUsedAgainOnlyWhenItsSubmissionWasReached) {
    constexpr VkDeviceSize piece = detail::Staging::piece_bytes;
    const std::vector<float> data = floats(8 * piece / sizeof(float));
    const Buffer target = buffer(data.size(), "target");
    Stream stream(device);
    for (VkDeviceSize done = 0; done < 8; done += 2) {  // the staging memory is full after the second round
        stream.record();
        stream.upload(
            target.view(done * piece, 2 * piece),
            std::vector<float>(data.begin() + done * piece / 4, data.begin() + (done + 2) * piece / 4));
        if (done == 0) stream.submit();
    }
    EXPECT_TRUE(stream.download<float>(target) == data);
}

TEST_P(StreamTest, UploadsArePlacedBetweenTheCommandsAroundThem) {
    const std::vector<float> before = floats(small), after = floats(small);
    const Buffer source = buffer(small, "source"), first = buffer(small, "first"),
                 second = buffer(small, "second");
    Stream stream(device);
    stream.upload(source, before);
    detail::copy(stream.record(), source, first);
    stream.upload(source, after);
    detail::copy(stream.record(), source, second);
    EXPECT_EQ(stream.download<float>(first), before);
    EXPECT_EQ(stream.download<float>(second), after);
}

TEST_P(StreamTest, CopiesPartsOfABufferAtAnyByte) {
    const std::vector<uint8_t> data = {1, 2, 3, 4, 5, 6, 7};
    const Buffer target(device, 32, "target");
    Stream stream(device);
    stream.upload(target, std::vector<uint8_t>(32, 0));
    stream.upload(target.view(13, 7), data);
    std::vector<uint8_t> expected(32, 0);
    std::copy(data.begin(), data.end(), expected.begin() + 13);
    EXPECT_EQ(stream.download<uint8_t>(target), expected);
    EXPECT_EQ(stream.download<uint8_t>(target.view(14, 3)), (std::vector<uint8_t>{2, 3, 4}));
}

TEST_P(StreamTest, TicketsGrowAndAreReachedInOrder) {
    const Buffer target = buffer(small, "target");
    Stream stream(device);
    EXPECT_EQ(stream.submit(), 0u) << "nothing was recorded";
    EXPECT_TRUE(stream.reached(0));
    Ticket last = 0;
    for (int i = 0; i < 100; ++i) {  // many more than may be in flight
        detail::fill(stream.record(), target, 0);
        const Ticket ticket = stream.submit();
        EXPECT_GT(ticket, last);
        last = ticket;
    }
    EXPECT_EQ(stream.submit(), last);
    EXPECT_TRUE(stream.wait(last - 1, std::chrono::seconds(100)));
    stream.wait(last);
    EXPECT_TRUE(stream.reached(last));
    EXPECT_TRUE(stream.reached(last - 99));
    EXPECT_THROW(stream.wait(last + 1), std::invalid_argument);
    EXPECT_THROW(stream.wait(last - 100), std::invalid_argument);
}

TEST_P(StreamTest, OrdersSubmissionsOfOneStreamAndOfSeveral) {
    const std::vector<float> data = floats(small);
    const Buffer a = buffer(small, "a"), b = buffer(small, "b"), c = buffer(small, "c"),
                 d = buffer(small, "d");
    Stream first(device), second(device);
    first.upload(a, data);
    detail::copy(first.record(), a, b);
    first.submit();
    detail::copy(first.record(), b, c);
    first.submit();
    detail::copy(second.record(), c, d);
    EXPECT_EQ(second.download<float>(d), data);
}

TEST_P(HeldStream, AnUploadComesAfterWhatOtherStreamsSubmitted) {
    const std::vector<float> before = floats(small), after = floats(small);
    const Buffer source = buffer(small, "source"), target = buffer(small, "target");
    Stream first(device), second(device);
    first.upload(source, before);
    first.wait(first.submit());
    HeldQueue held(device);
    detail::copy(first.record(), source, target);
    first.submit();
    second.upload(source, after);
    second.submit();
    held.release();
    EXPECT_EQ(first.download<float>(target), before);
    EXPECT_EQ(first.download<float>(source), after);
}

TEST_P(HeldStream, ADownloadComesAfterWhatOtherStreamsSubmitted) {
    const std::vector<float> data = floats(small);
    const Buffer source = buffer(small, "source"), target = buffer(small, "target");
    Stream first(device), second(device);
    first.upload(source, data);
    first.upload(target, std::vector<float>(small, 0));
    first.wait(first.submit());
    HeldQueue held(device);
    detail::copy(first.record(), source, target);
    first.submit();
    std::future<std::vector<float>> downloaded =
        std::async(std::launch::async, [&] { return second.download<float>(target); });
    EXPECT_EQ(downloaded.wait_for(10ms), std::future_status::timeout);
    held.release();
    EXPECT_EQ(downloaded.get(), data);
}

TEST_P(HeldStream, WaitsAsLongAsItIsTold) {
    HeldSubmission held(device);
    for (const auto none : {0ms, -5ms, std::chrono::milliseconds::min()})
        EXPECT_FALSE(held.stream.wait(held.ticket, none)) << none.count();
    EXPECT_FALSE(held.stream.wait(held.ticket, std::chrono::hours::min()));
    EXPECT_FALSE(held.stream.wait(held.ticket, 1us));
    EXPECT_FALSE(held.stream.reached(held.ticket));

    const std::jthread later = held.released_after(10ms);
    EXPECT_TRUE(held.stream.wait(held.ticket, std::chrono::milliseconds::max()));
}

TEST_P(HeldStream, WaitsAsLongAsAnyDurationTells) {
    const auto wait = [this](auto timeout) {
        HeldSubmission held(device);
        const std::jthread later = held.released_after(2ms);
        EXPECT_TRUE(held.stream.wait(held.ticket, timeout));
    };
    wait(std::chrono::hours::max());
    wait(std::chrono::hours(1'000'000));
    wait(std::chrono::seconds::max());
    wait(std::chrono::nanoseconds::max());
    wait(std::chrono::duration<double>(std::numeric_limits<double>::infinity()));
}

TEST_P(HeldStream, AWaitCanBeStopped) {
    HeldSubmission held(device);
    std::stop_source stop;
    const std::jthread stopper([&stop] {
        std::this_thread::sleep_for(2ms);
        stop.request_stop();
    });
    EXPECT_FALSE(held.stream.wait(held.ticket, stop.get_token()));
    held.queue.release();
    EXPECT_TRUE(held.stream.wait(held.ticket, std::stop_token()));
    EXPECT_TRUE(held.stream.wait(held.ticket, stop.get_token())) << "reached already";
}

TEST_P(StreamTest, OnlyItsOwnStreamTakesATicket) {
    const Buffer target = buffer(small, "target");
    Stream stream(device), other(device), foreign(test_device());
    detail::fill(stream.record(), target, 0);
    const Ticket ticket = stream.submit();
    detail::fill(other.record(), target, 0);
    const Ticket others = other.submit();
    foreign.record();
    const Ticket foreigns = foreign.submit();
    for (const Ticket wrong : {others, foreigns}) {
        EXPECT_EQ(refusal([&] { stream.wait(wrong); }),
                  "Stream: ticket: got submission 1 of another stream, needs at most 1 of this one");
        EXPECT_THROW(stream.reached(wrong), std::invalid_argument);
        EXPECT_THROW(stream.wait(wrong, 1s), std::invalid_argument);
        EXPECT_THROW(stream.wait(wrong, std::stop_token()), std::invalid_argument);
        EXPECT_THROW(stream.timings(wrong), std::invalid_argument);
    }
    Stream moved = std::move(stream);
    moved.wait(ticket);
    other.wait(others);
}

TEST_P(StreamTest, DiscardDropsWhatWasRecorded) {
    constexpr size_t count = 3 * detail::Staging::piece_bytes / sizeof(float);
    const std::vector<float> data = floats(count);
    const Buffer target = buffer(count, "target");
    Stream stream(device);
    stream.upload(target, data);
    const Ticket last = stream.submit();
    stream.wait(last);
    MemoryUse before;
    {
        const CountedCalls<&detail::Functions::QueueSubmit> submissions(device);
        for (int i = 0; i < 3; ++i) {  // more than the staging memory holds
            Recorder& recorder = stream.record();
            stream.upload(target, std::vector<float>(count, 1));
            detail::fill(recorder, target, 0);
            {
                const Buffer another = buffer(small, "another");
                detail::fill(recorder, another, 0);
            }
            stream.discard();
            EXPECT_THROW(detail::fill(recorder, target, 0), std::invalid_argument);
            if (i == 0) before = device.memory_use();  // with the staging memory
        }
        stream.discard();  // nothing
        EXPECT_EQ(stream.submit(), last);
        EXPECT_EQ(submissions.count(), 0);
    }
    EXPECT_EQ(device.memory_use().used, before.used);
    EXPECT_TRUE(stream.download<float>(target) == data);
    detail::fill(stream.record(), target, 0);
    EXPECT_TRUE(stream.download<float>(target) == std::vector<float>(count, 0));
}

TEST_P(StreamTest, ThreadsWithTheirOwnStreamsShareADevice) {
    const auto work = [&](uint64_t seed, bool& correct) {
        std::mt19937_64 generator(seed);
        Stream stream(device);
        for (int i = 0; i < 10; ++i) {
            const std::vector<float> data = random_floats(generator, small);
            const Buffer source = buffer(small, "source"), target = buffer(small, "target");
            stream.upload(source, data);
            const uint32_t constants[] = {64};
            detail::dispatch(stream.record(), {shaders::copy, constants},
                             {detail::read(source), detail::write(target)}, uint32_t(small / 4), {4});
            correct = correct && stream.download<float>(target) == data;
        }
    };
    bool correct[3] = {true, true, true};
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < 3; ++i) threads.emplace_back([&work, &correct, i] { work(i, correct[i]); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_TRUE(correct[0] && correct[1] && correct[2]);
}

TEST_P(StreamTest, AFailedSubmissionIsDroppedAndTheStreamStaysUsable) {
    const std::vector<float> data = floats(small);
    const Buffer target = buffer(small, "target");
    Stream stream(device);
    stream.upload(target, data);
    stream.submit();
    detail::fill(stream.record(), target, 0);
    {
        const ReplacedFunction replaced(
            device.state().vk.QueueSubmit,
            +[](VkQueue, uint32_t, const VkSubmitInfo*, VkFence) { return VK_ERROR_OUT_OF_HOST_MEMORY; });
        try {
            stream.submit();
            FAIL() << "must throw";
        } catch (const Error& error) {
            EXPECT_EQ(error.result(), VK_ERROR_OUT_OF_HOST_MEMORY);
            EXPECT_THAT(error.what(), HasSubstr("vkQueueSubmit failed with VK_ERROR_OUT_OF_HOST_MEMORY"));
        }
    }
    EXPECT_EQ(stream.download<float>(target), data) << "the fill was dropped";
    detail::fill(stream.record(), target, 0);
    EXPECT_EQ(stream.download<float>(target), std::vector<float>(small, 0));
}

TEST_P(StreamTest, ALostDeviceIsLoudAndStaysLost) {
    const Buffer target = buffer(small, "target");
    Stream stream(device);
    detail::fill(stream.record(), target, 0);
    {
        const ReplacedFunction replaced(
            device.state().vk.QueueSubmit,
            +[](VkQueue, uint32_t, const VkSubmitInfo*, VkFence) { return VK_ERROR_DEVICE_LOST; });
        EXPECT_THROW(stream.submit(), Error);
    }
    EXPECT_TRUE(device.lost());
    const auto expect_lost = [](auto use) {
        try {
            use();
            ADD_FAILURE() << "must throw";
        } catch (const Error& error) {
            EXPECT_EQ(error.result(), VK_ERROR_DEVICE_LOST);
        }
    };
    expect_lost([&] { stream.record(); });
    expect_lost([&] { stream.submit(); });
    expect_lost([&] { stream.wait(0); });
    expect_lost([&] { stream.reached(0); });
    expect_lost([&] { stream.download<float>(target); });
    expect_lost([&] { device.wait_idle(); });
    expect_lost([&] { buffer(1, "another"); });
    expect_lost([&] { Stream another(device); });
}

TEST_P(StreamTest, MeasuresLabelsOfTheFourLatestSubmissions) {
    const Buffer target = buffer(small, "target");
    Stream stream(device, {.timestamps = true});
    std::vector<Ticket> tickets;
    for (int i = 0; i < 6; ++i) {
        {
            const detail::Label outer(stream.record(), "outer");
            for (int j = 0; j < 150; ++j) {  // more than one query pool holds
                const detail::Label inner(stream.record(), "inner");
                detail::fill(stream.record(), target, 0);
            }
        }
        tickets.push_back(stream.submit());
    }
    stream.wait(tickets.back());
    if (device.capabilities().timestamp_period_ns == 0) GTEST_SKIP() << "the queue has no timestamps";
    for (int i = 0; i < 6; ++i) {
        const std::vector<Timing> timings = stream.timings(tickets[i]);
        if (i < 2) {
            EXPECT_TRUE(timings.empty());
            continue;
        }
        ASSERT_EQ(timings.size(), 151u);
        EXPECT_EQ(timings[0].label, "outer");
        EXPECT_EQ(timings[150].label, "inner");
        EXPECT_TRUE(timings[0].depth == 0 && timings[150].depth == 1);
        double inner = 0;
        for (size_t j = 1; j < timings.size(); ++j) inner += timings[j].milliseconds;
        EXPECT_GT(inner, 0);
        EXPECT_GE(timings[0].milliseconds, inner);
    }
}

TEST(Stream, RejectsWrongArguments) {
    const Buffer target(test_device(), 16, "target");
    Stream stream(test_device());
    const auto message = [](auto use) {
        try {
            use();
        } catch (const std::invalid_argument& error) {
            return std::string(error.what());
        }
        return std::string("nothing was thrown");
    };
    EXPECT_EQ(message([&] { stream.upload(target, std::vector<float>(3)); }),
              "Stream::upload: target: got 16 bytes, needs 12");
    EXPECT_EQ(message([&] { stream.upload(Buffer(), std::vector<float>(3)); }),
              "Stream::upload: target: got an absent view");
    std::vector<std::byte> bytes(8);
    EXPECT_EQ(message([&] { stream.download(target, std::span(bytes)); }),
              "Stream::download: source: got 16 bytes, needs 8");
    BufferView beyond = target;
    beyond.bytes = 20;
    EXPECT_EQ(
        message([&] { stream.upload(beyond, std::vector<float>(5)); }),
        "Stream::upload: target: got bytes [0, +20) of a buffer of 16, needs a range within the buffer");
    EXPECT_EQ(message([&] { (void)stream.download<float>(beyond); }),
              "Stream::download: source: got bytes [0, +20) of a buffer of 16, needs a range within the "
              "buffer");
    Device another(test_device_options());
    const Buffer others(another, 16, "another device's");
    EXPECT_EQ(message([&] { stream.upload(others, std::vector<float>(4)); }),
              "Stream::upload: target: got a buffer of another device, needs one of this device");
    EXPECT_EQ(message([&] { (void)stream.download<float>(others); }),
              "Stream::download: source: got a buffer of another device, needs one of this device");
    EXPECT_EQ(message([&] { stream.wait(7); }),
              "Stream: ticket: got submission 7 of another stream, needs at most 0 of this one");
    EXPECT_EQ(message([&] { Recorder(std::move(stream.record())); }),
              "Recorder: is that of a Stream, which cannot be moved");
    stream.discard();
    const Stream moved = std::move(stream);
    EXPECT_EQ(message([&] { stream.record(); }), "Stream: was moved from");
    EXPECT_EQ(message([&] { Recorder(test_device(), VK_NULL_HANDLE); }), "Recorder: commands: got null");
}

TEST(Stream, ASubmittedRecorderRefusesMore) {
    const Buffer target(test_device(), 16, "target");
    Stream stream(test_device());
    Recorder& recorder = stream.record();
    detail::fill(recorder, target, 0);
    stream.submit();
    EXPECT_THROW(detail::fill(recorder, target, 0), std::invalid_argument);
}

}  // namespace
}  // namespace vknorm::testing
