// A pull parser for XML as logs hold it: elements, attributes, text, CDATA. Nothing is expanded but
// the five entities of XML and numbers of characters; declarations, comments and instructions are
// passed over. One pass, no memory of its own.
#pragma once

#include "base/arena.hpp"

#include <cstdint>
#include <string_view>

namespace vedette::decode {

class XmlReader {
 public:
  enum class Token : std::uint8_t {
    start,      ///< name()
    attribute,  ///< name() and value() of the element begun last
    text,       ///< value(); several in a row are one text
    end,        ///< name() of an element that ends; also after one that is empty (`<a/>`)
    done,
    broken,  ///< error() says why
  };

  explicit XmlReader(std::string_view text) : text_(text) {}

  Token next();
  /// With its prefix.
  std::string_view name() const { return name_; }
  /// As written; text(value(), ...) resolves it when escaped().
  std::string_view value() const { return value_; }
  bool escaped() const { return escaped_; }
  char const* error() const { return error_; }
  /// Where the next token begins.
  std::size_t place() const { return at_; }

 private:
  Token fail(char const* error) {
    error_ = error;
    return Token::broken;
  }
  Token in_tag();
  Token markup();
  Token instruction();
  Token end_tag();
  std::string_view read_name();
  void skip_blanks();

  std::string_view text_;
  std::size_t at_ = 0;
  bool in_tag_ = false;
  std::string_view name_;     // of the latest start, attribute or end
  std::string_view element_;  // whose tag is being read
  std::string_view value_;
  bool escaped_ = false;
  char const* error_ = "";
};

/// Without prefix: `Event` of `ev:Event`.
std::string_view xml_local_name(std::string_view name);

/// `&lt; &gt; &amp; &quot; &apos; &#10; &#xA;` resolved into `out` (at least text.size() bytes);
/// everything else stays as it is. Returns the length.
std::size_t unescape_xml(std::string_view text, char* out);

}  // namespace vedette::decode
