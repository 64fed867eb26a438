// Double backward: what the gradients with respect to dy and x are made of, and the gradient with respect to
// gamma.
//
// With v = ddx, u = ddgamma, w = ddbeta, s = gamma * inv_std, and means over a channel A = E[dy],
// B = E[dy * x^], V = E[v], C = E[v * x^], T = E[v * dy] - A * V - B * C = E[(v - V) * (dy - A)] - B * C, the
// loss is s * m * T + u * m * B + w * m * A. Its gradient with respect to x^, inv_std held, is
// h = (u - s * C) * dy - s * B * v; x^ and inv_std depend on x as in backward, which gives
//   grad_dy    = s * (v - V) + (u - s * C) * x^ + w
//   grad_x     = inv_std * (h - E[h] - x^ * (E[h * x^] + s * T)),  E[h * x^] = u * B - 2 * s * B * C
//   grad_gamma = inv_std * m * T
#version 450
#extension GL_GOOGLE_include_directive : require
#include "batch_norm.h"

layout(local_size_x_id = 0) in;

PUSH_CONSTANTS(BatchNormDoubleCoefficients, push)

layout(std430, set = 0, binding = 0) readonly buffer DyMeans { float dy_means[]; };    // A, B
layout(std430, set = 0, binding = 1) readonly buffer DdxMeans { float ddx_means[]; };  // V, C
layout(std430, set = 0, binding = 2) readonly buffer ProductMeans { float product_means[]; };
layout(std430, set = 0, binding = 3) readonly buffer InvStd { float inv_std[]; };
layout(std430, set = 0, binding = 4) readonly buffer Gamma { float gamma[]; };
layout(std430, set = 0, binding = 5) readonly buffer Ddgamma { float ddgamma[]; };
layout(std430, set = 0, binding = 6) readonly buffer Ddbeta { float ddbeta[]; };
layout(std430, set = 0, binding = 7) writeonly buffer OfGradDy { vec4 of_grad_dy[]; };
layout(std430, set = 0, binding = 8) writeonly buffer OfGradX { vec4 of_grad_x[]; };
layout(std430, set = 0, binding = 9) writeonly buffer GradGamma { float grad_gamma[]; };

bool given(uint what) { return (push.given & what) != 0; }

void solve(uint channel) {
    float B = 0, C = 0, product = 0, u = 0, w = 0, g = 1;
    if (given(double_dy)) B = dy_means[push.dy_means_first + 2 * channel + 1];
    if (given(double_ddx)) C = ddx_means[push.ddx_means_first + 2 * channel + 1];
    if (given(double_both)) product = product_means[push.product_means_first + 2 * channel];
    if (given(double_ddgamma)) u = ddgamma[push.ddgamma_first + channel];
    if (given(double_ddbeta)) w = ddbeta[push.ddbeta_first + channel];
    if (given(double_gamma)) g = gamma[push.gamma_first + channel];
    const float deviation = inv_std[push.inv_std_first + channel];
    precise const float s = g * deviation;
    precise const float T = product - B * C;
    precise const float slope = u - s * C;
    precise const float h_x = u * B - 2 * (s * (B * C));
    precise const float of_x = -(deviation * (h_x + s * T));
    of_grad_dy[push.of_grad_dy_first + channel] = vec4(w, slope, 0, s);
    of_grad_x[push.of_grad_x_first + channel] = vec4(0, of_x, deviation * slope, -(deviation * (s * B)));
    if (given(double_grad_gamma)) grad_gamma[push.grad_gamma_first + channel] = deviation * (push.values * T);
}

void main() {
    const uint stride = gl_WorkGroupSize.x * gl_NumWorkGroups.x;
    for (uint channel = gl_GlobalInvocationID.x; channel < push.channels; channel += stride) solve(channel);
}
