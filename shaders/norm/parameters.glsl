// Where the gradients of a channel's parameters go. Requires DGAMMA_BINDING, the first of two, and in push where each goes.

layout(std430, set = 0, binding = DGAMMA_BINDING) buffer Dgamma { float dgamma[]; };
layout(std430, set = 0, binding = DGAMMA_BINDING + 1) buffer Dbeta { float dbeta[]; };

void give_parameters(uint channel, float sum_dy, float sum_dy_x) {
    const bool adds = push.accumulate == 1;
    const uint gamma_at = push.dgamma_first + channel, beta_at = push.dbeta_first + channel;
    if ((push.gives & norm_gives_dgamma) != 0) dgamma[gamma_at] = adds ? dgamma[gamma_at] + sum_dy_x : sum_dy_x;
    if ((push.gives & norm_gives_dbeta) != 0) dbeta[beta_at] = adds ? dbeta[beta_at] + sum_dy : sum_dy;
}
