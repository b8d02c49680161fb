// From an XML element to fields. A Windows event (`<Event><System>...`) gets the names that Windows
// gives its fields and Sigma's rules are written with; every other element dotted names.
// docs/formats-xml.md says how.
#pragma once

#include "decode/decoder.hpp"
#include "decode/json_names.hpp"
#include "decode/xml_reader.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vedette::decode {

class XmlFields {
 public:
  static constexpr std::size_t kMaxDepth = 64;
  static constexpr std::size_t kMaxFields = 4096;
  static constexpr std::size_t kMaxName = 256;

  explicit XmlFields(catalog::Catalog const& catalog);

  /// Reads the element that `reader` has just begun (Token::start) up to its end into the batch's
  /// fields. False: it is broken or too deep; the fields are then as they were.
  bool read(XmlReader& reader, DecodeContext& context);
  char const* error() const { return error_; }

 private:
  /// Where in a Windows event an element is.
  enum class Part : std::uint8_t { other, event, system, data, user, rendering };
  struct Element {
    std::string_view name;       // with prefix, to compare with the end tag
    std::size_t path = 0;        // bytes of path_ before it
    std::string_view attribute;  // EventData's `Name`
    std::string_view text;
    std::size_t joined = 0;  // of joined_ before its text, where that is in pieces
    bool in_pieces = false;
    bool has_text = false;
    bool has_children = false;
    Part part = Part::other;
  };

  bool begin(XmlReader const& reader);
  void attribute(XmlReader const& reader);
  void text(XmlReader const& reader);
  void end();
  void windows_end(Element const& element, std::string_view value);
  bool windows_attribute(Element& element, std::string_view name, std::string_view value);
  std::string_view resolved(XmlReader const& reader);
  std::string_view value_of(Element const& element);
  void add(std::string_view name, std::string_view value, bool number = false);
  void add_of(std::string_view part, std::string_view name, std::string_view value);
  void add_joined(std::string_view first, std::string_view second, std::string_view value);

  catalog::Catalog const& catalog_;
  DecodeContext* context_ = nullptr;
  std::size_t first_ = 0;
  std::vector<Element> stack_;
  std::string path_;    // dotted
  std::string joined_;  // texts in pieces
  std::string name_;
  bool windows_ = false;
  char const* error_ = "";
};

}  // namespace vedette::decode
