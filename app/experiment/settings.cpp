#include "app/experiment/settings.hpp"

#include <array>
#include <numeric>

namespace lab {

bool begins_new_run(const Settings& from, const Settings& to) {
    return from.data != to.data || from.data_file != to.data_file || from.noise != to.noise ||
           from.seed != to.seed || from.hidden != to.hidden || from.twins != to.twins;
}

bool is_planar(Data data) {
    return data != Data::digits && data != Data::file;
}

bool has_norm(const Settings& settings, size_t twin, vknorm::Norm norm) {
    for (uint32_t layer = 0; layer < settings.hidden.size(); ++layer)
        if (settings.twins[twin].norm_of(layer) == norm) return true;
    return false;
}

bool depends_on_batch(const Settings& settings, size_t twin) {
    for (uint32_t layer = 0; layer < settings.hidden.size(); ++layer)
        if (vknorm::keeps_running_statistics(settings.twins[twin].norm_of(layer))) return true;
    return false;
}

uint32_t most_groups(const Settings& settings, size_t twin) {
    uint32_t most = 0;
    for (uint32_t layer = 0; layer < settings.hidden.size(); ++layer)
        if (settings.twins[twin].norm_of(layer) == vknorm::Norm::group)
            most = std::gcd(most, settings.hidden[layer]);
    return most;
}

void set_twin_count(Settings& settings, size_t count) {
    constexpr std::array<vknorm::Norm, limits::max_twins> norms = {vknorm::Norm::batch, vknorm::Norm::none,
                                                                   vknorm::Norm::layer, vknorm::Norm::group};
    const TwinSettings first = settings.twins.front();
    for (size_t twin = settings.twins.size(); twin < count; ++twin)
        settings.twins.push_back({norms[twin], first.activation, first.groups, first.ghost_size});
    settings.twins.resize(count);
}

void keep_norms_valid(Settings& settings) {
    for (size_t twin = 0; twin < settings.twins.size(); ++twin) {
        TwinSettings& its = settings.twins[twin];
        its.exceptions.erase(its.exceptions.lower_bound(static_cast<uint32_t>(settings.hidden.size())),
                             its.exceptions.end());
        const uint32_t most = most_groups(settings, twin);
        while (most > 0 && (its.groups > most || most % its.groups != 0)) --its.groups;
    }
}

}  // namespace lab
