#include "app/experiment/experiments.hpp"

#include <algorithm>

namespace lab {

std::span<const Experiment> experiments() {
    static const std::vector<Experiment> all = [] {
        std::vector<Experiment> list;
        for (auto table :
             {reason_experiments, training_experiments, batch_experiments, statistics_experiments})
            for (Experiment& one : table()) list.push_back(std::move(one));
        return list;
    }();
    return all;
}

const Experiment* find_experiment(const std::string& name) {
    const auto all = experiments();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Experiment& one) { return one.name == name; });
    return found == all.end() ? nullptr : &*found;
}

}  // namespace lab
