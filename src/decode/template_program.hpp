// Templates compiled for matching. Built once (template_compile.cpp), then immutable and shared.
//
// A variant is a program of ops: (capture, literal after it); op 0 is the literal at the start and
// has no capture. Per log program there is a tree: a node stands before a literal and looks some of
// its bytes up in a table, which leads to a node with fewer literals left. Its groups are either
// edges (variants share literal and typed capture: both are done once, then comes the next node) or
// leaves (variants are tried in rank order). Variants are numbered by rank: the least number that
// matches wins.
#pragma once

#include "decode/template_pattern.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace vedette::decode::tmpl {

inline constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

/// How an op finds the end of its capture.
enum class Step : std::uint8_t {
  text,       ///< the next place where its literal stands
  text_last,  ///< where its literal ends the message
  blank,      ///< a word before a blank
  word,
  integer,
  ip,
  ip_inner,  ///< an address whose literal begins with a byte that addresses may hold
  ip_port,   ///< an address before a colon and a number
  rest,      ///< kv
  end,       ///< after the last op
};

/// A capture and the literal after it. 32 bytes: with thousands of templates size is speed.
struct alignas(32) Op {
  char head[16] = {};      ///< the literal's first bytes, zeros after it
  std::uint32_t pool = 0;  ///< the whole literal, as offset into Compiled::pool
  std::uint16_t size = 0;  ///< of the literal
  std::uint16_t mask = 0;  ///< bits of `head` that count
  Step step = Step::text;
  CaptureType type = CaptureType::text;
  char stop = ' ';            ///< the literal's first byte; a blank when there is none
  char probe = 0;             ///< of text: a rarer byte of the literal
  std::uint8_t probe_at = 0;  ///< and where it stands
};
static_assert(sizeof(Op) == 32);

/// One variant in a leaf.
struct Ref {
  std::uint32_t variant = 0;   ///< also its rank
  std::uint32_t first_op = 0;  ///< of the variant, in Compiled::ops
  std::uint32_t tail = 0;      ///< last bytes of the message, where tail_mask is set
  std::uint32_t tail_mask = 0;
  std::uint16_t op = 0;     ///< literal before which the leaf stands
  std::uint16_t ops = 0;    ///< number of ops
  std::uint16_t share = 0;  ///< ops (from the first on) that equal those of the ref before
};

struct Group {
  std::uint32_t best = kNone;             ///< least variant in it
  std::uint32_t refs = 0, ref_count = 0;  ///< a leaf when ref_count > 0
  std::uint32_t literal = 0;              ///< edge: op of the literal to verify
  std::uint32_t capture = 0;              ///< edge: op of the capture to take
  std::uint32_t node = kNone;             ///< edge: what comes after
  std::uint16_t slot = 0;                 ///< edge: number of the capture
};

/// A look-up of the `width` bytes at a node's offset.
struct Window {
  std::uint64_t bytes = 0;  ///< `width` bytes of ones; 0 = nothing to look up
  std::uint32_t slots = 0, mask = 0;
  std::uint32_t best = kNone;  ///< least variant behind the slots
  std::uint32_t width = 0;
};

/// A place in a message before which variants stand. Literals that end here are groups; longer ones
/// are told apart by the bytes at `offset` (what lies between is verified by the group): those of 8
/// bytes and more by the wide window, the others by the narrow one.
struct Node {
  std::uint32_t groups = 0;  ///< first of Compiled::node_groups, sorted by Group::best
  std::uint16_t count = 0;
  std::uint16_t offset = 0;
  bool plain = false;  ///< groups only
  Window wide, narrow;
};
struct Slot {
  std::uint64_t key = 0;
  std::uint32_t node = kNone;
};

/// All variants of one TemplateSet, and a tree per log program.
struct Compiled {
  std::vector<Op> ops;
  std::vector<std::uint32_t> first_op;  ///< of each variant
  std::vector<std::uint16_t> op_count;
  std::vector<Ref> refs;
  std::vector<Group> node_groups;  ///< what Node::groups points into
  std::vector<Slot> slots;
  std::vector<Node> nodes;
  std::string pool;
};

inline std::uint32_t slot_hash(std::uint64_t key) {
  return static_cast<std::uint32_t>(key * 0x9E3779B97F4A7C15ULL >> 40);
}

/// Sorts variants by rank: most literal bytes, most typed captures, template, expansion.
void sort_by_rank(std::vector<Variant>& variants);
/// Makes the ops of all variants (sorted by rank).
void compile_ops(Compiled& out, std::vector<Variant> const& variants);
/// Builds the tree of one log program; returns its root node.
std::uint32_t compile_tree(Compiled& out, std::vector<Variant> const& variants,
                           std::vector<std::uint32_t> const& of_program);

/// A capture's bytes.
struct Span {
  char const* begin;
  char const* end;
};

/// Matches one message. Costs O(ops x length) per variant tried.
class Matcher {
 public:
  Matcher(Compiled const& compiled, char const* message, char const* end);
  /// The best variant of the tree, or kNone. The message must be readable for 64 bytes past `end`.
  std::uint32_t match(std::uint32_t root);
  /// After a match: the captures of the winner.
  Span const* captures() const { return won_; }

 private:
  struct Memo {
    char const* low;
    char const* high;
    char const* cut;
  };
  void node(Node const& n, char const* p);
  void groups(Node const& n, char const* p);
  void look_up(Window const& window, char const* at, char const* p);
  void edge(Group const& group, char const* p);
  void leaf(Group const& group, char const* p);
  bool run(Ref const& ref, char const* p, unsigned share);
  bool fail(unsigned op);
  bool literal(Op const& op, char const* p) const;
  bool long_literal(Op const& op, char const* p) const;
  char const* typed_end(Op const& op, unsigned slot, char const* p);
  char const* far_end(Op const& op, unsigned slot, char const* p);
  char const* find(Op const& op, char const* p) const;
  char const* find_far(Op const& op, char const* p) const;
  char const* cut_back(Op const& op, char const* begin, char const* run_end) const;

  Compiled const& c_;
  Op const* const ops_;
  Node const* const nodes_;
  Slot const* const slots_;
  Group const* const groups_;
  char const* const begin_;
  char const* const end_;
  std::uint32_t tail_ = 0;
  std::uint32_t best_ = kNone;
  unsigned furthest_ = 0;       ///< op at which the last run gave up, over all its attempts
  bool moved_ = false;          ///< a retry of the last run changed captures
  std::uint32_t memo_set_ = 0;  ///< slots of memo_ that hold something of this run
  Span* current_;
  Span* won_;
  Span spans_[2][kMaxCaptures];
  Memo memo_[kMaxCaptures];
};

}  // namespace vedette::decode::tmpl
