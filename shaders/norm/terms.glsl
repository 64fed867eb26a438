// What backward sums: q and q * x^, q being dy, or dy * gamma.

// Of four values of one strand, or of one value of four strands. Values that do not count, or are not there, may be
// infinite.
Terms terms_at(Place place, Scaling of_place, uint x_at, uint dy_at, uint at, uint values, uvec4 bits) {
    const uint there = adjacent ? place.there : values;
    const Scaling scaling = scaling_of_value(of_place, at, values);
    Terms terms = Terms(read_dy(dy_at, there), vec4(0));
    vec4 x = vec4(0);
    if (needs_x) x = read_x(x_at, there);
    terms.q = gated(place, dy_at, at, values, scaling, x, terms.q, bits);
    if (weighted) terms.q *= scaling.gamma;
    if (needs_x) terms.product = product(scaling, x, terms.q);
    if (!adjacent && values < 4) {
        terms.q = mix(vec4(0), terms.q, held(values));
        terms.product = mix(vec4(0), terms.product, held(values));
    }
#ifdef VALID_BINDING
    if (has_valid && needs_x)
        terms.product = mix(vec4(0), terms.product, are_valid(values_at(push.walk, place, at), values));
#endif
    return terms;
}
