// Share strings: settings there and back, and what is said of a string that cannot be.
#include "app/experiment/share.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <regex>

#include "app/experiment/presets.hpp"
#include "support/data_files.hpp"
#include "support/places.hpp"
#include "support/program.hpp"

namespace {

using namespace lab;
using vknorm::test::TemporaryDirectory;
using vknorm::testing::read_text;

class Chance {
  public:
    explicit Chance(uint32_t seed) : random_(seed) {}

    uint64_t below(uint64_t end) { return random_() % end; }
    uint64_t between(uint64_t low, uint64_t high) {
        return high - low == UINT64_MAX ? random_() : low + below(high - low + 1);
    }
    /// With all of its digits.
    float real_between(float low, float high) {
        const double unit = static_cast<double>(random_() >> 11) * 0x1p-53;
        return std::clamp(static_cast<float>(low + (static_cast<double>(high) - low) * unit), low, high);
    }

  private:
    std::mt19937_64 random_;
};

/// Any value that the setting may have by itself, as the command line takes it.
std::string any_text(const Field& field, const Settings& settings, Chance& chance) {
    if (std::string_view(field.word) == "twins") return std::to_string(chance.between(1, limits::max_twins));
    if (std::string_view(field.word) == "hide")
        return std::array{"", "batch", "norm-b,optimizer", "presets", "experiments,lr"}[chance.below(5)];
    if (std::string_view(field.word) == "norm" && is_perceptron(settings) && chance.below(2) == 0) {
        std::string norms;
        for (size_t layer = 0; layer < settings.hidden.size(); ++layer)
            norms +=
                (layer == 0 ? "" : ",") + std::string(norm_choices[chance.below(norm_choices.size())].word);
        return norms;
    }
    if (const std::vector<NamedValue> values = values_of(field); !values.empty())
        return values[chance.below(values.size())].word;
    Settings changed = settings;
    std::visit(
        [&](const auto& kind) {
            if constexpr (requires { kind.low, kind.most; })
                for (auto& value :
                     kind.member.in(changed, 0) = std::vector<uint32_t>(chance.between(1, kind.most)))
                    value = static_cast<uint32_t>(chance.between(kind.low, kind.high));
            else if constexpr (std::is_same_v<decltype(kind), const Number<float>&>)
                kind.member.in(changed, 0) = chance.real_between(kind.low, kind.high);
            else if constexpr (requires { kind.low; })
                kind.member.in(changed, 0) =
                    static_cast<decltype(kind.low)>(chance.between(kind.low, kind.high));
        },
        field.kind);
    return text_of(field, changed, 0);
}

Settings any_settings(Chance& chance) {
    while (true) {
        Settings settings;
        for (const Field& field : fields)
            for (size_t twin = 0; twin < (is_of_twin(field) ? settings.twins.size() : 1); ++twin)
                if (chance.below(3) == 0) read(field, settings, twin, any_text(field, settings, chance));
        keep_norms_valid(settings);
        if (!find_misfit(settings)) return settings;
    }
}

std::string refusal(const std::string& text) {
    try {
        read_share_string(text);
    } catch (const Unfit& unfit) {
        return unfit.what();
    }
    return "accepted";
}

TEST(Share, OnlyWhatIsNotUsualStandsThere) {
    EXPECT_EQ(share_string({}), "vknorm:end");
    Settings settings;
    settings.data = Data::circles;
    settings.noise = 0.3f;
    settings.twins[1] = {.norm = vknorm::Norm::group, .groups = 4};
    EXPECT_EQ(share_string(settings), "vknorm:data=circles&noise=0.3&norm-b=group&groups-b=4&end");
    EXPECT_EQ(read_share_string("vknorm:noise=.3&groups-b=4&norm-b=group&data=circles&end"), settings)
        << "in any order";
    set_twin_count(settings, 3);
    EXPECT_NE(share_string(settings).find("&twins=3&"), std::string::npos);
    EXPECT_EQ(share_string(settings).find("-c="), std::string::npos) << "added as it is";
}

TEST(Share, AnySettingsComeBack) {
    Chance chance(7);
    std::map<std::string, int> written;
    for (int i = 0; i < 500; ++i) {
        const Settings settings = any_settings(chance);
        const std::string text = share_string(settings);
        EXPECT_TRUE(std::regex_match(text, std::regex("vknorm:[A-Za-z0-9_.,:/@+%=&-]*end"))) << text;
        const Settings back = read_share_string(text);
        ASSERT_EQ(back.twins.size(), settings.twins.size()) << text;
        for (const Field& field : fields)
            for (size_t twin = 0; twin < (is_of_twin(field) ? settings.twins.size() : 1); ++twin) {
                EXPECT_EQ(value_of(field, back, twin), value_of(field, settings, twin)) << text;
                written[field.word] += text_of(field, settings, twin) != text_of(field, {}, 0);
            }
        EXPECT_FALSE(begins_new_run(settings, back)) << text;
        EXPECT_EQ(share_string(back), text);
    }
    for (const Field& field : fields) EXPECT_GT(written[field.word], 0) << field.word << " was never another";
    for (const Preset& preset : presets())
        EXPECT_EQ(read_share_string(share_string(preset.settings)), preset.settings) << preset.name;
}

TEST(Share, PathsOfAllCharactersComeBack) {
    const TemporaryDirectory folder;
    const std::filesystem::path file = folder.path() / "a b&c=100%#ü.csv";
    vknorm::write_file(file, "1,2,a\n");
    Settings settings;
    settings.data = Data::file;
    settings.data_file = "csv:" + file.string() + "#last";
    const std::string text = share_string(settings);
    EXPECT_NE(text.find("a%20b%26c%3D100%25%23%C3%BC.csv%23last&end"), std::string::npos) << text;
    EXPECT_EQ(read_share_string(text), settings);
}

TEST(Share, IsFoundInASentence) {
    Settings wanted;
    wanted.batch = 2;
    for (const char* text : {"vknorm:batch=2&end", "  vknorm:batch=2&end\n", "Look at vknorm:batch=2&end.",
                             "https://lab.example/#vknorm:batch=2&end", "(vknorm:batch=2&end), is it not?"})
        EXPECT_EQ(read_share_string(text), wanted) << text;
}

TEST(Share, SaysWhatIsWrong) {
    EXPECT_EQ(refusal(""), "got nothing, needs a line that begins with vknorm:");
    EXPECT_EQ(refusal("a letter to a friend that somebody had copied before\nand more"),
              "got 'a letter to a friend that somebody had c..', needs a line that begins with vknorm:");
    EXPECT_EQ(refusal("vknorm:bats=2&end"), "got 'bats', needs the word of a setting, such as norm-a");
    EXPECT_EQ(refusal("vknorm:batch=257&end"), "batch: got '257', needs a whole number from 1 to 256");
    EXPECT_EQ(refusal("vknorm:norm-b=layers&end").find("norm-b: got 'layers', needs one of none, batch"), 0u);
    EXPECT_EQ(refusal("vknorm:norm-c=layer&end"), "got 'norm-c', needs twins=3 or more");
    EXPECT_EQ(refusal("vknorm:norm-a=group&groups-a=5&end"),
              "groups-a: got '5', needs a divisor of the 48 units of hidden layer 1");
    EXPECT_EQ(refusal("vknorm:batch=2&batch=3&end"), "batch: got 'batch=3', needs every word once");
    EXPECT_EQ(refusal("vknorm:batch&end"), "got 'batch', needs WORD=VALUE");
    EXPECT_EQ(refusal("vknorm:data=%4&end"), "data: got '%4', needs two hexadecimal digits after %");
    EXPECT_EQ(refusal("vknorm:hide=norm-e&end").find("hide: got 'norm-e', needs words of settings"), 0u);
}

TEST(Share, CutShortAnywhereItIsRefused) {
    const std::string whole = "vknorm:data=circles&noise=0.25&batch=128&norm-b=layer&end";
    read_share_string(whole);
    for (size_t length = 0; length < whole.size(); ++length)
        EXPECT_NE(refusal(whole.substr(0, length)), "accepted") << whole.substr(0, length);
    EXPECT_EQ(refusal("vknorm:batch=12"), "got 'batch=12', needs &end behind it: the string was cut short");
}

TEST(Share, EveryLessonOfTheReadmeHasOne) {
    const std::string page = read_text(vknorm::testing::project_file("README.md"));
    const size_t begin = page.find("### Ten lessons"), end = page.find("\n## ", begin);
    const std::string lessons = page.substr(begin, end - begin);
    const std::regex string("`(vknorm:[^`]*)`");
    int count = 0;
    for (auto found = std::sregex_iterator(lessons.begin(), lessons.end(), string);
         found != std::sregex_iterator(); ++found, ++count) {
        const std::string text = (*found)[1];
        EXPECT_EQ(share_string(read_share_string(text)), text);
    }
    EXPECT_EQ(count, 10);
}

TEST(Concealed, ASettingIsForAllTwinsOrOne) {
    Settings settings;
    read(field_named("hide"), settings, 0, "norm-b,batch,groups,presets");
    EXPECT_TRUE(is_concealed(field_named("norm"), settings, 1));
    EXPECT_FALSE(is_concealed(field_named("norm"), settings, 0));
    EXPECT_TRUE(is_concealed(field_named("groups"), settings, 0));
    EXPECT_TRUE(is_concealed(field_named("batch"), settings));
    EXPECT_FALSE(is_concealed(field_named("lr"), settings));
    EXPECT_EQ(share_string(settings), "vknorm:hide=batch,groups,norm-b,presets&end");
    EXPECT_FALSE(begins_new_run(settings, {}));
    EXPECT_TRUE(same_experiment(settings, {}));
}

}  // namespace
