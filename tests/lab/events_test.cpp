// What happened in a run, in words; and the order in which settings are undone.
#include "app/experiment/events.hpp"

#include <gtest/gtest.h>

#include "app/experiment/settings_history.hpp"

namespace {

using namespace lab;

template <class Change>
Settings with(Settings settings, Change change) {
    change(settings);
    return settings;
}

std::string words(const EventLog& log) {
    std::string all;
    for (const Event& event : log.events())
        all += std::to_string(event.step) + " " + word(event.kind) + ": " + event.words + "\n";
    return all;
}

TEST(Events, SayWhatChanged) {
    const Settings first;
    EventLog log;
    const Settings faster = with(first, [](Settings& s) { s.learning_rate = 1; });
    log.add_changes(first, faster, 201);
    const Settings running = with(faster, [](Settings& s) { s.statistics = vknorm::Statistics::running; });
    log.add_changes(faster, running, 300);
    const Settings frozen = with(running, [](Settings& s) { s.update_running = s.train_affine = false; });
    log.add_changes(running, frozen, 301);
    const Settings half = with(frozen, [](Settings& s) { s.train_affine = true; });
    log.add_changes(frozen, half, 302);
    log.add_changes(half, with(half, [](Settings& s) { s.inspected_unit = 9; }), 303);
    EXPECT_EQ(words(log),
              "201 setting: Learning rate 0.3 \xE2\x86\x92 1\n"
              "300 mode: Eval mode: steps use running statistics\n"
              "301 frozen: Running statistics, gamma and beta stay as they are\n"
              "302 frozen: Gamma and beta go on\n");
}

TEST(Events, AMoveOfASliderIsOne) {
    EventLog log;
    Settings before;
    for (int i = 1; i <= 20; ++i) {
        const Settings after =
            with(before, [&](Settings& s) { s.norm_momentum = 0.1f + static_cast<float>(i) / 64; });
        log.add_changes(before, after, 100 + static_cast<uint64_t>(i) * 10);
        before = after;
    }
    ASSERT_EQ(log.events().size(), 1u);
    EXPECT_EQ(log.events()[0].step, 110u);
    EXPECT_EQ(log.events()[0].words, "Momentum of running statistics 0.1 \xE2\x86\x92 0.4125");
    log.add_changes(before, Settings{}, 5000);
    EXPECT_EQ(log.events().size(), 2u) << "much later";
    // There and back at one step leaves nothing.
    const Settings other = with(Settings{}, [](Settings& s) { s.epsilon = 1; });
    log.add_changes({}, other, 6000);
    log.add_changes(other, {}, 6000);
    EXPECT_EQ(log.events().size(), 2u);
}

TEST(Events, AreNotRepeatedAndNeverTooMany) {
    EventLog log;
    for (int i = 0; i < 3; ++i) log.add({7, EventKind::refused, "Step refused: batch of one"});
    EXPECT_EQ(log.events().size(), 1u);
    EXPECT_TRUE(log.events()[0].by_itself());
    for (uint64_t step = 8; step < 2000; ++step) log.add({step, EventKind::setting, "x"});
    EXPECT_EQ(log.events().size(), EventLog::most);
    EXPECT_EQ(log.events().back().step, 1999u);
}

TEST(Events, NameSettingsOfTwinsAndCountTheRest) {
    Settings to;
    to.noise = 0.3f;
    EXPECT_EQ(change_in_words({}, to), "Noise 0.16 \xE2\x86\x92 0.3");
    to = {};
    to.twins[1].norm = vknorm::Norm::layer;
    EXPECT_EQ(change_in_words({}, to), "Norm of twin B none \xE2\x86\x92 layer");
    to.seed = 8;
    to.batch = 8;
    EXPECT_EQ(change_in_words({}, to), "Norm of twin B none \xE2\x86\x92 layer and 2 more");
    to = {};
    to.inspected_layer = 0;
    EXPECT_EQ(change_in_words({}, to), "") << "only looked at";
}

SettingsHistory::State state(float rate) {
    Settings settings;
    settings.learning_rate = rate;
    return {settings, 1};
}

TEST(SettingsHistory, GoesBackAndForth) {
    SettingsHistory history;
    EXPECT_FALSE(history.can_undo() || history.can_redo());
    for (const float rate : {1.0f, 2.0f, 3.0f}) history.add(state(rate), false);
    history.add(state(4), true);  // in place of 3
    EXPECT_EQ(history.undo().settings.learning_rate, 2);
    EXPECT_EQ(history.undo().settings.learning_rate, 1);
    EXPECT_FALSE(history.can_undo());
    EXPECT_EQ(history.redo().settings.learning_rate, 2);
    EXPECT_TRUE(history.can_redo());
    history.add(state(9), false);
    EXPECT_FALSE(history.can_redo()) << "another way was taken";
    EXPECT_EQ(history.undo().settings.learning_rate, 2);
    for (int i = 0; i < 1000; ++i) history.add(state(1), false);
    size_t count = 0;
    for (; history.can_undo(); history.undo()) ++count;
    EXPECT_EQ(count, SettingsHistory::most - 1);
}

}  // namespace
