// Ranks that are threads of one process: messages lie in boxes until they are fetched.
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include <vknorm/exchange.hpp>

#include "ops/arguments.hpp"

namespace vknorm {

namespace {

struct Post {
    std::mutex mutex{};
    std::condition_variable changed{};
    std::vector<std::vector<std::deque<Exchange::Message>>> boxes;  // by receiver, then by sender
    std::vector<bool> left;
    std::string aborted{};  // why; empty while all goes on
    uint32_t aborter = 0;
    std::vector<std::exception_ptr> errors;  // by rank
};

class End final : public Exchange {
  public:
    End(Post& post, uint32_t rank, std::chrono::milliseconds time_out)
        : post_(post), rank_(rank), time_out_(time_out) {}

    uint32_t rank() const override { return rank_; }
    uint32_t size() const override { return static_cast<uint32_t>(post_.boxes.size()); }
    std::vector<Message> trade(std::span<const MessageView> messages) override;
    void abort(const std::string& why) noexcept override {
        const std::lock_guard lock(post_.mutex);
        if (post_.aborted.empty()) {
            post_.aborted = why;
            post_.aborter = rank_;
        }
        post_.changed.notify_all();
    }

  private:
    Post& post_;
    uint32_t rank_;
    std::chrono::milliseconds time_out_;
};

std::vector<Exchange::Message> End::trade(std::span<const MessageView> messages) {
    std::unique_lock lock(post_.mutex);
    for (uint32_t r = 0; r < messages.size(); ++r)
        if (!messages[r].empty()) post_.boxes[r][rank_].emplace_back(messages[r].begin(), messages[r].end());
    post_.changed.notify_all();

    std::string missing, gone;
    const auto look = [&] {
        missing.clear();
        gone.clear();
        for (uint32_t r = 0; r < messages.size(); ++r) {
            if (messages[r].empty() || !post_.boxes[rank_][r].empty()) continue;
            (post_.left[r] ? gone : missing) += " rank " + std::to_string(r);
        }
    };
    const bool woken = post_.changed.wait_for(lock, time_out_, [&] {
        look();
        return !post_.aborted.empty() || !gone.empty() || missing.empty();
    });
    if (!post_.aborted.empty()) throw ExchangeError(post_.aborted);
    if (!gone.empty()) throw ExchangeError("has left:" + gone);
    if (!woken)
        throw ExchangeError("after " + std::to_string(time_out_.count()) + " ms no answer from" + missing);
    std::vector<Message> got(messages.size());
    for (uint32_t r = 0; r < messages.size(); ++r) {
        if (messages[r].empty()) continue;
        got[r] = std::move(post_.boxes[rank_][r].front());
        post_.boxes[rank_][r].pop_front();
    }
    return got;
}

}  // namespace

void run_ranks(uint32_t size, const std::function<void(Exchange&)>& rank,
               std::chrono::milliseconds time_out) {
    detail::require_positive("run_ranks", "size", size);
    Post post{.boxes = {size, std::vector<std::deque<Exchange::Message>>(size)},
              .left = std::vector<bool>(size),
              .errors = std::vector<std::exception_ptr>(size)};
    {
        std::vector<std::jthread> threads;
        for (uint32_t r = 0; r < size; ++r)
            threads.emplace_back([&, r] {
                End end(post, r, time_out);
                std::exception_ptr error;
                try {
                    rank(end);
                } catch (const std::exception& thrown) {
                    end.abort("rank " + std::to_string(r) + ": " + thrown.what());
                    error = std::current_exception();
                } catch (...) {
                    end.abort("rank " + std::to_string(r) + " failed");
                    error = std::current_exception();
                }
                const std::lock_guard lock(post.mutex);
                post.errors[r] = error;
                post.left[r] = true;
                post.changed.notify_all();
            });
    }
    // What the others threw follows from that.
    if (post.errors[post.aborter]) std::rethrow_exception(post.errors[post.aborter]);
    for (const std::exception_ptr& error : post.errors)
        if (error) std::rethrow_exception(error);
}

}  // namespace vknorm
