// What an invocation of a sweep has: pairs of blocks, one more, and a short one. Along a row neighbouring invocations have
// neighbouring pairs; where elements are adjacent, an invocation has its four in a run of images, each a block.
struct Sweep {
    uint pairs;
    bool single;      // a full block follows
    uint tail;        // values in a short block at last, 0 to 3
    uint first;       // value of the sequence
    uint address;     // of that
    uint next;        // from the first block of a pair to the second, in addresses
    uint next_value;  // and in values of the sequence
    uint step;        // from a pair to the next pair, in addresses
    uint value_step;
};

Sweep sweep_of(NormWalk walk, Place place, uvec3 work) {
    Sweep sweep;
    if (adjacent) {
        sweep.first = work.y * walk.blocks;
        const uint images = min(walk.values - sweep.first, walk.blocks);
        sweep.pairs = images >> 1;
        sweep.single = (images & 1) != 0;
        sweep.tail = 0;
        sweep.address = place.address + sweep.first * walk.value_pitch;
        sweep.next = walk.value_pitch;
        sweep.next_value = 1;
        sweep.step = 2 * sweep.next;
        sweep.value_step = 2;
        return sweep;
    }
    const uint lane_mask = (1u << walk.lane_bits) - 1;
    const uint lane = work.x & lane_mask, chunk = work.x >> walk.lane_bits;
    const uint pair = ((chunk * walk.blocks) << walk.lane_bits) + lane, full = walk.values >> 3, rest = walk.values & 7;
    sweep.pairs = full > pair ? min((full - pair + lane_mask) >> walk.lane_bits, walk.blocks) : 0;
    const bool has_rest = sweep.pairs < walk.blocks && pair + (sweep.pairs << walk.lane_bits) == full;
    sweep.single = has_rest && rest >= 4;
    sweep.tail = has_rest && !aligned ? rest & 3 : 0;
    sweep.first = 8 * pair;
    sweep.address = place.address + (aligned ? 2 * pair : sweep.first);
    sweep.next = aligned ? 1 : 4;
    sweep.next_value = 4;
    sweep.step = (2 * sweep.next) << walk.lane_bits;
    sweep.value_step = 8 << walk.lane_bits;
    return sweep;
}
