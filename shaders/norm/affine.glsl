// y = gamma * x^ + beta, x^ = (x - mean) * inv_std, of the four values of a block.

layout(constant_id = 1) const uint statistics = norm_of_batch;
const bool are_constants = (statistics & 1) != 0;

struct Scaling {
    vec4 mean, mean_lost, inv_std;
    vec4 gamma, beta;
    vec4 scale;  // inv_std * gamma
};

const Scaling neutral = Scaling(vec4(0), vec4(0), vec4(0), vec4(1), vec4(0), vec4(0));

vec4 scale_of(Scaling scaling) {
    precise const vec4 scale = scaling.inv_std * scaling.gamma;
    return scale;
}

vec4 relu(vec4 y) { return mix(y, vec4(0), lessThan(y, vec4(0))); }  // max(NaN, 0) is 0 on some drivers

// x minus the mean.
vec4 centred(Scaling scaling, vec4 x) {
    if (statistics == norm_of_squares) return x;
    precise const vec4 from_high = x - scaling.mean;
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
