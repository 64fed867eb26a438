// 1 / sqrt(v), and 0 for v = 0: a channel without variance is normalized to zeros.
float inverse_deviation(float v) { return v == 0 ? 0 : inversesqrt(v); }
