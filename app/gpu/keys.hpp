// From GLFW's events to the input queue.
#pragma once

struct GLFWwindow;

namespace lab {

/// Sends what happens to `window` to the InputQueue that its user pointer points at, from now on.
void connect_events(GLFWwindow* window);

}  // namespace lab
