// dx = inv_std * (q - mean(q) - x^ * mean(q * x^)), q = dy * gamma.

// mean(q), mean(q * x^), of the set of each value; without gamma where q is not weighted.
struct Means {
    vec4 q, product;
};

vec4 dx_of(Scaling scaling, Means of_channel, vec4 x, vec4 dy) {
    if (are_constants) return scaling.scale * dy * scaling.unit;
    const vec4 scale = weighted ? scaling.inv_std : scaling.scale;
    const vec4 q = weighted ? dy * scaling.gamma : dy;
    precise const vec4 slope = of_channel.product * scaling.inv_std;
    precise const vec4 dx = scale * ((q - of_channel.q) - centred(scaling, x) * slope) * scaling.unit;
    return dx;
}
