// The activation functions. NaN stays NaN: not every driver's exp(), min() and max() keep it.
#include "finite.glsl"
#include "nn.h"

layout(constant_id = 1) const uint function = activation_identity;

float activate(float x) {
    if (function == activation_identity || is_nan(x)) return x;
    if (function == activation_relu) return x < 0 ? 0 : x;
    // Both from exp() of a negative number: nothing overflows.
    if (function == activation_sigmoid) {
        const float t = exp(-abs(x)), y = 1 / (1 + t);
        return x < 0 ? t * y : y;
    }
    const float t = exp(-2 * abs(x)), y = (1 - t) / (1 + t);
    return x < 0 ? -y : y;
}

// The derivative as a function of the activation y, times dy.
float gradient(float y, float dy) {
    if (function == activation_relu) return y <= 0 ? 0 : dy;
    if (function == activation_tanh) return (1 - y * y) * dy;
    if (function == activation_sigmoid) return y * (1 - y) * dy;
    return dy;
}
