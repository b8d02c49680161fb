#include "rule/key.hpp"

#include "rule/values.hpp"

#include <algorithm>

namespace vedette::rule {
namespace {

// The different encoded values of one key field, in the order they stand in the event.
std::vector<std::string> encoded_values(Batch& batch, Event const& event, KeyField key) {
  std::vector<std::string> out;
  auto const add = [&](std::string_view text, Kind kind) {
    if (kind != Kind::null && !text.empty()) {
      std::string part;
      append_key_value(part, text, key.address);
      if (std::find(out.begin(), out.end(), part) == out.end()) {
        out.push_back(std::move(part));
      }
    }
    return out.size() == kMaxKeysPerEvent;
  };
  for (Field* field = batch.begin(event); field != batch.end(event); ++field) {
    if (field->id == key.id && for_each_value(batch, *field, add)) {
      break;
    }
  }
  return out;
}

}  // namespace

std::vector<KeyField> key_fields(std::span<FieldId const> fields, FieldTable const& table) {
  std::vector<KeyField> out;
  out.reserve(fields.size());
  for (FieldId const id : fields) {
    out.push_back({id, table.type(id) == FieldType::ip});
  }
  return out;
}

void append_key_value(std::string& out, std::string_view value, bool address) {
  if (address) {
    if (auto const ip = parse_ip(value)) {
      char text[46];
      append_key_part(out, {text, format_ip(*ip, text)});
      return;
    }
  }
  append_key_part(out, value);
}

std::string encode_key(std::span<std::string const> values) {
  std::string out;
  for (std::string const& value : values) {
    append_key_part(out, value);
  }
  return out;
}

std::vector<std::string> decode_key(std::string_view key) {
  std::vector<std::string> out;
  while (key.size() >= 4) {
    std::size_t size = 0;
    for (std::size_t i = 4; i-- > 0;) {
      size = size << 8 | static_cast<unsigned char>(key[i]);
    }
    key.remove_prefix(4);
    if (size > key.size()) {
      break;
    }
    out.emplace_back(key.substr(0, size));
    key.remove_prefix(size);
  }
  return out;
}

namespace detail {

PlainKey plain_key(Batch& batch, Event const& event, std::span<KeyField const> fields,
                   std::string& out) {
  Field* const first = batch.begin(event);
  Field* const last = batch.end(event);
  bool many = false;
  for (KeyField const key : fields) {
    Field* found = nullptr;
    for (Field* field = first; field != last; ++field) {
      if (field->id == key.id) {
        many = many || found != nullptr || field->kind == Kind::list;
        found = field;
      }
    }
    if (found == nullptr) {
      return PlainKey::none;
    }
    if (many) {
      continue;  // another field may still be missing, but all_keys finds that too
    }
    if (found->kind == Kind::null || found->size == 0) {
      return PlainKey::none;
    }
    append_key_value(out, batch.text(*found), key.address);
  }
  return many ? PlainKey::many : PlainKey::one;
}

std::vector<std::string> all_keys(Batch& batch, Event const& event,
                                  std::span<KeyField const> fields) {
  std::vector<std::string> keys{std::string{}};
  for (KeyField const key : fields) {
    std::vector<std::string> const values = encoded_values(batch, event, key);
    std::vector<std::string> longer;
    for (std::string const& prefix : keys) {
      for (std::string const& value : values) {
        if (longer.size() < kMaxKeysPerEvent) {
          longer.push_back(prefix + value);
        }
      }
    }
    keys = std::move(longer);
  }
  return keys;
}

}  // namespace detail
}  // namespace vedette::rule
