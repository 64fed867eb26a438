// The product of gemm_tile.glsl for subgroups of LANES lanes (or more) on CPU drivers, where every load costs: the
// lanes of a subgroup load neighbouring elements of op(a) and broadcast them to each other. A lane owns sixteen rows
// and four columns, one workgroup width apart. Works for every size; sum_a needs a_transposed. Terms beyond the last of a
// run are zeros of a times the last row of b.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#include "nn/gemm_tile.glsl"

// SwiftShader broadcasts fast from lanes that are known when the shader is built, llvmpipe from any.
#if LANES == 4
#extension GL_KHR_shader_subgroup_ballot : require
#define FROM_LANE(x, lane) subgroupBroadcast(x, lane)
#define FOR_EACH_TERM(BODY) BODY(0) BODY(1) BODY(2) BODY(3)
#else
#extension GL_KHR_shader_subgroup_shuffle : require
#define FROM_LANE(x, lane) subgroupShuffle(x, lane)
#define FOR_EACH_TERM(BODY) for (uint term = 0; term < LANES; ++term) BODY(term)
#endif
#define FOR_EACH_ROW(BODY, term)                                                            \
    BODY(0, term) BODY(1, term) BODY(2, term) BODY(3, term) BODY(4, term) BODY(5, term)     \
    BODY(6, term) BODY(7, term) BODY(8, term) BODY(9, term) BODY(10, term) BODY(11, term)   \
    BODY(12, term) BODY(13, term) BODY(14, term) BODY(15, term)

layout(std430, set = 0, binding = 0) readonly buffer A { float a[]; };
layout(std430, set = 0, binding = 1) readonly buffer B { float b[]; };
layout(std430, set = 0, binding = 3) writeonly buffer C { float c[]; };

const uint tile_rows = 16, shares = tile_rows / LANES;

void main() {
    const uint width = gl_WorkGroupSize.x, lane = gl_SubgroupInvocationID % LANES;
    const uint row = tile_row(tile_rows), last = run_terms() - 1;
    const uint column = tile_column() * (4 * width) + gl_LocalInvocationID.x;
    const uvec4 columns = uvec4(column, column + width, column + 2 * width, column + 3 * width);
    const uvec4 b_columns = min(columns, p.columns - 1);
    const ivec4 b_first = ivec4(b_line(b_columns.x), b_line(b_columns.y), b_line(b_columns.z), b_line(b_columns.w));

    vec4 sums[tile_rows];
    [[unroll]] for (uint r = 0; r < tile_rows; ++r) sums[r] = vec4(bias_of_row(row + r));
    float a_sums[shares];
    [[unroll]] for (uint i = 0; i < shares; ++i) a_sums[i] = 0;
    Place at = first_place();
    for (uint step = steps(LANES); step > 0; --step, advance(at, LANES)) {
        const uint k = at.term;
        // Of a term, with a row in each lane, or of a row, with a term in each lane.
        float share[tile_rows];
        if (!a_transposed) {
            const uint term = k + lane;
            [[unroll]] for (uint r = 0; r < tile_rows; ++r) {
                const float x = a[a_line(min(row + r, p.rows - 1)) + at.a + int(min(term, last))];
                share[r] = term <= last ? x : 0;
            }
        }
#define LOAD_TERM(term)                                                                                \
    [[unroll]] for (uint i = 0; i < shares; ++i) {                                                     \
        const float x = a[a_line(min(row + LANES * i + lane, p.rows - 1)) + at.a + of_run * a_step()]; \
        share[i] = k + term <= last ? x : 0;                                                           \
        a_sums[i] += share[i];                                                                         \
    }
#define ROW(r, term) sums[r] += y * FROM_LANE(share[r], term);
#define ROW_OF_TERM(r, term) sums[r] += y * FROM_LANE(share[r / LANES], r % LANES);
#define TERM(term)                                                       \
    {                                                                    \
        const int of_run = int(min(k + term, last));                     \
        const ivec4 from = b_first + at.b + of_run * b_step();           \
        const vec4 y = vec4(b[from.x], b[from.y], b[from.z], b[from.w]); \
        if (a_transposed) {                                              \
            LOAD_TERM(term)                                              \
            FOR_EACH_ROW(ROW_OF_TERM, term)                              \
        } else {                                                         \
            FOR_EACH_ROW(ROW, term)                                      \
        }                                                                \
    }
        FOR_EACH_TERM(TERM)
    }

    if (sum_a && tile_column() == 0) {
        [[unroll]] for (uint i = 0; i < shares; ++i) {
            const uint r = row + LANES * i + lane;
            if (gl_LocalInvocationID.x < LANES && r < p.rows) bias[gl_WorkGroupID.y * p.rows + r] = a_sums[i];
        }
    }
    const vec4 added = bias_of_columns(columns);
    // Rows beyond the last one are that one again; conditions for each store would cost as much as the product.
    [[unroll]] for (uint j = 0; j < 4; ++j) {
        if (stored(columns[j])) {
            const int first = c_line(columns[j]);
            [[unroll]] for (uint r = 0; r < tile_rows; ++r)
                c[first + int(min(row + r, p.rows - 1)) * c_step()] = sums[r][j] + added[j];
        }
    }
}
