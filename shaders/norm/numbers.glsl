// norm/arithmetic.glsl for one channel, and for four side by side.

#define NUMBER float
#include "norm/arithmetic.glsl"
#undef NUMBER
#define NUMBER vec4
#include "norm/arithmetic.glsl"
#undef NUMBER
