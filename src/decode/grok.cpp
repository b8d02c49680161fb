#include "decode/grok.hpp"

#include "decode/line_regex.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace vedette::decode {
namespace grok {
namespace {

constexpr std::size_t kMaxSize = 256 << 10;  // bytes of an expanded pattern
constexpr int kMaxDepth = 60;

struct Base {
  std::string_view name, text;
};
constexpr std::string_view kByte = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";

/// What nearly every grok pattern is made of.
constexpr std::array kBase{
    Base{"USERNAME", "[A-Za-z0-9._-]+"},
    Base{"USER", "%{USERNAME}"},
    Base{"EMAILLOCALPART", "[A-Za-z0-9][A-Za-z0-9_.+=:-]*"},
    Base{"EMAILADDRESS", "%{EMAILLOCALPART}@%{HOSTNAME}"},
    Base{"INT", "[+-]?[0-9]+"},
    Base{"BASE10NUM", "[+-]?(?:[0-9]+(?:\\.[0-9]+)?|\\.[0-9]+)"},
    Base{"NUMBER", "%{BASE10NUM}"},
    Base{"BASE16NUM", "[+-]?(?:0x)?[0-9A-Fa-f]+"},
    Base{"BASE16FLOAT", "\\b[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\\.[0-9A-Fa-f]*)?|\\.[0-9A-Fa-f]+)\\b"},
    Base{"POSINT", "\\b[1-9][0-9]*\\b"},
    Base{"NONNEGINT", "\\b[0-9]+\\b"},
    Base{"WORD", "\\b\\w+\\b"},
    Base{"NOTSPACE", "\\S+"},
    Base{"SPACE", "\\s*"},
    Base{"DATA", ".*?"},
    Base{"GREEDYDATA", ".*"},
    Base{"QUOTEDSTRING", R"((?:"(?:\\.|[^\\"])*"|'(?:\\.|[^\\'])*'|`(?:\\.|[^\\`])*`))"},
    Base{"QS", "%{QUOTEDSTRING}"},
    Base{"UUID", "[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}"},
    Base{"CISCOMAC", "(?:[A-Fa-f0-9]{4}\\.){2}[A-Fa-f0-9]{4}"},
    Base{"WINDOWSMAC", "(?:[A-Fa-f0-9]{2}-){5}[A-Fa-f0-9]{2}"},
    Base{"COMMONMAC", "(?:[A-Fa-f0-9]{2}:){5}[A-Fa-f0-9]{2}"},
    Base{"MAC", "(?:%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC})"},
    // What is no address of those that these take is seen when the field is typed.
    Base{"IPV6", "(?:[0-9A-Fa-f]{0,4}:){2,7}(?:%{IPV4}|[0-9A-Fa-f]{0,4})(?:%[0-9A-Za-z._-]+)?"},
    Base{"IPV4", "%{IPV4BYTE}(?:\\.%{IPV4BYTE}){3}"},
    Base{"IPV4BYTE", kByte},
    Base{"IP", "(?:%{IPV6}|%{IPV4})"},
    Base{"HOSTNAME",
         "\\b[0-9A-Za-z_](?:[0-9A-Za-z_-]{0,62})(?:\\.[0-9A-Za-z_][0-9A-Za-z_-]{0,62})*\\.?"},
    Base{"IPORHOST", "(?:%{IP}|%{HOSTNAME})"},
    Base{"HOSTPORT", "%{IPORHOST}:%{POSINT}"},
    Base{"UNIXPATH", "(?:/[^\\s/]*)+"},
    Base{"WINPATH", "(?:[A-Za-z]+:|\\\\)(?:\\\\[^\\\\?*]*)+"},
    Base{"PATH", "(?:%{UNIXPATH}|%{WINPATH})"},
    Base{"TTY", "/dev/(?:pts|tty(?:[pq])?)(?:\\w+)?/?[0-9]+"},
    Base{"URIPROTO", "[A-Za-z][A-Za-z0-9+.-]*"},
    Base{"URIHOST", "%{IPORHOST}(?::%{POSINT})?"},
    Base{"URIPATH", "(?:/[^\\s?#]*)"},
    Base{"URIQUERY", "[^\\s#]*"},
    Base{"URIPARAM", "\\?%{URIQUERY}"},
    Base{"URIPATHPARAM", "%{URIPATH}(?:%{URIPARAM})?"},
    Base{"URI", "%{URIPROTO}://(?:[^\\s/@]*@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?"},
    Base{"MONTH",
         "\\b(?:[Jj]an(?:uary)?|[Ff]eb(?:ruary)?|[Mm]ar(?:ch)?|[Aa]pr(?:il)?|[Mm]ay|[Jj]un(?:e)?|"
         "[Jj]ul(?:y)?|[Aa]ug(?:ust)?|[Ss]ep(?:t(?:ember)?)?|[Oo]ct(?:ober)?|[Nn]ov(?:ember)?|"
         "[Dd]ec(?:ember)?)\\b"},
    Base{"MONTHNUM", "(?:0?[1-9]|1[0-2])"},
    Base{"MONTHNUM2", "(?:0[1-9]|1[0-2])"},
    Base{"MONTHDAY", "(?:0[1-9]|[12][0-9]|3[01]|[1-9])"},
    Base{"DAY",
         "(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|"
         "Sun(?:day)?)"},
    Base{"YEAR", "(?:[0-9]{4}|[0-9]{2})"},
    Base{"HOUR", "(?:2[0-3]|[01]?[0-9])"},
    Base{"MINUTE", "(?:[0-5][0-9])"},
    Base{"SECOND", "(?:(?:[0-5]?[0-9]|60)(?:[:.,][0-9]+)?)"},
    Base{"TIME", "%{HOUR}:%{MINUTE}(?::%{SECOND})?"},
    Base{"DATE_US", "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}"},
    Base{"DATE_EU", "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}"},
    Base{"DATE", "(?:%{DATE_US}|%{DATE_EU})"},
    Base{"DATESTAMP", "%{DATE}[- ]%{TIME}"},
    Base{"TZ", "(?:[A-Z]{3,4})"},
    Base{"ISO8601_TIMEZONE", "(?:Z|[+-]%{HOUR}(?::?%{MINUTE}))"},
    Base{"ISO8601_SECOND", "%{SECOND}"},
    Base{"TIMESTAMP_ISO8601",
         "%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?"
         "%{ISO8601_TIMEZONE}?"},
    Base{"HAPROXYTIME", "%{HOUR}:%{MINUTE}(?::%{SECOND})?"},
    Base{"HAPROXYDATE", "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{HAPROXYTIME}"},
    Base{"HTTPDATE", "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}"},
    Base{"SYSLOGTIMESTAMP", "%{MONTH} +%{MONTHDAY} %{TIME}"},
    Base{"PROG", "[^\\s\\[\\]:]+"},
    Base{"SYSLOGPROG", "%{PROG:process.name}(?:\\[%{POSINT:process.pid:int}\\])?"},
    Base{"SYSLOGHOST", "%{IPORHOST}"},
    Base{"SYSLOGFACILITY",
         "<%{NONNEGINT:log.syslog.facility.code:int}."
         "%{NONNEGINT:log.syslog.priority:int}>"},
    Base{"LOGLEVEL",
         "(?:[Aa]lert|ALERT|[Tt]race|TRACE|[Dd]ebug|DEBUG|[Nn]otice|NOTICE|[Ii]nfo|INFO|"
         "[Ww]arn(?:ing)?|WARN(?:ING)?|[Ee]rr(?:or)?|ERR(?:OR)?|[Cc]rit(?:ical)?|CRIT(?:ICAL)?|"
         "[Ff]atal|FATAL|[Ss]evere|SEVERE|EMERG(?:ENCY)?|[Ee]merg(?:ency)?)"},
};

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// `[source][ip]` is how ECS-minded patterns write `source.ip`.
std::string field_name(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (c == '[') {
      out += out.empty() ? "" : ".";
    } else if (c != ']') {
      out += c;
    }
  }
  return out;
}

}  // namespace

/// From Ruby's regular expressions to RE2's, with grok references expanded.
class Expander {
 public:
  using Find = std::string const* (*)(void const*, std::string_view);
  Expander(void const* patterns, Find find) : patterns_(patterns), find_(find) {}

  Status expand(std::string_view text, int depth);
  GrokPatterns::Compiled out;

 private:
  Status reference(std::string_view text, std::size_t& at, int depth);
  Status group(std::string_view text, std::size_t& at);
  Status character_class(std::string_view text, std::size_t& at, int depth);
  void open_named(std::string_view field, std::string_view type) {
    out.regex += "(?P<g" + std::to_string(out.groups.size()) + ">";
    out.groups.push_back({field_name(field), std::string(type)});
  }

  void const* patterns_;
  Find find_;
};

Status Expander::expand(std::string_view text, int depth) {
  if (depth > kMaxDepth) {
    return fail("patterns name each other in a circle, or too deep");
  }
  bool quantified = false;
  for (std::size_t at = 0; at < text.size();) {
    if (out.regex.size() > kMaxSize) {
      return fail("the pattern is longer than 256 KiB when its names are filled in");
    }
    char const c = text[at];
    bool const was_quantified = std::exchange(quantified, false);
    if (text.substr(at).starts_with("%{")) {
      TRY(reference(text, at, depth));
    } else if (c == '\\') {
      if (at + 1 < text.size() && (text[at + 1] == 'Z' || text[at + 1] == 'h')) {
        out.regex += text[at + 1] == 'Z' ? "\\z" : "[0-9A-Fa-f]";
      } else if (at + 1 < text.size() && (text[at + 1] == 'k' || text[at + 1] == 'G')) {
        return fail("references to groups (\\k) and \\G are not in RE2");
      } else {
        out.regex += text.substr(at, 2);
      }
      at += 2;
    } else if (c == '[') {
      TRY(character_class(text, at, 0));
    } else if (c == '(') {
      TRY(group(text, at));
    } else if (c == '+' && was_quantified) {
      ++at;  // possessive: RE2 never goes back anyway
    } else {
      quantified = c == '*' || c == '+' || c == '?' || c == '}';
      out.regex += c;
      ++at;
    }
  }
  return {};
}

Status Expander::reference(std::string_view text, std::size_t& at, int depth) {
  std::size_t const end = text.find('}', at);
  if (end == std::string_view::npos) {
    return fail("%{ without }");
  }
  std::string_view inner = text.substr(at + 2, end - at - 2);
  at = end + 1;
  std::size_t const colon = inner.find(':');
  std::string_view const name = inner.substr(0, colon);
  std::string_view field =
      colon == std::string_view::npos ? std::string_view() : inner.substr(colon + 1);
  std::size_t const second = field.find(':');
  std::string_view const type =
      second == std::string_view::npos ? std::string_view() : field.substr(second + 1);
  field = field.substr(0, second);
  std::string const* const definition = find_(patterns_, name);
  if (definition == nullptr) {
    return fail("there is no pattern %{" + std::string(name) + "}");
  }
  if (field.empty()) {
    out.regex += "(?:";
  } else {
    open_named(field, type);
  }
  TRY(expand(*definition, depth + 1));
  out.regex += ')';
  return {};
}

/// The begin of a group, at `(`.
Status Expander::group(std::string_view text, std::size_t& at) {
  std::string_view const rest = text.substr(at);
  if (!rest.starts_with("(?")) {
    out.regex += "(?:";  // no name: nobody asks for it
    ++at;
    return {};
  }
  for (std::string_view const look : {"(?<=", "(?<!", "(?=", "(?!"}) {
    if (rest.starts_with(look)) {
      return fail("look-around (" + std::string(look) + "...)) is not in RE2");
    }
  }
  if (rest.starts_with("(?>")) {
    out.regex += "(?:";  // atomic: the same, where nothing goes back
    at += 3;
    return {};
  }
  if (rest.starts_with("(?#")) {
    at = std::min(text.find(')', at), text.size() - 1) + 1;
    return {};
  }
  std::size_t const name = rest.starts_with("(?<") ? 3 : rest.starts_with("(?P<") ? 4 : 0;
  if (name != 0) {
    std::size_t const end = rest.find('>', name);
    if (end == std::string_view::npos) {
      return fail("a group's name without >");
    }
    std::string_view const inner = rest.substr(name, end - name);
    std::size_t const colon = inner.find(':');
    open_named(inner.substr(0, colon),
               colon == std::string_view::npos ? std::string_view() : inner.substr(colon + 1));
    at += end + 1;
    return {};
  }
  // Flags. Ruby's `m` is RE2's `s`.
  out.regex += "(?";
  for (at += 2; at < text.size() && text[at] != ':' && text[at] != ')'; ++at) {
    if (text[at] == 'x') {
      return fail("the flag x (blanks in patterns) is not in RE2");
    }
    out.regex += text[at] == 'm' ? 's' : text[at];
  }
  return {};
}

/// A class, at `[`. Ruby's may hold others: their union is written flat.
Status Expander::character_class(std::string_view text, std::size_t& at, int depth) {
  if (depth > 1) {
    return fail("classes within classes within classes");
  }
  if (depth == 0) {
    out.regex += '[';
  }
  ++at;
  if (at < text.size() && text[at] == '^') {
    if (depth > 0) {
      return fail("a class without [^...] within another is not in RE2");
    }
    out.regex += '^';
    ++at;
  }
  bool first = true;
  while (at < text.size() && (text[at] != ']' || first)) {
    std::string_view const rest = text.substr(at);
    if (rest.starts_with("[:")) {
      std::size_t const end = rest.find(":]");
      if (end == std::string_view::npos) {
        return fail("[: without :]");
      }
      out.regex += rest.substr(0, end + 2);
      at += end + 2;
    } else if (rest.starts_with('[')) {
      TRY(character_class(text, at, depth + 1));
    } else if (rest.starts_with("&&")) {
      return fail("the intersection of classes (&&) is not in RE2");
    } else if (rest.starts_with("\\h")) {
      out.regex += "0-9A-Fa-f";
      at += 2;
    } else if (rest.starts_with('\\')) {
      out.regex += rest.substr(0, 2);
      at += 2;
    } else {
      out.regex += text[at] == ']' ? "\\]" : std::string(1, text[at]);
      ++at;
    }
    first = false;
  }
  if (at >= text.size()) {
    return fail("[ without ]");
  }
  ++at;
  if (depth == 0) {
    out.regex += ']';
  }
  return {};
}

}  // namespace grok

GrokPatterns::GrokPatterns() {
  for (grok::Base const& base : grok::kBase) {
    patterns_[std::string(base.name)] = {std::string(base.text), true};
  }
}

void GrokPatterns::define(std::string_view name, std::string_view pattern) {
  patterns_[std::string(name)] = {std::string(pattern), false};
  settle(name);
}

/// A base pattern stays ours where the new definition does not compile.
void GrokPatterns::settle(std::string_view name) {
  auto const base = std::find_if(grok::kBase.begin(), grok::kBase.end(),
                                 [&](grok::Base const& one) { return one.name == name; });
  if (base == grok::kBase.end()) {
    return;
  }
  auto const expanded = compile("%{" + std::string(name) + "}");
  if (!expanded || !LineRegex::make(expanded->regex)) {
    patterns_[std::string(name)] = {std::string(base->text), true};
  }
}

Status GrokPatterns::define_file(std::string_view text, std::string const& file) {
  int line = 0;
  std::vector<std::string> defined;
  while (!text.empty()) {
    ++line;
    std::size_t const end = std::min(text.find('\n'), text.size());
    std::string_view entry = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (entry.ends_with('\r')) {
      entry.remove_suffix(1);
    }
    if (entry.find_first_not_of(" \t") == std::string_view::npos || entry.starts_with('#')) {
      continue;
    }
    std::size_t const blank = entry.find_first_of(" \t");
    std::string_view const name = entry.substr(0, blank);
    bool const good = std::all_of(name.begin(), name.end(), [](char c) {
      return grok::is_name_byte(c) || c == '-' || c == '.';
    });
    if (blank == std::string_view::npos || !good) {
      return fail_at(file, line, "a definition is NAME, a blank and a pattern");
    }
    patterns_[std::string(name)] = {
        std::string(entry.substr(entry.find_first_not_of(" \t", blank))), false};
    defined.emplace_back(name);
  }
  for (std::string const& name : defined) {  // they may name each other in any order
    settle(name);
  }
  return {};
}

Result<GrokPatterns::Compiled> GrokPatterns::compile(std::string_view pattern) const {
  grok::Expander expander(this, [](void const* self, std::string_view name) {
    auto const& patterns = static_cast<GrokPatterns const*>(self)->patterns_;
    auto const found = patterns.find(name);
    return found == patterns.end() ? nullptr : &found->second.text;
  });
  TRY(expander.expand(pattern, 0));
  return std::move(expander.out);
}

std::vector<std::string> GrokPatterns::names() const {
  std::vector<std::string> out;
  for (auto const& [name, definition] : patterns_) {
    out.push_back(name);
  }
  return out;
}

}  // namespace vedette::decode
