#include "app/headless.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "app/complaint.hpp"
#include "app/experiment/data.hpp"
#include "app/experiment/divergence.hpp"
#include "app/experiment/lockstep.hpp"
#include "app/experiment/report.hpp"
#include "app/experiment/run_log.hpp"
#include "app/experiment/share.hpp"
#include "app/experiment/study.hpp"
#include "app/experiment/sweep_table.hpp"
#include "app/experiment/verdict.hpp"
#include "app/lab/picture.hpp"
#include "app/output.hpp"
#include "app/progress.hpp"
#include "app/ranks.hpp"

namespace lab {

namespace {

using Clock = std::chrono::steady_clock;

volatile std::sig_atomic_t interrupted = 0;

/// The first SIGINT is noted; the second one ends the program, as it does by default. What a starter of ranks
/// hands on to them is a SIGTERM with some.
void note_interrupts(bool of_ranks) {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupted = 1; };
    action.sa_flags = SA_RESETHAND | SA_RESTART;
    sigaction(SIGINT, &action, nullptr);
    if (of_ranks) sigaction(SIGTERM, &action, nullptr);
}

/// Whether one of the ranks was interrupted: all hear of it before the same step.
bool any_interrupted(vknorm::Exchange* exchange) {
    if (exchange == nullptr) return interrupted != 0;
    const std::byte own{interrupted != 0};
    const auto of_ranks = vknorm::gather(*exchange, "interrupts", std::span(&own, 1));
    return std::any_of(of_ranks.begin(), of_ranks.end(), [](const vknorm::Exchange::Message& message) {
        return message.at(0) != std::byte{0};
    });
}

constexpr std::array report_files = {"summary.json", "history.csv",       "events.csv",
                                     "log.jsonl",    "distributions.csv", "report.png"};
constexpr const char* sweep_file = "sweep.csv";

/// Throws std::runtime_error when what the run is to leave could not be written, or would replace something
/// unasked.
void prepare_output(const Options& options) {
    std::vector<std::pair<std::string, std::filesystem::path>> files;     // and the flags that name them
    if (!options.sweep.empty()) return vknorm::make_folder(options.out);  // its table is gone on with
    if (options.experiment)
        files.emplace_back("--out", options.out / report_files[0]);
    else if (options.headless)
        for (const char* file : report_files) files.emplace_back("--out", options.out / file);
    if (!options.shot.empty()) files.emplace_back("--shot", options.shot);
    if (!options.save.empty()) files.emplace_back("--save", options.save);
    if (!options.tensorboard.empty())
        for (size_t twin = 0; twin < options.settings.twins.size(); ++twin)
            files.emplace_back("--tensorboard", event_file(options.tensorboard, twin));
    std::set<std::filesystem::path> different;
    for (const auto& [flag, file] : files) {
        if (file.has_parent_path()) vknorm::make_folder(file.parent_path());
        require_output(file, options.force);
        if (std::error_code error; !different.insert(std::filesystem::weakly_canonical(file, error)).second)
            throw std::runtime_error(file.string() + ": " + flag +
                                     ": is a file of the report or the picture, needs another name");
    }
}

using MessageHandler = std::function<void(std::string_view)>;

/// Pictures are drawn by a device of their own, so that training needs none that can draw.
void write_pictures(const Options& options, const Snapshot& run, const vknorm::DeviceInfo& device,
                    const MessageHandler& on_validation_message) {
    Gpu gpu(device, {options.validation, on_validation_message, {}});
    const auto write = [&](const std::filesystem::path& file) {
        write_png(live_picture(gpu, run, options.width, options.height, theme_of(options.theme)), file);
    };
    if (options.headless) write(options.out / "report.png");
    if (!options.shot.empty()) write(options.shot);
}

/// What a file turned out to hold, and what is made of it.
std::vector<std::string> data_lines(const Snapshot& run) {
    std::vector<std::string> lines;
    std::string facts;
    for (const std::string& fact : run.origin.facts) facts += (facts.empty() ? "" : "; ") + fact;
    if (!facts.empty()) lines = {"Data: " + facts, "Test set: " + run.origin.test_set};
    if (!run.batch_note.empty()) lines.push_back(run.batch_note);
    return lines;
}

/// A run and what it leaves. Returns the exit status.
/// With an exchange the run is that of all ranks, of which rank 0 tells.
int train(vknorm::Device& device, const Options& options, const MessageHandler& on_validation_message,
          TimedExchange* exchange) {
    const bool tells = exchange == nullptr || exchange->rank() == 0;
    const RunData data = make_run_data(options.settings);
    if (options.batch_given && options.settings.batch > data.train->size())
        return complain(exit_status::usage,
                        "--batch: " + std::string(Unfit(std::to_string(options.settings.batch),
                                                        "at most the " + grouped(data.train->size()) +
                                                            " examples to train on")
                                                      .what()));
    Trainer trainer(device, options.settings, data, exchange);
    if (!options.load.empty()) trainer.load(options.load);
    std::optional<uint64_t> saved_at;  // step
    const auto save = [&] {
        if (!tells || options.save.empty() || saved_at == trainer.steps() || trainer.twins()[0].diverged())
            return;
        trainer.save(options.save);
        saved_at = trainer.steps();
    };
    const Clock::time_point begin = Clock::now();
    const auto seconds_since_begin = [&] {
        return std::chrono::duration<double>(Clock::now() - begin).count();
    };
    double training_seconds = 0, steps_per_second = 0;
    Snapshot run;
    const auto describe = [&] {
        trainer.describe(run);
        steps_per_second = training_seconds > 0 ? static_cast<double>(run.step) / training_seconds : 0;
        run.samples_per_second = steps_per_second * static_cast<double>(examples_per_step(run.settings));
    };

    describe();
    if (tells)
        for (const std::string& line : data_lines(run)) std::fprintf(stderr, "%s\n", line.c_str());
    std::optional<RunLog> log;
    if (tells && options.headless)
        log.emplace(options.out / "log.jsonl", options.tensorboard, run.twins.size());
    Progress progress;
    TimeLeft time_left{EvaluationSchedule(options.settings)};
    size_t diverged = 0;
    bool stopped = any_interrupted(exchange);
    for (; trainer.steps() < options.steps && !trainer.ended() && !stopped;
         stopped = any_interrupted(exchange)) {
        const double before = seconds_since_begin();
        trainer.step();
        const double seconds = seconds_since_begin() - before;
        training_seconds += seconds;
        time_left.add(trainer.steps(), seconds);
        if (options.save_every > 0 && trainer.steps() % options.save_every == 0) save();
        if (std::exchange(diverged, trainer.diverged()) != trainer.diverged() && tells) {
            describe();
            progress.finish();
            complain(exit_status::ok, divergence_message(run));
        }
        if (tells && progress.due()) {
            describe();
            if (log) log->add(run);
            progress.show(
                progress_line(run, options.steps, time_left.seconds(trainer.steps(), options.steps)));
        }
    }
    const auto status = [&] {
        if (trainer.ended()) return exit_status::failed;
        return stopped ? exit_status::interrupted : exit_status::ok;
    };
    const double exchanging = exchange != nullptr ? exchange->seconds() : 0;
    trainer.evaluate();
    std::vector<RankReport> ranks;
    if (exchange != nullptr) {
        const double own_examples = static_cast<double>(examples_per_step(trainer.settings())) *
                                    static_cast<double>(trainer.steps()) / exchange->size();
        ranks = gather_reports(*exchange,
                               {.device = device.info().name,
                                .examples_per_second = static_cast<float>(own_examples / training_seconds),
                                .exchange_share = static_cast<float>(exchanging / training_seconds)});
        if (!tells) return status();
        std::printf("%s", table_of(ranks).c_str());
    }
    trainer.look();
    describe();
    progress.show(progress_line(run, options.steps, -1));
    progress.finish();
    save();
    if (!run.message.empty() && diverged == 0) std::fprintf(stderr, "%s\n", run.message.c_str());

    run.device = device.info().name;
    if (options.headless) {
        log->finish(run);
        write_summary(options.out / "summary.json", run, device.info(), steps_per_second,
                      options.command_line, ranks);
        write_history(options.out / "history.csv", run);
        write_events(options.out / "events.csv", run);
        write_distributions(options.out / "distributions.csv", run);
        if (const std::string note = merged_steps_note(run); !note.empty())
            std::fprintf(stderr, "%s\n", note.c_str());
    }
    write_pictures(options, run, device.info(), on_validation_message);
    if (options.headless) std::printf("Report: %s\n", options.out.c_str());
    if (!options.shot.empty()) std::printf("Picture: %s\n", options.shot.c_str());
    std::printf("Share string: %s\n", share_string(run.settings).c_str());
    if (saved_at)
        std::printf("Checkpoint: %s, of step %llu\n", options.save.c_str(),
                    static_cast<unsigned long long>(*saved_at));
    else if (!options.save.empty())
        std::printf("No checkpoint: twin A has diverged\n");
    return status();
}

/// "value  what" in columns: what was measured, what was needed, and whether it is there.
void print_criteria(const Experiment& experiment, const Judgement& judgement) {
    size_t width = 0;
    for (const JudgedCriterion& judged : judgement.criteria)
        width = std::max(width, std::strlen(judged.criterion->what));
    for (const JudgedCriterion& judged : judgement.criteria) {
        std::string seeds;
        for (const double measured : judged.seeds) seeds += "  " + number_text(measured);
        std::printf("  %-*s  %10s  %-16s %-4s seeds%s\n", static_cast<int>(width), judged.criterion->what,
                    number_text(judged.median).c_str(), needed_text(judged.criterion->needed).c_str(),
                    judged.holds ? "yes" : "NO", seeds.c_str());
    }
    for (const Figure& figure : experiment.figures)
        for (const Reference& reference : figure.references)
            std::printf("  %s, %c at %s %s: %s found %s\n", figure.title, twin_letter(reference.twin),
                        figure.x_name, number_text(reference.x).c_str(), reference.whose,
                        number_text(reference.y).c_str());
}

/// An experiment and its verdict. Returns the exit status.
int conduct(vknorm::Device& device, const Options& options) {
    const Experiment& experiment = *options.experiment;
    std::printf("%s: %s\n%s. %s\n", experiment.title, experiment.claim, experiment.source, experiment.setup);
    std::fflush(stdout);
    const Clock::time_point begin = Clock::now();
    Study study(device, experiment, options.fast ? Form::fast : Form::full);
    Progress progress;
    while (!study.finished() && !interrupted) {
        study.step();
        if (progress.due())
            progress.show(std::to_string(static_cast<int>(100 * study.progress())) + " %  " +
                          study.under_way());
    }
    progress.finish();
    if (!study.finished()) return exit_status::interrupted;
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const Judgement judgement = judge(experiment, study.trials());
    print_criteria(experiment, judgement);
    std::printf("The claim %s, in %zu of %zu seeds, after %.1f s\n", name(judgement.verdict),
                judgement.seeds_that_hold, study.trials().size(), seconds);
    write_experiment(options.out / report_files[0], experiment, study.trials(), options.fast, device.info(),
                     seconds, options.command_line);
    return judgement.verdict == Verdict::holds ? exit_status::ok : exit_status::failed;
}

/// A sweep; what its table has already is not made again. Returns the exit status.
int sweep(vknorm::Device& device, const Options& options) {
    SweepPlan plan{.base = options.settings,
                   .along = options.sweep.front(),
                   .seeds = options.seeds,
                   .steps = options.steps};
    if (options.sweep.size() > 1) plan.across = options.sweep.back();
    const std::filesystem::path file = options.out / sweep_file;
    std::vector<SweepCell> earlier;
    if (!options.force) earlier = read_sweep(file);
    Sweep sweep(device, plan, earlier);
    for (const SweepCell& one : earlier)
        if (std::none_of(sweep.cells().begin(), sweep.cells().end(),
                         [&](const SweepCell& cell) { return cell.is_same_run(one); }))
            throw std::runtime_error(file.string() + ": has runs that this sweep does not make, such as " +
                                     one.run + ": needs another --out, or --force to lose them");
    const size_t all = sweep.cells().size();
    size_t made = sweep.made();
    if (made > 0)
        std::fprintf(stderr, "%s: %zu of %zu runs are there; --force makes all anew\n", file.c_str(), made,
                     all);
    Progress progress;
    while (!sweep.finished() && !interrupted) {
        sweep.step();
        if (std::exchange(made, sweep.made()) != sweep.made()) write_sweep(file, plan, sweep.cells());
        if (progress.due())
            progress.show(std::to_string(made) + " of " + std::to_string(all) + " runs  " +
                          sweep.under_way());
    }
    progress.finish();
    write_sweep(file, plan, sweep.cells());
    std::printf("%zu of %zu runs: %s\n", sweep.made(), all, file.c_str());
    return sweep.finished() ? exit_status::ok : exit_status::interrupted;
}

int run_alone_or_as_rank(const Options& options, TimedExchange* exchange) {
    const bool tells = exchange == nullptr || exchange->rank() == 0;
    size_t validation_messages = 0;
    const MessageHandler on_validation_message = [&](std::string_view message) {
        ++validation_messages;
        std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
    };
    try {
        if (tells) prepare_output(options);
        vknorm::DeviceOptions device_options;
        device_options.select = options.device;
        if (exchange != nullptr && !options.devices.empty())
            device_options.select = options.devices[exchange->rank() % options.devices.size()];
        device_options.validation = options.validation;
        device_options.on_validation_message = on_validation_message;
        if (!options.tuning.empty()) device_options.tuning = vknorm::tuned_in(options.tuning);
        std::optional<vknorm::Device> device;
        try {
            device.emplace(device_options);
        } catch (const vknorm::Error& error) {
            if (exchange != nullptr) throw;
            return complain_about_device(error);
        }
        if (tells && device->info().type == VK_PHYSICAL_DEVICE_TYPE_CPU)
            std::fprintf(stderr, "%s runs on the CPU; a GPU would be faster.\n", device->info().name.c_str());
        const int status = options.experiment ? conduct(*device, options)
                           : !options.sweep.empty()
                               ? sweep(*device, options)
                               : train(*device, options, on_validation_message, exchange);
        device.reset();  // may have something to say, too
        return status == exit_status::ok && validation_messages > 0 ? exit_status::failed : status;
    } catch (const std::exception& error) {
        if (exchange != nullptr) {
            exchange->abort("rank " + std::to_string(exchange->rank()) + ": " + error.what());
            throw;
        }
        return complain(exit_status::failed, error.what());
    }
}

}  // namespace

int run_headless(const Options& options) {
    note_interrupts(has_ranks(options));
    if (!has_ranks(options)) return run_alone_or_as_rank(options, nullptr);
    try {
        return run_ranks(options, [&](vknorm::Exchange& exchange) {
            TimedExchange timed(exchange);
            return run_alone_or_as_rank(options, &timed);
        });
    } catch (const std::exception& error) {
        return complain(exit_status::failed, error.what());
    }
}

}  // namespace lab
