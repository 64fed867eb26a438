#include "app/experiment/settings.hpp"

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

void keep_norms_valid(Settings& settings) {
    for (size_t twin = 0; twin < twin_count; ++twin) {
        TwinSettings& its = settings.twins[twin];
        its.exceptions.erase(its.exceptions.lower_bound(static_cast<uint32_t>(settings.hidden.size())),
                             its.exceptions.end());
        const uint32_t most = most_groups(settings, twin);
        while (most > 0 && (its.groups > most || most % its.groups != 0)) --its.groups;
    }
}

const char* name(Data data) {
    switch (data) {
        case Data::spiral:
            return "Spiral";
        case Data::circles:
            return "Circles";
        case Data::moons:
            return "Moons";
        case Data::xor_quadrants:
            return "XOR";
        case Data::gaussians:
            return "Gaussians";
        case Data::rings:
            return "Rings";
        case Data::digits:
            return "Digits 28 x 28";
        case Data::file:
            return "File";
    }
    return "";
}

const char* name(OptimizerKind kind) {
    return kind == OptimizerKind::adam ? "Adam" : "SGD";
}

const char* name(vknorm::Norm norm) {
    switch (norm) {
        case vknorm::Norm::none:
            return "None";
        case vknorm::Norm::batch:
            return "BatchNorm";
        case vknorm::Norm::layer:
            return "LayerNorm";
        case vknorm::Norm::group:
            return "GroupNorm";
        case vknorm::Norm::rms:
            return "RMSNorm";
        case vknorm::Norm::batch_renorm:
            return "BatchRenorm";
        case vknorm::Norm::ghost:
            return "GhostNorm";
    }
    return "";
}

const char* name(vknorm::Activation activation) {
    switch (activation) {
        case vknorm::Activation::identity:
            return "Identity";
        case vknorm::Activation::relu:
            return "ReLU";
        case vknorm::Activation::tanh:
            return "Tanh";
        case vknorm::Activation::sigmoid:
            return "Sigmoid";
    }
    return "";
}

}  // namespace lab
