#include "app/model.hpp"

namespace lab {

bool begins_new_run(const Settings& from, const Settings& to) {
    return from.data != to.data || from.data_file != to.data_file || from.noise != to.noise ||
           from.seed != to.seed || from.hidden != to.hidden || from.twins != to.twins;
}

bool is_planar(Data data) {
    return data != Data::digits && data != Data::file;
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
    return norm == vknorm::Norm::batch ? "BatchNorm" : "None";
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
