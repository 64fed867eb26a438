#include "reference/convolution.hpp"

#include <cmath>

namespace vknorm::reference {

namespace {

/// A sum of K terms in float32, in any order, is off by at most (K + 1) u' times the sum of the terms'
/// magnitudes, u' = u / (1 - (K + 1) u), u = 2^-24 (Higham, Accuracy and Stability, section 3.1).
class Sums {
  public:
    explicit Sums(size_t size) : values_(size), magnitudes_(size), terms_(size) {}

    void add(size_t at, double term) {
        values_[at] += term;
        magnitudes_[at] += std::abs(term);
        ++terms_[at];
    }
    testing::Expected expected() const {
        std::vector<double> bounds;
        for (size_t i = 0; i < values_.size(); ++i) {
            const double u = std::ldexp(1.0, -24) * (terms_[i] + 1);
            bounds.push_back(u / (1 - u) * magnitudes_[i] + 1e-37);
        }
        return {values_, bounds};
    }

  private:
    std::vector<double> values_, magnitudes_, terms_;
};

}  // namespace

testing::Expectations expected_convolution(const Conv2dOptions& options, const ConvolutionData& data) {
    const size_t positions = size_t{options.output_height()} * options.output_width();
    const size_t outputs = size_t{options.images} * options.out_channels * positions;
    Sums y(outputs), dx(data.x.size()), dweight(data.weight.size()), dbias(options.out_channels);
    const bool backward = !data.dy.empty();
    for (size_t i = 0; i < outputs; ++i) {
        const size_t channel = i / positions % options.out_channels;
        if (!data.bias.empty()) y.add(i, data.bias[channel]);
        if (backward) dbias.add(channel, data.dy[i]);
    }
    for_each_product(options, [&](size_t i, size_t weight, size_t from) {
        y.add(i, double{data.weight[weight]} * data.x[from]);
        if (!backward) return;
        dweight.add(weight, double{data.dy[i]} * data.x[from]);
        dx.add(from, double{data.dy[i]} * data.weight[weight]);
    });
    testing::Expectations expected{{"y", y.expected()}};
    if (!backward) return expected;
    expected["dx"] = dx.expected();
    expected["dweight"] = dweight.expected();
    if (!data.bias.empty()) expected["dbias"] = dbias.expected();
    return expected;
}

}  // namespace vknorm::reference
