#include "vknorm/mpi.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <mpi.h>
#include <thread>
#include <unistd.h>

namespace vknorm {

namespace {

constexpr int tag = 0;
constexpr unsigned farewell_seconds = 2;
using Clock = std::chrono::steady_clock;

void check(int result, const char* call) {
    if (result == MPI_SUCCESS) return;
    char text[MPI_MAX_ERROR_STRING] = {};
    int length = 0;
    MPI_Error_string(result, text, &length);
    throw ExchangeError(std::string(call) + ": " + text);
}

int length_of(Exchange::MessageView message) {
    if (message.size() > size_t{std::numeric_limits<int>::max()})
        throw ExchangeError("a message of " + std::to_string(message.size()) + " bytes: MPI takes 2 GiB");
    return static_cast<int>(message.size());
}

/// Ranks may be more than processors: whoever waits for long leaves them to others.
class Patience {
  public:
    void wait() {
        constexpr int tries = 100;
        constexpr std::chrono::microseconds nap{50};
        if (++tries_ < tries)
            std::this_thread::yield();
        else
            std::this_thread::sleep_for(nap);
    }

  private:
    int tries_ = 0;
};

}  // namespace

bool started_by_mpi() {
    const char* const set_by_starters[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"};
    return std::any_of(std::begin(set_by_starters), std::end(set_by_starters),
                       [](const char* name) { return std::getenv(name) != nullptr; });
}

struct MpiExchange::State {
    std::chrono::milliseconds time_out;
    const int exceptions = std::uncaught_exceptions();
    bool owns = false;  // MPI
    MPI_Comm communicator = MPI_COMM_NULL;
    int rank = 0, size = 0;
    // What is on its way, which a failed trade leaves.
    std::vector<Message> sent{};
    std::vector<MPI_Request> sending{};

    /// Whether a message of that rank was there.
    bool fetch(int other, Message& message) const;
    void wait_for_farewells() const noexcept;
};

bool MpiExchange::State::fetch(int other, Message& message) const {
    int there = 0, bytes = 0;
    MPI_Message arrived = MPI_MESSAGE_NULL;
    MPI_Status status;
    check(MPI_Improbe(other, tag, communicator, &there, &arrived, &status), "MPI_Improbe");
    if (there == 0) return false;
    check(MPI_Get_count(&status, MPI_BYTE, &bytes), "MPI_Get_count");
    message.resize(static_cast<size_t>(bytes));
    check(MPI_Mrecv(message.data(), bytes, MPI_BYTE, &arrived, MPI_STATUS_IGNORE), "MPI_Mrecv");
    return true;
}

/// So that no message is left over, which some MPIs complain of.
void MpiExchange::State::wait_for_farewells() const noexcept {
    std::vector<int> others;
    for (int r = 0; r < size; ++r)
        if (r != rank) others.push_back(r);
    const Clock::time_point deadline = Clock::now() + time_out;
    Patience patience;
    Message message;
    try {
        for (; !others.empty() && Clock::now() < deadline; patience.wait())
            std::erase_if(others, [&](int other) { return fetch(other, message) && message.empty(); });
    } catch (const std::exception&) {
        return;  // nothing is lost
    }
}

MpiExchange::MpiExchange(std::chrono::milliseconds time_out)
    : state_(std::make_unique<State>(State{.time_out = time_out})) {
    int initialized = 0;
    check(MPI_Initialized(&initialized), "MPI_Initialized");
    if (initialized == 0) {
        int provided = 0;
        check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
        state_->owns = true;
    }
    check(MPI_Comm_dup(MPI_COMM_WORLD, &state_->communicator), "MPI_Comm_dup");
    check(MPI_Comm_set_errhandler(state_->communicator, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(state_->communicator, &state_->rank), "MPI_Comm_rank");
    check(MPI_Comm_size(state_->communicator, &state_->size), "MPI_Comm_size");
}

MpiExchange::~MpiExchange() {
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized != 0) return;
    // No message is empty but this one.
    for (int r = 0; r < state_->size; ++r) {
        if (r == state_->rank) continue;
        MPI_Request request = MPI_REQUEST_NULL;
        if (MPI_Isend(nullptr, 0, MPI_BYTE, r, tag, state_->communicator, &request) == MPI_SUCCESS)
            MPI_Request_free(&request);
    }
    // What follows waits for the others. A process that ends without it is taken for one that failed.
    if (std::uncaught_exceptions() > state_->exceptions) return;
    state_->wait_for_farewells();
    if (state_->owns) MPI_Finalize();
}

uint32_t MpiExchange::rank() const {
    return static_cast<uint32_t>(state_->rank);
}
uint32_t MpiExchange::size() const {
    return static_cast<uint32_t>(state_->size);
}

std::vector<Exchange::Message> MpiExchange::trade(std::span<const MessageView> messages) {
    State& state = *state_;
    state.sent.assign(messages.size(), {});
    state.sending.clear();
    std::vector<int> missing;
    for (size_t r = 0; r < messages.size(); ++r) {
        if (messages[r].empty()) continue;
        const int other = static_cast<int>(r);
        state.sent[r].assign(messages[r].begin(), messages[r].end());
        check(MPI_Isend(state.sent[r].data(), length_of(messages[r]), MPI_BYTE, other, tag,
                        state.communicator, &state.sending.emplace_back()),
              "MPI_Isend");
        missing.push_back(other);
    }

    std::vector<Message> got(messages.size());
    const auto fetch = [&](int other) {
        Message& message = got[static_cast<size_t>(other)];
        if (!state.fetch(other, message)) return false;
        if (message.empty()) throw ExchangeError("has left: rank " + std::to_string(other));
        return true;
    };
    const Clock::time_point deadline = Clock::now() + state.time_out;
    Patience patience;
    for (int all_sent = 0; all_sent == 0 || !missing.empty(); patience.wait()) {
        std::erase_if(missing, fetch);
        check(MPI_Testall(static_cast<int>(state.sending.size()), state.sending.data(), &all_sent,
                          MPI_STATUSES_IGNORE),
              "MPI_Testall");
        if ((all_sent != 0 && missing.empty()) || Clock::now() < deadline) continue;
        std::string names;
        for (const int other : missing) names += " rank " + std::to_string(other);
        throw ExchangeError("after " + std::to_string(state.time_out.count()) + " ms no answer from" +
                            (names.empty() ? " those who were sent to" : names));
    }
    return got;
}

void MpiExchange::abort(const std::string& why) noexcept {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::fflush(stderr);
    // MPI_Abort may run what is to be done at the exit of a process, which waits for a driver's threads.
    std::signal(SIGALRM, SIG_DFL);
    alarm(farewell_seconds);
    MPI_Abort(state_->communicator, EXIT_FAILURE);
}

}  // namespace vknorm
