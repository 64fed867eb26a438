// ranks [--threads N] MODE DEVICE...: ranks, which take the devices in turn, train a network for a few steps;
// rank 0 prints what came of it. In most modes something happens to rank 1 at step 3.
#include <csignal>
#include <cstdio>
#include <string>
#include <unistd.h>

#include <vknorm/mpi.hpp>
#include <vknorm/vknorm.hpp>

namespace {

constexpr uint32_t batch_size = 25, steps = 4;
constexpr std::chrono::seconds time_out{60}, short_time_out{12};  // drivers compile for seconds

struct Job {
    std::string mode;
    std::vector<std::string> devices;
};

/// Of all that is trained.
uint64_t hash_of(vknorm::Network& network) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const auto& [name, tensor] : network.state())
        for (const std::byte byte : tensor.bytes)
            hash = (hash ^ std::to_integer<uint64_t>(byte)) * 0x100000001b3;
    return hash;
}

/// Whether the rank goes on.
bool happens(const std::string& mode, vknorm::Network& network, vknorm::Dataset& own) {
    if (mode == "throw") throw std::runtime_error("out of film");
    if (mode == "kill") std::raise(SIGKILL);
    if (mode == "leave" || mode == "join") return false;
    if (mode == "sleep") sleep(static_cast<unsigned>(4 * short_time_out.count()));
    if (mode == "skip") (void)network.evaluate(own.inputs, own.labels, vknorm::Statistics::running);
    if (mode == "nan") own.inputs[1] = std::numeric_limits<float>::quiet_NaN();
    if (mode == "differ") network.set_tensor("output.bias", std::vector<float>{1, 2, 3});
    return true;
}

void train(const Job& job, vknorm::Exchange& exchange) {
    vknorm::Device device({.select = job.devices[exchange.rank() % job.devices.size()]});
    const vknorm::Dataset points = vknorm::make_2d(vknorm::Shape2D::spiral, 300, 0.16f, 7);
    vknorm::Network network(device, {.inputs = 2,
                                     .hidden = {{24}, {24}},
                                     .classes = 3,
                                     .max_batch = batch_size,
                                     .exchange = &exchange,
                                     .compare_every = 1});
    network.set_optimizer(vknorm::Sgd{.learning_rate = 0.1f, .momentum = 0.9f});
    network.prepare(batch_size / exchange.size());
    barrier(exchange, "prepared");
    vknorm::BatchOrder order(points.size(), batch_size, 7);
    const auto share = [&](std::span<const uint32_t> rows) {
        const size_t first = rows.size() * exchange.rank() / exchange.size(),
                     end = rows.size() * (exchange.rank() + 1) / exchange.size();
        return vknorm::pick(points, rows.subspan(first, end - first));
    };
    for (uint32_t step = 1; step <= steps; ++step) {
        vknorm::Dataset own = share(order.next());
        if (step == 3 && exchange.rank() == 1 && !happens(job.mode, network, own)) {
            if (job.mode == "leave") return;
            break;
        }
        (void)network.result(network.train_step(own.inputs, own.labels));
    }
    (void)network.join();
    std::vector<uint32_t> all(points.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint32_t>(i);
    const vknorm::Dataset own = share(all);
    network.recompute_running_statistics(own.inputs);
    const auto evaluation = network.evaluate(own.inputs, own.labels, vknorm::Statistics::running);
    const uint64_t hash = hash_of(network);
    if (exchange.rank() == 0)
        std::printf("%u ranks: loss %.17g, accuracy %.17g, state %016llx\n", exchange.size(), evaluation.loss,
                    evaluation.accuracy, static_cast<unsigned long long>(hash));
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    uint32_t threads = 0;
    if (arguments.size() > 2 && arguments[0] == "--threads") {
        threads = static_cast<uint32_t>(std::stoul(arguments[1]));
        arguments.erase(arguments.begin(), arguments.begin() + 2);
    }
    if (arguments.size() < 2) return 2;
    const Job job{arguments[0], {arguments.begin() + 1, arguments.end()}};
    const std::chrono::seconds patience = job.mode == "sleep" ? short_time_out : time_out;
    try {
        if (threads > 0) {
            vknorm::run_ranks(
                threads, [&](vknorm::Exchange& exchange) { train(job, exchange); }, patience);
            return 0;
        }
        vknorm::MpiExchange exchange(patience);
        train(job, exchange);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
