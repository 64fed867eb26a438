// Tensors of float32.
#define stored float
#define stored_block vec4
#define block_sampler samplerBuffer
#define wide_block u64vec2
#define written_pair u64vec4

float loaded(float element) { return element; }
vec4 loaded_block(vec4 elements) { return elements; }
float stored_of(float value) { return value; }
vec4 stored_block_of(vec4 values) { return values; }
