#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <tuple>

#include "decode/template_program.hpp"
#include "decode/template_scan.hpp"

namespace vedette::decode::tmpl {
namespace {

constexpr std::size_t kLeafSize = 2;      // so few variants are tried one by one
constexpr std::size_t kListLiterals = 4;  // more long literals than this get a table of their own

Op make_op(Compiled& out, CaptureType type, std::string const& literal, bool last) {
  Op op;
  op.type = type;
  op.last = last;
  op.size = static_cast<std::uint16_t>(literal.size());
  op.pool = static_cast<std::uint32_t>(out.pool.size());
  out.pool += literal;
  std::size_t const head = std::min(literal.size(), sizeof op.head);
  std::memcpy(op.head, literal.data(), head);
  op.mask = static_cast<std::uint16_t>((1U << head) - 1);
  if (!literal.empty()) {
    op.stop = literal[0];
    op.probe = literal[0];
    op.inner_stop = type == CaptureType::ip && is_ip_byte(literal[0]);
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
    std::map<std::string, std::vector<std::uint32_t>> by_literal;
    for (std::uint32_t const v : members) {
      by_literal[literal_of(v, op)].push_back(v);
    }
    Literals literals;
    for (auto const& [text, of_literal] : by_literal) {
      literals.push_back({text, groups(of_literal, op)});
    }
    Node made;
    if (literals.size() <= 2) {
      made.list = list(literals, kNone);
    } else {
      made.table = table(literals, 0);
    }
    out_.nodes.push_back(made);
    return static_cast<std::uint32_t>(out_.nodes.size() - 1);
  }

 private:
  struct Literal {
    std::string text;
    std::vector<std::uint32_t> groups;
  };
  using Literals = std::vector<Literal>;

  std::string const& literal_of(std::uint32_t v, std::uint16_t op) const {
    Variant const& variant = variants_[v];
    return op == 0 ? variant.prefix : variant.captures[op - 1U].literal;
  }

  /// Variants with equal literals: those that go on with the same typed capture are an edge.
  std::vector<std::uint32_t> groups(std::vector<std::uint32_t> const& members, std::uint16_t op) {
    using EdgeKey = std::pair<CaptureType, char>;
    std::map<EdgeKey, std::vector<std::uint32_t>> edges;
    std::vector<std::uint32_t> rest;
    for (std::uint32_t const v : members) {
      if (op >= variants_[v].captures.size()) {
        rest.push_back(v);
        continue;
      }
      Op const& next = out_.ops[out_.first_op[v] + op + 1U];
      bool const typed = next.type == CaptureType::word || next.type == CaptureType::integer ||
                         (next.type == CaptureType::ip && !next.inner_stop);
      if (typed) {
        edges[{next.type, next.type == CaptureType::word ? next.stop : '\0'}].push_back(v);
      } else {
        rest.push_back(v);
      }
    }
    std::vector<std::uint32_t> out;
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
      out.push_back(add(group));
    }
    if (!rest.empty()) {
      out.push_back(leaf(rest, op));
    }
    return out;
  }

  std::uint32_t add(Group const& group) {
    out_.groups.push_back(group);
    return static_cast<std::uint32_t>(out_.groups.size() - 1);
  }

  std::uint32_t leaf(std::vector<std::uint32_t> members, std::uint16_t op) {
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
    return add(group);
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
    return a.type == b.type && a.last == b.last && a.size == b.size &&
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

  std::uint32_t list(Literals const& literals, std::uint32_t further) {
    std::vector<std::uint32_t> all;
    for (Literal const& literal : literals) {
      all.insert(all.end(), literal.groups.begin(), literal.groups.end());
    }
    std::sort(all.begin(), all.end(), [&](std::uint32_t a, std::uint32_t b) {
      return out_.groups[a].best < out_.groups[b].best;
    });
    List made;
    made.groups = static_cast<std::uint32_t>(out_.list_groups.size());
    made.count = static_cast<std::uint32_t>(all.size());
    made.table = further;
    out_.list_groups.insert(out_.list_groups.end(), all.begin(), all.end());
    out_.lists.push_back(made);
    return static_cast<std::uint32_t>(out_.lists.size() - 1);
  }

  static std::size_t common_prefix(Literals const& literals) {
    std::string const& first = literals[0].text;
    std::size_t n = first.size();
    for (Literal const& literal : literals) {
      std::size_t i = 0;
      while (i < n && i < literal.text.size() && literal.text[i] == first[i]) {
        ++i;
      }
      n = i;
    }
    return n;
  }

  /// The first `offset` bytes of all literals are known to be equal.
  std::uint32_t table(Literals const& literals, std::size_t offset) {
    offset = std::max(offset, common_prefix(literals));
    std::map<std::string, std::uint32_t> lists;
    for (Literal const& literal : literals) {
      std::string const key = literal.text.substr(offset, kScanBlock);
      if (lists.contains(key)) {
        continue;
      }
      Literals here, longer;
      for (Literal const& other : literals) {
        std::string const start = other.text.substr(offset, kScanBlock);
        if (key.starts_with(start)) {
          (other.text.size() > offset + kScanBlock ? longer : here).push_back(other);
        }
      }
      std::uint32_t further = kNone;
      if (longer.size() > kListLiterals) {
        further = table(longer, offset + kScanBlock);
      } else {
        here.insert(here.end(), longer.begin(), longer.end());
      }
      lists[key] = list(here, further);
    }
    return fill(lists, offset);
  }

  std::uint32_t fill(std::map<std::string, std::uint32_t> const& lists, std::size_t offset) {
    Table made;
    made.offset = static_cast<std::uint16_t>(offset);
    made.slots = static_cast<std::uint32_t>(out_.slots.size());
    std::size_t const size = std::bit_ceil(lists.size() * 2);
    made.mask = static_cast<std::uint32_t>(size - 1);
    std::vector<Slot> slots(size);
    for (auto const& [key, list_id] : lists) {
      char bytes[kScanBlock] = {};
      std::memcpy(bytes, key.data(), key.size());
      Slot slot;
      std::memcpy(&slot.low, bytes, 8);
      std::memcpy(&slot.high, bytes + 8, 8);
      slot.list = list_id;
      slot.width = static_cast<std::uint32_t>(key.size());
      made.widths |= 1U << slot.width;
      std::uint32_t at = table_hash(slot.low, slot.high, slot.width) & made.mask;
      while (slots[at].list != kNone) {
        at = (at + 1) & made.mask;
      }
      slots[at] = slot;
    }
    out_.slots.insert(out_.slots.end(), slots.begin(), slots.end());
    out_.tables.push_back(made);
    return static_cast<std::uint32_t>(out_.tables.size() - 1);
  }

  Compiled& out_;
  std::vector<Variant> const& variants_;
};

}  // namespace

void sort_by_rank(std::vector<Variant>& variants) {
  std::stable_sort(variants.begin(), variants.end(), [](Variant const& a, Variant const& b) {
    return std::tuple(b.literal_bytes, b.typed, a.source) <
           std::tuple(a.literal_bytes, a.typed, b.source);
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
      out.ops.push_back(make_op(out, capture.type, capture.literal, last));
    }
  }
}

std::uint32_t compile_tree(Compiled& out, std::vector<Variant> const& variants,
                           std::vector<std::uint32_t> const& of_program) {
  return of_program.empty() ? kNone : TreeBuilder(out, variants).node(of_program, 0);
}

}  // namespace vedette::decode::tmpl
