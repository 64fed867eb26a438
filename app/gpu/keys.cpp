#include "app/gpu/keys.hpp"

#include <GLFW/glfw3.h>
#include <optional>

#include "app/ui/input.hpp"

namespace lab {

namespace {

InputQueue& queue_of(GLFWwindow* window) {
    return *static_cast<InputQueue*>(glfwGetWindowUserPointer(window));
}

std::optional<Key> key_of(int glfw) {
    switch (glfw) {
        case GLFW_KEY_TAB:
            return Key::tab;
        case GLFW_KEY_LEFT:
            return Key::left;
        case GLFW_KEY_RIGHT:
            return Key::right;
        case GLFW_KEY_UP:
            return Key::up;
        case GLFW_KEY_DOWN:
            return Key::down;
        case GLFW_KEY_PAGE_UP:
            return Key::page_up;
        case GLFW_KEY_PAGE_DOWN:
            return Key::page_down;
        case GLFW_KEY_HOME:
            return Key::home;
        case GLFW_KEY_END:
            return Key::end;
        case GLFW_KEY_INSERT:
            return Key::insert;
        case GLFW_KEY_DELETE:
            return Key::del;
        case GLFW_KEY_BACKSPACE:
            return Key::backspace;
        case GLFW_KEY_ENTER:
        case GLFW_KEY_KP_ENTER:
            return Key::enter;
        case GLFW_KEY_ESCAPE:
            return Key::escape;
        case GLFW_KEY_LEFT_CONTROL:
        case GLFW_KEY_RIGHT_CONTROL:
            return Key::control;
        case GLFW_KEY_LEFT_SHIFT:
        case GLFW_KEY_RIGHT_SHIFT:
            return Key::shift;
        case GLFW_KEY_LEFT_ALT:
        case GLFW_KEY_RIGHT_ALT:
            return Key::alt;
        case GLFW_KEY_F11:
            return Key::f11;
        case GLFW_KEY_F12:
            return Key::f12;
        default:
            break;
    }
    // GLFW, too, names printable keys by their character on a US keyboard.
    if (glfw >= ' ' && glfw < 128) return key(static_cast<char>(glfw));
    return {};
}

// Pointer positions are in screen coordinates, everything of ours in pixels.
void on_move(GLFWwindow* window, double x, double y) {
    int width = 1, height = 1, pixel_width = 1, pixel_height = 1;
    glfwGetWindowSize(window, &width, &height);
    glfwGetFramebufferSize(window, &pixel_width, &pixel_height);
    if (width <= 0 || height <= 0) return;
    queue_of(window).move(static_cast<float>(x * pixel_width / width),
                          static_cast<float>(y * pixel_height / height));
}

void on_button(GLFWwindow* window, int button, int action, int) {
    if (button < 3) queue_of(window).button(button, action == GLFW_PRESS);
}

void on_key(GLFWwindow* window, int code, int, int action, int) {
    const std::optional<Key> known = key_of(code);
    if (known && action != GLFW_REPEAT) queue_of(window).key(*known, action == GLFW_PRESS);
}

}  // namespace

void connect_events(GLFWwindow* window) {
    glfwSetCursorPosCallback(window, on_move);
    glfwSetMouseButtonCallback(window, on_button);
    glfwSetScrollCallback(window, [](GLFWwindow* w, double x, double y) {
        queue_of(w).wheel(static_cast<float>(x), static_cast<float>(y));
    });
    glfwSetKeyCallback(window, on_key);
    glfwSetCharCallback(window, [](GLFWwindow* w, unsigned character) { queue_of(w).text(character); });
    glfwSetDropCallback(window, [](GLFWwindow* w, int count, const char** paths) {
        queue_of(w).drop({paths, paths + count});
    });
    glfwSetWindowFocusCallback(window,
                               [](GLFWwindow* w, int focused) { queue_of(w).focus(focused == GLFW_TRUE); });
}

}  // namespace lab
