#include "app/experiment/picture_model.hpp"

#include <stdexcept>
#include <string>

#include <vknorm/models.hpp>

namespace lab {

vknorm::Graph picture_model(const Settings& settings, size_t twin, const vknorm::Dataset& train) {
    if (train.image_width == 0)
        throw std::invalid_argument(std::string("Model: got ") + word(settings.model) + " for examples of " +
                                    std::to_string(train.features) + " numbers, needs pictures");
    const TwinSettings& its = settings.twins[twin];
    const vknorm::ModelOptions options{
        .shape = train.shape(),
        .classes = train.classes,
        .norm = {.kind = its.norm, .groups = its.groups, .ghost_size = its.ghost_size}};
    switch (settings.model) {
        case Model::classifier:
            return vknorm::image_classifier(options);
        case Model::classifier_small:
            return vknorm::small_image_classifier(options);
        case Model::resnet8:
            return vknorm::resnet_cifar(8, options);
        case Model::resnet20:
            return vknorm::resnet_cifar(20, options);
        case Model::preresnet20:
            return vknorm::preactivation_resnet_cifar(20, options);
        case Model::mlp:
            break;
    }
    throw std::logic_error("picture_model: a perceptron");
}

}  // namespace lab
