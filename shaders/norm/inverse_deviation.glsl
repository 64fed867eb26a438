// 1 / sqrt(v), and 0 for v = 0: a channel without variance is normalized to zeros.
//
// Vulkan allows inversesqrt() an error of two units in the last place, which every value of the channel would have. One
// step of Newton's method with exact products (T. Dekker, "A floating-point technique for extending the available
// precision", 1971) leaves about half a unit, and so the same bits nearly everywhere.

vec2 halves(float a) {
    precise const float scaled = a * 4097;
    precise const float rest = scaled - a;
    precise const float high = scaled - rest;
    precise const float low = a - high;
    return vec2(high, low);
}

// a * b rounded, and what the rounding lost.
vec2 two_product(float a, float b) {
    const vec2 x = halves(a), y = halves(b);
    precise const float product = a * b;
    precise const float high = x.x * y.x - product;
    precise const float middle = high + x.x * y.y;
    precise const float low = middle + x.y * y.x;
    precise const float lost = low + x.y * y.y;
    return vec2(product, lost);
}

float inverse_deviation(float v) {
    if (v == 0) return 0;
    const float root = inversesqrt(v);
    const vec2 square = two_product(root, root);
    const vec2 one = two_product(v, square.x);
    precise const float error = ((1 - one.x) - one.y) - v * square.y;
    precise const float better = root + root * error * 0.5;
    return abs(error) < 1e-3 ? better : root;  // not where the products leave the range of float32
}
