// Batch normalization over ranks has what PyTorch's SyncBatchNorm gives: golden/make_sync_batch_norm.py.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <numeric>

#include <vknorm/exchange.hpp>
#include <vknorm/safetensors.hpp>

#include "reference/expected.hpp"
#include "support/device_fixture.hpp"
#include "support/places.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {
namespace {

using reference::Values;

/// Of one rank.
struct Results {
    std::vector<float> y, dx, dgamma, dbeta, mean, inv_std, running_mean, running_var;
};

struct Vector {
    std::vector<uint32_t> shape, shards;
    float epsilon, momentum;
    std::map<std::string, std::vector<float>> tensors;

    size_t per_row() const {
        size_t values = 1;
        for (size_t i = 1; i < shape.size(); ++i) values *= shape[i];
        return values;
    }
    /// Of a tensor of all rows, a rank's.
    std::vector<float> own(const std::string& name, uint32_t rank) const {
        const auto before =
            std::accumulate(shards.begin(), shards.begin() + static_cast<ptrdiff_t>(rank), size_t{0});
        const auto first = tensors.at(name).begin() + static_cast<ptrdiff_t>(before * per_row());
        return {first, first + static_cast<ptrdiff_t>(shards[rank] * per_row())};
    }
};

std::map<std::string, Vector> vectors() {
    std::map<std::string, Vector> vectors;
    for (const auto& [name, tensor] :
         read_safetensors(project_file("tests/golden/sync_batch_norm.safetensors")).tensors) {
        const size_t slash = name.find('/');
        Vector& vector = vectors[name.substr(0, slash)];
        const std::string what = name.substr(slash + 1);
        if (what == "shards") {
            vector.shards.resize(tensor.shape[0]);
            std::memcpy(vector.shards.data(), tensor.bytes.data(), tensor.bytes.size());
            continue;
        }
        vector.tensors[what] = tensor.floats();
        if (what == "x") vector.shape.assign(tensor.shape.begin(), tensor.shape.end());
        if (what == "hyperparameters") {
            vector.epsilon = tensor.floats()[0];
            vector.momentum = tensor.floats()[1];
        }
    }
    return vectors;
}

Results run_rank(Exchange& exchange, const Vector& vector) {
    BatchNormOptions options{.shape = vector.shape};
    options.shape.front() = vector.shards[exchange.rank()];
    options.convention.epsilon = vector.epsilon;
    options.convention.momentum = vector.momentum;
    const BatchNormStages norm(test_device(), options);
    Stream stream(test_device());
    std::vector<Buffer> buffers;
    const auto room = [&](size_t bytes) {
        return buffers.emplace_back(test_device(), std::max<size_t>(bytes, 4), "tensor").view(0, bytes);
    };
    const auto given = [&](const std::vector<float>& values) {
        const BufferView view = room(values.size() * sizeof(float));
        if (!values.empty()) stream.upload(view, values);
        return view;
    };
    const auto own = [&](const char* name) { return given(vector.own(name, exchange.rank())); };
    const auto shared = [&](const char* name) { return given(vector.tensors.at(name)); };
    const size_t channels = norm.channels();
    const BufferView x = own("x"), dy = own("dy"), y = room(x.bytes), dx = room(x.bytes);
    const BufferView gamma = shared("gamma"), beta = shared("beta"), running_mean = shared("running_mean"),
                     running_var = shared("running_var");
    const BufferView dgamma = room(gamma.bytes), dbeta = room(gamma.bytes), mean = room(2 * gamma.bytes),
                     inv_std = room(gamma.bytes), moments = room(channels * sizeof(ChannelMoments)),
                     sums = room(channels * sizeof(ChannelSums)), scratch = room(norm.scratch_bytes());

    norm.measure(stream.record(), {.x = x, .moments = moments, .scratch = scratch});
    all_reduce(exchange, stream, {"forward", Exchanged::moments, moments});
    norm.finish(stream.record(), {moments, mean, inv_std, running_mean, running_var});
    norm.normalize(stream.record(), {x, y, gamma, beta, mean, inv_std});
    norm.sum(stream.record(),
             {.x = x, .dy = dy, .mean = mean, .inv_std = inv_std, .sums = sums, .scratch = scratch});
    norm.parameter_gradients(stream.record(), {sums, dgamma, dbeta});
    all_reduce(exchange, stream, {"backward", Exchanged::sums, sums});
    norm.differentiate(stream.record(), {x, dy, mean, inv_std, gamma, moments, sums, dx, scratch});
    stream.wait(stream.submit());
    const auto taken = [&](const BufferView& view) {
        return view.bytes > 0 ? stream.download<float>(view) : std::vector<float>();
    };
    return {taken(y),    taken(dx),      taken(dgamma),       taken(dbeta),
            taken(mean), taken(inv_std), taken(running_mean), taken(running_var)};
}

/// The values of the file, which are rounded to float32, within the bounds of the operation.
Expected with_values(Expected expected, const std::vector<float>& values) {
    for (size_t i = 0; i < values.size(); ++i) {
        expected.values[i] = values[i];
        expected.bounds[i] += std::abs(double{values[i]}) * 0x1p-24;
    }
    return expected;
}

/// What a rank has of it.
Expected part_of(const Expected& all, size_t first, size_t count) {
    const auto part = [&](const std::vector<double>& values) {
        const auto begin = values.begin() + static_cast<ptrdiff_t>(first);
        return std::vector<double>(begin, begin + static_cast<ptrdiff_t>(count));
    };
    return {part(all.values), part(all.bounds)};
}

void check(const Vector& vector, const std::vector<Results>& ranks) {
    const auto& tensors = vector.tensors;
    const reference::Geometry geometry(vector.shape, Layout::channels_first);
    const reference::NormData data{.x = tensors.at("x"),
                                   .dy = tensors.at("dy"),
                                   .gamma = tensors.at("gamma"),
                                   .beta = tensors.at("beta")};
    const reference::Norm norm =
        reference::norm_of(data, geometry, vector.epsilon, reference::Statistics::of_values);
    const reference::NormForward exact = reference::forward(norm);
    const Expected y = with_values(reference::bounded_y(norm, exact, Storage::float32), tensors.at("y"));
    const Expected dx = with_values(
        reference::bounded_gradients(norm, exact, data, Storage::float32).at("dx"), tensors.at("dx"));
    const Expected mean = with_values(reference::bounded_mean(exact.moments), tensors.at("mean")),
                   inv_std = with_values(reference::bounded_inv_std(exact.inv_std), tensors.at("inv_std"));
    const auto values = [](const std::vector<float>& floats) { return Values(floats.begin(), floats.end()); };
    Values deviation = exact.moments.variance;
    for (double& value : deviation) value = std::sqrt(value);
    const Expectations running = reference::bounded_running(
        {values(tensors.at("new_running_mean")), values(tensors.at("new_running_var"))},
        {values(tensors.at("running_mean")), values(tensors.at("running_var"))}, deviation);
    const size_t channels = geometry.channels;
    size_t first = 0;
    for (uint32_t r = 0; r < ranks.size(); ++r) {
        SCOPED_TRACE("rank " + std::to_string(r));
        const Results& got = ranks[r];
        const size_t count = vector.shards[r] * vector.per_row();
        expect_near("SyncBatchNorm y", got.y, part_of(y, first, count));
        expect_near("SyncBatchNorm dx", got.dx, part_of(dx, first, count));
        first += count;
        expect_near("SyncBatchNorm statistics", std::span(got.mean).first(channels),
                    part_of(mean, 0, channels));
        expect_near("SyncBatchNorm statistics", got.inv_std, inv_std);
        expect_near("SyncBatchNorm running statistics", got.running_mean, running.at("running_mean"));
        expect_near("SyncBatchNorm running statistics", got.running_var, running.at("running_var"));

        // Gradients of the parameters are a rank's own.
        Values gamma_terms(channels), beta_terms(channels);
        const std::vector<float> x = vector.own("x", r), dy = vector.own("dy", r);
        for (size_t i = 0; i < x.size(); ++i) {
            const size_t c = i / geometry.positions % channels;
            gamma_terms[c] +=
                std::abs(double{dy[i]} * (double{x[i]} - exact.moments.mean[c]) * exact.inv_std[c]);
            beta_terms[c] += std::abs(double{dy[i]});
        }
        const auto expect_gradient = [&](const char* name, const std::vector<float>& gradient,
                                         const Values& terms) {
            const auto begin = tensors.at(name).begin() + static_cast<ptrdiff_t>(r * channels);
            const std::vector<float> its(begin, begin + static_cast<ptrdiff_t>(channels));
            expect_near(std::string("SyncBatchNorm ") + name, gradient,
                        with_values(reference::bounded_gradient(values(its), terms), its));
        };
        expect_gradient("dgamma", got.dgamma, gamma_terms);
        expect_gradient("dbeta", got.dbeta, beta_terms);
    }
}

TEST(SyncBatchNorm, HasTheVectorsOfPyTorch) {
    const std::map<std::string, Vector> all = vectors();
    EXPECT_EQ(all.size(), 6u);
    for (const auto& [name, vector] : all) {
        SCOPED_TRACE(name);
        std::vector<Results> ranks(vector.shards.size());
        run_ranks(static_cast<uint32_t>(ranks.size()), [&, &its = vector](Exchange& exchange) {
            ranks[exchange.rank()] = run_rank(exchange, its);
        });
        check(vector, ranks);
    }
}

}  // namespace
}  // namespace vknorm::testing
