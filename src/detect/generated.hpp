// For tests and fuzzers: small rule sets and events out of a stream of choices. Values are few and
// collide often, and hostile ones (broken JSON, invalid UTF-8, escapes, addresses in several
// spellings) are among them.
#pragma once

#include "catalog/catalog.hpp"
#include "event/event.hpp"
#include "rule/atom_table.hpp"
#include "rule/ir.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::detect::generated {

/// A stream of choices: from a seed, or from the bytes of a fuzzer.
class Choices {
 public:
  explicit Choices(std::uint64_t seed) : random_(seed) {}
  explicit Choices(std::string_view bytes) : bytes_(bytes), from_bytes_(true) {}

  /// 0 .. below-1; 0 when the bytes are spent.
  std::uint32_t below(std::uint32_t below) {
    if (!from_bytes_) {
      return static_cast<std::uint32_t>(random_() % below);
    }
    std::uint32_t value = 0;
    for (int i = 0; i < (below > 256 ? 4 : 1); ++i) {
      value = value << 8 | (at_ < bytes_.size() ? static_cast<unsigned char>(bytes_[at_++]) : 0U);
    }
    return value % below;
  }
  bool one_in(std::uint32_t n) { return below(n) == n - 1; }
  template <class T, std::size_t N>
  T const& of(T const (&items)[N]) {
    return items[below(static_cast<std::uint32_t>(N))];
  }
  bool spent() const { return from_bytes_ && at_ >= bytes_.size(); }

 private:
  std::mt19937_64 random_{0};
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool from_bytes_ = false;
};

inline constexpr char kFields[] = R"(
- {name: src_ip, type: ip, doc: "a"}
- {name: user, type: text, doc: "b"}
- {name: size, type: int, doc: "c"}
- {name: message, type: text, doc: "d"}
)";
inline constexpr char kTypes[] = R"(
- type: test/one
  title: One
  logsource: [{product: test, service: one}]
- type: test/two
  title: Two
  logsource: [{product: test, service: two}]
)";

inline std::unique_ptr<catalog::Catalog> make_catalog() {
  auto loaded = catalog::Catalog::load({{"fields.yaml", kFields}, {"types/t.yaml", kTypes}});
  if (!loaded) {
    check_failed(loaded.error().message.c_str(), __FILE__, __LINE__);
  }
  return std::move(*loaded);
}

inline constexpr std::string_view kFieldNames[] = {"src_ip", "user", "size", "message", "extra"};

inline constexpr std::string_view kWords[] = {"",
                                              "a",
                                              "A",
                                              "b",
                                              "ab",
                                              "aB",
                                              "abc",
                                              "ABC",
                                              "cab",
                                              "xabcx",
                                              "abcabc",
                                              "a*c",
                                              "a?c",
                                              "1",
                                              "10",
                                              "9.5",
                                              "-3",
                                              "1e1",
                                              "nan",
                                              "192.0.2.1",
                                              "::ffff:192.0.2.1",
                                              "10.1.2.3",
                                              "2001:db8::1",
                                              "2001:DB8:0::1",
                                              "\xFF"
                                              "abc",
                                              "a\xFF"
                                              "c",
                                              "\xC3\xA4"
                                              "bc",
                                              "\xC3\x84"
                                              "bc",
                                              "k",
                                              "\xE2\x84\xAA",
                                              "true",
                                              "foo bar",
                                              "aaaaaaaaaaaaaaaaaaaaaaaab",
                                              "ab\ncd",
                                              "\\a",
                                              "the quick brown fox jumps over the lazy dog abc"};

inline constexpr std::string_view kPatterns[] = {"abc",
                                                 "^a",
                                                 "c$",
                                                 "a.c",
                                                 "(?i)ABC",
                                                 "a+b",
                                                 "[^a]bc",
                                                 "b|c",
                                                 "(?i)fox.*DOG",
                                                 "^$",
                                                 "a{2,}b",
                                                 "\\d+",
                                                 "(abc)+x",
                                                 "^[a-z]+$",
                                                 "x?abc",
                                                 "\xC3\xA4"
                                                 "b",
                                                 "[\xC3\xA4k]b",
                                                 "\\x{212A}",
                                                 "(?i)k",
                                                 "(?s)b.c",
                                                 "(?m)^cd",
                                                 ".*"};

inline rule::Expr atom_expr(std::uint32_t index) {
  rule::Expr out;
  out.kind = rule::Expr::Kind::atom;
  out.atom = index;
  return out;
}

inline rule::Atom make_atom(Choices& choices, catalog::Catalog& catalog) {
  using rule::Op;
  static constexpr Op kOps[] = {Op::equals,   Op::contains, Op::starts_with, Op::ends_with,
                                Op::wildcard, Op::regex,    Op::cidr,        Op::exists,
                                Op::is_null,  Op::gt,       Op::gte,         Op::lt,
                                Op::lte,      Op::equals,   Op::contains};
  static constexpr std::string_view kSubnets[] = {"192.0.2.0/24", "10.0.0.0/8", "2001:db8::/32",
                                                  "0.0.0.0/0", "192.0.2.1"};
  rule::Atom atom;
  atom.op = choices.of(kOps);
  atom.field = catalog.fields().intern(choices.of(kFieldNames));
  if (rule::compares_text(atom.op) || atom.op == Op::regex) {
    atom.cased = choices.one_in(4);
    if (choices.one_in(6)) {
      atom.keyword = true;
      atom.field = FieldId{};
    }
  }
  bool const compares_numbers = atom.op == Op::equals || atom.op == Op::gt || atom.op == Op::gte ||
                                atom.op == Op::lt || atom.op == Op::lte;
  if (compares_numbers && !atom.keyword && choices.one_in(6)) {
    static constexpr rule::Part kParts[] = {rule::Part::length, rule::Part::entropy,
                                            rule::Part::hour, rule::Part::week};
    atom.part = choices.of(kParts);
    atom.cased = false;
    atom.number = static_cast<double>(choices.below(12));
    return atom;
  }
  bool const may_refer = atom.op == Op::equals || atom.op == Op::contains ||
                         atom.op == Op::starts_with || atom.op == Op::ends_with;
  if (may_refer && !atom.keyword && choices.one_in(6)) {
    atom.refers = true;
    atom.other = catalog.fields().intern(choices.of(kFieldNames));
  } else if (atom.op == Op::regex) {
    atom.text = choices.of(kPatterns);
    atom.cased = false;
  } else if (rule::compares_text(atom.op)) {
    atom.text = choices.of(kWords);
    if (atom.op == Op::wildcard) {
      for (std::uint32_t i = choices.below(3) + 1; i > 0; --i) {
        atom.text.insert(choices.below(static_cast<std::uint32_t>(atom.text.size()) + 1), 1,
                         choices.one_in(3) ? '\2' : '\1');
      }
    }
  } else if (atom.op == Op::cidr) {
    atom.subnet = *parse_subnet(choices.of(kSubnets));
  } else {
    atom.number = static_cast<double>(choices.below(12)) - 1;
  }
  return atom;
}

inline rule::Expr make_expr(Choices& choices, catalog::Catalog& catalog, rule::AtomTable& atoms,
                            int depth) {
  using Kind = rule::Expr::Kind;
  std::uint32_t const pick = choices.below(depth >= 4 ? 4 : 10);
  if (pick < 4) {
    return atom_expr(atoms.intern(make_atom(choices, catalog)));
  }
  rule::Expr out;
  if (pick == 9 && choices.one_in(4)) {
    out.kind = choices.one_in(2) ? Kind::always : Kind::never;
    return out;
  }
  out.kind = pick < 6 ? Kind::all : pick < 8 ? Kind::any : Kind::negate;
  std::uint32_t const children = out.kind == Kind::negate ? 1 : choices.below(3) + 1;
  for (std::uint32_t i = 0; i < children; ++i) {
    out.children.push_back(make_expr(choices, catalog, atoms, depth + 1));
  }
  return out;
}

inline rule::Rule make_rule(std::size_t number) {
  rule::Rule rule;
  rule.id = "rule-" + std::to_string(number);
  rule.title = rule.id;
  return rule;
}

/// Single-event rules with arbitrary conditions.
inline rule::RuleSet make_conditions(Choices& choices, catalog::Catalog& catalog) {
  rule::RuleSet rules;
  rule::AtomTable atoms(rules);
  std::uint32_t const count = choices.below(12) + 1;
  bool const gated = choices.one_in(2);  // most rules ask for a value of one field first
  FieldId const gate = catalog.fields().intern(choices.of(kFieldNames));
  for (std::uint32_t i = 0; i < count; ++i) {
    rule::Rule rule = make_rule(i);
    std::uint32_t const lanes = choices.below(4);
    if (lanes != 1) {
      rule.types.push_back(catalog.find_type("test/one")->id);
    }
    if (lanes != 0) {
      rule.types.push_back(catalog.find_type("test/two")->id);
    }
    rule.condition = make_expr(choices, catalog, atoms, 0);
    if (gated && !choices.one_in(6)) {
      rule::Atom atom;
      atom.field = gate;
      atom.text = choices.of(kWords);
      rule::Expr both;
      both.kind = rule::Expr::Kind::all;
      both.children.push_back(atom_expr(atoms.intern(atom)));
      both.children.push_back(std::move(rule.condition));
      rule.condition = std::move(both);
    }
    if (choices.one_in(8)) {
      rule.status = rule::RuleStatus::refused;
    }
    rules.rules.push_back(std::move(rule));
  }
  return rules;
}

/// Builds batches whose bytes live as long as they do.
class BatchBuilder {
 public:
  explicit BatchBuilder(LogId log) { batch_.block.log = log; }

  void begin_event(TypeId type, Nanos time, std::string_view raw, std::uint32_t repeat = 1) {
    Event event;
    event.type = type;
    event.time = event.arrival = time;
    std::string_view const kept = batch_.arena.copy(raw);
    event.raw = kept.data();
    event.raw_size = static_cast<std::uint32_t>(kept.size());
    event.repeat = repeat;
    event.offset = batch_.events.size();
    event.first_field = static_cast<std::uint32_t>(batch_.fields.size());
    batch_.events.push_back(event);
    batch_.records += 1;
  }
  void field(FieldId id, std::string_view text, Kind kind = Kind::text, bool escaped = false) {
    std::string_view const kept = batch_.arena.copy(text);
    batch_.fields.push_back(
        {kept.data(), static_cast<std::uint32_t>(kept.size()), id, kind, escaped});
    ++batch_.events.back().field_count;
  }
  Batch take() { return std::move(batch_); }

 private:
  Batch batch_;
};

inline void make_field(Choices& choices, catalog::Catalog& catalog, BatchBuilder& batch) {
  static constexpr std::string_view kLists[] = {"[]",
                                                "[\"a\",\"b\"]",
                                                "[1,\"10\",null]",
                                                "[\"abc\"",
                                                "[ \"\\u0061bc\" , [\"a\"],{\"a\":1}]",
                                                "[\"192.0.2.1\",\"::ffff:192.0.2.1\"]",
                                                "[,]",
                                                "[null]",
                                                "[true,\"\\\"a\"]"};
  FieldId const id = catalog.fields().intern(choices.of(kFieldNames));
  switch (choices.below(10)) {
    case 0:
      batch.field(id, "null", Kind::null);
      return;
    case 1:
      batch.field(id, choices.of(kLists), Kind::list);
      return;
    case 2:
      batch.field(id, choices.one_in(2) ? "a\\u0062c" : "\\\\a\\q", Kind::text, true);
      return;
    case 3:
      batch.field(id, choices.one_in(2) ? "10" : "9.5e0", Kind::number);
      return;
    case 4:
      batch.field(id, choices.one_in(2) ? "true" : "{\"a\":\"abc\"}",
                  choices.one_in(2) ? Kind::boolean : Kind::record);
      return;
    case 5:
      if (choices.one_in(3)) {  // a name that could not be interned, and its value
        batch.field(kUnlisted, "user");
        batch.field(kUnlisted, "abc");
        return;
      }
      break;
    default:
      break;
  }
  batch.field(id, choices.of(kWords));
}

inline Batch make_batch(Choices& choices, catalog::Catalog& catalog, std::uint32_t most_events) {
  BatchBuilder batch(LogId{0});
  std::uint32_t const events = choices.below(most_events) + 1;
  for (std::uint32_t i = 0; i < events; ++i) {
    std::string_view const type = choices.one_in(8)   ? "unknown"
                                  : choices.one_in(2) ? "test/one"
                                                      : "test/two";
    batch.begin_event(catalog.find_type(type)->id, static_cast<Nanos>(i), choices.of(kWords));
    for (std::uint32_t fields = choices.below(6); fields > 0; --fields) {
      make_field(choices, catalog, batch);
    }
  }
  return batch.take();
}

}  // namespace vedette::detect::generated
