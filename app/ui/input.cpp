#include "app/ui/input.hpp"

#include <algorithm>

namespace lab {

std::vector<InputEvent> InputQueue::take_frame() {
    using Kind = InputEvent::Kind;
    std::vector<InputEvent> frame;
    const auto seen = [&](auto matches) { return std::any_of(frame.begin(), frame.end(), matches); };
    while (!events_.empty()) {
        const InputEvent& next = events_.front();
        bool fits = true;
        switch (next.kind) {
            case Kind::move:
                fits = !seen(
                    [](const InputEvent& e) { return e.kind == Kind::button || e.kind == Kind::wheel; });
                break;
            case Kind::button:
                fits = !seen([&](const InputEvent& e) {
                    return (e.kind == Kind::button && e.button == next.button) || e.kind == Kind::wheel;
                });
                break;
            case Kind::key:
                // A modifier must not change under a key or click of the same frame.
                fits = !seen([&](const InputEvent& e) {
                    return e.kind == Kind::button || e.kind == Kind::wheel ||
                           (e.kind == Kind::key && (e.key == next.key || e.down != next.down));
                });
                break;
            case Kind::wheel:
                fits = !seen([](const InputEvent& e) { return e.kind == Kind::button; });
                break;
            case Kind::text:
            case Kind::focus:
            case Kind::drop:
                break;
        }
        if (!fits) break;
        frame.push_back(next);
        events_.pop_front();
    }
    return frame;
}

}  // namespace lab
