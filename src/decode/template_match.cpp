// The hot path of free text: one message against the tree of its program.
//
// A segment is a text capture with everything up to the next text capture. A text takes the first
// place where its whole segment matches. That is complete: typed captures end at a place that
// depends only on where they begin and never moves back when they begin later, so a later place for
// a segment cannot help what follows it. Hence a failure retries the nearest text only, forward
// only; far ends of typed captures are remembered, so that no byte is scanned twice for one op.
#include "decode/template_program.hpp"
#include "decode/template_scan.hpp"

#include <cstring>

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
    : c_(compiled),
      ops_(compiled.ops.data()),
      nodes_(compiled.nodes.data()),
      slots_(compiled.slots.data()),
      groups_(compiled.node_groups.data()),
      begin_(message),
      end_(end),
      tail_(load_tail(message, end)),
      current_(spans_[0]),
      won_(spans_[1]) {}

std::uint32_t Matcher::match(std::uint32_t root) {
  if (root != kNone) {
    node(nodes_[root], begin_);
  }
  return best_;
}

inline void Matcher::look_up(Window const& window, char const* at, char const* p) {
  if (window.best >= best_ || end_ - at < static_cast<std::ptrdiff_t>(window.width)) {
    return;
  }
  std::uint64_t const key = load_eight(at) & window.bytes;
  Slot const* const slots = slots_ + window.slots;
  for (std::uint32_t i = slot_hash(key) & window.mask; slots[i].node != kNone;
       i = (i + 1) & window.mask) {
    if (slots[i].key == key) {
      Node const& found = nodes_[slots[i].node];
      if (found.plain) {
        groups(found, p);
      } else {
        node(found, p);
      }
      return;
    }
  }
}

void Matcher::node(Node const& n, char const* p) {
  if (n.offset <= end_ - p) {
    look_up(n.wide, p + n.offset, p);
    look_up(n.narrow, p + n.offset, p);
  }
  groups(n, p);
}

inline void Matcher::groups(Node const& n, char const* p) {
  Group const* group = groups_ + n.groups;
  for (Group const* const last = group + n.count; group != last && group->best < best_; ++group) {
    if (group->ref_count != 0) {
      leaf(*group, p);
    } else {
      edge(*group, p);
    }
  }
}

void Matcher::edge(Group const& first, char const* p) {
  Group const* group = &first;
  for (;;) {
    Op const& before = ops_[group->literal];
    if (!literal(before, p)) {
      return;
    }
    p += before.size;
    memo_set_ = 0;
    char const* const q = typed_end(ops_[group->capture], group->slot, p);
    if (q == nullptr) {
      return;
    }
    current_[group->slot] = {p, q};
    p = q;
    Node const& next = nodes_[group->node];
    group = groups_ + next.groups;
    if (!next.plain || next.count != 1 || group->ref_count != 0) {
      node(next, p);
      return;
    }
    if (group->best >= best_) {
      return;
    }
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
  // Mostly it is near, and the first candidate is right.
  std::uint32_t const hits = scan::pair_hits(p, op.stop, op.probe_at, op.probe);
  if (hits != 0) [[likely]] {
    char const* const q = p + scan::first_bit(hits);
    if (literal(op, q)) [[likely]] {
      return q;
    }
  }
  return find_far(op, p);
}

char const* Matcher::find_far(Op const& op, char const* p) const {
  if (end_ - p < op.size) {
    return nullptr;
  }
  char const* const last = end_ - op.size;
  while (p <= last) {
    std::uint32_t hits = scan::pair_hits(p, op.stop, op.probe_at, op.probe);
    while (hits != 0) {
      char const* const q = p + scan::first_bit(hits);
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

/// An address takes as much as it can: back to the last place where the literal stands; where a
/// port follows, to the last colon before a digit (`192.0.2.1:443: text`).
char const* Matcher::cut_back(Op const& op, char const* begin, char const* run_end) const {
  for (char const* q = run_end; q >= begin; --q) {
    if (literal(op, q) && (op.step != Step::ip_port || (q + 1 < end_ && is_digit_byte(q[1])))) {
      return q;
    }
  }
  return nullptr;
}

/// Where the typed capture that begins at p ends; nullptr when it takes nothing here.
inline char const* Matcher::typed_end(Op const& op, unsigned slot, char const* p) {
  std::uint32_t hit = 0;
  char const* from = p;
  switch (op.step) {
    case Step::blank:
      hit = scan::blank_stops(p);
      break;
    case Step::word:
      hit = scan::word_stops(p, op.stop);
      break;
    case Step::integer:
      from += *p == '-' ? 1 : 0;  // past the end: nothing is taken there
      hit = scan::digit_stops(from);
      break;
    case Step::ip:
    case Step::ip_inner:
    case Step::ip_port:
      hit = scan::ip_stops(p);
      break;
    case Step::rest:
      return end_;
    case Step::text:
    case Step::text_last:
    case Step::end:
      return nullptr;
  }
  if (hit == 0 && end_ - from > static_cast<std::ptrdiff_t>(kScanBlock)) [[unlikely]] {
    return far_end(op, slot, p);
  }
  char const* const q = from + scan::first_bit(hit | 1U << kScanBlock);
  char const* const stop = q < end_ ? q : end_;
  if (op.step == Step::integer && stop <= from) {
    return nullptr;
  }
  return op.step == Step::ip_inner || op.step == Step::ip_port ? cut_back(op, p, stop) : stop;
}

char const* Matcher::far_end(Op const& op, unsigned slot, char const* p) {
  Memo& memo = memo_[slot];
  bool const sign = op.step == Step::integer && *p == '-';
  char const* const from = p + (sign ? 1 : 0);
  if ((memo_set_ >> slot & 1U) == 0 || from < memo.low || from > memo.high) {
    memo.low = from;
    if (op.type == CaptureType::word) {
      memo.high = scan::first_stop(from, end_,
                                   [&](char const* at) { return scan::word_stops(at, op.stop); });
    } else if (op.type == CaptureType::integer) {
      memo.high =
          scan::first_stop(from, end_, [](char const* at) { return scan::digit_stops(at); });
    } else {
      memo.high = scan::first_stop(from, end_, [](char const* at) { return scan::ip_stops(at); });
    }
    bool const inner = op.step == Step::ip_inner || op.step == Step::ip_port;
    memo.cut = inner ? cut_back(op, from, memo.high) : memo.high;
    memo_set_ |= 1U << slot;
  }
  return memo.cut != nullptr && memo.cut >= from ? memo.cut : nullptr;
}

/// Remembers how far an attempt got.
inline bool Matcher::fail(unsigned op) {
  furthest_ = op > furthest_ ? op : furthest_;
  return false;
}

/// Runs the ops of one variant from the literal before which its leaf stands; `share` > 0: the run
/// before got past that many equal ops and left its captures.
bool Matcher::run(Ref const& ref, char const* p, unsigned share) {
  Op const* const base = ops_ + ref.first_op;
  Op const* op = base + ref.op;
  Op const* text = nullptr;    // nearest text capture behind
  char const* next = nullptr;  // where it looks on
  furthest_ = ref.op;
  memo_set_ = 0;
  if (share != 0) {
    op = base + share - 1;
    p = share - 1U > ref.op ? current_[share - 2].end + op->size : p + op->size;
    for (unsigned k = share - 1; k > ref.op; --k) {
      if (base[k].step == Step::text) {
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
  for (++op;; ++op) {
    Span& span = current_[op - base - 1];
    char const* q = nullptr;
    switch (op->step) {
      case Step::end:
        if (p == end_) {
          return true;
        }
        break;
      case Step::text:
        q = find(*op, p);
        if (q == nullptr) {  // then no earlier text can help either
          return fail(static_cast<unsigned>(op - base));
        }
        text = op;
        next = q + 1;
        span = {p, q};
        p = q + op->size;
        continue;
      case Step::text_last:
        if (end_ - p < op->size || !literal(*op, end_ - op->size)) {
          return fail(static_cast<unsigned>(op - base));
        }
        span = {p, end_ - op->size};
        return true;
      default:
        q = typed_end(*op, static_cast<unsigned>(op - base) - 1, p);
        if (q != nullptr && literal(*op, q)) {
          span = {p, q};
          p = q + op->size;
          continue;
        }
    }
    fail(static_cast<unsigned>(op - base));
    q = text == nullptr ? nullptr : find(*text, next);
    if (q == nullptr) {
      return false;
    }
    moved_ = true;
    op = text;
    next = q + 1;
    current_[op - base - 1].end = q;
    p = q + op->size;
  }
}

}  // namespace vedette::decode::tmpl
