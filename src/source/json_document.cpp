#include "source/json_document.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

namespace vedette::source {
namespace json_document {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Of numbers, true, false and null; what they are in full does not matter here.
bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' ||
         c == 'E';
}

constexpr std::array<std::string_view, 3> kLists{"Records", "records", "logEvents"};
constexpr std::string_view kBom = "\xEF\xBB\xBF";

}  // namespace
}  // namespace json_document

JsonShape::JsonShape(bool resumed) : resumed_(resumed) {}

JsonShape::At JsonShape::next(char c) {
  if (broken_) {
    return At::broken;
  }
  return depth_ == 0 && !in_string_ && !in_word_ ? between(c) : inside(c);
}

JsonShape::At JsonShape::fail() {
  broken_ = true;
  return At::broken;
}

/// Between elements, and in what stands before the first of them.
JsonShape::At JsonShape::between(char c) {
  if (json_document::is_blank(c)) {
    return At::between;
  }
  bool const first = !std::exchange(begun_, true);
  if (list_ || resumed_) {
    if (c == '{') {
      return open(c);
    }
    return c == ',' || c == ']' || c == '}' || c == '[' ? At::between : fail();
  }
  if (c == '[' && (first || ended_one_)) {
    list_ = true;
    return At::between;
  }
  return c == '{' ? open(c) : fail();
}

JsonShape::At JsonShape::inside(char c) {
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
    } else if (c == '\n') {
      return fail();  // no JSON string holds a line end
    }
    return At::inside;
  }
  if (in_word_ && json_document::is_word(c)) {
    return At::inside;
  }
  in_word_ = false;
  return json_document::is_blank(c) ? At::inside : structure(c);
}

JsonShape::At JsonShape::structure(char c) {
  bool const value = wants_ == Wants::value || wants_ == Wants::value_or_end;
  if (c == '"' && (value || wants_ == Wants::key || wants_ == Wants::key_or_end)) {
    in_string_ = true;
    wants_ = value ? Wants::comma_or_end : Wants::colon;
    return At::inside;
  }
  if (c == ':' && wants_ == Wants::colon) {
    wants_ = Wants::value;
    return At::inside;
  }
  if (c == ',' && wants_ == Wants::comma_or_end) {
    wants_ = objects_[depth_ - 1] ? Wants::key : Wants::value;
    return At::inside;
  }
  if ((c == '{' || c == '[') && value) {
    return open(c);
  }
  if (c == '}' || c == ']') {
    return close(c);
  }
  if (value && json_document::is_word(c)) {
    in_word_ = true;
    wants_ = Wants::comma_or_end;
    return At::inside;
  }
  return fail();
}

JsonShape::At JsonShape::open(char c) {
  if (depth_ == kMaxDepth) {
    return fail();
  }
  objects_[depth_++] = c == '{';
  wants_ = c == '{' ? Wants::key_or_end : Wants::value_or_end;
  return At::inside;
}

JsonShape::At JsonShape::close(char c) {
  Wants const empty = c == '}' ? Wants::key_or_end : Wants::value_or_end;
  if (objects_[depth_ - 1] != (c == '}') || (wants_ != Wants::comma_or_end && wants_ != empty)) {
    return fail();
  }
  --depth_;
  wants_ = Wants::comma_or_end;
  ended_one_ = ended_one_ || depth_ == 0;
  return At::inside;
}

namespace json_document {
namespace {

/// How many bytes of the text are `{"Records":[` (with blanks anywhere) and such; 0 = it begins
/// otherwise. `cut_short`: it may yet.
std::size_t header_size(std::string_view text, bool& cut_short) {
  std::size_t at = 0;
  auto const skip = [&] {
    while (at < text.size() && is_blank(text[at])) {
      ++at;
    }
  };
  auto const take = [&](std::string_view expected) {
    skip();
    std::string_view const rest = text.substr(at, expected.size());
    cut_short = cut_short || (rest.size() < expected.size() && expected.starts_with(rest));
    at += rest == expected ? expected.size() : 0;
    return rest == expected;
  };
  if (text.starts_with(kBom)) {
    at = kBom.size();
  }
  if (!take("{")) {
    return 0;
  }
  std::size_t const key = at;
  for (std::string_view const name : kLists) {
    at = key;
    if (take("\"") && take(name) && take("\"") && take(":") && take("[")) {
      std::size_t const size = at;
      if (take("{")) {
        return size;
      }
    }
  }
  return 0;
}

}  // namespace
}  // namespace json_document

DocumentKind document_kind(std::string_view head) {
  bool const whole = head.size() >= kDocumentHead;
  bool cut_short = false;
  std::size_t at = json_document::header_size(head, cut_short);
  bool const header = at > 0;
  if (!header && cut_short && !whole) {
    return DocumentKind::unsure;
  }
  if (!header && head.starts_with(json_document::kBom)) {
    at = json_document::kBom.size();
  }
  JsonShape shape(header);
  bool line_end = head.substr(0, at).contains('\n');  // inside the document
  bool closed = false;                                // by what came last
  bool begun = header;
  for (; at < head.size(); ++at) {
    char const c = head[at];
    JsonShape::At const where = shape.next(c);
    if (where == JsonShape::At::broken) {
      return DocumentKind::lines;
    }
    bool const list = header || shape.in_list();
    if (c == '\n' && begun) {
      if (closed && !line_end) {
        return DocumentKind::lines;  // a list on one line
      }
      line_end = true;
    }
    if (json_document::is_blank(c)) {
      continue;
    }
    if (line_end) {  // and it goes on behind a line end
      return list ? DocumentKind::document : DocumentKind::lines;
    }
    begun = true;
    closed = list && where == JsonShape::At::between && c == (header ? '}' : ']');
    if (!list && shape.ended_one()) {
      return DocumentKind::lines;
    }
  }
  return !whole                      ? DocumentKind::unsure
         : header || shape.in_list() ? DocumentKind::document
                                     : DocumentKind::lines;
}

namespace json_document {
namespace {

/// Reads its input's bytes and makes lines of them where they are.
class LinesInput final : public ByteInput {
 public:
  LinesInput(std::unique_ptr<ByteInput> input, bool* rewritten)
      : input_(std::move(input)), rewritten_(rewritten) {}

  Result<Got> read(char* to, std::size_t room) override {
    while (!decided_) {
      char piece[kDocumentHead];
      TRY(Got const got, input_->read(piece, kDocumentHead - head_.size()));
      head_.append(piece, got.size);
      DocumentKind const kind = document_kind(head_);
      if (kind == DocumentKind::unsure && !got.end) {
        if (got.size == 0) {
          return Got{0, false};
        }
        continue;
      }
      decided_ = true;
      rewrite_ = kind == DocumentKind::document;
      begin();
    }
    if (given_ < head_.size()) {
      std::size_t const size = std::min(room, head_.size() - given_);
      std::memcpy(to, head_.data() + given_, size);
      given_ += size;
      return Got{size, false};
    }
    TRY(Got const got, input_->read(to, room));
    if (rewrite_) {
      rewrite(to, got.size);
    }
    return got;
  }
  Status finish() override { return input_->finish(); }
  std::uint64_t consumed() const override { return input_->consumed() - (head_.size() - given_); }

 private:
  /// The head: what stands before the first element is no line.
  void begin() {
    if (!rewrite_) {
      return;
    }
    if (rewritten_ != nullptr) {
      *rewritten_ = true;
    }
    bool cut_short = false;
    std::size_t header = header_size(head_, cut_short);
    if (header == 0) {
      header = head_.starts_with(kBom) ? kBom.size() : 0;
    }
    std::fill_n(head_.begin(), header, '\n');
    rewrite(head_.data() + header, head_.size() - header);
  }

  void rewrite(char* bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      switch (shape_.next(bytes[i])) {
        case JsonShape::At::between:
          bytes[i] = '\n';
          break;
        case JsonShape::At::inside:
          bytes[i] = bytes[i] == '\n' || bytes[i] == '\r' ? ' ' : bytes[i];
          break;
        case JsonShape::At::broken:
          return;  // lines as they are from here on
      }
    }
  }

  std::unique_ptr<ByteInput> input_;
  JsonShape shape_{true};
  std::string head_;
  std::size_t given_ = 0;
  bool* rewritten_;
  bool decided_ = false;
  bool rewrite_ = false;
};

}  // namespace
}  // namespace json_document

std::unique_ptr<ByteInput> document_lines(std::unique_ptr<ByteInput> input, bool* rewritten) {
  return std::make_unique<json_document::LinesInput>(std::move(input), rewritten);
}

}  // namespace vedette::source
