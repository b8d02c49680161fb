#include "source/file_position.hpp"

#include "base/json.hpp"

#include <charconv>

namespace vedette::source {
namespace {

void write_print(json::Writer& out, std::string_view key, Fingerprint const& print) {
  // 64 bits do not survive as a number everywhere, so the hash is text.
  char digits[16];
  auto const end = std::to_chars(digits, digits + sizeof digits, print.hash, 16).ptr;
  out.key(key).begin_array().number(static_cast<std::int64_t>(print.size));
  out.string(std::string_view(digits, static_cast<std::size_t>(end - digits))).end_array();
}

Fingerprint read_print(json::Value const& object, std::string_view key) {
  Fingerprint print;
  json::Value const* const value = object.find(key);
  if (value != nullptr && value->items.size() == 2) {
    std::string const& size = value->items[0].text;
    std::string const& hash = value->items[1].text;
    std::from_chars(size.data(), size.data() + size.size(), print.size);
    std::from_chars(hash.data(), hash.data() + hash.size(), print.hash, 16);
  }
  return print;
}

void write_identity(json::Writer& out, Identity const& file) {
  out.key("dev").number(file.device).key("ino").number(file.inode);
  out.key("born").number(file.born).key("offset").number(file.offset);
  write_print(out, "head", file.head);
  write_print(out, "tail", file.tail);
}

std::uint64_t read_uint(json::Value const& object, std::string_view key) {
  std::uint64_t number = 0;
  if (json::Value const* const value = object.find(key)) {
    std::from_chars(value->text.data(), value->text.data() + value->text.size(), number);
  }
  return number;
}

bool read_flag(json::Value const& object, std::string_view key) {
  json::Value const* const value = object.find(key);
  return value != nullptr && value->boolean;
}

Identity read_identity(json::Value const& object) {
  Identity file;
  file.device = read_uint(object, "dev");
  file.inode = read_uint(object, "ino");
  file.born = object.int_or("born", 0);
  file.offset = read_uint(object, "offset");
  file.head = read_print(object, "head");
  file.tail = read_print(object, "tail");
  return file;
}

}  // namespace

std::string past_to_json(std::vector<Identity> const& past) {
  std::string text;
  json::Writer out(text);
  out.begin_array();
  for (Identity const& file : past) {
    out.begin_object();
    write_identity(out, file);
    out.end_object();
  }
  out.end_array();
  return text;
}

std::string to_json(FilePosition const& position, std::string_view past_json) {
  std::string text;
  json::Writer out(text);
  out.begin_object().key("v").number(1).key("at").number(position.at);
  out.key("next").number(static_cast<std::int64_t>(position.next_generation));
  out.key("started").boolean(position.started).key("parts").begin_array();
  for (SavedPart const& part : position.parts) {
    out.begin_object();
    write_identity(out, part.file);
    out.key("gen").number(static_cast<std::int64_t>(part.generation));
    out.key("modified").number(part.modified).key("skip").boolean(part.skipping);
    out.key("superseded").boolean(part.superseded).key("at_end").boolean(part.at_end);
    out.end_object();
  }
  out.end_array().key("past").raw(past_json).end_object();
  return text;
}

Result<FilePosition> parse_file_position(std::string_view text) {
  TRY(json::Value const root, json::parse(text));
  if (root.kind != json::Value::Kind::object || root.int_or("v", 0) != 1) {
    return fail("not a position of a file", "it may have been written by a newer version");
  }
  FilePosition position;
  position.at = root.int_or("at", 0);
  position.next_generation = static_cast<std::uint32_t>(read_uint(root, "next"));
  position.started = read_flag(root, "started");
  if (json::Value const* const parts = root.find("parts")) {
    for (json::Value const& item : parts->items) {
      SavedPart part;
      part.file = read_identity(item);
      part.generation = static_cast<std::uint32_t>(read_uint(item, "gen"));
      part.modified = item.int_or("modified", 0);
      part.skipping = read_flag(item, "skip");
      part.superseded = read_flag(item, "superseded");
      part.at_end = read_flag(item, "at_end");
      position.parts.push_back(part);
    }
  }
  if (json::Value const* const past = root.find("past")) {
    for (json::Value const& item : past->items) {
      position.past.push_back(read_identity(item));
      position.past.back().finished = true;
    }
  }
  return position;
}

}  // namespace vedette::source
