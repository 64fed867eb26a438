// A perceptron built from the public operations alone, recorded by hand: it trains and predicts with the bits
// of the Network that it repeats.
#include <gtest/gtest.h>
#include <numeric>

#include <vknorm/vknorm.hpp>

#include "support/device_fixture.hpp"

namespace vknorm::testing {
namespace {

constexpr uint32_t rows = 24, inputs = 6, units = 20, classes = 3;
constexpr int steps = 12;

constexpr uint64_t most_floats = rows * units;  // of any tensor here

/// float32 tensors, each with a home that starts where operations need it to, in whole vectors of four.
class Tensors {
  public:
    explicit Tensors(uint32_t count) : buffer_(test_device(), count * pitch, "tensors") {
        upload(buffer_, std::vector<float>(buffer_.bytes() / sizeof(float), 0));
    }

    BufferView next(uint64_t floats) {
        const VkDeviceSize bytes = (floats + 3) / 4 * 4 * sizeof(float);
        return buffer_.view(pitch * used_++, bytes);
    }

  private:
    static constexpr VkDeviceSize pitch =
        (most_floats * sizeof(float) + binding_alignment - 1) / binding_alignment * binding_alignment;
    Buffer buffer_;
    uint32_t used_ = 0;
};

/// What is trained: its value, gradient and the optimizer's moments.
struct Parameter {
    Parameter(Tensors& tensors, Network& network, const std::string& name)
        : count(network.tensor(name).size()),
          value(tensors.next(count)),
          gradient(tensors.next(count)),
          first_moment(tensors.next(count)),
          second_moment(tensors.next(count)) {
        upload(BufferView{value.buffer, value.offset, count * sizeof(float)}, network.tensor(name));
    }

    std::vector<float> download() const {
        return testing::download<float>({value.buffer, value.offset, count * sizeof(float)});
    }

    size_t count;
    BufferView value, gradient, first_moment, second_moment;
};

/// Linear -> BatchNorm -> activation -> Linear, with its loss. Begins as `network` is.
class Perceptron {
  public:
    Perceptron(Network& network, Activation function)
        : hidden_(test_device(), {.rows = rows, .inputs = inputs, .outputs = units}),
          norm_(test_device(), {.shape = {rows, units}}),
          activation_(test_device(), {.function = function, .rows = rows, .units = units}),
          output_(test_device(), {.rows = rows, .inputs = units, .outputs = classes}),
          loss_(test_device(), {.rows = rows, .classes = classes}),
          weight_(tensors_, network, "0.linear.weight"),
          bias_(tensors_, network, "0.linear.bias"),
          gamma_(tensors_, network, "0.norm.weight"),
          beta_(tensors_, network, "0.norm.bias"),
          output_weight_(tensors_, network, "output.weight"),
          output_bias_(tensors_, network, "output.bias"),
          scratch_(test_device(), norm_.scratch_bytes(), "scratch") {
        upload(exactly(running_var_, units), std::vector<float>(units, 1));
    }

    /// The mean loss of the batch.
    float step(const std::vector<float>& x, const std::vector<uint32_t>& labels, const Optimizer& optimizer) {
        stream_.upload(exactly(x_, rows * inputs), x);
        stream_.upload(exactly(labels_, rows), labels);
        Recorder& recorder = stream_.record();
        forward(recorder);
        loss_.forward_backward(
            recorder, {.logits = logits_, .labels = labels_, .losses = losses_, .dlogits = dlogits_});
        backward(recorder);
        ++steps_;
        for (const Parameter* parameter : {&weight_, &bias_, &gamma_, &beta_, &output_weight_, &output_bias_})
            optimizer_step(recorder, optimizer, steps_,
                           {.parameters = parameter->value,
                            .gradient = parameter->gradient,
                            .first_moment = parameter->first_moment,
                            .second_moment = parameter->second_moment});
        float sum = 0;
        for (const RowLoss& row : stream_.download<RowLoss>(exactly(losses_, 2 * rows))) sum += row.loss;
        return sum / rows;
    }

    std::vector<float> predict(const std::vector<float>& x) {
        stream_.upload(exactly(x_, rows * inputs), x);
        Recorder& recorder = stream_.record();
        hidden_.forward(recorder, {.x = x_, .weight = weight_.value, .bias = bias_.value, .y = z_});
        norm_.forward_inference(recorder, {.x = z_,
                                           .y = normalized_,
                                           .gamma = gamma_.value,
                                           .beta = beta_.value,
                                           .running_mean = running_mean_,
                                           .running_var = running_var_});
        activation_.forward(recorder, {.x = normalized_, .y = a_});
        output_.forward(recorder,
                        {.x = a_, .weight = output_weight_.value, .bias = output_bias_.value, .y = logits_});
        loss_.softmax(recorder, {.logits = logits_, .probabilities = dlogits_});
        return stream_.download<float>(exactly(dlogits_, rows * classes));
    }

    void expect_equal(Network& network) const {
        const std::pair<const char*, const Parameter*> parameters[] = {
            {"0.linear.weight", &weight_},      {"0.linear.bias", &bias_},
            {"0.norm.weight", &gamma_},         {"0.norm.bias", &beta_},
            {"output.weight", &output_weight_}, {"output.bias", &output_bias_}};
        for (const auto& [name, parameter] : parameters)
            EXPECT_EQ(parameter->download(), network.tensor(name)) << name;
        EXPECT_EQ(download<float>(exactly(running_mean_, units)), network.tensor("0.norm.running_mean"));
        EXPECT_EQ(download<float>(exactly(running_var_, units)), network.tensor("0.norm.running_var"));
    }

  private:
    static BufferView exactly(const BufferView& tensor, uint32_t words) {
        return {tensor.buffer, tensor.offset, sizeof(uint32_t) * words};
    }

    void forward(Recorder& recorder) const {
        hidden_.forward(recorder, {.x = x_, .weight = weight_.value, .bias = bias_.value, .y = z_});
        norm_.forward_training(recorder, {.x = z_,
                                          .y = normalized_,
                                          .gamma = gamma_.value,
                                          .beta = beta_.value,
                                          .mean = mean_,
                                          .inv_std = inv_std_,
                                          .running_mean = running_mean_,
                                          .running_var = running_var_,
                                          .scratch = scratch_});
        activation_.forward(recorder, {.x = normalized_, .y = a_});
        output_.forward(recorder,
                        {.x = a_, .weight = output_weight_.value, .bias = output_bias_.value, .y = logits_});
    }

    void backward(Recorder& recorder) const {
        output_.backward(recorder, {.x = a_,
                                    .dy = dlogits_,
                                    .weight = output_weight_.value,
                                    .dx = da_,
                                    .dweight = output_weight_.gradient,
                                    .dbias = output_bias_.gradient});
        activation_.backward(recorder, {.y = a_, .dy = da_, .dx = da_});
        norm_.backward(recorder, {.x = z_,
                                  .dy = da_,
                                  .mean = mean_,
                                  .inv_std = inv_std_,
                                  .gamma = gamma_.value,
                                  .dx = da_,
                                  .dgamma = gamma_.gradient,
                                  .dbeta = beta_.gradient,
                                  .scratch = scratch_});
        hidden_.backward(recorder,
                         {.x = x_, .dy = da_, .dweight = weight_.gradient, .dbias = bias_.gradient});
    }

    Linear hidden_;
    BatchNorm norm_;
    ActivationFunction activation_;
    Linear output_;
    SoftmaxCrossEntropy loss_;
    Tensors tensors_{40};
    Parameter weight_, bias_, gamma_, beta_, output_weight_, output_bias_;
    BufferView x_ = tensors_.next(rows * inputs), labels_ = tensors_.next(rows);
    BufferView z_ = tensors_.next(rows * units), normalized_ = tensors_.next(rows * units);
    BufferView a_ = tensors_.next(rows * units), da_ = tensors_.next(rows * units);
    BufferView mean_ = tensors_.next(2 * units), inv_std_ = tensors_.next(units);
    BufferView running_mean_ = tensors_.next(units), running_var_ = tensors_.next(units);
    BufferView logits_ = tensors_.next(rows * classes), dlogits_ = tensors_.next(rows * classes);
    BufferView losses_ = tensors_.next(2 * rows);
    Buffer scratch_;
    uint64_t steps_ = 0;
    Stream stream_{test_device()};  // last: its end waits for what uses the buffers
};

TEST(Perceptron, OfPublicOperationsTrainsWithTheBitsOfANetwork) {
    std::mt19937_64 random = random_generator();
    const std::vector<float> x = random_floats(random, rows * inputs);
    std::vector<uint32_t> labels(rows);
    for (uint32_t row = 0; row < rows; ++row) labels[row] = static_cast<uint32_t>(random() % classes);

    struct Case {
        Activation function;
        Optimizer optimizer;
    };
    for (const Case& each : {Case{Activation::tanh, Adam{.learning_rate = 0.03f}},
                             Case{Activation::relu, Sgd{.learning_rate = 0.1f, .momentum = 0.9f}},
                             Case{Activation::sigmoid, Sgd{.learning_rate = 0.5f}}}) {
        SCOPED_TRACE(static_cast<int>(each.function));
        Network network(test_device(), {.inputs = inputs,
                                        .hidden = {{.units = units, .activation = each.function}},
                                        .classes = classes,
                                        .max_batch = rows});
        network.set_optimizer(each.optimizer);
        Perceptron perceptron(network, each.function);
        float first = 0, last = 0;
        for (int step = 0; step < steps; ++step) {
            last = perceptron.step(x, labels, each.optimizer);
            if (step == 0) first = last;
            const StepResult result = network.result(network.train_step(x, labels));
            EXPECT_NEAR(result.loss, last, 1e-5) << "step " << step;
        }
        EXPECT_LT(last, 0.95f * first);
        perceptron.expect_equal(network);
        EXPECT_EQ(perceptron.predict(x), network.predict(x, Statistics::running));
    }
}

}  // namespace
}  // namespace vknorm::testing
