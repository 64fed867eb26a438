#include "bench/operation.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <vknorm/rms_norm.hpp>

#include "bench/excerpt.hpp"
#include "reference/batch_norm_expected.hpp"
#include "reference/family_expected.hpp"

namespace vknorm::bench {

namespace {

using reference::Expectations;

/// What a verification compares with: an excerpt of all tensors.
struct Data : reference::BatchNormData {
    uint32_t groups = 1;
};

// One struct for each class: its plan, what the reference expects of it.

struct Batch {
    using Plan = BatchNorm;
    static Plan plan(Device& device, const Case& what) {
        return {device,
                BatchNormOptions{.shape = what.shape, .layout = what.layout, .storage = what.storage}};
    }
    static Expectations expect(Direction direction, const Data& data) {
        if (direction == Direction::inference) return reference::expected_forward_inference(data);
        return direction == Direction::forward ? reference::expected_forward_training(data)
                                               : reference::expected_backward(data);
    }
};

struct Group {
    using Plan = GroupNorm;
    static Plan plan(Device& device, const Case& what) {
        return {
            device,
            GroupNormOptions{
                .shape = what.shape, .layout = what.layout, .groups = what.groups, .storage = what.storage}};
    }
    static Expectations expect(Direction direction, const Data& data) {
        const GroupNormOptions options{.shape = data.options.shape,
                                       .layout = data.options.layout,
                                       .groups = data.groups,
                                       .storage = data.options.storage};
        return direction == Direction::forward ? reference::expected_forward(data, options)
                                               : reference::expected_backward(data, options);
    }
};

struct Instance {
    using Plan = InstanceNorm;
    static Plan plan(Device& device, const Case& what) {
        return {device,
                InstanceNormOptions{.shape = what.shape, .layout = what.layout, .storage = what.storage}};
    }
    static Expectations expect(Direction direction, const Data& data) {
        const InstanceNormOptions options{
            .shape = data.options.shape, .layout = data.options.layout, .storage = data.options.storage};
        const reference::RunningData given{data};
        return direction == Direction::forward ? reference::expected_forward(given, options)
                                               : reference::expected_backward(given, options);
    }
};

struct Layer {
    using Plan = LayerNorm;
    static Plan plan(Device& device, const Case& what) {
        return {device, {.shape = what.shape, .storage = what.storage}};
    }
    static Expectations expect(Direction direction, const Data& data) {
        const LayerNormOptions options{.shape = data.options.shape, .storage = data.options.storage};
        return direction == Direction::forward ? reference::expected_forward(data, options)
                                               : reference::expected_backward(data, options);
    }
};

struct Rms {
    using Plan = RmsNorm;
    static Plan plan(Device& device, const Case& what) {
        return {device, {.shape = what.shape, .storage = what.storage}};
    }
    static Expectations expect(Direction direction, const Data& data) {
        const LayerNormOptions options{.shape = data.options.shape, .storage = data.options.storage};
        reference::NormData given = data;
        given.beta.clear();
        return direction == Direction::forward ? reference::expected_rms_forward(given, options)
                                               : reference::expected_rms_backward(given, options);
    }
};

std::vector<float> first_floats(size_t count, float shift = 0) {
    std::vector<float> values = Pool::first_values(Pool::residual, count);
    for (float& value : values) value += shift;
    return values;
}

/// How many statistics of each kind there are.
uint64_t statistics_of(const Case& what) {
    if (what.normalizes_rows()) return what.elements() / what.shape.back();
    const uint64_t channels = reference::Geometry(what.shape, what.layout).channels;
    if (what.operation == "group_norm") return uint64_t{what.shape[0]} * what.groups;
    return what.operation == "instance_norm" ? what.shape[0] * channels : channels;
}

uint64_t parameters_of(const Case& what) {
    if (what.normalizes_rows()) return what.shape.back();
    return reference::Geometry(what.shape, what.layout).channels;
}

/// dgamma and dbeta of rows have a term from every one of them, so that no excerpt will do.
Expectations parameter_gradients_of_rows(const Case& what, const std::vector<float>& x,
                                         const std::vector<float>& dy) {
    const size_t length = what.shape.back();
    const bool centred = what.operation == "layer_norm";
    const reference::Values none(length);
    reference::Values dgamma = none, dbeta = none, dgamma_terms = none, dbeta_terms = none;
    for (size_t row = 0; row < x.size(); row += length) {
        double mean = 0, variance = 0;
        for (size_t i = 0; centred && i < length; ++i) mean += x[row + i] / static_cast<double>(length);
        for (size_t i = 0; i < length; ++i) variance += (x[row + i] - mean) * (x[row + i] - mean);
        const double inv_std = 1 / std::sqrt(variance / static_cast<double>(length) + double{1e-5f});
        for (size_t i = 0; i < length; ++i) {
            const double term = dy[row + i] * (x[row + i] - mean) * inv_std;
            dgamma[i] += term;
            dgamma_terms[i] += std::abs(term);
            dbeta[i] += dy[row + i];
            dbeta_terms[i] += std::abs(dy[row + i]);
        }
    }
    Expectations result{{"dgamma", reference::bounded_gradient(dgamma, dgamma_terms)}};
    if (centred) result["dbeta"] = reference::bounded_gradient(dbeta, dbeta_terms);
    return result;
}

template <class Kind>
class Timed : public Operation {
  public:
    Timed(Device& device, const Case& what)
        : device_(device),
          what_(what),
          plan_(Kind::plan(device, what)),
          gamma_(device, parameters_of(what) * sizeof(float), "gamma"),
          running_mean_(device, gamma_.bytes(), "running_mean"),
          running_var_(device, gamma_.bytes(), "running_var"),
          updated_mean_(device, gamma_.bytes(), "updated_mean"),
          updated_var_(device, gamma_.bytes(), "updated_var"),
          dgamma_(device, gamma_.bytes(), "dgamma"),
          dbeta_(device, gamma_.bytes(), "dbeta"),
          mean_(device, 2 * statistics_of(what) * sizeof(float), "mean"),
          inv_std_(device, statistics_of(what) * sizeof(float), "inv_std"),
          scratch_(device, plan_.scratch_bytes(), "scratch") {
        const size_t count = parameters_of(what);
        Stream stream(device);
        for (const Buffer* buffer : {&gamma_, &running_mean_, &updated_mean_})
            stream.upload(*buffer, first_floats(count));
        for (const Buffer* buffer : {&running_var_, &updated_var_})
            stream.upload(*buffer, first_floats(count, 2));
        stream.wait(stream.submit());
    }

    std::string plan() const override {
        const std::string text = plan_.explain();
        return text.substr(0, text.find('\n'));
    }

    void record(Direction direction, Recorder& recorder, const Tensors& tensors) override {
        using Plan = typename Kind::Plan;
        if (direction == Direction::backward) {
            plan_.backward(recorder, arguments<typename Plan::Backward>(tensors));
        } else if constexpr (requires { &Plan::forward; }) {
            plan_.forward(recorder, arguments<typename Plan::Forward>(tensors));
        } else if (direction == Direction::forward) {
            plan_.forward_training(recorder, arguments<typename Plan::ForwardTraining>(tensors));
        } else if constexpr (std::is_same_v<Plan, BatchNorm>) {
            plan_.forward_inference(recorder, arguments<BatchNorm::ForwardInference>(tensors));
        }
    }

    double verify(Direction direction, const Pool& pool) override;

  private:
    /// Everything of these arguments that there is.
    template <class Arguments>
    Arguments arguments(const Tensors& tensors) const {
        Arguments result{.x = tensors.x, .gamma = gamma_};
        const bool add = what_.adds_residual(), relu = add || what_.operation == "batch_norm_relu";
        constexpr bool saves = requires {
            result.mean;
        };
        if constexpr (requires { result.dy; }) result.dy = tensors.dy;
        // For a backward pass, any tensor is what a forward pass left.
        if constexpr (requires {
                          result.y;
                          result.dy;
                      })
            result.y = add ? tensors.residual : BufferView{};
        else if constexpr (requires { result.y; })
            result.y = tensors.out;
        if constexpr (requires { result.dx; }) result.dx = tensors.out;
        if constexpr (requires { result.beta; }) result.beta = gamma_;
        if constexpr (requires { result.mean; }) result.mean = mean_;
        if constexpr (requires { result.inv_std; }) result.inv_std = inv_std_;
        if constexpr (requires { result.inv_rms; }) result.inv_rms = inv_std_;
        if constexpr (requires { result.dgamma; }) result.dgamma = dgamma_;
        if constexpr (requires { result.dbeta; }) result.dbeta = dbeta_;
        if constexpr (requires { result.scratch; }) result.scratch = scratch_;
        if constexpr (requires { result.relu; }) result.relu = relu;
        if constexpr (requires { result.running_mean; }) {
            result.running_mean = saves ? updated_mean_ : running_mean_;
            result.running_var = saves ? updated_var_ : running_var_;
        }
        if constexpr (requires { result.residual; }) {
            if (add) result.residual = tensors.residual;
        }
        if constexpr (requires { result.dresidual; }) {
            if (add) result.dresidual = tensors.dresidual;
        }
        return result;
    }

    Data data_of(const Excerpt& excerpt) const;

    Device& device_;
    Case what_;
    typename Kind::Plan plan_;
    // beta is gamma; training updates running statistics that inference does not see.
    Buffer gamma_, running_mean_, running_var_, updated_mean_, updated_var_, dgamma_, dbeta_, mean_, inv_std_,
        scratch_;
};

template <class Kind>
Data Timed<Kind>::data_of(const Excerpt& excerpt) const {
    Data data;
    const auto values = [&](Pool::Content content) {
        return excerpt.values(Pool::first_values(content, what_.elements(), what_.storage));
    };
    data.x = values(Pool::x);
    data.dy = values(Pool::dy);
    data.gamma = data.beta = data.running_mean = excerpt.parameters(first_floats(parameters_of(what_)));
    data.running_var = excerpt.parameters(first_floats(parameters_of(what_), 2));
    data.options.shape = excerpt.shape();
    data.options.layout = what_.layout;
    data.options.storage = what_.storage;
    data.groups = excerpt.groups();
    data.relu = what_.adds_residual() || what_.operation == "batch_norm_relu";
    if (what_.adds_residual()) data.residual = data.output = values(Pool::residual);
    return data;
}

template <class Kind>
double Timed<Kind>::verify(Direction direction, const Pool& pool) {
    const Tensors tensors = pool.first(what_.tensor_bytes());
    Stream stream(device_);
    record(direction, stream.record(), tensors);

    const Excerpt excerpt(what_);
    Expectations expected = Kind::expect(direction, data_of(excerpt));
    std::map<std::string, std::vector<float>> got;
    const bool backward = direction == Direction::backward;
    const auto values_of = [&](const BufferView& tensor) {
        return excerpt.values(loaded(stream.download<std::byte>(tensor), what_.storage));
    };
    got[backward ? "dx" : "y"] = values_of(tensors.out);
    if (backward) {
        got["dgamma"] = excerpt.parameters(stream.download<float>(dgamma_));
        if (expected.contains("dbeta")) got["dbeta"] = excerpt.parameters(stream.download<float>(dbeta_));
        if (what_.adds_residual()) got["dresidual"] = values_of(tensors.dresidual);
        if (what_.normalizes_rows()) {
            const auto whole = [&](Pool::Content content) {
                return Pool::first_values(content, what_.elements(), what_.storage);
            };
            for (auto& [name, each] : parameter_gradients_of_rows(what_, whole(Pool::x), whole(Pool::dy)))
                expected[name] = each;
        }
    }
    double worst = 0;
    for (const auto& [name, values] : got) {
        const testing::Deviation deviation = testing::deviation(values, expected.at(name));
        worst = std::max(worst, deviation.ratio);
        if (deviation.ratio > 1)
            throw std::runtime_error(what_.text() + ", " + name_of(direction) + ": " + name + ": " +
                                     testing::describe(deviation, values[deviation.at], expected.at(name)));
    }
    return worst;
}

}  // namespace

std::unique_ptr<Operation> make_operation(Device& device, const Case& what) {
    if (what.operation == "group_norm") return std::make_unique<Timed<Group>>(device, what);
    if (what.operation == "instance_norm") return std::make_unique<Timed<Instance>>(device, what);
    if (what.operation == "layer_norm") return std::make_unique<Timed<Layer>>(device, what);
    if (what.operation == "rms_norm") return std::make_unique<Timed<Rms>>(device, what);
    return std::make_unique<Timed<Batch>>(device, what);
}

}  // namespace vknorm::bench
