#include "vulkan/specialize.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include "vulkan/spirv.hpp"

namespace vknorm::detail {

namespace {

using Instruction = std::span<const uint32_t>;
using Words = std::vector<uint32_t>;

// SPIR-V specification, section 3.
constexpr uint32_t spec_id = 1;  // a decoration
enum Op : uint32_t {
    op_name = 5,
    op_type_int = 21,
    op_constant_true = 41,
    op_constant_false = 42,
    op_constant = 43,
    op_constant_composite = 44,
    op_spec_constant_true = 48,
    op_spec_constant_false = 49,
    op_spec_constant = 50,
    op_spec_constant_composite = 51,
    op_spec_constant_op = 52,
    op_function = 54,
    op_function_end = 56,
    op_decorate = 71,
    op_composite_extract = 81,
    op_i_add = 128,
    op_i_sub = 130,
    op_i_mul = 132,
    op_u_div = 134,
    op_u_mod = 137,
    op_logical_equal = 164,
    op_logical_not_equal = 165,
    op_logical_or = 166,
    op_logical_and = 167,
    op_logical_not = 168,
    op_select = 169,
    op_i_equal = 170,
    op_i_not_equal = 171,
    op_u_greater = 172,
    op_u_greater_equal = 174,
    op_u_less = 176,
    op_u_less_equal = 178,
    op_shift_right = 194,
    op_shift_left = 196,
    op_bitwise_or = 197,
    op_bitwise_xor = 198,
    op_bitwise_and = 199,
    op_phi = 245,
    op_loop_merge = 246,
    op_selection_merge = 247,
    op_label = 248,
    op_branch = 249,
    op_branch_conditional = 250,
    op_switch = 251,
    op_unreachable = 255
};

uint32_t opcode(Instruction instruction) {
    return instruction[0] & 0xffff;
}

void append(Words& words, uint32_t op, std::initializer_list<uint32_t> operands) {
    words.push_back(static_cast<uint32_t>(operands.size() + 1) << 16 | op);
    words.insert(words.end(), operands);
}

void append(Words& words, Instruction instruction) {
    words.insert(words.end(), instruction.begin(), instruction.end());
}

/// Of two integers of 32 bits, or truth values.
std::optional<uint32_t> calculate(uint32_t op, uint32_t a, uint32_t b) {
    switch (op) {
        case op_i_add:
            return a + b;
        case op_i_sub:
            return a - b;
        case op_i_mul:
            return a * b;
        case op_u_div:
            return b == 0 ? std::nullopt : std::optional(a / b);
        case op_u_mod:
            return b == 0 ? std::nullopt : std::optional(a % b);
        case op_logical_equal:
        case op_i_equal:
            return a == b;
        case op_logical_not_equal:
        case op_i_not_equal:
            return a != b;
        case op_u_greater:
            return a > b;
        case op_u_greater_equal:
            return a >= b;
        case op_u_less:
            return a < b;
        case op_u_less_equal:
            return a <= b;
        case op_shift_right:
            return b > 31 ? std::nullopt : std::optional(a >> b);
        case op_shift_left:
            return b > 31 ? std::nullopt : std::optional(a << b);
        case op_logical_or:
        case op_bitwise_or:
            return a | b;
        case op_bitwise_xor:
            return a ^ b;
        case op_logical_and:
        case op_bitwise_and:
            return a & b;
        default:
            return std::nullopt;
    }
}

/// Values that are known, by id.
class Known {
  public:
    void set(uint32_t id, uint32_t value) { values_.emplace(id, value); }
    std::optional<uint32_t> get(uint32_t id) const {
        const auto found = values_.find(id);
        return found == values_.end() ? std::nullopt : std::optional(found->second);
    }
    std::optional<uint32_t> evaluate(uint32_t op, Instruction operands) const {
        if (op == op_logical_not && operands.size() == 1) {
            const auto a = get(operands[0]);
            return a ? std::optional<uint32_t>(*a == 0) : std::nullopt;
        }
        if (op == op_select && operands.size() == 3) {
            const auto condition = get(operands[0]);
            return condition ? get(operands[*condition != 0 ? 1 : 2]) : std::nullopt;
        }
        if (operands.size() != 2) return std::nullopt;
        const auto a = get(operands[0]), b = get(operands[1]);
        if (a && b) return calculate(op, *a, *b);
        for (const auto& one : {a, b}) {
            if (op == op_logical_and && one == 0u) return 0;
            if (op == op_logical_or && one == 1u) return 1;
        }
        return std::nullopt;
    }

  private:
    std::unordered_map<uint32_t, uint32_t> values_;
};

/// What stands before the functions.
class Declarations {
  public:
    explicit Declarations(std::span<const uint32_t> constants) : constants_(constants) {}

    Known known;

    /// Writes an instruction, with its constants specialized.
    void write(Instruction in, Words& out) {
        switch (opcode(in)) {
            case op_decorate:
                if (in[2] != spec_id) break;
                if (in[3] < constants_.size()) given_[in[1]] = constants_[in[3]];
                return;
            case op_type_int:
                if (in[2] == 32) integers_.insert(in[1]);
                break;
            case op_constant_true:
            case op_spec_constant_true:
                return write_truth(in, true, out);
            case op_constant_false:
            case op_spec_constant_false:
                return write_truth(in, false, out);
            case op_constant:
            case op_spec_constant:
                if (in.size() == 4) return write_constant(in[1], in[2], given(in[2], in[3]), out);
                break;
            case op_constant_composite:
            case op_spec_constant_composite:
                parts_[in[2]] = in.subspan(3);
                out.push_back(static_cast<uint32_t>(in.size()) << 16 | op_constant_composite);
                return append_operands(in, out);
            case op_spec_constant_op:
                if (const auto value = evaluate(in))
                    return integers_.contains(in[1]) ? write_constant(in[1], in[2], *value, out)
                                                     : write_truth(in, *value != 0, out);
                break;
            default:
                break;
        }
        append(out, in);
    }

  private:
    uint32_t given(uint32_t id, uint32_t otherwise) const {
        const auto found = given_.find(id);
        return found == given_.end() ? otherwise : found->second;
    }
    std::optional<uint32_t> evaluate(Instruction in) const {
        if (in[3] != op_composite_extract) return known.evaluate(in[3], in.subspan(4));
        const auto parts = parts_.find(in[4]);
        return in.size() == 6 && parts != parts_.end() ? known.get(parts->second[in[5]]) : std::nullopt;
    }
    void write_truth(Instruction in, bool otherwise, Words& out) {
        const bool value = given(in[2], otherwise) != 0;
        known.set(in[2], value);
        append(out, value ? op_constant_true : op_constant_false, {in[1], in[2]});
    }
    void write_constant(uint32_t type, uint32_t id, uint32_t value, Words& out) {
        if (integers_.contains(type)) known.set(id, value);
        append(out, op_constant, {type, id, value});
    }
    static void append_operands(Instruction in, Words& out) {
        out.insert(out.end(), in.begin() + 1, in.end());
    }

    std::span<const uint32_t> constants_;
    std::unordered_map<uint32_t, uint32_t> given_;     // by id
    std::unordered_set<uint32_t> integers_;            // types of 32 bits
    std::unordered_map<uint32_t, Instruction> parts_;  // of composites
};

struct Block {
    uint32_t label;
    std::vector<Instruction> instructions{};  // after the label
    bool reached = false;

    Instruction last() const { return instructions.back(); }
    /// What says where the branches meet again, if there is such.
    Instruction merge() const {
        if (instructions.size() < 2) return {};
        const Instruction before = instructions[instructions.size() - 2];
        const bool merges = opcode(before) == op_loop_merge || opcode(before) == op_selection_merge;
        return merges ? before : Instruction{};
    }
    bool is_loop() const { return !merge().empty() && opcode(merge()) == op_loop_merge; }
};

/// One function, of which only what can be reached is written.
class Function {
  public:
    explicit Function(Known& known) : known_(known) {}

    void add(Instruction in) {
        if (opcode(in) == op_label) {
            blocks_.push_back({in[1]});
        } else if (opcode(in) == op_function_end) {
            end_ = in;
        } else if (blocks_.empty()) {
            head_.push_back(in);
        } else {
            blocks_.back().instructions.push_back(in);
            if (opcode(in) == op_loop_merge) loops_.insert(blocks_.back().label);
        }
    }

    /// Finds out what can be reached.
    void follow() {
        std::unordered_set<uint32_t> passed;
        for (Block& block : blocks_) {
            passed.insert(block.label);
            block.reached = block.label == blocks_.front().label || targets_.contains(block.label);
            if (!block.reached) continue;
            for (const Instruction in : block.instructions) learn(block, in, passed);
            for (const uint32_t target : successors(block)) {
                if (passed.contains(target) && !targets_.contains(target) && target != block.label)
                    throw std::logic_error("a shader's blocks are not in an order of control flow");
                targets_.insert(target);
                edges_.emplace(block.label, target);
            }
        }
    }

    /// Ids that are no longer there.
    void collect_removed(std::unordered_set<uint32_t>& ids) const {
        constexpr uint32_t without_result[] = {0,   8,   62,  63,  99,  224, 225, 228, 246,
                                               247, 249, 250, 251, 252, 253, 254, 255, 317};
        for (const Block& block : blocks_) {
            if (block.reached) continue;
            for (const Instruction in : block.instructions)
                if (std::ranges::find(without_result, opcode(in)) == std::end(without_result) &&
                    in.size() > 2)
                    ids.insert(in[2]);
        }
    }

    void write(Words& out) const {
        std::map<uint32_t, uint32_t> headers;  // of blocks that control flow names, but does not reach
        for (const Block& block : blocks_) {
            if (!block.reached || block.merge().empty() || taken(block)) continue;
            headers.emplace(block.merge()[1], 0);
            if (block.is_loop()) headers[block.merge()[2]] = block.label;
        }
        for (const Instruction in : head_) append(out, in);
        for (const Block& block : blocks_) {
            const auto named = headers.find(block.label);
            if (!block.reached && named == headers.end()) continue;
            append(out, op_label, {block.label});
            if (block.reached)
                write(block, out);
            else if (named->second != 0)
                append(out, op_branch, {named->second});
            else
                append(out, op_unreachable, {});
        }
        append(out, end_);
    }

  private:
    /// The only way out of a block that branches on something known.
    std::optional<uint32_t> taken(const Block& block) const {
        const Instruction last = block.last();
        if (opcode(last) != op_branch_conditional || block.is_loop()) return std::nullopt;
        if (loops_.contains(last[2]) || loops_.contains(last[3]))
            return std::nullopt;  // loops keep their way back
        const auto condition = known_.get(last[1]);
        return condition ? std::optional(last[*condition != 0 ? 2 : 3]) : std::nullopt;
    }

    std::vector<uint32_t> successors(const Block& block) const {
        if (const auto only = taken(block)) return {*only};
        const Instruction last = block.last();
        switch (opcode(last)) {
            case op_branch:
                return {last[1]};
            case op_branch_conditional:
                return {last[2], last[3]};
            case op_switch: {
                std::vector<uint32_t> all = {last[2]};
                for (size_t i = 4; i < last.size(); i += 2) all.push_back(last[i]);
                return all;
            }
            default:
                return {};
        }
    }

    void learn(const Block& block, Instruction in, const std::unordered_set<uint32_t>& passed) {
        if (in.size() < 4) return;
        std::optional<uint32_t> value;
        if (opcode(in) == op_phi) {
            for (size_t i = 3; i < in.size(); i += 2) {
                const bool back = !passed.contains(in[i + 1]) || in[i + 1] == block.label;
                if (!back && !edges_.contains({in[i + 1], block.label})) continue;
                const auto one = back ? std::nullopt : known_.get(in[i]);
                if (!one || (value && *value != *one)) return;
                value = one;
            }
        } else {
            value = known_.evaluate(opcode(in), in.subspan(3));
        }
        if (value) known_.set(in[2], *value);
    }

    void write(const Block& block, Words& out) const {
        const auto only = taken(block);
        const size_t last = block.instructions.size() - 1;
        for (size_t i = 0; i < last; ++i) {
            const Instruction in = block.instructions[i];
            if (only && i + 1 == last && !block.merge().empty()) continue;
            if (opcode(in) == op_phi)
                write_phi(block, in, out);
            else
                append(out, in);
        }
        if (only)
            append(out, op_branch, {*only});
        else
            append(out, block.last());
    }

    void write_phi(const Block& block, Instruction in, Words& out) const {
        Words words(in.begin(), in.begin() + 3);
        for (size_t i = 3; i < in.size(); i += 2)
            if (edges_.contains({in[i + 1], block.label})) words.insert(words.end(), {in[i], in[i + 1]});
        // A loop that is never repeated still has its way back.
        if (block.is_loop() && !targets_.contains(block.merge()[2]))
            words.insert(words.end(), {words[3], block.merge()[2]});
        words[0] = static_cast<uint32_t>(words.size()) << 16 | op_phi;
        append(out, words);
    }

    Known& known_;
    std::vector<Instruction> head_;
    std::vector<Block> blocks_;
    Instruction end_;
    std::unordered_set<uint32_t> loops_;             // first blocks
    std::unordered_set<uint32_t> targets_;           // of what can be reached
    std::set<std::pair<uint32_t, uint32_t>> edges_;  // from, to
};

}  // namespace

std::vector<uint32_t> specialized(std::span<const uint32_t> words, std::span<const uint32_t> constants) {
    Declarations declarations(constants);
    std::vector<Function> functions;
    Words before(words.begin(), words.begin() + std::min(words.size(), spirv_header_words));
    bool inside = false;
    for_each_instruction(words, [&](uint32_t op, Instruction in) {
        if (op == op_function) {
            functions.emplace_back(declarations.known);
            inside = true;
        }
        if (inside)
            functions.back().add(in);
        else
            declarations.write(in, before);
        if (op == op_function_end) inside = false;
    });
    std::unordered_set<uint32_t> removed;
    for (Function& function : functions) {
        function.follow();
        function.collect_removed(removed);
    }
    Words result(before.begin(), before.begin() + spirv_header_words);
    for_each_instruction(before, [&](uint32_t op, Instruction in) {
        if ((op != op_name && op != op_decorate) || !removed.contains(in[1])) append(result, in);
    });
    for (const Function& function : functions) function.write(result);
    return result;
}

}  // namespace vknorm::detail
