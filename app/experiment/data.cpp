#include "app/experiment/data.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace lab {

namespace {

constexpr size_t planar_points = 512;  // for training, and as many for the test
constexpr size_t digits_trained = 4000, digits_tested = 1000;
// Of a file a fifth is held back, but no more than this: accuracy is known to 1 % then, and more would only
// make each evaluation slower.
constexpr size_t most_tested = 2000;

RunData share(std::pair<vknorm::Dataset, vknorm::Dataset> parts) {
    return {std::make_shared<const vknorm::Dataset>(std::move(parts.first)),
            std::make_shared<const vknorm::Dataset>(std::move(parts.second))};
}

RunData read_file(const Settings& settings) {
    const std::string& file = settings.data_file;
    const bool pictures = file.starts_with("idx:");
    if (!pictures && !file.starts_with("csv:"))
        throw std::invalid_argument("data file: got '" + file + "', needs idx:DIR or csv:FILE");
    const vknorm::Dataset all =
        pictures ? vknorm::read_idx(file.substr(4)) : vknorm::read_csv(file.substr(4));
    if (all.size() < 5)
        throw std::invalid_argument(file.substr(4) + ": got " + std::to_string(all.size()) +
                                    " examples, needs 5 to hold some back for the test");
    auto parts = vknorm::split(all, all.size() - std::min(all.size() / 5, most_tested), settings.seed);
    if (!pictures) vknorm::standardize(parts.first, parts.second);
    return share(std::move(parts));
}

}  // namespace

RunData make_run_data(const Settings& settings) {
    switch (settings.data) {
        case Data::digits:
            return share(vknorm::split(vknorm::make_digits(digits_trained + digits_tested, settings.seed),
                                       digits_trained, settings.seed));
        case Data::file:
            return read_file(settings);
        default: {
            static_assert(static_cast<int>(Data::spiral) == static_cast<int>(vknorm::Shape2D::spiral) &&
                          static_cast<int>(Data::rings) == static_cast<int>(vknorm::Shape2D::rings));
            const auto shape = static_cast<vknorm::Shape2D>(settings.data);
            // Two draws rather than one that is split: each has its classes balanced.
            const uint64_t other_seed = settings.seed ^ 0x9e3779b97f4a7c15u;
            return share({vknorm::make_2d(shape, planar_points, settings.noise, settings.seed),
                          vknorm::make_2d(shape, planar_points, settings.noise, other_seed)});
        }
    }
}

bool same_data(const Settings& a, const Settings& b) {
    return a.data == b.data && a.data_file == b.data_file && a.noise == b.noise && a.seed == b.seed;
}

}  // namespace lab
