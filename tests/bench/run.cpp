#include "bench/run.hpp"

#include <algorithm>
#include <stdexcept>

#include "bench/operation.hpp"
#include "shaders/embedded.hpp"
#include "vulkan/dispatch.hpp"

namespace vknorm::bench {

namespace {

bool is_cpu(const Device& device) {
    return device.info().type == VK_PHYSICAL_DEVICE_TYPE_CPU;
}

/// Leaves out what is behind the last sixteen bytes.
void copy_kernel(Recorder& recorder, const BufferView& source, const BufferView& target) {
    const Device& device = recorder.device();
    const Capabilities& capabilities = device.capabilities();
    // A CPU pays for every workgroup, and runs its subgroups one after the other; a GPU needs many to be
    // busy.
    const bool cpu = is_cpu(device);
    const uint32_t workgroup = cpu && capabilities.subgroup_size > 0 ? capabilities.subgroup_size : 128;
    const uint32_t most_groups = cpu ? 256 : capabilities.max_workgroups;
    const uint64_t vectors = source.bytes / 16, most = capabilities.max_storage_buffer_range / 16;
    for (uint64_t first = 0; first < vectors; first += most) {
        const uint64_t count = std::min(vectors - first, most);
        const auto part = [&](const BufferView& view) {
            return BufferView{view.buffer, view.offset + first * 16, count * 16};
        };
        const auto groups =
            static_cast<uint32_t>(std::min<uint64_t>((count + workgroup - 1) / workgroup, most_groups));
        detail::dispatch(recorder, {shaders::copy, std::span(&workgroup, 1)},
                         {detail::read(part(source)), detail::write(part(target))},
                         static_cast<uint32_t>(count), {.x = groups});
    }
}

/// Contestants, and who is told the times of each when the race is over.
class Race {
  public:
    using Finish = std::function<void(const Times&)>;

    Race(Device& device, Pool& pool) : clock_(device), pool_(pool) {}

    void add(Contestant contestant, Finish finish) {
        contestants_.push_back(std::move(contestant));
        finish_.push_back(std::move(finish));
    }
    /// On tensors of `bytes`.
    template <class Record>
    void add_device_work(VkDeviceSize bytes, Record record, const Finish& finish) {
        add(
            [this, bytes, record] {
                const Tensors tensors = pool_.next(bytes);
                return clock_.time([&](Recorder& recorder) { record(recorder, tensors); });
            },
            finish);
    }
    void add_memcpy(VkDeviceSize bytes, const Finish& finish) {
        add(
            [this, bytes] {
                const Tensors tensors = pool_.next(bytes);
                return time_on_host([&] { copy_in_parallel(tensors.host_out, tensors.host_x, bytes); });
            },
            finish);
    }
    void run(size_t rounds) {
        const std::vector<Times> times = race(contestants_, rounds);
        for (size_t i = 0; i < times.size(); ++i) finish_[i](times[i]);
    }

  private:
    DeviceClock clock_;
    Pool& pool_;
    std::vector<Contestant> contestants_;
    std::vector<Finish> finish_;
};

double gbps(double bytes, const Times& times) {
    return bytes / times.median_ms * 1e-6;
}

void copy_command(Recorder& recorder, const Tensors& tensors) {
    detail::copy(recorder, tensors.x, tensors.out);
}

void add_copies(Race& race, bool host_copies, Result& result) {
    const VkDeviceSize bytes = result.what.tensor_bytes();
    const auto finish = [&result, bytes](const char* name) {
        return [&result, bytes, name](const Times& times) {
            result.copies.push_back({name, times, gbps(2.0 * static_cast<double>(bytes), times)});
        };
    };
    race.add_device_work(
        bytes,
        [](Recorder& recorder, const Tensors& tensors) { copy_kernel(recorder, tensors.x, tensors.out); },
        finish("kernel"));
    race.add_device_work(bytes, copy_command, finish("command"));
    race.add_device_work(
        16, [](Recorder& recorder, const Tensors& tensors) { copy_kernel(recorder, tensors.x, tensors.out); },
        [&result](const Times& times) { result.empty = times; });
    // Large copies tell how quiet the machine is.
    if (!host_copies) {
        race.add_device_work(large_copy, copy_command,
                             [&result](const Times& times) { result.contention = contention(times, 0); });
        return;
    }
    race.add_memcpy(bytes, finish("memcpy"));
    race.add_memcpy(large_copy, [&result](const Times& times) {
        result.memcpy_gbps = gbps(2.0 * large_copy, times);
        result.contention = contention(times, copy_threads(large_copy));
    });
}

void add_peer(Race& race, Peer& peer, VkDeviceSize rotation, Result& result) {
    std::vector<std::pair<std::string, Direction>> ways;
    try {
        ways = peer.prepare(result.what, rotation);
    } catch (const std::exception& error) {
        result.notes.emplace_back(error.what());
    }
    for (const auto& [name, direction] : ways) {
        const auto row = std::ranges::find(result.rows, direction, &Row::direction);
        race.add([&peer, name = name, direction = direction] { return peer.run(name, direction); },
                 [&row = *row, name = name](const Times& times) { row.peers[name] = times.median_ms; });
    }
}

}  // namespace

const Copy& Result::best_copy() const {
    return *std::ranges::max_element(copies, {}, &Copy::gbps);
}

Result run(Device& device, const Case& what, Pool& pool, const std::vector<Peer*>& peers, size_t rounds) {
    const std::unique_ptr<Operation> operation = make_operation(device, what);
    const VkDeviceSize bytes = what.tensor_bytes();
    Result result{.what = what, .plan = operation->plan()};
    Race race(device, pool);
    const Tensors tensors = pool.first(bytes);
    add_copies(race, is_cpu(device) && tensors.host_x && tensors.host_out, result);
    for (const Direction direction : what.directions()) {
        result.worst = std::max(result.worst, operation->verify(direction, pool));
        result.rows.push_back({.direction = direction});
    }
    for (Row& row : result.rows) {
        race.add_device_work(
            bytes,
            [&operation, direction = row.direction](Recorder& recorder, const Tensors& each) {
                operation->record(direction, recorder, each);
            },
            [&row, &what](const Times& times) {
                row.times = times;
                row.gbps =
                    gbps(what.bytes_per_element(row.direction) * static_cast<double>(what.elements()), times);
            });
    }
    for (Peer* const peer : peers) add_peer(race, *peer, pool.rotation(), result);
    race.run(rounds);
    return result;
}

}  // namespace vknorm::bench
