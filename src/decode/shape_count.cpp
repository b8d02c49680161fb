#include "decode/shape_count.hpp"

#include "base/hash.hpp"

#include <algorithm>
#include <iterator>

namespace vedette::decode {
namespace shape_count {
namespace {

constexpr std::size_t kLooked = 256;      ///< bytes of a line that are looked at
constexpr std::size_t kWords = 12;        ///< words that tell shapes apart
constexpr std::size_t kLiteralWords = 2;  ///< of them, those that count by what they say

bool is_letter(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
bool is_word_byte(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// The names of fields, and the first words where they are no values.
bool is_literal(std::string_view text, std::size_t begin, std::size_t end, std::size_t number) {
  std::string_view const after = text.substr(end, 2);
  bool const key = after.starts_with('=') || after == "\":" || after == "':";
  bool const letters = std::all_of(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                   text.begin() + static_cast<std::ptrdiff_t>(end), is_letter);
  bool const quoted = begin > 0 && (text[begin - 1] == '"' || text[begin - 1] == '\'');
  return key || (letters && !quoted && number < kLiteralWords);
}

/// What lines of one shape have in common: what stands between the words, and some words.
std::string skeleton(std::string_view program, std::string_view message) {
  std::string out(program.substr(0, 128));
  out += '\0';
  std::string_view const text = message.substr(0, kLooked);
  std::size_t words = 0;
  for (std::size_t at = 0; at < text.size() && words < kWords;) {
    if (!is_word_byte(text[at])) {
      out += text[at++];
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_word_byte(text[end])) {
      ++end;
    }
    if (is_literal(text, at, end, words)) {
      out += text.substr(at, end - at);
    } else {
      out += '\1';
    }
    ++words;
    at = end;
  }
  return out;
}

}  // namespace
}  // namespace shape_count

void ShapeCount::add(std::string_view program, std::string_view message) {
  add(hash64(shape_count::skeleton(program, message)), program.substr(0, 128),
      message.substr(0, kMaxSample), 1);
}

void ShapeCount::add(ShapeCount const& other) {
  lines_ += other.others_;
  others_ += other.others_;
  for (auto const& [hash, shape] : other.shapes_) {
    add(hash, shape.program, shape.sample, shape.lines);
  }
}

void ShapeCount::add(std::uint64_t hash, std::string_view program, std::string_view sample,
                     std::uint64_t lines) {
  lines_ += lines;
  if (shapes_.size() == kMaxShapes && hash > shapes_.rbegin()->first) {
    others_ += lines;
    return;
  }
  auto const [place, fresh] = shapes_.try_emplace(hash);
  Shape& shape = place->second;
  if (fresh) {
    shape.program = program;
    shape.sample = sample;
  } else if (sample < shape.sample) {
    shape.sample = sample;
  }
  shape.lines += lines;
  if (shapes_.size() > kMaxShapes) {
    auto const last = std::prev(shapes_.end());
    others_ += last->second.lines;
    shapes_.erase(last);
  }
}

std::vector<ShapeCount::Shape> ShapeCount::shapes() const {
  std::vector<Shape> out;
  for (auto const& [hash, shape] : shapes_) {
    out.push_back(shape);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](Shape const& a, Shape const& b) { return a.lines > b.lines; });
  return out;
}

}  // namespace vedette::decode
