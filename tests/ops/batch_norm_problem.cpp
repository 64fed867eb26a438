#include "ops/batch_norm_problem.hpp"

#include <gtest/gtest.h>
#include <memory>

#include "support/device_fixture.hpp"
#include "support/worst_error.hpp"

namespace vknorm::testing {

namespace {

/// An argument of a call: guarded, and absent when it has no elements.
class Argument {
  public:
    Argument(const std::vector<float>& data, bool aligned) : Argument(data.size() * sizeof(float), aligned) {
        if (buffer_) buffer_->upload(data);
    }
    Argument(size_t bytes, bool aligned) {
        if (bytes > 0) buffer_ = std::make_unique<GuardedBuffer>(bytes, "argument", aligned);
    }
    operator BufferView() const { return buffer_ ? buffer_->view() : BufferView{}; }
    std::vector<float> floats() const { return buffer_ ? buffer_->download<float>() : std::vector<float>{}; }

  private:
    std::unique_ptr<GuardedBuffer> buffer_;
};

size_t tensor_bytes(const Problem& problem) {
    return problem.geometry().elements() * sizeof(float);
}
size_t channel_bytes(const Problem& problem) {
    return problem.geometry().channels * sizeof(float);
}

void check_gradients(const std::string& operation, const Gradients& got, const Expectations& expected,
                     Wanted wanted) {
    const auto check = [&](const char* name, const std::vector<float>& values, bool given) {
        if (given)
            expect_near(operation + "." + name, values, expected.at(name));
        else
            EXPECT_TRUE(values.empty());
    };
    check("dx", got.dx, wanted.dx);
    check("dgamma", got.dgamma, wanted.dgamma);
    check("dbeta", got.dbeta, wanted.dbeta);
}

}  // namespace

Problem random_problem(const BatchNormOptions& options, std::mt19937_64& random, float mean,
                       float deviation) {
    Problem problem;
    problem.options = options;
    const reference::Geometry geometry = problem.geometry();
    const auto normals = [&](size_t count, float centre, float width) {
        std::normal_distribution<float> normal(centre, width);
        std::vector<float> values(count);
        for (float& value : values) value = normal(random);
        return values;
    };
    problem.x = normals(geometry.elements(), mean, deviation);
    problem.dy = normals(geometry.elements(), 0.25f, 1);
    problem.gamma = normals(geometry.channels, 1, 0.5f);
    problem.beta = normals(geometry.channels, 0, 1);
    problem.running_mean = normals(geometry.channels, mean, deviation);
    problem.running_var = random_floats(random, geometry.channels, 0.5f * deviation, 2 * deviation);
    return problem;
}

void fill(Problem& problem, const std::function<float(size_t, size_t)>& value) {
    const reference::Geometry geometry = problem.geometry();
    for (size_t n = 0; n < geometry.images; ++n) {
        for (size_t c = 0; c < geometry.channels; ++c) {
            for (size_t s = 0; s < geometry.positions; ++s) {
                problem.x[geometry.at(n, c, s)] = value(c, n * geometry.positions + s);
            }
        }
    }
}

Forward forward_training(const Problem& problem) {
    const BatchNorm op(test_device(), problem.options);
    const Argument x(problem.x, problem.aligned),
        y(problem.in_place ? 0 : tensor_bytes(problem), problem.aligned);
    const Argument gamma(problem.gamma, false), beta(problem.beta, true);
    const Argument mean(2 * channel_bytes(problem), false), inv_std(channel_bytes(problem), false);
    const Argument running_mean(problem.running_mean, false), running_var(problem.running_var, true);
    const GuardedBuffer batches(std::vector<int64_t>{problem.batches}, "num_batches_tracked");
    const Argument scratch(op.scratch_bytes(), false);
    run([&](Recorder& recorder) {
        op.forward_training(recorder, {.x = x,
                                       .y = problem.in_place ? x : y,
                                       .gamma = gamma,
                                       .beta = beta,
                                       .mean = mean,
                                       .inv_std = inv_std,
                                       .running_mean = running_mean,
                                       .running_var = running_var,
                                       .num_batches_tracked = batches,
                                       .scratch = scratch});
    });
    return {.y = problem.in_place ? x.floats() : y.floats(),
            .mean = mean.floats(),
            .inv_std = inv_std.floats(),
            .running_mean = running_mean.floats(),
            .running_var = running_var.floats(),
            .batches = batches.download<int64_t>()[0]};
}

std::vector<float> forward_inference(const Problem& problem) {
    const BatchNorm op(test_device(), problem.options);
    const Argument x(problem.x, problem.aligned),
        y(problem.in_place ? 0 : tensor_bytes(problem), problem.aligned);
    const Argument gamma(problem.gamma, true), beta(problem.beta, false);
    const Argument running_mean(problem.running_mean, false), running_var(problem.running_var, true);
    run([&](Recorder& recorder) {
        op.forward_inference(recorder, {.x = x,
                                        .y = problem.in_place ? x : y,
                                        .gamma = gamma,
                                        .beta = beta,
                                        .running_mean = running_mean,
                                        .running_var = running_var});
    });
    return problem.in_place ? x.floats() : y.floats();
}

Gradients backward(const Problem& problem, const Forward& forward, Wanted wanted) {
    const BatchNorm op(test_device(), problem.options);
    const Argument x(problem.x, problem.aligned), dy(problem.dy, problem.aligned);
    const Argument dx(wanted.dx && !problem.in_place ? tensor_bytes(problem) : 0, problem.aligned);
    const Argument mean(forward.mean, false), inv_std(forward.inv_std, true), gamma(problem.gamma, false);
    const Argument dgamma(wanted.dgamma ? channel_bytes(problem) : 0, false);
    const Argument dbeta(wanted.dbeta ? channel_bytes(problem) : 0, true);
    const Argument scratch(op.scratch_bytes(), false);
    const bool in_place = wanted.dx && problem.in_place;
    run([&](Recorder& recorder) {
        op.backward(recorder, {.x = x,
                               .dy = dy,
                               .mean = mean,
                               .inv_std = inv_std,
                               .gamma = gamma,
                               .dx = in_place ? dy : dx,
                               .dgamma = dgamma,
                               .dbeta = dbeta,
                               .scratch = scratch});
    });
    return {in_place ? dy.floats() : dx.floats(), dgamma.floats(), dbeta.floats()};
}

Gradients backward_frozen(const Problem& problem, Wanted wanted) {
    const BatchNorm op(test_device(), problem.options);
    const Argument x(wanted.dgamma ? problem.x : std::vector<float>{}, problem.aligned);
    const Argument dy(problem.dy, problem.aligned);
    const Argument dx(wanted.dx && !problem.in_place ? tensor_bytes(problem) : 0, problem.aligned);
    const Argument mean(problem.running_mean, false), var(problem.running_var, true),
        gamma(problem.gamma, false);
    const Argument dgamma(wanted.dgamma ? channel_bytes(problem) : 0, false);
    const Argument dbeta(wanted.dbeta ? channel_bytes(problem) : 0, true);
    const Argument scratch(op.scratch_bytes(), false);
    const bool in_place = wanted.dx && problem.in_place;
    run([&](Recorder& recorder) {
        op.backward_frozen(recorder, {.x = x,
                                      .dy = dy,
                                      .running_mean = mean,
                                      .running_var = var,
                                      .gamma = gamma,
                                      .dx = in_place ? dy : dx,
                                      .dgamma = dgamma,
                                      .dbeta = dbeta,
                                      .scratch = scratch});
    });
    return {in_place ? dy.floats() : dx.floats(), dgamma.floats(), dbeta.floats()};
}

void check_forward_training(const Problem& problem) {
    const Expectations expected = reference::expected_forward_training(problem);
    const Forward got = forward_training(problem);
    expect_near("batch_norm.forward_training.y", got.y, expected.at("y"));
    expect_near("batch_norm.forward_training.mean", got.mean, expected.at("mean"));
    expect_near("batch_norm.forward_training.inv_std", got.inv_std, expected.at("inv_std"));
    if (!problem.running_mean.empty()) {
        expect_near("batch_norm.forward_training.running_mean", got.running_mean,
                    expected.at("running_mean"));
        expect_near("batch_norm.forward_training.running_var", got.running_var, expected.at("running_var"));
    }
    EXPECT_EQ(got.batches, problem.batches + 1);
}

void check_forward_inference(const Problem& problem) {
    expect_near("batch_norm.forward_inference.y", forward_inference(problem),
                reference::expected_forward_inference(problem).at("y"));
}

void check_backward(const Problem& problem, Wanted wanted) {
    check_gradients("batch_norm.backward", backward(problem, forward_training(problem), wanted),
                    reference::expected_backward(problem), wanted);
}

void check_backward_frozen(const Problem& problem, Wanted wanted) {
    check_gradients("batch_norm.backward_frozen", backward_frozen(problem, wanted),
                    reference::expected_backward_frozen(problem), wanted);
}

void check_everything(const Problem& problem) {
    check_forward_training(problem);
    check_forward_inference(problem);
    check_backward(problem);
    check_backward_frozen(problem);
}

}  // namespace vknorm::testing
