#include "bench/products.hpp"

#include <cmath>
#include <stdexcept>

#include "bench/pool.hpp"

namespace vknorm::bench {

namespace {

/// Of one operation, whose tensors go by these names in both.
template <class Operation>
class Layer : public Products {
  public:
    void forward(Recorder& recorder) const override {
        typename Operation::Forward arguments{.x = x_, .weight = weight_, .bias = bias_, .y = y_};
        if constexpr (requires { arguments.scratch; }) arguments.scratch = scratch_;
        operation_.forward(recorder, arguments);
    }
    void backward_input(Recorder& recorder) const override {
        typename Operation::Backward arguments{.dy = dy_, .weight = weight_, .dx = dx_};
        if constexpr (requires { arguments.scratch; }) arguments.scratch = scratch_;
        operation_.backward(recorder, arguments);
    }
    void backward_parameters(Recorder& recorder) const override {
        typename Operation::Backward arguments{.x = x_, .dy = dy_, .dweight = dweight_, .dbias = dbias_};
        if constexpr (requires { arguments.scratch; }) arguments.scratch = scratch_;
        operation_.backward(recorder, arguments);
    }

    void verify() override {
        forward(stream_.record());
        backward_input(stream_.record());
        backward_parameters(stream_.record());
        const auto values = [&](const Buffer& buffer) { return stream_.template download<float>(buffer); };
        x = values(x_), weight = values(weight_), bias = values(bias_), dy = values(dy_);
        check("y", values(y_), [&](size_t i) { return y_of(i); });
        check("dx", values(dx_), [&](size_t i) { return dx_of(i); });
        check("dweight", values(dweight_), [&](size_t i) { return dweight_of(i); });
        check("dbias", values(dbias_), [&](size_t i) { return dbias_of(i); });
    }

  protected:
    struct Sizes {
        size_t x, weight, bias, y;
    };
    template <class Options>
    Layer(Device& device, const Options& options, const Sizes& sizes)
        : operation_(device, options), stream_(device) {
        const auto buffer = [&](size_t count, const char* name) {
            return Buffer(device, sizeof(float) * VkDeviceSize{count}, name);
        };
        x_ = buffer(sizes.x, "x");
        dx_ = buffer(sizes.x, "dx");
        weight_ = buffer(sizes.weight, "weight");
        dweight_ = buffer(sizes.weight, "dweight");
        bias_ = buffer(sizes.bias, "bias");
        dbias_ = buffer(sizes.bias, "dbias");
        y_ = buffer(sizes.y, "y");
        dy_ = buffer(sizes.y, "dy");
        if constexpr (requires { operation_.scratch_bytes(); })
            scratch_ = Buffer(device, operation_.scratch_bytes(), "scratch");
        for (const Buffer* each : {&x_, &weight_, &bias_, &dy_})
            stream_.upload(*each, Pool::first_values(Pool::x, each->bytes() / sizeof(float)));
        stream_.wait(stream_.submit());
    }

    /// A sum in float64, its number of terms, and the sum of their magnitudes.
    struct Sum {
        double value = 0, magnitude = 0;
        size_t terms = 0;

        void add(double term) {
            value += term;
            magnitude += std::abs(term);
            ++terms;
        }
    };
    virtual Sum y_of(size_t i) const = 0;
    virtual Sum dx_of(size_t i) const = 0;
    virtual Sum dweight_of(size_t i) const = 0;
    virtual Sum dbias_of(size_t i) const = 0;

    std::vector<float> x, weight, bias, dy;  // to be verified with

  private:
    // A sum of K terms is off by K ULP of the sum of their magnitudes at most.
    template <class SumOf>
    void check(const char* tensor, const std::vector<float>& got, SumOf sum_of) const {
        constexpr size_t samples = 509;
        for (size_t i = 0; i < got.size(); i += 1 + got.size() / samples) {
            const Sum sum = sum_of(i);
            const double bound = std::ldexp(1.0, -23) * static_cast<double>(sum.terms + 1) * sum.magnitude;
            if (!(std::abs(got[i] - sum.value) <= bound))
                throw std::runtime_error(name() + ": " + tensor + " is wrong");
        }
    }

    Operation operation_;
    Stream stream_;
    Buffer x_, weight_, bias_, dy_, y_, dx_, dweight_, dbias_, scratch_;
};

class LinearProducts final : public Layer<Linear> {
  public:
    LinearProducts(Device& device, const LinearOptions& options)
        : Layer(device, options,
                {.x = size_t{options.rows} * options.inputs,
                 .weight = size_t{options.outputs} * options.inputs,
                 .bias = options.outputs,
                 .y = size_t{options.rows} * options.outputs}),
          rows_(options.rows),
          inputs_(options.inputs),
          outputs_(options.outputs) {}

    std::string name() const override {
        return "linear " + std::to_string(inputs_) + " -> " + std::to_string(outputs_) + ", " +
               std::to_string(rows_) + " rows";
    }
    double flops() const override { return 2.0 * static_cast<double>(rows_ * inputs_ * outputs_); }

  private:
    Sum y_of(size_t i) const override {
        Sum sum;
        sum.add(bias[i % outputs_]);
        for (size_t k = 0; k < inputs_; ++k)
            sum.add(x[i / outputs_ * inputs_ + k] * double{weight[i % outputs_ * inputs_ + k]});
        return sum;
    }
    Sum dx_of(size_t i) const override {
        Sum sum;
        for (size_t k = 0; k < outputs_; ++k)
            sum.add(dy[i / inputs_ * outputs_ + k] * double{weight[k * inputs_ + i % inputs_]});
        return sum;
    }
    Sum dweight_of(size_t i) const override {
        Sum sum;
        for (size_t k = 0; k < rows_; ++k)
            sum.add(dy[k * outputs_ + i / inputs_] * double{x[k * inputs_ + i % inputs_]});
        return sum;
    }
    Sum dbias_of(size_t i) const override {
        Sum sum;
        for (size_t k = 0; k < rows_; ++k) sum.add(dy[k * outputs_ + i]);
        return sum;
    }

    size_t rows_, inputs_, outputs_;
};

/// With stride 1, and as much padding as keeps the size of maps.
class ConvolutionProducts final : public Layer<Conv2d> {
  public:
    ConvolutionProducts(Device& device, const Conv2dOptions& o)
        : Layer(device, o,
                {.x = size_t{o.images} * o.in_channels * o.height * o.width,
                 .weight = size_t{o.out_channels} * o.in_channels * o.kernel * o.kernel,
                 .bias = o.out_channels,
                 .y = size_t{o.images} * o.out_channels * o.height * o.width}),
          o_(o) {
        if (o.stride != 1 || o.dilation != 1 || 2 * o.padding + 1 != o.kernel || !o.bias)
            throw std::invalid_argument("convolution_products: options: got others, needs y as large as x");
    }

    std::string name() const override {
        return "conv " + std::to_string(o_.kernel) + " x " + std::to_string(o_.kernel) + ", " +
               std::to_string(o_.in_channels) + " -> " + std::to_string(o_.out_channels) + ", " +
               std::to_string(o_.images) + " x " + std::to_string(o_.height) + " x " +
               std::to_string(o_.width);
    }
    double flops() const override {
        return 2.0 * static_cast<double>(weight_elements() * o_.images * o_.height * o_.width);
    }

  private:
    size_t weight_elements() const {
        return size_t{o_.out_channels} * o_.in_channels * o_.kernel * o_.kernel;
    }
    /// An element of [a, channels, rows, columns].
    struct Index {
        size_t a, channel, row, column;
    };
    static Index index_of(size_t i, size_t channels, size_t height, size_t width) {
        return {i / (channels * height * width), i / (height * width) % channels, i / width % height,
                i % width};
    }
    size_t at(size_t image, size_t channel, size_t channels, size_t row, size_t column) const {
        return ((image * channels + channel) * o_.height + row) * o_.width + column;
    }
    size_t weight_at(size_t out, size_t in, size_t r, size_t c) const {
        return ((out * o_.in_channels + in) * o_.kernel + r) * o_.kernel + c;
    }
    /// Calls visit(tap, place) along one side where the tap meets a map: place = from + step * tap.
    template <class Visit>
    void for_each_tap(size_t from, int step, size_t size, Visit visit) const {
        for (uint32_t tap = 0; tap < o_.kernel; ++tap) {
            const int64_t place = static_cast<int64_t>(from) + step * (int64_t{tap} - int64_t{o_.padding});
            if (place >= 0 && place < static_cast<int64_t>(size)) visit(tap, static_cast<size_t>(place));
        }
    }

    Sum y_of(size_t i) const override {
        const Index of = index_of(i, o_.out_channels, o_.height, o_.width);
        Sum sum;
        sum.add(bias[of.channel]);
        for (size_t in = 0; in < o_.in_channels; ++in)
            for_each_tap(of.row, 1, o_.height, [&](size_t r, size_t row) {
                for_each_tap(of.column, 1, o_.width, [&](size_t c, size_t column) {
                    sum.add(double{weight[weight_at(of.channel, in, r, c)]} *
                            x[at(of.a, in, o_.in_channels, row, column)]);
                });
            });
        return sum;
    }
    Sum dx_of(size_t i) const override {
        const Index to = index_of(i, o_.in_channels, o_.height, o_.width);
        Sum sum;
        for (size_t out = 0; out < o_.out_channels; ++out)
            for_each_tap(to.row, -1, o_.height, [&](size_t r, size_t row) {
                for_each_tap(to.column, -1, o_.width, [&](size_t c, size_t column) {
                    sum.add(double{weight[weight_at(out, to.channel, r, c)]} *
                            dy[at(to.a, out, o_.out_channels, row, column)]);
                });
            });
        return sum;
    }
    Sum dweight_of(size_t i) const override {
        const Index of = index_of(i, o_.in_channels, o_.kernel, o_.kernel);
        Sum sum;
        for (size_t image = 0; image < o_.images; ++image)
            for (size_t row = 0; row < o_.height; ++row)
                for (size_t column = 0; column < o_.width; ++column) {
                    const size_t x_row = row + of.row - o_.padding,
                                 x_column = column + of.column - o_.padding;
                    if (x_row < o_.height && x_column < o_.width)
                        sum.add(double{dy[at(image, of.a, o_.out_channels, row, column)]} *
                                x[at(image, of.channel, o_.in_channels, x_row, x_column)]);
                }
        return sum;
    }
    Sum dbias_of(size_t i) const override {
        Sum sum;
        for (size_t image = 0; image < o_.images; ++image)
            for (size_t place = 0; place < size_t{o_.height} * o_.width; ++place)
                sum.add(dy[(image * o_.out_channels + i) * o_.height * o_.width + place]);
        return sum;
    }

    Conv2dOptions o_;
};

}  // namespace

std::unique_ptr<Products> linear_products(Device& device, const LinearOptions& options) {
    return std::make_unique<LinearProducts>(device, options);
}

std::unique_ptr<Products> convolution_products(Device& device, const Conv2dOptions& options) {
    return std::make_unique<ConvolutionProducts>(device, options);
}

}  // namespace vknorm::bench
