// y = gamma * x^ + beta, x^ = (x - mean) * inv_std, of the four values of a block.

layout(constant_id = 3) const uint statistics = norm_of_batch;
const bool are_constants = (statistics & 1) != 0;

// x and its mean are counted in units of a power of two, 1 but for what take_units() is for; statistics of an image are
// not.
struct Scaling {
    vec4 mean, mean_lost, inv_std;
    vec4 gamma, beta;
    vec4 scale;  // inv_std * gamma
    vec4 unit;   // what x is to be multiplied by
};

const Scaling neutral = Scaling(vec4(0), vec4(0), vec4(0), vec4(1), vec4(0), vec4(0), vec4(1));

vec4 scale_of(Scaling scaling) {
    precise const vec4 scale = scaling.inv_std * scaling.gamma;
    return scale;
}

// The exponent of a float32 is here, in a vector of their bits.
const uint exponent_bits = 0x7f800000u;
uint power_of_two(uint biased) { return biased << 23; }

// Whether on the way to a y that float32 holds something may leave its range: the difference of two values, inv_std, or
// inv_std * gamma.
bool needs_units(Scaling scaling) {
    const uvec4 scale = floatBitsToUint(scaling.scale) & exponent_bits;
    return any(equal(scale, uvec4(exponent_bits))) || any(lessThan(scaling.inv_std, vec4(uintBitsToFloat(power_of_two(63)))));
}

// Counts in the power of two above inv_std: then x^ needs no large factor, nor a small one, and nothing is rounded.
void take_units(inout Scaling scaling) {
    const uvec4 inverse = floatBitsToUint(scaling.inv_std), mean = floatBitsToUint(scaling.mean);
    const uvec4 above = (inverse & exponent_bits) + power_of_two(1);
    // The mean, and what is near it, must stay in range, too.
    const uvec4 most = min(uvec4(power_of_two(227)), power_of_two(378) - (mean & exponent_bits));
    const uvec4 unit = clamp(above, uvec4(power_of_two(27)), most);
    const vec4 per_unit = uintBitsToFloat(power_of_two(254) - unit);
    // An inv_std below the normal numbers may be taken for zero; its bits count in 2^-149, its unit is 2^-100.
    const vec4 smallest = vec4(inverse & 0x7fffffu) * uintBitsToFloat(power_of_two(127 - 49));
    scaling.inv_std = mix(scaling.inv_std * per_unit, smallest, lessThan(inverse, uvec4(power_of_two(1))));
    scaling.unit = uintBitsToFloat(unit);
    scaling.mean *= scaling.unit;
    scaling.mean_lost *= scaling.unit;
    scaling.scale = scale_of(scaling);
}

// A gamma that is read later may be one that needs units.
void finish_scaling(inout Scaling scaling) {
    if (by_image) return;
    scaling.scale = scale_of(scaling);
    if (by_position || needs_units(scaling)) take_units(scaling);
}

vec4 relu(vec4 y) { return mix(y, vec4(0), lessThan(y, vec4(0))); }  // max(NaN, 0) is 0 on some drivers

// x minus the mean, in units.
vec4 centred(Scaling scaling, vec4 x) {
    precise const vec4 counted_in_units = by_image ? x : x * scaling.unit;
    if (statistics == norm_of_squares) return counted_in_units;
    precise const vec4 from_high = counted_in_units - scaling.mean;
    if (are_constants) return from_high;
    precise const vec4 from_mean = from_high - scaling.mean_lost;
    return from_mean;
}

vec4 affine(Scaling scaling, vec4 x) {
    precise const vec4 y = centred(scaling, x) * scaling.scale + scaling.beta;
    return y;
}

// q * x^
vec4 product(Scaling scaling, vec4 x, vec4 q) {
    precise const vec4 normalized = centred(scaling, x) * scaling.inv_std;
    precise const vec4 terms = q * normalized;
    return terms;
}

// The gradient that a ReLU of the same y let through.
vec4 relu_gradient(Scaling scaling, vec4 x, vec4 dy) {
    return mix(dy, vec4(0), lessThanEqual(affine(scaling, x), vec4(0)));
}
