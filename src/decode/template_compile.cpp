#include "decode/template_program.hpp"
#include "decode/template_scan.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <tuple>

namespace vedette::decode::tmpl {
namespace {

constexpr std::size_t kLeafSize = 2;     // so few variants are tried one by one
constexpr std::size_t kFewLiterals = 2;  // so few literals are compared one by one
constexpr std::size_t kWindow = 8;       // bytes looked up at once

Step step_of(CaptureType type, std::string const& literal, bool last) {
  switch (type) {
    case CaptureType::text:
      return last ? Step::text_last : Step::text;
    case CaptureType::word:
      return literal.empty() || is_blank_byte(literal[0]) ? Step::blank : Step::word;
    case CaptureType::integer:
      return Step::integer;
    case CaptureType::ip:
      return !literal.empty() && is_ip_byte(literal[0]) ? Step::ip_inner : Step::ip;
    case CaptureType::kv:
      return Step::rest;
  }
  return Step::text;
}

Op make_op(Compiled& out, CaptureType type, std::string const& literal, bool last) {
  Op op;
  op.type = type;
  op.step = step_of(type, literal, last);
  op.size = static_cast<std::uint16_t>(literal.size());
  op.pool = static_cast<std::uint32_t>(out.pool.size());
  out.pool += literal;
  std::size_t const head = std::min(literal.size(), sizeof op.head);
  std::memcpy(op.head, literal.data(), head);
  op.mask = static_cast<std::uint16_t>((1U << head) - 1);
  if (!literal.empty()) {
    op.stop = literal[0];
    op.probe = literal[0];
    // Second probe of a text search: the first byte that is none of the most common ones.
    for (std::size_t i = 1; i < head; ++i) {
      if (std::string_view(" aeiotnsr.,:=").find(literal[i]) == std::string_view::npos) {
        op.probe_at = static_cast<std::uint8_t>(i);
        op.probe = literal[i];
        break;
      }
    }
  }
  return op;
}

class TreeBuilder {
 public:
  TreeBuilder(Compiled& out, std::vector<Variant> const& variants)
      : out_(out), variants_(variants) {}

  /// All of `members` stand before their literal `op`, behind the same captures.
  std::uint32_t node(std::vector<std::uint32_t> const& members, std::uint16_t op) {
    std::map<std::string_view, std::vector<std::uint32_t>> by_literal;
    for (std::uint32_t const v : members) {
      by_literal[literal_of(v, op)].push_back(v);
    }
    std::vector<Literal> made;
    made.reserve(by_literal.size());
    Literals literals;
    for (auto const& [text, of_literal] : by_literal) {
      literals.push_back(&made.emplace_back(text, groups(of_literal, op)));
    }
    return place(literals, 0);
  }

 private:
  struct Literal {
    std::string_view text;
    std::vector<Group> groups;
  };
  using Literals = std::vector<Literal const*>;

  std::string const& literal_of(std::uint32_t v, std::uint16_t op) const {
    Variant const& variant = variants_[v];
    return op == 0 ? variant.prefix : variant.captures[op - 1U].literal;
  }

  /// Variants with equal literals: those that go on with the same typed capture are an edge.
  std::vector<Group> groups(std::vector<std::uint32_t> const& members, std::uint16_t op) {
    using EdgeKey = std::pair<Step, char>;
    std::map<EdgeKey, std::vector<std::uint32_t>> edges;
    std::vector<std::uint32_t> rest;
    for (std::uint32_t const v : members) {
      if (op >= variants_[v].captures.size()) {
        rest.push_back(v);
        continue;
      }
      Op const& next = out_.ops[out_.first_op[v] + op + 1U];
      if (next.step == Step::blank || next.step == Step::word || next.step == Step::integer ||
          next.step == Step::ip) {
        edges[{next.step, next.step == Step::word ? next.stop : '\0'}].push_back(v);
      } else {
        rest.push_back(v);
      }
    }
    std::vector<Group> out;
    for (auto& [key, of_edge] : edges) {
      if (of_edge.size() <= kLeafSize) {
        rest.insert(rest.end(), of_edge.begin(), of_edge.end());
        continue;
      }
      Group group;
      group.best = *std::min_element(of_edge.begin(), of_edge.end());
      group.literal = out_.first_op[of_edge[0]] + op;
      group.capture = group.literal + 1;
      group.slot = op;
      group.node = node(of_edge, static_cast<std::uint16_t>(op + 1));
      out.push_back(group);
    }
    if (!rest.empty()) {
      out.push_back(leaf(rest, op));
    }
    return out;
  }

  Group leaf(std::vector<std::uint32_t> members, std::uint16_t op) {
    std::sort(members.begin(), members.end());
    Group group;
    group.best = members[0];
    group.refs = static_cast<std::uint32_t>(out_.refs.size());
    group.ref_count = static_cast<std::uint32_t>(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
      Ref ref;
      ref.variant = members[i];
      ref.first_op = out_.first_op[members[i]];
      ref.ops = out_.op_count[members[i]];
      ref.op = op;
      set_tail(ref);
      if (i > 0) {
        ref.share = shared_ops(members[i - 1], members[i]);
      }
      out_.refs.push_back(ref);
    }
    return group;
  }

  void set_tail(Ref& ref) const {
    std::string const& last = literal_of(ref.variant, static_cast<std::uint16_t>(ref.ops - 1));
    std::size_t const n = std::min<std::size_t>(4, last.size());
    for (std::size_t i = 0; i < n; ++i) {
      auto const byte = static_cast<unsigned char>(last[last.size() - 1 - i]);
      ref.tail |= static_cast<std::uint32_t>(byte) << (24 - 8 * i);
      ref.tail_mask |= 0xFFU << (24 - 8 * i);
    }
  }

  bool same_op(Op const& a, Op const& b) const {
    return a.step == b.step && a.size == b.size &&
           std::memcmp(out_.pool.data() + a.pool, out_.pool.data() + b.pool, a.size) == 0;
  }

  std::uint16_t shared_ops(std::uint32_t a, std::uint32_t b) const {
    std::uint16_t n = 0;
    while (n < out_.op_count[a] && n < out_.op_count[b] &&
           same_op(out_.ops[out_.first_op[a] + n], out_.ops[out_.first_op[b] + n])) {
      ++n;
    }
    return n;
  }

  static std::size_t common_prefix(Literals const& literals) {
    std::string_view const first = literals[0]->text;
    std::size_t n = first.size();
    for (Literal const* const literal : literals) {
      std::size_t i = 0;
      while (i < n && i < literal->text.size() && literal->text[i] == first[i]) {
        ++i;
      }
      n = i;
    }
    return n;
  }

  /// The node of these literals, whose first `offset` bytes are told already.
  std::uint32_t place(Literals const& literals, std::size_t offset) {
    Node made;
    std::vector<Group> here;
    Literals wide, narrow;
    if (literals.size() > kFewLiterals) {
      offset = std::max(offset, common_prefix(literals));
    }
    for (Literal const* const literal : literals) {
      if (literals.size() <= kFewLiterals || literal->text.size() <= offset) {
        here.insert(here.end(), literal->groups.begin(), literal->groups.end());
      } else {
        (literal->text.size() >= offset + kWindow ? wide : narrow).push_back(literal);
      }
    }
    made.offset = static_cast<std::uint16_t>(offset);
    made.wide = window(wide, offset);
    made.narrow = window(narrow, offset);
    made.plain = wide.empty() && narrow.empty();
    std::sort(here.begin(), here.end(),
              [](Group const& a, Group const& b) { return a.best < b.best; });
    made.groups = static_cast<std::uint32_t>(out_.node_groups.size());
    made.count = static_cast<std::uint16_t>(here.size());
    out_.node_groups.insert(out_.node_groups.end(), here.begin(), here.end());
    out_.nodes.push_back(made);
    return static_cast<std::uint32_t>(out_.nodes.size() - 1);
  }

  Window window(Literals const& literals, std::size_t offset) {
    Window made;
    std::size_t width = kWindow;
    for (Literal const* const literal : literals) {
      width = std::min(width, literal->text.size() - offset);
      for (Group const& group : literal->groups) {
        made.best = std::min(made.best, group.best);
      }
    }
    if (literals.empty()) {
      return made;
    }
    std::map<std::string_view, Literals> by_window;
    for (Literal const* const literal : literals) {
      by_window[literal->text.substr(offset, width)].push_back(literal);
    }
    std::vector<Slot> slots(std::bit_ceil(by_window.size() * 2));
    made.width = static_cast<std::uint32_t>(width);
    made.bytes = width == kWindow ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * width)) - 1;
    made.mask = static_cast<std::uint32_t>(slots.size() - 1);
    for (auto const& [window, members] : by_window) {
      Slot slot;
      std::memcpy(&slot.key, window.data(), width);
      slot.node = place(members, offset + width);
      std::uint32_t at = slot_hash(slot.key) & made.mask;
      while (slots[at].node != kNone) {
        at = (at + 1) & made.mask;
      }
      slots[at] = slot;
    }
    made.slots = static_cast<std::uint32_t>(out_.slots.size());
    out_.slots.insert(out_.slots.end(), slots.begin(), slots.end());
    return made;
  }

  Compiled& out_;
  std::vector<Variant> const& variants_;
};

}  // namespace

void sort_by_rank(std::vector<Variant>& variants) {
  for (std::uint32_t i = 0; i < variants.size(); ++i) {
    variants[i].order = i;
  }
  std::sort(variants.begin(), variants.end(), [](Variant const& a, Variant const& b) {
    return std::tuple(b.literal_bytes, b.typed, a.source, a.order) <
           std::tuple(a.literal_bytes, a.typed, b.source, b.order);
  });
}

void compile_ops(Compiled& out, std::vector<Variant> const& variants) {
  for (Variant const& variant : variants) {
    out.first_op.push_back(static_cast<std::uint32_t>(out.ops.size()));
    out.op_count.push_back(static_cast<std::uint16_t>(variant.captures.size() + 1));
    out.ops.push_back(make_op(out, CaptureType::text, variant.prefix, variant.captures.empty()));
    for (std::size_t i = 0; i < variant.captures.size(); ++i) {
      Capture const& capture = variant.captures[i];
      bool const last = i + 1 == variant.captures.size();
      Op op = make_op(out, capture.type, capture.literal, last);
      if (op.step == Step::ip_inner && capture.literal == ":" && !last &&
          variant.captures[i + 1].type == CaptureType::integer) {
        op.step = Step::ip_port;
      }
      out.ops.push_back(op);
    }
    out.ops.emplace_back();
    out.ops.back().step = Step::end;
  }
}

std::uint32_t compile_tree(Compiled& out, std::vector<Variant> const& variants,
                           std::vector<std::uint32_t> const& of_program) {
  return of_program.empty() ? kNone : TreeBuilder(out, variants).node(of_program, 0);
}

}  // namespace vedette::decode::tmpl
