// Every experiment in its fast form: its verdict, from what was measured here.
#include "app/experiment/experiments.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <tuple>

#include "app/experiment/study.hpp"
#include "app/experiment/verdict.hpp"
#include "support/data_files.hpp"
#include "support/device_fixture.hpp"
#include "support/places.hpp"
#include "support/program.hpp"

namespace {

using namespace lab;
using vknorm::testing::test_device;

/// That under test, without validation: what is recorded here is recorded elsewhere, too, and time counts.
vknorm::Device& quick_device() {
    static vknorm::Device device({.select = test_device().info().uuid_text()});
    return device;
}

class Fast : public ::testing::TestWithParam<const Experiment*> {};

TEST_P(Fast, HasTheVerdictThatItShould) {
    const Experiment& experiment = *GetParam();
    Study study(quick_device(), experiment, Form::fast);
    double before = 0;
    while (!study.finished()) {
        study.step();
        ASSERT_GE(study.progress(), before);
        before = study.progress();
    }
    EXPECT_EQ(study.progress(), 1);
    const Judgement judgement = judge(experiment, study.trials());
    std::string found;
    for (const JudgedCriterion& judged : judgement.criteria) {
        EXPECT_FALSE(std::isnan(judged.median)) << judged.criterion->what;
        found += std::string("\n") + judged.criterion->what + ": " + number_text(judged.median) + ", " +
                 needed_text(judged.criterion->needed);
    }
    EXPECT_EQ(judgement.verdict, experiment.expected) << found;
    for (const Figure& figure : experiment.figures)
        for (const size_t twin : figure.twins)
            EXPECT_FALSE(figure.points(study.trials()[0], twin).empty()) << figure.title;
}

std::vector<const Experiment*> all() {
    std::vector<const Experiment*> pointers;
    for (const Experiment& one : experiments()) pointers.push_back(&one);
    return pointers;
}

INSTANTIATE_TEST_SUITE_P(Experiments, Fast, ::testing::ValuesIn(all()), [](const auto& of) {
    std::string name = of.param->name;
    for (char& c : name)
        if (c == '-') c = '_';
    return name;
});

TEST(Experiments, AreDescribedAndRefusedNowhere) {
    std::set<std::string> names;
    for (const Experiment& one : experiments()) {
        SCOPED_TRACE(one.name);
        EXPECT_TRUE(names.insert(one.name).second);
        EXPECT_FALSE(one.criteria.empty());
        EXPECT_FALSE(one.figures.empty());
        for (size_t figure = 1; figure <= one.figures.size(); ++figure)
            EXPECT_NE(std::string(one.seeing).find("|" + std::to_string(figure) + "]"), std::string::npos)
                << "no words point at figure " << figure;
        for (const Form form : {Form::full, Form::fast})
            for (const RunPlan& plan : one.plans(form)) {
                EXPECT_FALSE(find_misfit(plan.settings)) << plan.name;
                EXPECT_GT(plan.steps, 0u);
            }
    }
    EXPECT_GE(names.size(), 16u);
}

TEST(Headless, ConductsAnExperimentAndExitsByItsVerdict) {
    const vknorm::test::TemporaryDirectory folder;
    // Both are quick; the second one's claim is wrong.
    for (const auto& [name, verdict, status] :
         {std::tuple("gradient-accumulation", "holds", 0), std::tuple("output-spread", "does not hold", 1)}) {
        const std::filesystem::path out = folder.path() / name;
        vknorm::testing::Program program(
            folder.path(), {vknorm::testing::built_program("vknorm-lab"), "--experiment", name, "--fast",
                            "--device", test_device().info().uuid_text(), "--out", out.string()});
        EXPECT_EQ(program.wait(), status) << program.error();
        EXPECT_NE(program.out().find(std::string("The claim ") + verdict), std::string::npos)
            << program.out();
        const auto summary = nlohmann::json::parse(vknorm::testing::read_text(out / "summary.json"));
        EXPECT_EQ(summary["experiment"], name);
        EXPECT_EQ(summary["verdict"], verdict);
        EXPECT_EQ(summary["form"], "fast");
        for (const auto& criterion : summary["criteria"]) {
            EXPECT_EQ(criterion["seeds"].size(), 1u);
            EXPECT_EQ(criterion["holds"], status == 0);
        }
    }
}

}  // namespace
