// Files that are one list of events in JSON, of any size and over any number of lines: made lines
// of on the way in, so that what reads lines need not know. `{"Records":[{...},{...}]}` and
// `[{...},{...}]` become a line for each element.
//
// Every byte stays where it is: line ends inside an element become blanks, what is between elements
// becomes line ends. So offsets are those of the file.
#pragma once

#include "source/input.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace vedette::source {

/// Follows JSON byte by byte, with one bit of memory per open bracket.
class JsonShape {
 public:
  static constexpr std::size_t kMaxDepth = 512;

  /// Where the next byte stands.
  enum class At : std::uint8_t {
    between,  ///< outside of every element
    inside,   ///< in an element
    broken,   ///< this is no JSON (any more)
  };
  /// `resumed`: the first byte is between elements of a document whose begin was read earlier.
  explicit JsonShape(bool resumed = false);
  /// Takes a byte; where it stood.
  At next(char c);
  /// Whether an element has ended.
  bool ended_one() const { return ended_one_; }
  /// Whether the elements are those of a list: of the document, or of its first member.
  bool in_list() const { return list_; }

 private:
  enum class Wants : std::uint8_t { value, key_or_end, key, colon, comma_or_end, value_or_end };
  At between(char c);
  At inside(char c);
  At structure(char c);
  At open(char c);
  At close(char c);
  At fail();

  bool objects_[kMaxDepth] = {};  // of every open bracket of the element: is it an object
  std::size_t depth_ = 0;
  Wants wants_ = Wants::value;
  bool in_string_ = false, escaped_ = false, in_word_ = false, broken_ = false;
  bool ended_one_ = false, list_ = false, resumed_ = false;
  bool begun_ = false;  // something came that is not blank
};

/// What the first bytes of a text say.
enum class DocumentKind : std::uint8_t {
  lines,     ///< no JSON, or JSON on each line
  document,  ///< a list to be made lines of
  unsure,    ///< more bytes are needed to tell
};
inline constexpr std::size_t kDocumentHead = 4096;  ///< as many are always enough
DocumentKind document_kind(std::string_view head);

/// `input` with documents made lines of; looks at its first bytes to know. `rewritten` (which must
/// outlive it) becomes true when bytes are no longer those of the input.
std::unique_ptr<ByteInput> document_lines(std::unique_ptr<ByteInput> input,
                                          bool* rewritten = nullptr);
}  // namespace vedette::source
