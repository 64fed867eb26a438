#include "reference/normalization.hpp"

#include <cmath>

namespace vknorm::reference {

namespace {

/// Sums over the values of each set, or each parameter.
struct Sums {
    explicit Sums(size_t size) : exact(size), magnitude(size) {}
    void add(size_t at, double term) {
        exact[at] += term;
        magnitude[at] += std::abs(term);
    }
    double operator[](size_t at) const { return static_cast<double>(exact[at]); }
    Values values() const { return {exact.begin(), exact.end()}; }

    std::vector<long double> exact;
    Values magnitude;  ///< of the terms
};

template <class Visit>
void for_each(const Sets& sets, Visit visit) {
    for (size_t i = 0; i < sets.elements(); ++i)
        if (sets.set[i] != Sets::none) visit(i, sets.set[i], sets.parameter[i]);
}

}  // namespace

Moments moments(const Sets& sets, const Numbers& x) {
    Moments result{Values(sets.size()), Values(sets.size())};
    // Sums of deviations from one of the values: no digits are lost to a large mean. long double for the
    // rest.
    std::vector<long double> pilot(sets.size()), sum(sets.size()), squares(sets.size());
    std::vector<bool> begun(sets.size());
    for_each(sets, [&](size_t i, size_t s, size_t) {
        if (!begun[s] && std::isfinite(x[i])) {
            pilot[s] = x[i];
            begun[s] = true;
        }
    });
    for_each(sets, [&](size_t i, size_t s, size_t) { sum[s] += x[i] - pilot[s]; });
    for (size_t s = 0; s < sets.size(); ++s)
        if (sets.counts[s] > 0) pilot[s] += sum[s] / static_cast<long double>(sets.counts[s]);
    for_each(sets, [&](size_t i, size_t s, size_t) { squares[s] += (x[i] - pilot[s]) * (x[i] - pilot[s]); });
    for (size_t s = 0; s < sets.size(); ++s) {
        if (sets.counts[s] == 0) continue;
        result.mean[s] = static_cast<double>(pilot[s]);
        result.variance[s] = static_cast<double>(squares[s] / static_cast<long double>(sets.counts[s]));
    }
    return result;
}

Moments moments_about_zero(const Sets& sets, const Numbers& x) {
    Sums squares(sets.size());
    for_each(sets, [&](size_t i, size_t s, size_t) { squares.add(s, x[i] * x[i]); });
    Moments result{Values(sets.size()), squares.values()};
    for (size_t s = 0; s < sets.size(); ++s) result.variance[s] /= sets.counts[s] == 0 ? 1 : sets.counts[s];
    return result;
}

Values inv_std(const Sets& sets, const Values& variance, double epsilon) {
    Values result(sets.size());
    for (size_t s = 0; s < sets.size(); ++s) {
        const double sum = variance[s] + epsilon;
        result[s] = sets.counts[s] == 0 || sum == 0 ? 0 : 1 / std::sqrt(sum);
    }
    return result;
}

Values normalize(const Sets& sets, const Numbers& x, const Values& mean, const Values& inv_std,
                 const Numbers& gamma, const Numbers& beta) {
    Values y(sets.elements());
    for_each(sets, [&](size_t i, size_t s, size_t p) {
        y[i] = gamma.at(p, 1) * ((x[i] - mean[s]) * inv_std[s]) + beta.at(p, 0);
    });
    return y;
}

Gradients backward(const Sets& sets, const Numbers& x, const Numbers& dy, const Values& mean,
                   const Values& inv_std, const Numbers& gamma, Statistics statistics) {
    const auto normalized = [&](size_t i, size_t s) { return (x[i] - mean[s]) * inv_std[s]; };
    Sums dgamma(sets.parameters), dbeta(sets.parameters);
    // With q = dy * gamma, the gradient of x^.
    Sums q(sets.size()), q_x(sets.size());
    for_each(sets, [&](size_t i, size_t s, size_t p) {
        const double x_hat = normalized(i, s);
        dgamma.add(p, dy[i] * x_hat);
        dbeta.add(p, dy[i]);
        q.add(s, dy[i] * gamma.at(p, 1));
        q_x.add(s, dy[i] * gamma.at(p, 1) * x_hat);
    });
    Gradients result{.dx = Values(sets.elements()),
                     .dgamma = dgamma.values(),
                     .dbeta = dbeta.values(),
                     .dx_terms = Values(sets.elements()),
                     .dgamma_terms = dgamma.magnitude,
                     .dbeta_terms = dbeta.magnitude};
    for_each(sets, [&](size_t i, size_t s, size_t p) {
        const double own = dy[i] * gamma.at(p, 1);
        const double from_mean = statistics == Statistics::of_values ? q[s] / sets.counts[s] : 0;
        const double from_variance =
            statistics == Statistics::constant ? 0 : normalized(i, s) * q_x[s] / sets.counts[s];
        result.dx[i] = inv_std[s] * (own - from_mean - from_variance);
        result.dx_terms[i] = inv_std[s] * (std::abs(own) + std::abs(from_mean) + std::abs(from_variance));
    });
    return result;
}

Gradients backward_frozen(const Sets& sets, const Numbers& x, const Numbers& dy, const Values& mean,
                          const Values& inv_std, const Numbers& gamma) {
    return backward(sets, x, dy, mean, inv_std, gamma, Statistics::constant);
}

// Backward is dx = gamma * inv_std * P(dy) with P(v) = v - E[v] - x^ * E[v * x^], which is its own transpose.
DoubleGradients double_backward(const Sets& sets, const Numbers& x, const Numbers& dy, const Values& mean,
                                const Values& inv_std, const Numbers& gamma, const Numbers& ddx,
                                const Numbers& ddgamma, const Numbers& ddbeta) {
    const auto normalized = [&](size_t i, size_t s) { return (x[i] - mean[s]) * inv_std[s]; };
    Sums v(sets.size()), v_x(sets.size()), v_dy(sets.size()), dy_sum(sets.size()), dy_x(sets.size());
    for_each(sets, [&](size_t i, size_t s, size_t) {
        const double x_hat = normalized(i, s), of_dx = ddx.at(i, 0);
        v.add(s, of_dx);
        v_x.add(s, of_dx * x_hat);
        v_dy.add(s, of_dx * dy[i]);
        dy_sum.add(s, dy[i]);
        dy_x.add(s, dy[i] * x_hat);
    });
    // The gradient h of x^, when inv_std is taken for another variable.
    const auto of_normalized = [&](size_t i, size_t s, size_t p) {
        const double scale = gamma.at(p, 1) * inv_std[s] / sets.counts[s];
        return ddgamma.at(p, 0) * dy[i] - scale * (ddx.at(i, 0) * dy_x[s] + dy[i] * v_x[s]);
    };
    Sums h(sets.size()), h_x(sets.size());
    for_each(sets, [&](size_t i, size_t s, size_t p) {
        h.add(s, of_normalized(i, s, p));
        h_x.add(s, of_normalized(i, s, p) * normalized(i, s));
    });

    const Values tensor(sets.elements()), parameter(sets.parameters);
    DoubleGradients result{tensor, tensor, parameter, tensor, tensor, parameter};
    const auto add = [](double& exact, double& magnitude, double term) {
        exact += term;
        magnitude += std::abs(term);
    };
    std::vector<bool> seen(sets.size());
    for_each(sets, [&](size_t i, size_t s, size_t p) {
        const double m = sets.counts[s], scale = gamma.at(p, 1) * inv_std[s], x_hat = normalized(i, s);
        const double inner[] = {v_dy[s], -v[s] * dy_sum[s] / m, -v_x[s] * dy_x[s] / m};  // v . P(dy)
        for (const double term : {scale * ddx.at(i, 0), -scale * v[s] / m, -scale * x_hat * v_x[s] / m,
                                  ddgamma.at(p, 0) * x_hat, ddbeta.at(p, 0)})
            add(result.dy[i], result.dy_terms[i], term);
        for (const double term : {of_normalized(i, s, p), -h[s] / m, -x_hat * h_x[s] / m})
            add(result.x[i], result.x_terms[i], inv_std[s] * term);
        for (const double term : inner) {
            // inv_std itself depends on x, too: d inv_std / dx = -inv_std^2 * x^ / m.
            add(result.x[i], result.x_terms[i], -scale * inv_std[s] * x_hat / m * term);
            if (!seen[s]) add(result.gamma[p], result.gamma_terms[p], inv_std[s] * term);
        }
        seen[s] = true;
    });
    return result;
}

}  // namespace vknorm::reference
