#include "rule/rule_set_bytes.hpp"

#include <concepts>
#include <cstring>
#include <map>
#include <type_traits>
#include <vector>

namespace vedette::rule {
namespace {

template <class T, class... Of>
concept OneOf = (std::same_as<std::remove_const_t<T>, Of> || ...);

// One function per struct, for writing and for reading. A binding names every member: who adds one
// to the IR is stopped by the compiler here, so that none is ever left out of the cache.
template <class Archive, OneOf<Ip> T>
void pass(Archive& archive, T& ip) {
  auto& [high, low] = ip;
  archive(high, low);
}
template <class Archive, OneOf<Subnet> T>
void pass(Archive& archive, T& subnet) {
  auto& [base, bits] = subnet;
  archive(base, bits);
}
template <class Archive, OneOf<Atom> T>
void pass(Archive& archive, T& atom) {
  auto& [field, keyword, op, cased, text, number, subnet, part, refers, other] = atom;
  archive(field, keyword, op, cased, text, number, subnet, part, refers, other);
}
template <class Archive, OneOf<Expr> T>
void pass(Archive& archive, T& expr) {
  auto& [kind, atom, children] = expr;
  archive(kind, atom, children);
}
template <class Archive, OneOf<Bound> T>
void pass(Archive& archive, T& bound) {
  auto& [test, value] = bound;
  archive(test, value);
}
template <class Archive, OneOf<Member> T>
void pass(Archive& archive, T& member) {
  auto& [rule, keys] = member;
  archive(rule, keys);
}
template <class Archive, OneOf<Node> T>
void pass(Archive& archive, T& node) {
  auto& [type, members, group_by, group_fields, timespan, bound, value_fields, value_part, learn,
         max, windowed, bounds, formula, percent, baseline, least] = node;
  archive(type, members, group_by, group_fields, timespan, bound, value_fields, value_part, learn,
          max, windowed, bounds, formula, percent, baseline, least);
}
template <class Archive, OneOf<Rule> T>
void pass(Archive& archive, T& rule) {
  auto& [id, name, title, description, author, path, language, line, level, tags, falsepositives,
         references, show_fields, text, status, reason, reason_line, types, condition, node,
         alerts] = rule;
  archive(id, name, title, description, author, path, language, line, level, tags, falsepositives,
          references, show_fields, text, status, reason, reason_line, types, condition, node,
          alerts);
}
template <class Archive, OneOf<RuleSet> T>
void pass(Archive& archive, T& set) {
  auto& [rules, atoms] = set;
  archive(rules, atoms);
}

template <class T>
concept Plain = std::is_arithmetic_v<T> || std::is_enum_v<T>;

class Writer {
 public:
  explicit Writer(catalog::Catalog const& catalog) : catalog_(catalog) {}

  template <class... T>
  void operator()(T const&... values) {
    (put(values), ...);
  }
  std::string take() {
    std::string out;
    std::swap(out, out_);
    put(names_);
    std::string const head = std::move(out_);
    return head + out;
  }

 private:
  template <Plain T>
  void put(T value) {
    out_.append(reinterpret_cast<char const*>(&value), sizeof value);
  }
  void put(FieldId field) { put_name(std::string(catalog_.fields().name(field))); }
  void put(TypeId type) { put_name(catalog_.type(type).name); }
  void put(Decimal value) { (*this)(value.high(), value.low()); }
  void put(std::string const& text) {
    put(static_cast<std::uint32_t>(text.size()));
    out_ += text;
  }
  template <class T>
  void put(std::vector<T> const& values) {
    put(static_cast<std::uint32_t>(values.size()));
    for (T const& value : values) {
      put(value);
    }
  }
  template <class T>
    requires std::is_class_v<T>
  void put(T const& value) {
    pass(*this, value);
  }
  void put_name(std::string const& name) {
    auto const [at, fresh] =
        numbers_.try_emplace(name, static_cast<std::uint32_t>(numbers_.size()));
    if (fresh) {
      names_.push_back(name);
    }
    put(at->second);
  }

  catalog::Catalog const& catalog_;
  std::string out_;
  std::map<std::string, std::uint32_t> numbers_;
  std::vector<std::string> names_;
};

class Reader {
 public:
  Reader(std::string_view bytes, catalog::Catalog& catalog) : rest_(bytes), catalog_(catalog) {
    get(names_);
    fields_.resize(names_.size(), kUnlisted);
  }

  template <class... T>
  void operator()(T&... values) {
    (get(values), ...);
  }
  bool whole() const { return sound_ && rest_.empty(); }

 private:
  template <Plain T>
  void get(T& value) {
    if (rest_.size() < sizeof value) {
      sound_ = false;
      return;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
  }
  void get(Decimal& value) {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    (*this)(high, low);
    value = Decimal::from_bits(high, low);
  }
  void get(std::string& text) {
    text = std::string(rest_.substr(0, size()));
    rest_.remove_prefix(text.size());
  }
  template <class T>
  void get(std::vector<T>& values) {
    values.resize(size());
    for (T& value : values) {
      get(value);
    }
  }
  template <class T>
    requires std::is_class_v<T>
  void get(T& value) {
    pass(*this, value);
  }
  void get(FieldId& field) {
    std::uint32_t const number = name();
    if (!sound_) {
      return;
    }
    if (fields_[number] == kUnlisted) {
      fields_[number] = catalog_.fields().intern(names_[number]);
    }
    field = fields_[number];
    sound_ = field != kUnlisted;
  }
  void get(TypeId& type) {
    std::uint32_t const number = name();
    auto const* const found = sound_ ? catalog_.find_type(names_[number]) : nullptr;
    sound_ = found != nullptr;
    type = sound_ ? found->id : kUnknownType;
  }
  std::uint32_t name() {
    std::uint32_t number = 0;
    get(number);
    sound_ = sound_ && number < names_.size();
    return number;
  }
  // Every element takes at least a byte.
  std::size_t size() {
    std::uint32_t count = 0;
    get(count);
    sound_ = sound_ && count <= rest_.size();
    return sound_ ? count : 0;
  }

  std::string_view rest_;
  catalog::Catalog& catalog_;
  bool sound_ = true;
  std::vector<std::string> names_;
  std::vector<FieldId> fields_;
};

bool indices_hold(Expr const& expr, std::size_t atoms) {
  if (expr.kind == Expr::Kind::atom && expr.atom >= atoms) {
    return false;
  }
  for (Expr const& child : expr.children) {
    if (!indices_hold(child, atoms)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string rule_set_to_bytes(RuleSet const& rules, catalog::Catalog const& catalog) {
  Writer writer(catalog);
  writer(rules);
  return writer.take();
}

std::optional<RuleSet> rule_set_from_bytes(std::string_view bytes, catalog::Catalog& catalog) {
  Reader reader(bytes, catalog);
  RuleSet out;
  reader(out);
  bool sound = reader.whole();
  for (Rule const& rule : out.rules) {
    sound = sound && indices_hold(rule.condition, out.atoms.size());
    for (Member const& member : rule.node.members) {
      sound = sound && member.rule < out.rules.size();
    }
  }
  return sound ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace vedette::rule
