// Normalizes the features of a CSV file, or of generated points, and prints their mean and variance: 0 and 1.
#include <cmath>
#include <cstdio>
#include <exception>

#include <vknorm/vknorm.hpp>

int main(int argc, char** argv) try {
    const vknorm::Dataset data =
        argc > 1 ? vknorm::read_csv(argv[1]) : vknorm::make_2d(vknorm::Shape2D::moons, 1000, 0.2f, 7);
    const auto size = static_cast<uint32_t>(data.size());

    vknorm::Device device;
    vknorm::Stream stream(device);
    const vknorm::BatchNorm batch_norm(device, {.shape = {size, data.features}});
    const VkDeviceSize per_feature = data.features * sizeof(float);
    vknorm::Buffer x(device, size * per_feature, "x"), y(device, size * per_feature, "y");
    vknorm::Buffer mean(device, 2 * per_feature, "mean"), inv_std(device, per_feature, "inv_std");
    vknorm::Buffer scratch(device, batch_norm.scratch_bytes(), "scratch");
    stream.upload(x, data.inputs);
    batch_norm.forward_training(stream.record(),
                                {.x = x, .y = y, .mean = mean, .inv_std = inv_std, .scratch = scratch});
    const auto normalized = stream.download<float>(y);

    bool good = true;
    for (uint32_t feature = 0; feature < data.features; ++feature) {
        double sum = 0, squares = 0;
        for (size_t i = feature; i < normalized.size(); i += data.features) {
            sum += normalized[i] / size;
            squares += normalized[i] * normalized[i] / size;
        }
        std::printf("%s: mean %.6f, variance %.6f\n", device.info().name.c_str(), sum, squares);
        good = good && std::abs(sum) < 1e-4 && std::abs(squares - 1) < 1e-3;
    }
    return good ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "consumer: %s\n", error.what());
    return 1;
}
