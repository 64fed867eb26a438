// The session behind the screen: it obeys between steps, keeps what it has whatever it is asked for, and ends
// at once.
#include "app/experiment/session.hpp"

#include <chrono>
#include <cmath>
#include <gtest/gtest.h>
#include <thread>

#include "support/device_fixture.hpp"

namespace {

using namespace lab;
using namespace std::chrono_literals;
using vknorm::testing::test_device;

Settings small() {
    Settings settings;
    settings.hidden = {16, 8};
    settings.speed = Speed::fast;
    return settings;
}

/// The first state that `wanted` holds of; fails when none comes.
template <class Predicate>
std::shared_ptr<const Snapshot> wait_for(const Session& session, Predicate wanted) {
    const auto give_up = std::chrono::steady_clock::now() + 30s;
    while (true) {
        auto state = session.snapshot();
        if (wanted(*state)) return state;
        if (std::chrono::steady_clock::now() > give_up) {
            ADD_FAILURE() << "not seen; step " << state->step << ", message '" << state->message << "'";
            return state;
        }
        std::this_thread::sleep_for(2ms);
    }
}

std::shared_ptr<const Snapshot> wait_until_ready(const Session& session) {
    return wait_for(session,
                    [](const Snapshot& state) { return state.train && !state.twins[0].test.empty(); });
}

TEST(Session, BeginsPausedAndMeasured) {
    const Session session(test_device(), small());
    ASSERT_NE(session.snapshot(), nullptr);
    const auto state = wait_until_ready(session);
    EXPECT_FALSE(state->running);
    EXPECT_EQ(state->step, 0u);
    EXPECT_EQ(state->device, test_device().info().name);
    EXPECT_EQ(state->message, "");
    EXPECT_GT(state->twins[1].boundary.columns, 0u);
    // Nothing happens, nothing is published.
    std::this_thread::sleep_for(100ms);
    EXPECT_EQ(session.snapshot()->revision, state->revision);
}

TEST(Session, CountsSteps) {
    Session session(test_device(), small());
    for (int i = 0; i < 3; ++i) session.step();
    const auto state = wait_for(session, [](const Snapshot& s) { return s.step >= 3; });
    EXPECT_EQ(state->step, 3u);
    EXPECT_FALSE(state->running);
    EXPECT_EQ(state->twins[0].training.size(), 3u);
    EXPECT_EQ(state->twins[0].test.back().step, 3u) << "what is paused is up to date";
}

TEST(Session, KeepsMomentsOfTheRunToGoBackTo) {
    Session session(test_device(), small());
    for (int i = 0; i < 5; ++i) {
        session.step();
        wait_for(session, [&](const Snapshot& s) { return s.moments.size() == static_cast<size_t>(i) + 1; });
    }
    session.run();
    wait_for(session, [](const Snapshot& s) { return s.moments.size() > 7; });
    session.pause();
    const auto state = wait_for(session, [](const Snapshot& s) { return !s.running; });
    for (size_t i = 0; i < state->moments.size(); ++i) {
        const Snapshot& moment = *state->moments[i];
        const uint64_t before = i > 0 ? state->moments[i - 1]->step : 0;
        EXPECT_GT(moment.step, before);
        EXPECT_EQ(moment.run, state->run);
        EXPECT_GT(moment.twins[1].boundary.columns, 0u);
        EXPECT_EQ(moment.twins[0].layers.size(), 2u);
        EXPECT_EQ(moment.twins[0].unit.back().step, moment.step);
        EXPECT_TRUE(moment.moments.empty());
    }
    EXPECT_NE(state->moments[0]->twins[1].boundary.probability, state->twins[1].boundary.probability);

    session.reset();
    const auto begun = wait_for(session, [&](const Snapshot& s) { return s.run != state->run; });
    EXPECT_TRUE(begun->moments.empty());
    session.undo();
    const auto back = wait_for(session, [&](const Snapshot& s) { return s.run == state->run; });
    EXPECT_EQ(back->step, state->step);
    ASSERT_LE(back->moments.size(), 1u) << "but the one it is at";
}

TEST(Session, RunsUntilPausedAndShowsHowFast) {
    Session session(test_device(), small());
    session.run();
    const auto running = wait_for(session, [](const Snapshot& s) { return s.step > 50 && s.running; });
    EXPECT_GT(running->samples_per_second, 0);
    session.pause();
    const auto paused = wait_for(session, [](const Snapshot& s) { return !s.running; });
    EXPECT_EQ(paused->samples_per_second, 0);
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(session.snapshot()->step, paused->step);
    EXPECT_EQ(paused->twins[0].test.back().step, paused->step);
    EXPECT_EQ(running->step, running->twins[0].training.back().step) << "a published state stays as it is";
}

TEST(Session, StepsPerSecondBoundTheSpeed) {
    Settings slow = small();
    slow.speed = Speed::slow;
    Session session(test_device(), slow);
    wait_until_ready(session);
    const auto begin = std::chrono::steady_clock::now();
    session.run();
    const auto state = wait_for(session, [](const Snapshot& s) { return s.step >= 3; });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    EXPECT_LE(static_cast<double>(state->step), seconds * steps_per_second(Speed::slow) + 1);
}

TEST(Session, SettingsAreAppliedWhileRunning) {
    Session session(test_device(), small());
    session.run();
    wait_for(session, [](const Snapshot& s) { return s.step > 5; });
    Settings changed = small();
    changed.learning_rate = 0.01f;
    changed.batch = 64;
    session.apply(changed);
    const auto state =
        wait_for(session, [&](const Snapshot& s) { return s.settings == changed && s.running; });
    EXPECT_GT(state->step, 5u) << "the same run";
    wait_for(session, [&](const Snapshot& s) { return s.step > state->step; });
}

TEST(Session, NewNetworksKeepTheDataAndANewSeedDoesNot) {
    Session session(test_device(), small());
    session.step();
    const auto first = wait_for(session, [](const Snapshot& s) { return s.step == 1; });
    Settings deeper = small();
    deeper.hidden = {8, 8, 8};
    session.apply(deeper);
    const auto second = wait_for(session, [&](const Snapshot& s) { return s.settings == deeper; });
    EXPECT_EQ(second->step, 0u);
    EXPECT_EQ(second->train, first->train);
    EXPECT_NE(second->parameters, first->parameters);
    deeper.seed = 8;
    session.apply(deeper);
    const auto third = wait_for(session, [&](const Snapshot& s) { return s.settings == deeper; });
    EXPECT_NE(third->train->inputs, first->train->inputs);
}

TEST(Session, RefusedStepPausesWithAMessageAndLosesNothing) {
    Session session(test_device(), small());
    session.run();
    wait_for(session, [](const Snapshot& s) { return s.step > 5; });
    Settings one = small();
    one.batch = 1;
    session.apply(one);
    const auto refused = wait_for(session, [](const Snapshot& s) { return !s.running; });
    EXPECT_NE(refused->message.find("batch of one"), std::string::npos) << refused->message;
    EXPECT_EQ(refused->severity, Severity::warning);
    EXPECT_GT(refused->step, 5u);

    session.apply(small());
    session.step();
    const auto state = wait_for(session, [&](const Snapshot& s) { return s.step > refused->step; });
    EXPECT_EQ(state->step, refused->step + 1);
    EXPECT_EQ(state->message.find("batch of one"), std::string::npos);
}

TEST(Session, UnreadableFileIsSaidAndTheRunStays) {
    Session session(test_device(), small());
    session.step();
    wait_for(session, [](const Snapshot& s) { return s.step == 1; });
    Settings missing = small();
    missing.data = Data::file;
    missing.data_file = "csv:/no/such/file.csv";
    session.apply(missing);
    const auto state = wait_for(session, [](const Snapshot& s) { return !s.message.empty(); });
    EXPECT_EQ(state->severity, Severity::error);
    EXPECT_NE(state->message.find("/no/such/file.csv"), std::string::npos) << state->message;
    EXPECT_EQ(state->settings, small());
    EXPECT_EQ(state->settings_restored, 1u) << "so that controls follow";
    session.step();
    wait_for(session, [](const Snapshot& s) { return s.step == 2; });

    // It goes on training where it did.
    session.run();
    session.apply(missing);
    const auto going = wait_for(session, [](const Snapshot& s) { return s.settings_restored == 2; });
    EXPECT_NE(going->message.find("/no/such/file.csv"), std::string::npos) << going->message;
    wait_for(session, [&](const Snapshot& s) { return s.step > going->step + 5; });
    EXPECT_TRUE(session.snapshot()->running);

    // Nor is it the end when there is no run yet.
    Session broken(test_device(), missing);
    wait_for(broken, [](const Snapshot& s) { return !s.message.empty(); });
    broken.run();
    broken.step();
    broken.reset();
    broken.apply(small());
    wait_until_ready(broken);
}

TEST(Session, ResetRepeatsTheNumbers) {
    Session session(test_device(), small());
    const auto three_steps = [&] {
        for (int i = 0; i < 3; ++i) session.step();
        return wait_for(session, [](const Snapshot& s) { return s.step == 3; });
    };
    const auto first = three_steps();
    session.reset();
    wait_for(session, [](const Snapshot& s) { return s.step == 0; });
    const auto second = three_steps();
    for (size_t i = 0; i < first->twins.size(); ++i)
        for (size_t step = 0; step < 3; ++step)
            EXPECT_EQ(first->twins[i].training[step].value.loss, second->twins[i].training[step].value.loss);
}

TEST(Session, ResetKeepsRunning) {
    Session session(test_device(), small());
    session.run();
    const auto before = wait_for(session, [](const Snapshot& s) { return s.step > 100; });
    session.reset();
    const auto after = wait_for(session, [&](const Snapshot& s) { return s.step < before->step; });
    EXPECT_TRUE(after->running);
}

void expect_same_curves(const TwinView& a, const TwinView& b) {
    ASSERT_EQ(a.training.size(), b.training.size());
    for (size_t i = 0; i < a.training.size(); ++i)
        ASSERT_EQ(a.training[i].value.loss, b.training[i].value.loss) << "step " << a.training[i].step;
    ASSERT_EQ(a.test.size(), b.test.size());
    for (size_t i = 0; i < a.test.size(); ++i) {
        ASSERT_EQ(a.test[i].step, b.test[i].step);
        ASSERT_EQ(a.test[i].value.accuracy, b.test[i].value.accuracy) << "step " << a.test[i].step;
    }
}

TEST(Session, ItsCurvesAreThoseOfARunWithoutAWindow) {
    Session session(test_device(), small());
    session.run();
    wait_for(session, [](const Snapshot& s) { return s.step > 30; });
    session.pause();  // which tests the step at hand, in turn or not
    wait_for(session, [](const Snapshot& s) { return !s.running && s.step > 0; });
    session.run();
    const uint64_t before = session.snapshot()->step;
    wait_for(session, [&](const Snapshot& s) { return s.step > before + 40; });
    session.pause();
    const auto state = wait_for(session, [](const Snapshot& s) { return !s.running; });

    Trainer alone(test_device(), small(), make_run_data(small()));
    while (alone.steps() < state->step) alone.step();
    alone.evaluate();
    for (size_t twin = 0; twin < 2; ++twin)
        expect_same_curves(state->twins[twin], alone.twins()[twin].view());
}

TEST(Session, UndoBringsTheRunBackAsItWas) {
    Session session(test_device(), small());
    for (int i = 0; i < 25; ++i) session.step();
    const auto before = wait_for(session, [](const Snapshot& s) { return s.step == 25; });
    EXPECT_TRUE(before->kept.empty());
    EXPECT_FALSE(before->can_undo);
    Settings other = small();
    other.twins[0].norm = vknorm::Norm::layer;
    other.noise = 0.3f;
    session.apply(other);
    const auto changed = wait_for(session, [&](const Snapshot& s) { return s.settings == other && s.train; });
    EXPECT_EQ(changed->step, 0u);
    EXPECT_NE(changed->run, before->run);
    ASSERT_EQ(changed->kept.size(), 1u);
    const KeptRun kept = changed->kept[0];
    EXPECT_TRUE(kept.alive && !kept.pinned);
    EXPECT_EQ(kept.run->number, before->run);
    EXPECT_EQ(kept.run->step, 25u);
    EXPECT_EQ(kept.run->settings, small());
    EXPECT_EQ(kept.run->change, "Noise 0.16 \xE2\x86\x92 0.3 and 1 more");
    for (size_t twin = 0; twin < 2; ++twin) expect_same_curves(before->twins[twin], kept.run->twins[twin]);
    ASSERT_EQ(changed->events.size(), 1u);
    EXPECT_EQ(changed->events[0].kind, EventKind::begun);

    for (int i = 0; i < 3; ++i) session.step();
    session.reset();  // three steps are not missed
    const auto reset = wait_for(session, [&](const Snapshot& s) { return s.run > changed->run; });
    EXPECT_EQ(reset->kept.size(), 1u);
    session.run();
    wait_for(session, [](const Snapshot& s) { return s.running && s.step > 0; });
    session.undo();
    const auto again = wait_for(session, [&](const Snapshot& s) { return s.run > reset->run; });
    EXPECT_NE(again->message.find("was not kept"), std::string::npos) << again->message;
    EXPECT_EQ(again->settings, other);
    session.undo();
    const auto restored =
        wait_for(session, [](const Snapshot& s) { return s.step == 25 && s.settings == small(); });
    EXPECT_EQ(restored->settings, small());
    EXPECT_FALSE(restored->running);
    EXPECT_EQ(restored->run, before->run);
    EXPECT_EQ(restored->find_kept(before->run), nullptr);
    EXPECT_FALSE(restored->can_undo);
    EXPECT_TRUE(restored->can_redo);
    EXPECT_EQ(restored->settings_restored, 2u);
    EXPECT_EQ(restored->train, before->train);
    for (size_t twin = 0; twin < 2; ++twin) expect_same_curves(before->twins[twin], restored->twins[twin]);

    // The networks, too: they go on as if nothing had happened.
    for (int i = 0; i < 5; ++i) session.step();
    const auto after = wait_for(session, [](const Snapshot& s) { return s.step == 30; });
    Trainer undisturbed(test_device(), small(), make_run_data(small()));
    while (undisturbed.steps() < 30) undisturbed.step();
    for (size_t twin = 0; twin < 2; ++twin)
        expect_same_curves(undisturbed.twins()[twin].view(), after->twins[twin]);
}

TEST(Session, ChangesAreUndoneAndRedoneInTheirOrder) {
    Session session(test_device(), small());
    session.step();
    Settings slower = small(), larger = small();
    slower.learning_rate = 0.01f;
    larger.learning_rate = 0.01f;
    larger.batch = 64;
    session.apply(slower);
    session.apply(larger);
    const auto looks_like = [&](const Settings& settings) {
        return wait_for(session, [&](const Snapshot& s) { return s.settings == settings && s.step == 1; });
    };
    looks_like(larger);
    session.undo();
    looks_like(slower);
    Settings looking = slower;
    looking.inspected_unit = 1;  // nothing to be undone
    session.apply(looking);
    session.undo();
    Settings first = small();
    first.inspected_unit = 1;
    const auto undone = looks_like(first);
    EXPECT_FALSE(undone->can_undo);
    EXPECT_EQ(undone->run, 1u) << "the run goes on";
    EXPECT_EQ(undone->events.size(), 2u) << "there and back; the batch was back at once";
    session.redo();
    session.redo();
    Settings last = larger;
    last.inspected_unit = 1;
    EXPECT_FALSE(looks_like(last)->can_redo);

    Settings dragged = last;
    for (const float rate : {0.02f, 0.03f, 0.04f}) {
        dragged.learning_rate = rate;
        rate < 0.025f ? session.apply(dragged) : session.amend(dragged);
    }
    looks_like(dragged);
    session.undo();
    looks_like(last);
}

TEST(Session, PinnedRunsStayWhileOthersAreForgotten) {
    Session session(test_device(), small());
    for (uint64_t run = 1; run <= 7; ++run) {
        for (uint64_t i = 0; i < KeptRuns::fewest_steps; ++i) session.step();
        if (run == 2) session.pin(2, true);
        session.reset();
    }
    const auto state = wait_for(session, [](const Snapshot& s) { return s.run == 8 && s.step == 0; });
    std::vector<uint64_t> numbers;
    size_t alive = 0;
    for (const KeptRun& kept : state->kept) {
        numbers.push_back(kept.run->number);
        alive += kept.alive;
    }
    EXPECT_EQ(numbers, (std::vector<uint64_t>{2, 4, 5, 6, 7}));
    EXPECT_EQ(alive, KeptRuns::most_alive);
    session.bring_back(7);
    const auto back = wait_for(session, [](const Snapshot& s) { return s.run == 7; });
    EXPECT_EQ(back->step, KeptRuns::fewest_steps);
    EXPECT_EQ(back->find_kept(7), nullptr);
    session.bring_back(2);
    EXPECT_EQ(wait_for(session, [](const Snapshot& s) { return s.run == 9; })->step, 0u)
        << "its networks are gone";
}

/// Twin B diverges soon.
Settings unstable() {
    Settings settings = small();
    settings.twins[1].activation = vknorm::Activation::identity;
    settings.learning_rate = limits::max_learning_rate;
    settings.momentum = 0.9f;
    return settings;
}

TEST(Session, TheOtherTwinGoesOnUnlessToldOtherwise) {
    for (const bool pauses : {false, true}) {
        Settings settings = unstable();
        settings.pause_on_divergence = pauses;
        Session session(test_device(), settings);
        session.run();
        const auto diverged =
            wait_for(session, [](const Snapshot& s) { return s.twins[1].divergence.has_value(); });
        EXPECT_FALSE(diverged->twins[0].divergence);
        EXPECT_EQ(diverged->message.find("B diverged at step "), 0u) << diverged->message;
        if (pauses) {
            const auto paused = wait_for(session, [](const Snapshot& s) { return !s.running; });
            EXPECT_EQ(paused->step, paused->twins[1].divergence->step);
            session.run();
        }
        wait_for(session, [&](const Snapshot& s) { return s.running && s.step > diverged->step + 10; });
    }
}

TEST(Session, EndsAtAnyMoment) {
    for (const auto delay : {0ms, 1ms, 5ms, 20ms, 60ms}) {
        Session session(test_device(), small());
        session.run();
        std::this_thread::sleep_for(delay);
        session.reset();
    }
}

}  // namespace
