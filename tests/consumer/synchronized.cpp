// The README's batch normalization over ranks, which its sockets join: y and dx of two halves of a batch are
// those of the whole.
#include <cmath>
#include <cstdio>
#include <sys/time.h>
#include <thread>
#include <vector>

#include <vknorm/vknorm.hpp>

#include "readme_sockets.hpp"
#include "readme_synchronized.hpp"

namespace {

constexpr uint32_t rows = 12, channels = 3;
using Floats = std::vector<float>;

Floats wave(float phase) {
    Floats values(rows * channels);
    for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(phase + static_cast<float>(i * i));
    return values;
}

struct Results {
    Floats y, dx, running_mean, running_var;
};

/// Of rows [first, first + count) of the batch.
Results normalized(vknorm::Exchange& exchange, uint32_t first, uint32_t count) {
    vknorm::Device device;
    vknorm::Stream stream(device);
    const vknorm::BatchNormStages norm(device, {.shape = {count, channels}});
    std::vector<vknorm::Buffer> buffers;
    const auto buffer = [&](size_t bytes) {
        return buffers.emplace_back(device, std::max<size_t>(bytes, 4), "tensor").view(0, bytes);
    };
    const size_t tensor = sizeof(float) * count * channels, row = sizeof(float) * channels;
    const Synchronized layer{.norm = norm,
                             .x = buffer(tensor),
                             .y = buffer(tensor),
                             .dy = buffer(tensor),
                             .dx = buffer(tensor),
                             .gamma = {},
                             .beta = {},
                             .dgamma = buffer(row),
                             .dbeta = buffer(row),
                             .mean = buffer(2 * row),
                             .inv_std = buffer(row),
                             .running_mean = buffer(row),
                             .running_var = buffer(row),
                             .moments = buffer(channels * sizeof(vknorm::ChannelMoments)),
                             .sums = buffer(channels * sizeof(vknorm::ChannelSums)),
                             .scratch = buffer(norm.scratch_bytes())};
    const auto part = [&](const Floats& values) {
        return Floats(values.begin() + first * channels, values.begin() + (first + count) * channels);
    };
    stream.upload(layer.x, part(wave(0)));
    stream.upload(layer.dy, part(wave(1)));
    stream.upload(layer.running_mean, Floats(channels, 0));
    stream.upload(layer.running_var, Floats(channels, 1));
    layer.forward(exchange, stream);
    layer.backward(exchange, stream);
    return {stream.download<float>(layer.y), stream.download<float>(layer.dx),
            stream.download<float>(layer.running_mean), stream.download<float>(layer.running_var)};
}

/// Of as many ranks as there are numbers of rows.
std::vector<Results> normalized(const std::vector<uint32_t>& shares) {
    std::vector<std::vector<int>> sockets(shares.size(), std::vector<int>(shares.size(), -1));
    for (size_t a = 0; a < shares.size(); ++a)
        for (size_t b = a + 1; b < shares.size(); ++b) {
            int pair[2];
            if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) std::abort();
            sockets[a][b] = pair[0];
            sockets[b][a] = pair[1];
            const timeval minute{60, 0};
            for (const int end : pair) setsockopt(end, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof(minute));
        }
    std::vector<Results> results(shares.size());
    std::vector<std::jthread> threads;
    uint32_t first = 0;
    for (uint32_t rank = 0; rank < shares.size(); first += shares[rank++])
        threads.emplace_back([&, rank, first] {
            SocketExchange exchange(rank, sockets[rank]);
            results[rank] = normalized(exchange, first, shares[rank]);
        });
    threads.clear();
    return results;
}

}  // namespace

int main() {
    const Results whole = normalized({rows})[0];
    const std::vector<Results> halves = normalized({7, 5});
    float worst = 0;
    for (size_t i = 0; i < whole.y.size(); ++i) {
        const size_t half = i < halves[0].y.size() ? 0 : 1, at = half == 0 ? i : i - halves[0].y.size();
        worst = std::max(
            {worst, std::abs(halves[half].y[at] - whole.y[i]), std::abs(halves[half].dx[at] - whole.dx[i])});
    }
    const bool same =
        halves[0].running_mean == halves[1].running_mean && halves[0].running_var == halves[1].running_var;
    std::printf("two ranks: off by %.1e, running statistics %s\n", worst, same ? "equal" : "differ");
    return worst < 2e-6f && same ? 0 : 1;
}
