#include "check/operation.hpp"

#include <algorithm>
#include <charconv>

#include "check/family.hpp"
#include "check/maps.hpp"

namespace vknorm::check {

const std::vector<Operation>& operations() {
    static const std::vector<Operation> table{batch_norm(),
                                              instance_norm(),
                                              group_norm(),
                                              layer_norm(),
                                              rms_norm(),
                                              batch_renorm(),
                                              ghost_batch_norm(),
                                              batch_norm_stages(),
                                              fold_batch_norm(),
                                              conv2d(),
                                              max_pool2d(),
                                              average_pool2d(),
                                              adaptive_average_pool2d()};
    return table;
}

const TensorKind* Operation::find_tensor(std::string_view tensor) const {
    const auto found = std::ranges::find(tensors, tensor, &TensorKind::name);
    return found == tensors.end() ? nullptr : &*found;
}

std::string number_text(double value) {
    char characters[32];
    return {characters, std::to_chars(characters, characters + sizeof characters, value).ptr};
}

float Settings::number(const std::string& option, float otherwise) const {
    const auto found = values_.find(option);
    if (found == values_.end()) return otherwise;
    float value = 0;
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

uint32_t Settings::whole(const std::string& option, uint32_t otherwise) const {
    const auto found = values_.find(option);
    if (found == values_.end()) return otherwise;
    uint32_t value = 0;
    const std::string& text = found->second;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

size_t Settings::word(const Option& option, size_t otherwise) const {
    const auto found = values_.find(option.name);
    if (found == values_.end()) return otherwise;
    return static_cast<size_t>(std::ranges::find(option.words, found->second) - option.words.begin());
}

std::vector<float> Call::floats(const std::string& tensor) const {
    const auto found = inputs.find(tensor);
    return found == inputs.end() ? std::vector<float>{} : found->second.floats();
}

Dtype Call::dtype_of(const std::string& tensor) const {
    const TensorKind& kind = *operation->find_tensor(tensor);
    constexpr Dtype stored[] = {Dtype::f32, Dtype::f16, Dtype::bf16};
    return kind.stored ? stored[static_cast<size_t>(storage_of(settings))] : kind.dtype;
}

}  // namespace vknorm::check
