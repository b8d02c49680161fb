#include "decode/envelope_path.hpp"

#include "decode/json_names.hpp"

#include <algorithm>
#include <utility>

namespace vedette::decode {
namespace envelope_path {
namespace {

/// Takes `['name']` or `["name"]` off the front; "" when it is none.
std::string_view take_bracketed(std::string_view& rest) {
  if (rest.size() < 5 || rest[0] != '[' || (rest[1] != '\'' && rest[1] != '"')) {
    return {};
  }
  std::size_t const end = rest.find(rest[1], 2);
  if (end == std::string_view::npos || end + 1 >= rest.size() || rest[end + 1] != ']') {
    return {};
  }
  std::string_view const name = rest.substr(2, end - 2);
  rest.remove_prefix(end + 2);
  return name;
}

std::string_view take_dotted(std::string_view& rest) {
  std::size_t const begin = rest.starts_with('.') ? 1 : 0;
  std::size_t const end = std::min(rest.find_first_of(".[", begin), rest.size());
  std::string_view const name = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return name;
}

}  // namespace
}  // namespace envelope_path

Result<std::string> parse_envelope_path(std::string_view path) {
  std::string_view rest = path;
  rest.remove_prefix(rest.starts_with('$') ? 1 : 0);
  if (rest.ends_with("[*]")) {  // a list is opened anyway
    rest.remove_suffix(3);
  }
  std::string name;
  while (!rest.empty()) {
    std::string_view const part = rest.front() == '[' ? envelope_path::take_bracketed(rest)
                                                      : envelope_path::take_dotted(rest);
    if (part.empty() || part.size() > 200) {
      name.clear();
      break;
    }
    name += (name.empty() ? "" : ".") + std::string(part);
  }
  if (name.empty()) {
    return fail("'" + std::string(path) + "' names no field of an envelope",
                "write payload.body or $.payload.body; a list may end with [*]");
  }
  return name;
}

Result<std::vector<std::string>> parse_envelope_paths(std::vector<std::string> const& paths) {
  std::vector<std::string> out;
  for (std::string const& path : paths) {
    TRY(auto name, parse_envelope_path(path));
    out.push_back(std::move(name));
  }
  return out;
}

void lift_members(DecodeContext& context, Event const& event) {
  Batch& batch = context.batch;
  for (std::string const& path : context.options.envelope) {
    std::vector<std::pair<Field*, FieldId>> members;
    for (Field* field = batch.begin(event); field != batch.end(event); ++field) {
      if (field->id == kUnlisted) {
        ++field;
        continue;
      }
      std::string_view const name = context.fields.table().name(field->id);
      if (name.size() > path.size() + 1 && name.starts_with(path) && name[path.size()] == '.') {
        std::string const plain(name.substr(path.size() + 1));
        bool const ours = is_reserved_name(plain, context.catalog);
        FieldId const id = context.fields.intern((ours ? "original." : "") + plain);
        if (id != kUnlisted) {
          members.emplace_back(field, id);
        }
      }
    }
    if (members.empty()) {
      continue;
    }
    for (Field* field = batch.begin(event); field != batch.end(event); ++field) {
      bool const taken = std::any_of(members.begin(), members.end(),
                                     [&](auto const& one) { return one.second == field->id; });
      if (taken && field->id != kUnlisted) {
        std::string const name(context.fields.table().name(field->id));
        FieldId const id = context.fields.intern("envelope." + name);
        field->id = id != kUnlisted ? id : field->id;
      }
    }
    for (auto const& [field, id] : members) {
      field->id = id;
    }
    return;
  }
}

}  // namespace vedette::decode
