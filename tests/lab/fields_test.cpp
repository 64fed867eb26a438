// The table of settings: no setting is without a row, and what a row says is so.
#include <cmath>
#include <gtest/gtest.h>
#include <set>

#include "app/experiment/presets.hpp"
#include "app/experiment/settings.hpp"

namespace {

using namespace lab;

/// Stands for a member of any type.
struct Anything {
    template <class T>
    operator T() const;
};

/// How many members an aggregate has.
template <class T, class... Members>
constexpr size_t member_count() {
    if constexpr (requires { T{Members{}..., Anything{}}; })
        return member_count<T, Members..., Anything>();
    else
        return sizeof...(Members);
}

size_t rows(bool of_twin) {
    size_t count = 0;
    for (const Field& field : fields) count += is_of_twin(field) == of_twin;
    return count;
}

/// Another value than the setting has in `settings`, as the command line takes it.
std::string other_text(const Field& field, const Settings& settings) {
    const std::string now = text_of(field, settings, 0);
    for (const char* text : {"0", "1", "2", "0.25", "off", "on", "adam", "cosine", "tanh", "running", "moons",
                             "rms", "resnet8", "fast", "alone", "presets"}) {
        Settings changed = settings;
        try {
            read(field, changed, 0, text);
        } catch (const Unfit&) {
            continue;
        }
        if (text_of(field, changed, 0) != now && !find_misfit(changed)) return text;
    }
    ADD_FAILURE() << field.word;
    return "";
}

TEST(Fields, EveryMemberHasARow) {
    // A file belongs to the data, and exceptions to the norm.
    EXPECT_EQ(rows(false), member_count<Settings>() - 1);
    EXPECT_EQ(rows(true), member_count<TwinSettings>() - 1);
    std::set<std::string> words;
    for (const Field& field : fields) EXPECT_TRUE(words.insert(field.word).second) << field.word;
}

TEST(Fields, EachSaysWhatItIsAndWhy) {
    for (const Field& field : fields)
        for (const char* text : {field.help, field.why}) {
            const std::string words = text ? text : "";
            EXPECT_GT(words.size(), 10u) << field.word;
            EXPECT_EQ(words.find('\n'), std::string::npos) << field.word << ": one line";
        }
    for (const Field& field : fields) EXPECT_NE(std::string(field.help), field.why) << field.word;
}

TEST(Fields, TheNamedValuesOfEachAreTaken) {
    for (const Field& field : fields)
        for (const NamedValue& value : values_of(field)) {
            Settings settings;
            read(field, settings, 0, value.word);
            EXPECT_EQ(text_of(field, settings, 0), value.word) << field.word;
            EXPECT_FALSE(value.name.empty());
        }
}

TEST(Fields, EachIsChangedReadBackAndBeginsANewRunAsItsRowSays) {
    Settings before;
    before.data = Data::digits;  // any model will do
    for (const Field& field : fields) {
        Settings after = before;
        const std::string text = other_text(field, before);
        read(field, after, 0, text);
        EXPECT_EQ(text_of(field, after, 0), text) << field.word;
        EXPECT_NE(after, before) << field.word;
        EXPECT_EQ(begins_new_run(before, after), field.effect == Effect::new_run) << field.word;
        EXPECT_EQ(begins_new_run(after, before), field.effect == Effect::new_run) << field.word;
        EXPECT_EQ(same_experiment(before, after), field.effect == Effect::view) << field.word;
        for (const Field& other : fields) {
            if (&other == &field) continue;
            EXPECT_EQ(text_of(other, after, 0), text_of(other, before, 0)) << field.word;
        }
        read(field, after, 0, text_of(field, before, 0));
        EXPECT_EQ(after, before) << field.word;

        EXPECT_THROW(read(field, after, 0, "no such value"), Unfit) << field.word;
        EXPECT_EQ(after, before) << field.word;
    }
}

TEST(Fields, OfATwinChangeThatTwinOnly) {
    for (const Field& field : fields) {
        if (!is_of_twin(field)) continue;
        Settings settings;
        read(field, settings, 1, other_text(field, settings));
        EXPECT_EQ(settings.twins[0], Settings{}.twins[0]) << field.word;
        if (std::string_view(field.word) == "norm") continue;
        EXPECT_NE(settings.twins[1], Settings{}.twins[1]) << field.word;
    }
}

TEST(Fields, WholeSettingsReadBackFromTheirTexts) {
    for (const Preset& preset : presets()) {
        Settings read_back;
        for (const Field& field : fields)
            for (size_t twin = 0; twin < (is_of_twin(field) ? read_back.twins.size() : 1); ++twin)
                read(field, read_back, twin, text_of(field, preset.settings, twin));
        EXPECT_EQ(read_back, preset.settings) << preset.name;
    }
}

TEST(Fields, NumbersHaveRangesThatTheirSlidersAndDefaultsKeepTo) {
    for (const Preset& preset : presets()) EXPECT_FALSE(find_misfit(preset.settings)) << preset.name;
    for (const Field& field : fields) {
        const auto* const number = std::get_if<Number<float>>(&field.kind);
        if (!number) continue;
        EXPECT_LE(number->low, number->slider_high) << field.word;
        EXPECT_LE(number->slider_high, number->high) << field.word;
        for (const float wrong : {std::nextafter(number->low, -1e30f), std::nextafter(number->high, 1e30f),
                                  std::nanf(""), INFINITY}) {
            Settings settings;
            number->member.in(settings, 0) = wrong;
            const auto misfit = find_misfit(settings);
            ASSERT_TRUE(misfit) << field.word << " " << wrong;
            EXPECT_EQ(misfit->field, &field);
            EXPECT_THROW(read(field, settings, 0, text_of(field, settings, 0)), Unfit);
        }
    }
}

TEST(Fields, MisfitsNameTheSettingTheTwinAndWhatWouldDo) {
    const auto misfit = [](auto change) {
        Settings settings;
        change(settings);
        const auto found = find_misfit(settings);
        return found ? flag_of(*found->field, found->twin) + " " + found->field->label + ": " + found->why
                     : "";
    };
    EXPECT_EQ(misfit([](Settings& s) { s.batch = 0; }),
              "--batch Batch size: got '0', needs a whole number from 1 to 256");
    EXPECT_EQ(misfit([](Settings& s) { s.hidden.clear(); }),
              "--hidden Hidden layers: got nothing, needs 1 to 10 layers");
    EXPECT_EQ(misfit([](Settings& s) { s.hidden[1] = 513; }),
              "--hidden Hidden layers: got '48,513,48,48', needs a whole number from 1 to 512");
    EXPECT_EQ(misfit([](Settings& s) { s.twins.clear(); }),
              "--twins Twins: got '0', needs a whole number from 1 to 4");
    EXPECT_EQ(misfit([](Settings& s) { s.twins.resize(5); }),
              "--twins Twins: got '5', needs a whole number from 1 to 4");
    EXPECT_EQ(misfit([](Settings& s) { s.twins[1].norm = vknorm::Norm::group, s.twins[1].groups = 5; }),
              "--groups Groups: got '5', needs a divisor of the 48 units of hidden layer 1");
    EXPECT_EQ(
        misfit([](Settings& s) { s.twins[0].set_norm_of(3, vknorm::Norm::batch_renorm), s.epsilon = 0; }),
        "--epsilon Epsilon: got '0', needs more with BatchRenorm");
    EXPECT_EQ(misfit([](Settings& s) { s.inspected_layer = 99; }), "") << "only shown";
}

TEST(Twins, AddedOnesAreLikeTheFirstButForTheirNorm) {
    Settings settings;
    settings.twins[0].activation = vknorm::Activation::tanh;
    settings.twins[0].groups = 16;
    const std::vector<TwinSettings> two = settings.twins;
    set_twin_count(settings, 4);
    ASSERT_EQ(settings.twins.size(), 4u);
    EXPECT_EQ(settings.twins[2], (TwinSettings{vknorm::Norm::layer, vknorm::Activation::tanh, {}, 16}));
    EXPECT_EQ(settings.twins[3], (TwinSettings{vknorm::Norm::group, vknorm::Activation::tanh, {}, 16}));
    set_twin_count(settings, 2);
    EXPECT_EQ(settings.twins, two);
    set_twin_count(settings, 1);
    EXPECT_EQ(settings.twins, std::vector(1, two[0]));
}

}  // namespace
