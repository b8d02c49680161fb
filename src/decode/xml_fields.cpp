#include "decode/xml_fields.hpp"

#include <algorithm>
#include <iterator>

namespace vedette::decode {
namespace xml_fields {
namespace {

bool all_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

bool is_decimal(std::string_view text) {
  return !text.empty() && text.size() <= 19 && (text[0] != '0' || text.size() == 1) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Names of `System` that say what an event is: fields of EventData and UserData cannot be called
/// so.
bool says_what_it_is(std::string_view name) {
  static constexpr std::string_view kNames[] = {"Channel",       "EventID",     "Computer",
                                                "Provider_Name", "TimeCreated", "EventRecordID"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

}  // namespace
}  // namespace xml_fields

XmlFields::XmlFields(catalog::Catalog const& catalog) : catalog_(catalog) {
  stack_.reserve(kMaxDepth);
}

bool XmlFields::read(XmlReader& reader, DecodeContext& context) {
  context_ = &context;
  first_ = context.batch.fields.size();
  std::uint64_t const over = context.batch.fields_over;
  stack_.clear();
  path_.clear();
  joined_.clear();
  windows_ = false;
  bool whole = begin(reader);
  std::string_view const root = xml_local_name(reader.name());
  while (whole && !stack_.empty()) {
    switch (reader.next()) {
      case XmlReader::Token::start:
        whole = begin(reader);
        break;
      case XmlReader::Token::attribute:
        attribute(reader);
        break;
      case XmlReader::Token::text:
        text(reader);
        break;
      case XmlReader::Token::end:
        if (stack_.size() == 1 && !windows_) {
          add("xml.element", root);
        }
        whole = reader.name() == stack_.back().name;
        error_ = whole ? "" : "an end tag does not belong to the element";
        if (whole) {
          end();
        }
        break;
      case XmlReader::Token::done:
        whole = false;
        error_ = "an element is not closed";
        break;
      case XmlReader::Token::broken:
        whole = false;
        error_ = reader.error();
        break;
    }
  }
  if (!whole) {
    context.batch.fields.resize(first_);
    context.batch.fields_over = over;
  }
  return whole;
}

bool XmlFields::begin(XmlReader const& reader) {
  if (stack_.size() >= kMaxDepth) {
    error_ = "too many elements inside each other";
    return false;
  }
  std::string_view const name = xml_local_name(reader.name());
  Element element{.name = reader.name(), .path = path_.size(), .joined = joined_.size()};
  if (stack_.size() == 1 && !stack_[0].has_children && name == "System" &&
      xml_local_name(stack_[0].name) == "Event") {
    windows_ = true;
  }
  if (windows_ && stack_.size() == 1) {
    element.part = name == "System"          ? Part::system
                   : name == "EventData"     ? Part::data
                   : name == "UserData"      ? Part::user
                   : name == "RenderingInfo" ? Part::rendering
                                             : Part::event;
  } else if (!stack_.empty()) {
    element.part = stack_.back().part;
  }
  if (!stack_.empty()) {
    stack_.back().has_children = true;
  }
  // What lies deeper than a name can be long is called by the name cut there.
  if (!stack_.empty() && path_.size() < kMaxName) {
    path_ += path_.empty() ? "" : ".";
    path_ += name.substr(0, kMaxName);
  }
  stack_.push_back(element);
  return true;
}

/// With references resolved; a view of the record when there are none.
std::string_view XmlFields::resolved(XmlReader const& reader) {
  std::string_view const value = reader.value();
  if (!reader.escaped()) {
    return value;
  }
  Arena& arena = context_->batch.arena;
  char* const out = arena.allocate(value.size());
  std::size_t const size = unescape_xml(value, out);
  arena.shrink_last(value.size() - size);
  return {out, size};
}

void XmlFields::attribute(XmlReader const& reader) {
  std::string_view const name = reader.name();
  if (name == "xmlns" || name.starts_with("xmlns:")) {
    return;
  }
  Element& element = stack_.back();
  std::string_view const value = resolved(reader);
  std::string_view const local = xml_local_name(name);
  if (stack_.size() > 1 && element.part != Part::other &&
      windows_attribute(element, local, value)) {
    return;
  }
  add_joined(path_, local, value);
}

/// `Provider_Name`; the name of a Data element is kept for its text.
bool XmlFields::windows_attribute(Element& element, std::string_view name, std::string_view value) {
  std::string_view const of = xml_local_name(element.name);
  if (element.part == Part::data && of == "Data" && name == "Name") {
    element.attribute = value;
    return true;
  }
  if (element.part == Part::system && of == "TimeCreated" && name == "SystemTime") {
    add("TimeCreated", value);
    return true;
  }
  name_.assign(of);
  name_ += '_';
  name_ += name;
  add(name_, value, element.part == Part::system && xml_fields::is_decimal(value));
  return true;
}

void XmlFields::text(XmlReader const& reader) {
  Element& element = stack_.back();
  std::string_view const value = resolved(reader);
  if (!element.has_text) {
    element.text = value;
    element.has_text = !value.empty();
    return;
  }
  if (xml_fields::all_blank(value) && element.has_children) {
    return;
  }
  if (!element.in_pieces) {
    element.in_pieces = true;
    element.joined = joined_.size();
    joined_ += element.text;
  }
  joined_ += value;
}

std::string_view XmlFields::value_of(Element const& element) {
  return element.in_pieces
             ? context_->batch.arena.copy(std::string_view(joined_).substr(element.joined))
             : element.text;
}

void XmlFields::end() {
  Element const element = stack_.back();
  stack_.pop_back();
  std::string_view const value = value_of(element);
  bool const nothing = element.has_children && xml_fields::all_blank(value);
  if (windows_ && element.part != Part::other) {
    if (!nothing) {
      stack_.push_back(element);
      windows_end(element, value);
      stack_.pop_back();
    }
  } else if (!nothing && (!value.empty() || !element.has_children)) {
    add(stack_.empty() ? xml_local_name(element.name) : std::string_view(path_), value);
  }
  joined_.resize(element.joined);
  path_.resize(element.path);
}

void XmlFields::windows_end(Element const& element, std::string_view value) {
  std::string_view const name = xml_local_name(element.name);
  std::size_t const depth = stack_.size();  // 1: Event, 2: System, EventData, ...
  switch (element.part) {
    case Part::system:
      if (depth > 2 && !value.empty()) {
        add(name, value, xml_fields::is_decimal(value));
      }
      return;
    case Part::data:
      if (depth > 2) {
        add_of("EventData", element.attribute.empty() ? name : element.attribute, value);
      } else if (!value.empty()) {
        add(name, value);
      }
      return;
    case Part::user: {
      // Event.UserData.EventXML.Param: the element that wraps them has a name of its own.
      std::size_t const base = depth > 3 ? stack_[3].path + 1 : std::string::npos;
      if (base < path_.size()) {
        add_of("UserData", std::string_view(path_).substr(base), value);
      } else if (depth > 2 && !value.empty()) {
        add(name, value);
      }
      return;
    }
    case Part::rendering:
      if (value.empty() || depth < 3) {
        return;
      }
      if (name == "Message") {
        add(name, value);
      } else {
        add_joined("RenderingInfo", name == "Keyword" ? "Keywords" : name, value);
      }
      return;
    default:
      if (!value.empty()) {
        add(path_, value);
      }
      return;
  }
}

void XmlFields::add_of(std::string_view part, std::string_view name, std::string_view value) {
  if (xml_fields::says_what_it_is(name)) {
    add_joined(part, name, value);
  } else {
    add(name, value);
  }
}

void XmlFields::add_joined(std::string_view first, std::string_view second,
                           std::string_view value) {
  name_.assign(first);
  name_ += first.empty() ? "" : first == "RenderingInfo" ? "_" : ".";
  name_ += second;
  add(name_, value);
}

void XmlFields::add(std::string_view name, std::string_view value, bool number) {
  Batch& batch = context_->batch;
  name = name.substr(0, kMaxName);
  FieldId id = context_->fields.intern(name);
  if (id != kUnlisted && (catalog_.is_common(id) || name.contains('.')) &&
      is_reserved_name(name, catalog_)) {
    std::string const kept = "original." + std::string(name);
    id = context_->fields.intern(kept);
  }
  if (batch.fields.size() - first_ + (id == kUnlisted ? 2 : 1) > kMaxFields) {
    ++batch.fields_over;
    return;
  }
  if (id == kUnlisted) {
    std::string_view const kept = batch.arena.copy(name);
    batch.fields.push_back(
        {kept.data(), static_cast<std::uint32_t>(kept.size()), id, Kind::text, false});
  }
  batch.fields.push_back({value.data(), static_cast<std::uint32_t>(value.size()), id,
                          number ? Kind::number : Kind::text, false});
}

}  // namespace vedette::decode
