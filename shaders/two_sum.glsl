// a + b rounded, and what the rounding lost: D. Knuth, TAOCP vol. 2, 4.2.2, theorem B.
vec2 two_sum(float a, float b) {
    precise const float sum = a + b;
    precise const float of_b = sum - a;
    precise const float of_a = sum - of_b;
    precise const float lost_a = a - of_a;
    precise const float lost_b = b - of_b;
    precise const float lost = lost_a + lost_b;
    return vec2(sum, lost);
}
