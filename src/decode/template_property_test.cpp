// The compiled matcher against a slow, obvious one: every variant in rank order, every place a text
// can end, on templates and messages made to collide.
#include "decode/template_pattern.hpp"
#include "decode/template_program.hpp"
#include "decode/template_scan.hpp"
#include "decode/template_set.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vedette::decode::tmpl {
namespace {

using Texts = std::vector<std::string_view>;

/// One variant, one message; `failed` keeps it from being exponential.
class SlowMatcher {
 public:
  SlowMatcher(Variant const& variant, std::string_view message)
      : variant_(variant), message_(message) {}

  bool match(Texts& captures) {
    captures_.assign(variant_.captures.size(), {});
    if (!message_.starts_with(variant_.prefix) || !from(0, variant_.prefix.size())) {
      return false;
    }
    captures = captures_;
    return true;
  }

 private:
  bool from(std::size_t index, std::size_t at) {
    if (index == variant_.captures.size()) {
      return at == message_.size();
    }
    if (!failed_.emplace(index, at).second) {
      return false;
    }
    Capture const& capture = variant_.captures[index];
    if (capture.type == CaptureType::text) {
      for (std::size_t end = at; end <= message_.size(); ++end) {
        if (take(index, at, end)) {
          return true;
        }
      }
      return false;
    }
    if (capture.type == CaptureType::ip) {
      std::size_t end = at;
      while (end < message_.size() && is_ip_byte(message_[end])) {
        ++end;
      }
      bool const port = capture.literal == ":" && index + 1 < variant_.captures.size() &&
                        variant_.captures[index + 1].type == CaptureType::integer;
      auto const stands = [&](std::size_t place) {
        return message_.substr(place).starts_with(capture.literal) &&
               (!port || (place + 1 < message_.size() && is_digit_byte(message_[place + 1])));
      };
      while (end > at && !stands(end)) {
        --end;
      }
      return take(index, at, end);
    }
    std::size_t const end = typed_end(capture, at);
    return end != std::string_view::npos && take(index, at, end);
  }

  std::size_t typed_end(Capture const& capture, std::size_t at) const {
    std::size_t end = at;
    if (capture.type == CaptureType::kv) {
      return message_.size();
    }
    if (capture.type == CaptureType::word) {
      while (end < message_.size() && !is_blank_byte(message_[end]) &&
             (capture.literal.empty() || message_[end] != capture.literal[0])) {
        ++end;
      }
      return end;
    }
    end += end < message_.size() && message_[end] == '-' ? 1U : 0U;
    std::size_t const digits = end;
    while (end < message_.size() && is_digit_byte(message_[end])) {
      ++end;
    }
    return end == digits ? std::string_view::npos : end;
  }

  bool take(std::size_t index, std::size_t at, std::size_t end) {
    std::string_view const rest = message_.substr(end);
    std::string const& literal = variant_.captures[index].literal;
    if (!rest.starts_with(literal) || !from(index + 1, end + literal.size())) {
      return false;
    }
    captures_[index] = message_.substr(at, end - at);
    return true;
  }

  Variant const& variant_;
  std::string_view const message_;
  Texts captures_;
  std::set<std::pair<std::size_t, std::size_t>> failed_;
};

class NoTypes final : public CaptureTypes {
 public:
  CaptureType type_of(std::string_view) const override { return CaptureType::text; }
};

/// A set of templates as text, compiled as one program.
struct Templates {
  std::vector<Variant> variants;
  Compiled compiled;
  std::uint32_t root = kNone;

  explicit Templates(std::vector<std::string> const& texts) {
    for (std::uint32_t i = 0; i < texts.size(); ++i) {
      auto const pattern = parse_pattern(texts[i]);
      REQUIRE_MESSAGE(pattern.has_value(), texts[i]);
      auto expanded = expand(*pattern, NoTypes());
      if (!expanded) {
        continue;  // random templates may be ill-formed after expansion
      }
      for (Variant& variant : *expanded) {
        variant.source = i;
        variants.push_back(std::move(variant));
      }
    }
    sort_by_rank(variants);
    compile_ops(compiled, variants);
    std::vector<std::uint32_t> all(variants.size());
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      all[i] = i;
    }
    root = compile_tree(compiled, variants, all);
  }

  std::string fast(std::string_view message) const {
    std::string bait(message);
    bait += "from 1.2.3.4 port 22 ssh2 aaaaaaaaaa111111111111111111111111111111";
    Matcher matcher(compiled, bait.data(), bait.data() + message.size());
    std::uint32_t const found = matcher.match(root);
    if (found == kNone) {
      return "none";
    }
    std::string out = std::to_string(found);
    for (std::size_t i = 0; i < variants[found].captures.size(); ++i) {
      Span const span = matcher.captures()[i];
      out += '|' + std::string(span.begin, span.end);
    }
    return out;
  }

  std::string slow(std::string_view message) const {
    for (std::size_t v = 0; v < variants.size(); ++v) {
      Texts captures;
      if (SlowMatcher(variants[v], message).match(captures)) {
        std::string out = std::to_string(v);
        for (std::string_view const capture : captures) {
          out += '|' + std::string(capture);
        }
        return out;
      }
    }
    return "none";
  }
};

using Random = std::mt19937;

template <class T>
T const& pick(Random& random, std::vector<T> const& from) {
  return from[random() % from.size()];
}

std::string random_literal(Random& random) {
  static std::vector<std::string> const words{"a",
                                              "b",
                                              "ab",
                                              " ",
                                              "  ",
                                              ":",
                                              ": ",
                                              "from",
                                              " from ",
                                              " port ",
                                              " for ",
                                              "ssh2",
                                              ".",
                                              "=",
                                              " by ",
                                              "1",
                                              "(",
                                              ")",
                                              "Failed ",
                                              "Failed password ",
                                              "session opened for user ",
                                              "x",
                                              "aa",
                                              "aaaaaaaaaaaaaaaaaaaa",
                                              "session opened for user root by (uid="};
  std::string out = pick(random, words);
  while (random() % 3 == 0) {
    out += pick(random, words);
  }
  return out;
}

std::string random_template(Random& random) {
  static std::vector<std::string> const types{"", "", ":word", ":word", ":int", ":ip", ":text"};
  std::string out;
  if (random() % 4 != 0) {
    out += random_literal(random);
  }
  std::size_t const captures = random() % 5;
  bool optional_used = false;
  for (std::size_t i = 0; i < captures; ++i) {
    bool const optional = !optional_used && i > 0 && random() % 5 == 0;
    optional_used = optional_used || optional;
    out += optional ? "[" : "";
    out += "{c" + std::to_string(i) + pick(random, types) + "}";
    if (i + 1 < captures || random() % 2 == 0) {
      out += random_literal(random);
    }
    out += optional ? "]" : "";
  }
  if (random() % 10 == 0 && out.ends_with('}') == false) {
    out += "{rest:kv}";
  }
  return out.empty() ? "a" : out;
}

/// Another template that begins as `from` does up to one of its captures: such share an edge.
std::string random_relative(Random& random, std::string const& from) {
  std::size_t const end = from.find('}', random() % (from.size() + 1));
  if (end == std::string::npos || from.find('[') != std::string::npos) {
    return random_template(random);
  }
  std::string out = from.substr(0, end + 1) + random_literal(random);
  for (int i = 0; random() % 3 != 0; ++i) {
    out += "{d" + std::to_string(i) + (random() % 2 == 0 ? ":word}" : "}") + random_literal(random);
  }
  return out;
}

std::string random_value(Random& random, CaptureType type) {
  static std::vector<std::string> const texts{
      "",
      "root",
      "a b",
      " from ",
      "x from 1.2.3.4 port 22 ssh2",
      "aaaa",
      "a",
      "1",
      ":",
      " ",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa from",
      "b)",
      "user : x ; y",
      "\t"};
  switch (type) {
    case CaptureType::integer:
      return random() % 4 == 0 ? "-7"
                               : std::string(1 + random() % (random() % 8 == 0 ? 60 : 5), '7');
    case CaptureType::ip:
      return pick(random, std::vector<std::string>{"1.2.3.4", "::1", "", "host.example.org",
                                                   std::string(70, 'a') + ":1", "2001:db8::1:"});
    case CaptureType::word:
      return random() % 6 == 0 ? std::string(random() % 80, 'w') : pick(random, texts);
    case CaptureType::text:
    case CaptureType::kv:
      return pick(random, texts);
  }
  return {};
}

std::string random_message(Random& random, Templates const& templates) {
  if (templates.variants.empty() || random() % 10 == 0) {
    return random_literal(random);
  }
  Variant const& variant = pick(random, templates.variants);
  std::string out = variant.prefix;
  for (Capture const& capture : variant.captures) {
    out += random_value(random, capture.type) + capture.literal;
  }
  return out;
}

std::string mutate(Random& random, std::string message) {
  std::size_t const at = message.empty() ? 0 : random() % message.size();
  std::size_t const other = message.empty() ? 0 : random() % message.size();
  switch (random() % 8) {
    case 0:
      return message.substr(0, at);
    case 1:
      return message + message.substr(at);
    case 2:
      return message.insert(at, " from 1.2.3.4 port 22 ssh2");
    case 3:
      return message.insert(at, std::string(1 + random() % 40, ' '));
    case 4:
      if (!message.empty()) {
        std::swap(message[at], message[other]);
      }
      return message;
    case 5:
      return message.erase(at, 1);
    case 6:
      return message.insert(at, message.substr(0, other));
    default:
      return message.insert(at, random_literal(random));
  }
}

std::string join(std::vector<std::string> const& texts) {
  std::string out;
  for (std::string const& text : texts) {
    out += text + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("templates: compiled and slow matcher agree on random templates") {
  // VEDETTE_PROPERTY_ROUNDS: more rounds, other seeds (soak).
  char const* const more = std::getenv("VEDETTE_PROPERTY_ROUNDS");
  unsigned const rounds = more != nullptr ? static_cast<unsigned>(std::atoi(more)) : 400;
  std::size_t matched = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    Random random(round);
    std::vector<std::string> texts(1 + random() % (round % 10 == 0 ? 60 : 12));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      texts[i] = i > 0 && random() % 2 == 0 ? random_relative(random, texts[random() % i])
                                            : random_template(random);
    }
    Templates const templates(texts);
    for (int i = 0; i < 60; ++i) {
      std::string message = random_message(random, templates);
      for (auto n = random() % 3; n > 0; --n) {
        message = mutate(random, std::move(message));
      }
      std::string const expected = templates.slow(message);
      matched += expected != "none" ? 1U : 0U;
      REQUIRE_MESSAGE(templates.fast(message) == expected, "round " << round << " message '"
                                                                    << message << "'\n"
                                                                    << join(texts));
    }
  }
  CHECK(matched > rounds * 20);  // the generator must not make only lines that fail
}

TEST_CASE("templates: compiled and slow matcher agree on what ships, mutated") {
  auto catalog = catalog::Catalog::embedded();
  REQUIRE(catalog.has_value());
  TemplateSet::Impl set;
  set.programs.push_back({"*", kUnknownType, {}, kNone});
  for (catalog::ContentFile const& file : catalog::embedded_content("decoders/")) {
    REQUIRE(load_template_file(file, **catalog, set).has_value());
  }
  std::vector<std::string> texts, examples;
  for (Template const& one : set.templates) {
    examples.insert(examples.end(), one.examples.begin(), one.examples.end());
  }
  REQUIRE(!examples.empty());
  Templates templates({});
  templates.variants = set.variants;
  sort_by_rank(templates.variants);
  compile_ops(templates.compiled, templates.variants);
  std::vector<std::uint32_t> all(templates.variants.size());
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    all[i] = i;
  }
  templates.root = compile_tree(templates.compiled, templates.variants, all);
  Random random(7);
  for (std::string const& example : examples) {
    for (int i = 0; i < 3; ++i) {
      std::string const message = i == 0 ? example : mutate(random, example);
      REQUIRE_MESSAGE(templates.fast(message) == templates.slow(message), message);
    }
  }
}

}  // namespace vedette::decode::tmpl
