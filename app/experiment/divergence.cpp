#include "app/experiment/divergence.hpp"

#include <regex>
#include <vector>

namespace lab {

namespace {

// Of hidden layers: "1.norm, unit 3"; of other models "layer1.0.bn1, channel 3". Of the logits: "the logit of
// class 0".
std::string place(const std::string& diagnosis) {
    std::smatch found;
    if (std::regex_search(diagnosis, found, std::regex(R"((\d+)\.(linear|norm|activation)\b)")))
        return " in hidden layer " + std::to_string(std::stoul(found[1]) + 1);
    if (std::regex_search(diagnosis, found, std::regex(R"((\S+), (?:unit|channel) \d+)")))
        return " in " + found[1].str();
    const bool output =
        diagnosis.find("logit") != std::string::npos || diagnosis.find("output") != std::string::npos;
    return output ? " in the output layer" : "";
}

bool of_data(const Divergence& divergence) {
    return divergence.found.starts_with("an input");
}

}  // namespace

std::string what_was_found(const std::string& diagnosis) {
    const auto names = [&](const char* word) { return diagnosis.find(word) != std::string::npos; };
    const char* const what = names("input ")               ? "an input that is not a number"
                             : names("running statistics") ? "running statistics that are not numbers"
                             : names("gradient")           ? "a gradient that is not a number"
                             : names("logit")              ? "a loss that is not a number"
                                                           : "a value that is not a number";
    return what + place(diagnosis);
}

std::string divergence_message(const Snapshot& run) {
    std::string message;
    size_t diverged = 0;
    const Divergence* first = nullptr;
    for (size_t twin = 0; twin < run.twins.size(); ++twin) {
        const auto& divergence = run.twins[twin].divergence;
        if (!divergence) continue;
        if (++diverged == 1) first = &*divergence;
        message += (diverged == 1 ? "" : ", ") + std::string(1, twin_letter(twin)) +
                   (diverged == 1 ? " diverged at step " : " at step ") + std::to_string(divergence->step);
    }
    if (diverged == 0) return "";
    if (diverged == 1) message += ": " + first->found;
    message += of_data(*first) ? "; mend the data" : "; lower the learning rate";
    return message + (diverged == run.twins.size() ? " and reset" : "");
}

}  // namespace lab
