// The hot path of free text: one message against the tree of its program.
//
// A segment is a text capture with everything up to the next text capture. A text takes the first place
// where its whole segment matches. That is complete: typed captures end at a place that depends only on
// where they begin and never moves back when they begin later, so a later place for a segment cannot
// help what follows it. Hence a failure retries the nearest text only, forward only; far ends of typed
// captures are remembered, so that no byte is scanned twice for one op.
#include <cstring>

#include "decode/template_program.hpp"
#include "decode/template_scan.hpp"

namespace vedette::decode::tmpl {
namespace {

inline std::uint64_t load_eight(char const* p) {
  std::uint64_t out;
  std::memcpy(&out, p, sizeof out);
  return out;
}

inline std::uint32_t load_tail(char const* begin, char const* end) {
  std::uint32_t out = 0;
  if (end - begin >= 4) {
    std::memcpy(&out, end - 4, 4);
    return out;
  }
  for (char const* p = begin; p < end; ++p) {
    out = out >> 8 | static_cast<std::uint32_t>(static_cast<unsigned char>(*p)) << 24;
  }
  return out;
}

}  // namespace

Matcher::Matcher(Compiled const& compiled, char const* message, char const* end)
    : c_(compiled), begin_(message), end_(end), current_(spans_[0]), won_(spans_[1]) {
  tail_ = load_tail(message, end);
}

std::uint32_t Matcher::match(std::uint32_t root) {
  if (root != kNone) {
    node(root, begin_);
  }
  return best_;
}

bool Matcher::match_one(std::uint32_t variant) {
  Ref ref;
  ref.variant = variant;
  ref.first_op = c_.first_op[variant];
  ref.ops = c_.op_count[variant];
  if (!run(ref, begin_, 0)) {
    return false;
  }
  best_ = variant;
  std::swap(current_, won_);
  return true;
}

void Matcher::node(std::uint32_t id, char const* p) {
  Node const& n = c_.nodes[id];
  if (n.bytes != 0 && n.best < best_ && end_ - p >= n.offset + n.width) {
    std::uint64_t const key = load_eight(p + n.offset) & n.bytes;
    for (std::uint32_t i = slot_hash(key) & n.mask;; i = (i + 1) & n.mask) {
      Slot const& slot = c_.slots[n.slots + i];
      if (slot.node == kNone) {
        break;
      }
      if (slot.key == key) {
        node(slot.node, p);
        break;
      }
    }
  }
  Group const* const groups = c_.node_groups.data() + n.groups;
  for (std::uint32_t i = 0; i < n.count && groups[i].best < best_; ++i) {
    if (groups[i].ref_count != 0) {
      leaf(groups[i], p);
    } else {
      edge(groups[i], p);
    }
  }
}

void Matcher::edge(Group const& group, char const* p) {
  Op const& before = c_.ops[group.literal];
  if (!literal(before, p)) {
    return;
  }
  p += before.size;
  memo_set_ = 0;
  char const* const q = typed_end(c_.ops[group.capture], group.slot, p);
  if (q != nullptr) {
    current_[group.slot] = {p, q};
    node(group.node, q);
  }
}

void Matcher::leaf(Group const& group, char const* p) {
  Ref const* const refs = &c_.refs[group.refs];
  unsigned share = 0;  // ops the next ref has in common with the one that was run last
  bool ran = false;
  for (std::uint32_t i = 0; i < group.ref_count; ++i) {
    Ref const& ref = refs[i];
    if (ref.variant >= best_) {
      return;
    }
    share = ref.share < share ? ref.share : share;
    if (((tail_ ^ ref.tail) & ref.tail_mask) != 0) {
      continue;
    }
    if (ran && furthest_ < share) {
      continue;  // it would fail at the same op
    }
    bool const resume = ran && !moved_ && share > ref.op;
    if (run(ref, p, resume ? share : 0)) {
      best_ = ref.variant;
      std::swap(current_, won_);
      std::memcpy(current_, won_, ref.op * sizeof(Span));  // others may stand behind the same edges
      return;
    }
    ran = true;
    share = std::numeric_limits<unsigned>::max();
  }
}

inline bool Matcher::literal(Op const& op, char const* p) const {
  return end_ - p >= op.size && scan::head_equal(p, op.head, op.mask) &&
         (op.size <= sizeof op.head || long_literal(op, p));
}

bool Matcher::long_literal(Op const& op, char const* p) const {
  return std::memcmp(p + sizeof op.head, c_.pool.data() + op.pool + sizeof op.head,
                     op.size - sizeof op.head) == 0;
}

/// The first place at or after p where the literal stands, or nullptr.
inline char const* Matcher::find(Op const& op, char const* p) const {
  if (end_ - p < op.size) {
    return nullptr;
  }
  char const* const last = end_ - op.size;
  while (p <= last) {
    std::uint32_t hits = scan::pair_hits(p, op.stop, op.probe_at, op.probe);
    while (hits != 0) {
      char const* const q = p + std::countr_zero(hits);
      if (q > last) {
        return nullptr;
      }
      if (literal(op, q)) {
        return q;
      }
      hits &= hits - 1;
    }
    p += kScanBlock;
  }
  return nullptr;
}

/// An address takes as much as it can: back to the last place where the literal stands.
char const* Matcher::cut_back(Op const& op, char const* begin, char const* run_end) const {
  for (char const* q = run_end; q >= begin; --q) {
    if (literal(op, q)) {
      return q;
    }
  }
  return nullptr;
}

/// Where the typed capture that begins at p ends; nullptr when it takes nothing here.
inline char const* Matcher::typed_end(Op const& op, unsigned slot, char const* p) {
  std::uint32_t hit = 0;
  char const* from = p;
  switch (op.type) {
    case CaptureType::word:
      hit = scan::word_stops(p, op.stop);
      break;
    case CaptureType::integer:
      from += p < end_ && *p == '-' ? 1 : 0;
      hit = scan::digit_stops(from);
      break;
    case CaptureType::ip:
      hit = scan::ip_stops(p);
      break;
    case CaptureType::kv:
      return end_;
    case CaptureType::text:
      return nullptr;
  }
  char const* const q = from + std::countr_zero(hit | 1U << kScanBlock);
  if (hit == 0 && end_ - from > static_cast<std::ptrdiff_t>(kScanBlock)) [[unlikely]] {
    return far_end(op, slot, p);
  }
  char const* const stop = q < end_ ? q : end_;
  if (op.type == CaptureType::integer && stop <= from) {
    return nullptr;
  }
  if (op.inner_stop) {
    return cut_back(op, p, stop);
  }
  return stop;
}

char const* Matcher::far_end(Op const& op, unsigned slot, char const* p) {
  Memo& memo = memo_[slot];
  bool const sign = op.type == CaptureType::integer && *p == '-';
  char const* const from = p + (sign ? 1 : 0);
  if ((memo_set_ >> slot & 1U) == 0 || from < memo.low || from > memo.high) {
    memo.low = from;
    if (op.type == CaptureType::word) {
      memo.high = scan::first_stop(
          from, end_, [&](char const* at) { return scan::word_stops(at, op.stop); });
    } else if (op.type == CaptureType::integer) {
      memo.high = scan::first_stop(from, end_, [](char const* at) { return scan::digit_stops(at); });
    } else {
      memo.high = scan::first_stop(from, end_, [](char const* at) { return scan::ip_stops(at); });
    }
    memo.cut = op.inner_stop ? cut_back(op, from, memo.high) : memo.high;
    memo_set_ |= 1U << slot;
  }
  return memo.cut != nullptr && memo.cut >= from ? memo.cut : nullptr;
}

/// Runs the ops of one variant from the literal before which its leaf stands; `share` > 0: the run
/// before got past that many equal ops and left its captures.
bool Matcher::run(Ref const& ref, char const* p, unsigned share) {
  Op const* const base = &c_.ops[ref.first_op];
  Op const* const stop = base + ref.ops;
  Op const* op = base + ref.op;
  Op const* text = nullptr;          // nearest text capture behind
  char const* next = nullptr;        // where it looks on
  bool first = true;
  furthest_ = ref.op;
  memo_set_ = 0;
  if (share != 0) {
    op = base + share - 1;
    p = share - 1U > ref.op ? current_[share - 2].end + op->size : p + op->size;
    for (unsigned k = share - 1; k > ref.op; --k) {
      if (base[k].type == CaptureType::text) {
        text = base + k;
        next = current_[k - 1].end + 1;
        break;
      }
    }
  } else {
    moved_ = false;
    if (!literal(*op, p)) {
      return false;
    }
    p += op->size;
  }
  for (;;) {
    ++op;
    auto const number = static_cast<unsigned>(op - base);
    furthest_ = number > furthest_ ? number : furthest_;
    char const* from = p;
    char const* q = nullptr;
    if (op == stop) {
      if (p == end_) {
        return true;
      }
    } else if (op->type == CaptureType::text) {
      if (op->last) {
        q = end_ - op->size;
        if (q < from || !literal(*op, q)) {
          return false;
        }
      } else {
        q = find(*op, from);
        if (q == nullptr) {
          return false;
        }
        text = op;
        next = q + 1;
      }
    } else {
      q = typed_end(*op, number - 1, from);
      if (q != nullptr && !literal(*op, q)) {
        q = nullptr;
      }
    }
    if (q == nullptr) {
      if (text == nullptr) {
        return false;
      }
      first = false;
      op = text;
      q = find(*op, next);
      if (q == nullptr) {
        return false;
      }
      next = q + 1;
      from = current_[op - base - 1].begin;
    }
    moved_ |= !first;
    current_[op - base - 1] = {from, q};
    p = q + op->size;
  }
}

}  // namespace vedette::decode::tmpl
