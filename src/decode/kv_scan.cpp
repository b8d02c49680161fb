#include "decode/kv_scan.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace vedette::decode {
namespace kv_scan {
namespace {

constexpr std::string_view kSeparators = ",;|\t^&";

constexpr std::array<bool, 256> make_key_bytes() {
  std::array<bool, 256> out{};
  for (unsigned c = 0; c < 256; ++c) {
    out[c] = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }
  for (char const c : std::string_view("_.-@/[]")) {
    out[static_cast<unsigned char>(c)] = true;
  }
  return out;
}
constexpr std::array<bool, 256> kKeyBytes = make_key_bytes();

bool is_key_byte(char c) { return kKeyBytes[static_cast<unsigned char>(c)]; }

/// The closing quote of a text that begins at `begin`: not escaped, and what follows it ends the
/// value. A quote that something else follows is part of the text. npos = it is never closed.
std::size_t closing_quote(std::string_view text, std::size_t begin, char quote, bool& escaped) {
  std::size_t run = 0;  // backslashes before this byte
  for (std::size_t at = begin; at < text.size(); ++at) {
    char const c = text[at];
    if (c == '\\') {
      escaped = true;
      ++run;
      continue;
    }
    if (c == quote && run % 2 == 0 &&
        (at + 1 == text.size() || text[at + 1] == ' ' || kSeparators.contains(text[at + 1]))) {
      return at;
    }
    run = 0;
  }
  return std::string_view::npos;
}

}  // namespace
}  // namespace kv_scan

KvScanner::KvScanner(std::string_view text) : text_(text) {
  // What the first value ends with, where the second key follows, is the separator.
  std::size_t const first = text.find('=');
  if (first == std::string_view::npos || first + 1 >= text.size()) {
    return;
  }
  std::size_t at = first + 1;
  if (text[at] == '"' || text[at] == '\'') {
    bool escaped = false;
    std::size_t const end = kv_scan::closing_quote(text, at + 1, text[at], escaped);
    if (end != std::string_view::npos && end + 1 < text.size() &&
        kv_scan::kSeparators.contains(text[end + 1])) {
      separator_ = text[end + 1];
    }
    return;
  }
  std::size_t const second = text.find('=', at);
  if (second == std::string_view::npos) {
    return;
  }
  std::size_t key = second;
  while (key > at && kv_scan::is_key_byte(text[key - 1])) {
    --key;
  }
  while (key > at && text[key - 1] == ' ') {
    --key;
  }
  if (key > at && key < second && kv_scan::kSeparators.contains(text[key - 1])) {
    separator_ = text[key - 1];
  }
}

bool KvScanner::is_between(char c) const { return c == ' ' || c == '\t' || c == separator_; }

std::size_t KvScanner::skip_separators(std::size_t at) const {
  while (at < text_.size() && is_between(text_[at])) {
    ++at;
  }
  return at;
}

std::size_t KvScanner::key_end(std::size_t at) const {
  std::size_t const last = std::min(text_.size(), at + kMaxKey);
  std::size_t end = at;
  while (end < last && kv_scan::is_key_byte(text_[end])) {
    ++end;
  }
  return end > at && end < text_.size() && text_[end] == '=' ? end : std::string_view::npos;
}

/// Of a value without quotes: at the separator, or before the blanks in front of the next key.
std::size_t KvScanner::value_end(std::size_t begin) {
  if (separator_ != ' ') {
    return std::min(text_.find(separator_, begin), text_.size());
  }
  std::size_t end = begin;
  while (true) {
    while (end < text_.size() && text_[end] != ' ' && text_[end] != '\t') {
      ++end;
    }
    std::size_t const next = skip_separators(end);
    // A word of up to kMaxKey bytes is looked at once as key and once as part of the value.
    if (next == text_.size() || next == begin || key_end(next) != std::string_view::npos) {
      return end;
    }
    ++blanks_in_values_;
    end = next;
  }
}

bool KvScanner::next(KvPair& out) {
  while (true) {
    place_ = skip_separators(place_);
    if (place_ >= text_.size()) {
      return false;
    }
    std::size_t const equals = key_end(place_);
    if (equals == std::string_view::npos) {
      std::size_t const from = place_;
      while (place_ < text_.size() && !is_between(text_[place_])) {
        ++place_;
      }
      loose_ += place_ - from;
      continue;
    }
    out = KvPair{.key = text_.substr(place_, equals - place_)};
    std::size_t const begin = equals + 1;
    char const first = begin < text_.size() ? text_[begin] : ' ';
    bool& never_closed = never_closed_[first == '"' ? 0 : 1];
    if ((first == '"' || first == '\'') && !never_closed) {
      std::size_t const end = kv_scan::closing_quote(text_, begin + 1, first, out.escaped);
      if (end != std::string_view::npos) {
        out.quote = first;
        out.value = text_.substr(begin + 1, end - begin - 1);
        place_ = end + 1;
        return true;
      }
      out.escaped = false;
      never_closed = true;
    }
    // `key= other=x`: no value at all.
    std::size_t const end = first == ' ' || first == '\t' ? begin : value_end(begin);
    out.value = text_.substr(begin, end - begin);
    while (out.value.ends_with(' ')) {
      out.value.remove_suffix(1);
    }
    place_ = end;
    return true;
  }
}

}  // namespace vedette::decode
