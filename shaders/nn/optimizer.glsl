// A step of an optimizer, whose rule is change(): commits the step, or nothing of it when the run has diverged.
// Parameters, gradient and moments are flat buffers; the padding in them is zero and stays so. The running statistics
// have two copies: norms update `working`; a sound step copies it to `committed`, a diverged one, or one whose running
// statistics are refused, back.
#include "nn.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const bool judged = false;

layout(std430, set = 0, binding = 0) buffer Parameters { vec4 parameters[]; };
layout(std430, set = 0, binding = 2) buffer FirstMoment { vec4 first_moment[]; };
layout(std430, set = 0, binding = 3) buffer SecondMoment { vec4 second_moment[]; };
layout(std430, set = 0, binding = 4) readonly buffer Verdict { uint verdict_words[]; };
layout(std430, set = 0, binding = 5) buffer Working { uint working[]; };
layout(std430, set = 0, binding = 6) buffer Committed { uint committed[]; };
// Once more, as they were before the step.
#ifdef TEXELS
layout(set = 0, binding = 1) uniform samplerBuffer gradient;
layout(set = 0, binding = 7) uniform samplerBuffer old_parameters;
layout(set = 0, binding = 8) uniform samplerBuffer old_first_moment;
layout(set = 0, binding = 9) uniform samplerBuffer old_second_moment;
#define LOAD(tensor, i) texelFetch(tensor, int(i))
#else
layout(std430, set = 0, binding = 1) readonly buffer Gradient { vec4 gradient[]; };
#define old_parameters parameters
#define old_first_moment first_moment
#define old_second_moment second_moment
#define LOAD(tensor, i) tensor[i]
#endif

PUSH_CONSTANTS(Optimizer, push)

// A huge step saturates instead of leaving an infinity that no later step could repair.
vec4 saturate(vec4 x) { return clamp(x, -3.4028234e38, 3.4028234e38); }

// What the i-th vector `p` of the parameters, whose gradient is `g`, is to lose. Moments are updated on the way, unless
// the step is not sound.
vec4 change(uint i, vec4 p, vec4 g, bool sound);

StepVerdict the_verdict() {
    if (!judged) return StepVerdict(0, 0, 1);
    const uint first = push.verdict;
    return StepVerdict(verdict_words[first], verdict_words[first + 1], uintBitsToFloat(verdict_words[first + 2]));
}

void main() {
    const StepVerdict verdict = the_verdict();
    const bool sound = verdict.diverged == 0;
    const uint i = push.first + gl_GlobalInvocationID.x;
    if (i >= push.vectors) return;
    const bool takes = sound && verdict.refused == 0;
    for (uint w = i; w < push.running_words; w += push.vectors) {
        const uint word = takes ? working[w] : committed[w];
        working[w] = word;
        committed[w] = word;
    }
    precise const vec4 g = verdict.gradient_scale * LOAD(gradient, i);  // the same bits as without, where that is 1
    const vec4 p = LOAD(old_parameters, i), lost = change(i, p, g, sound);
    parameters[i] = sound ? saturate(p - lost) : p;
}
