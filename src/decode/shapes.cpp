#include "decode/shapes.hpp"

#include "base/hash.hpp"
#include "event/field.hpp"

#include <algorithm>

namespace vedette::decode {

namespace shape_table {
namespace {

constexpr std::size_t kMostCaptures = 20;
constexpr std::size_t kMaxAlike = 8;  // shapes of one punctuation that a line is compared with

bool digit(char c) { return c >= '0' && c <= '9'; }
/// What YAML and a terminal cannot show is never part of a template.
bool shown(char c) { return (c >= ' ' && c <= '~') || c == '\t'; }
bool in_word(char c) {
  return !shown(c) || digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
         c == '-' || c == '.' || c == ':' || c == '/' || c == '@' || c == '%' || c == '+' ||
         c == '\\';
}

/// A colon or full stop at the end of a word is punctuation.
std::size_t word_size(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && in_word(text[n])) {
    ++n;
  }
  while (n > 1 && (text[n - 1] == ':' || text[n - 1] == '.')) {
    --n;
  }
  return n;
}

void append_literal(std::string& out, std::string_view text) {
  for (char const c : text) {
    if (c == '[' || c == ']' || c == '{' || c == '}' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
}

}  // namespace
}  // namespace shape_table

struct ShapeTable::Line {
  std::string gaps;
  std::vector<std::string_view> words;
  bool rest = false;
};

void ShapeTable::read(std::string_view message, Line& line) {
  line.rest = message.size() > kMaxText;
  std::string_view left = message.substr(0, kMaxText);
  while (true) {
    std::size_t gap = 0;
    while (gap < left.size() && !shape_table::in_word(left[gap])) {
      ++gap;
    }
    line.gaps.append(left.substr(0, gap));
    line.gaps += '\0';
    left.remove_prefix(gap);
    if (left.empty()) {
      return;
    }
    if (line.words.size() == kMaxWords) {
      line.rest = true;
      return;
    }
    std::size_t const size = shape_table::word_size(left);
    line.words.push_back(left.substr(0, size));
    left.remove_prefix(size);
    // What word_size left over is no word's begin.
    std::size_t tail = 0;
    while (tail < left.size() && (left[tail] == ':' || left[tail] == '.')) {
      ++tail;
    }
    line.gaps.append(left.substr(0, tail));
    left.remove_prefix(tail);
  }
}

ShapeTable::Kind ShapeTable::kind_of(std::string_view word) {
  if (std::all_of(word.begin(), word.end(), shape_table::digit)) {
    return Kind::integer;
  }
  if (!std::all_of(word.begin(), word.end(), shape_table::shown)) {
    return Kind::word;
  }
  if (std::none_of(word.begin(), word.end(), shape_table::digit)) {
    bool const address = word.find("::") != std::string_view::npos && parse_ip(word).has_value();
    return address ? Kind::ip : Kind::literal;
  }
  if (parse_ip(word)) {
    return Kind::ip;
  }
  std::size_t const colon = word.rfind(':');
  bool const port = colon != std::string_view::npos && colon + 1 < word.size() &&
                    std::all_of(word.begin() + static_cast<std::ptrdiff_t>(colon) + 1, word.end(),
                                shape_table::digit);
  return port && parse_ip(word.substr(0, colon)) ? Kind::ip_port : Kind::word;
}

bool ShapeTable::fits(Cluster const& cluster, Line const& line) {
  std::size_t literals = 0;
  std::size_t agree = 0;
  for (std::size_t i = 0; i < line.words.size(); ++i) {
    Word const& word = cluster.words[i];
    if (word.kind == Kind::literal) {
      ++literals;
      agree += word.text == line.words[i] ? 1 : 0;
    }
  }
  return cluster.rest == line.rest &&
         (literals == 0 ? line.words.size() < 4 : 5 * agree >= 3 * literals);
}

void ShapeTable::merge(Cluster& cluster, Line const& line) {
  ++cluster.lines;
  for (std::size_t i = 0; i < line.words.size(); ++i) {
    Word& word = cluster.words[i];
    if (word.kind == Kind::word || (word.kind == Kind::literal && word.text == line.words[i])) {
      continue;
    }
    if (word.kind == Kind::literal || word.kind != kind_of(line.words[i])) {
      word.kind = Kind::word;
      word.text.clear();
    }
  }
}

void ShapeTable::add(std::string_view program, std::string_view message) {
  ++lines_;
  Line line;
  read(message, line);
  std::uint64_t const key = hash64(line.gaps) ^ (hash64(program) * 3);
  auto& alike = by_gaps_[key];
  for (std::uint32_t const index : alike) {
    Cluster& cluster = clusters_[index];
    if (cluster.gaps == line.gaps && cluster.program == program && fits(cluster, line)) {
      merge(cluster, line);
      return;
    }
  }
  if (clusters_.size() == kMaxShapes || alike.size() == shape_table::kMaxAlike) {
    ++others_;
    if (alike.empty()) {
      by_gaps_.erase(key);
    }
    return;
  }
  Cluster made;
  made.program = program.substr(0, 128);
  made.sample = message.substr(0, kMaxSample);
  made.rest = line.rest;
  made.lines = 1;
  for (std::string_view const word : line.words) {
    Kind const kind = kind_of(word);
    made.words.push_back({kind == Kind::literal ? std::string(word) : std::string(), kind});
  }
  made.gaps = std::move(line.gaps);
  alike.push_back(static_cast<std::uint32_t>(clusters_.size()));
  clusters_.push_back(std::move(made));
}

/// Names by what stands there: the first address is taken for the source, the second for the
/// destination; whoever pastes the template gives the others their names.
std::string ShapeTable::template_of(Cluster const& cluster) {
  static constexpr std::string_view kSides[] = {"src", "dst"};
  std::string out;
  std::string_view gaps = cluster.gaps;
  std::size_t addresses = 0;
  std::size_t captures = 0;
  bool open = false;  // it ends with a capture
  for (Word const& word : cluster.words) {
    std::size_t const end = gaps.find('\0');
    shape_table::append_literal(out, gaps.substr(0, end));
    gaps.remove_prefix(end + 1);
    if (word.kind == Kind::literal) {
      shape_table::append_literal(out, word.text);
      open = false;
      continue;
    }
    if (captures >= shape_table::kMostCaptures) {
      return out + "{rest:text}";
    }
    open = true;
    bool const address = word.kind == Kind::ip || word.kind == Kind::ip_port;
    if (address && addresses < 2) {
      std::string const side(kSides[addresses++]);
      out += "{" + side + "_ip}";
      out += word.kind == Kind::ip_port ? ":{" + side + "_port}" : "";
      captures += word.kind == Kind::ip_port ? 2 : 1;
      continue;
    }
    // A word ends at the first byte of what follows, which must not be one that words hold.
    bool const ends = gaps.front() != ':' && gaps.front() != '.';
    std::string const type = word.kind == Kind::integer ? "int" : ends ? "word" : "text";
    out += "{field" + std::to_string(++captures) + ":" + type + "}";
  }
  std::string_view const last = gaps.substr(0, gaps.find('\0'));
  shape_table::append_literal(out, last);
  open = open && last.empty();
  return cluster.rest && !open ? out + "{rest:text}" : out;
}

std::vector<ShapeTable::Shape> ShapeTable::shapes() const {
  std::vector<Shape> out;
  for (Cluster const& cluster : clusters_) {
    out.push_back({cluster.program, cluster.sample, template_of(cluster), cluster.lines});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](Shape const& a, Shape const& b) { return a.lines > b.lines; });
  return out;
}

}  // namespace vedette::decode
