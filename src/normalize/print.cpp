#include "normalize/print.hpp"

#include "base/json.hpp"

#include <algorithm>
#include <vector>

namespace vedette::normalize {
namespace {

/// JSON writes integers without leading zeros.
bool is_json_integer(std::string_view text) {
  if (text.starts_with('-')) {
    text.remove_prefix(1);
  }
  return !text.empty() && text.size() <= 40 && (text[0] != '0' || text.size() == 1) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// A number as a log wrote it: of JSON always a JSON number, of free text digits and more.
bool is_json_number(std::string_view text) {
  std::size_t const end = text.find_first_of(".eE");
  if (!is_json_integer(text.substr(0, end))) {
    return false;
  }
  if (end == std::string_view::npos) {
    return true;
  }
  std::string_view rest = text.substr(end);
  auto const digits = [&rest] {
    std::size_t const count = std::min(rest.find_first_not_of("0123456789"), rest.size());
    rest.remove_prefix(count);
    return count > 0;
  };
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    if (!digits()) {
      return false;
    }
  }
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(1);
    rest.remove_prefix(rest.starts_with('+') || rest.starts_with('-') ? 1 : 0);
    return digits() && rest.empty();
  }
  return rest.empty();
}

void append_text(std::string& out, std::string_view text, bool escaped) {
  if (!escaped) {
    json::append_string(out, text);
    return;
  }
  std::string plain(text.size(), '\0');
  plain.resize(unescape_json(text, plain.data()));
  json::append_string(out, plain);
}

/// A name and the fields that carry it.
struct Named {
  std::string_view name;
  Field const* field = nullptr;
  FieldType type = FieldType::text;
};

std::vector<Named> sorted_fields(Batch const& batch, Event const& event, FieldTable const& table) {
  std::vector<Named> out;
  out.reserve(event.field_count);
  for (Field const* field = batch.begin(event); field != batch.end(event); ++field) {
    if (field->id != kUnlisted) {
      out.push_back({table.name(field->id), field, table.type(field->id)});
    } else if (field + 1 != batch.end(event)) {
      out.push_back({field->view(), field + 1, FieldType::text});
      ++field;
    }
  }
  // Equal names stay in the order of the event: fields lie in one array.
  std::sort(out.begin(), out.end(), [](Named const& a, Named const& b) {
    return a.name != b.name ? a.name < b.name : std::less<>()(a.field, b.field);
  });
  return out;
}

void append_fields(std::string& out, Batch const& batch, Event const& event,
                   FieldTable const& table) {
  std::vector<Named> const fields = sorted_fields(batch, event, table);
  out += '{';
  for (std::size_t i = 0; i < fields.size();) {
    std::size_t end = i + 1;
    while (end < fields.size() && fields[end].name == fields[i].name) {
      ++end;
    }
    out += i == 0 ? "" : ",";
    json::append_string(out, fields[i].name);
    out += end - i > 1 ? ":[" : ":";
    for (std::size_t value = i; value < end; ++value) {
      out += value == i ? "" : ",";
      append_value(out, *fields[value].field, fields[value].type);
    }
    out += end - i > 1 ? "]" : "";
    i = end;
  }
  out += '}';
}

}  // namespace

void append_clean_json(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      continue;
    }
    if (c != '"') {
      out += c;
      continue;
    }
    std::size_t end = i + 1;
    bool escaped = false;
    while (end < text.size() && text[end] != '"') {
      escaped = escaped || text[end] == '\\';
      end += text[end] == '\\' ? 2 : 1;
    }
    end = std::min(end, text.size());
    append_text(out, text.substr(i + 1, end - i - 1), escaped);
    i = end;
  }
}

void append_value(std::string& out, Field const& field, FieldType type) {
  std::string_view const text = field.view();
  switch (field.kind) {
    case Kind::null:
      out += "null";
      break;
    case Kind::boolean:
      out += text == "true" ? "true" : "false";
      break;
    case Kind::list:
    case Kind::record:
      append_clean_json(out, text);
      break;
    case Kind::number:
      if (is_json_number(text)) {
        out += text;
      } else {
        json::append_string(out, text);
      }
      break;
    case Kind::text:
      if (type == FieldType::integer && is_json_integer(text)) {
        out += text;
      } else {
        append_text(out, text, field.escaped);
      }
      break;
  }
}

void append_event(std::string& out, Batch const& batch, Event const& event,
                  catalog::Catalog const& catalog, std::string_view log_name,
                  std::span<std::string const> explain) {
  std::string_view const raw = event.raw_view();
  out += R"({"id":)";
  json::append_string(out, event_id(log_name, batch.block.generation, event.offset, event.part));
  out += R"(,"time":")";
  append_time(out, event.time);
  out += event.time_from_arrival ? R"(","time_from":"arrival","type":)" : R"(","type":)";
  json::append_string(out, catalog.type(event.type).name);
  out += R"(,"raw":)";
  json::append_string(out, raw);
  if (!json::valid_utf8(raw)) {
    out += R"(,"raw_b64":")";
    json::append_base64(out, raw);
    out += '"';
  }
  if (event.repeat != 1) {
    out += R"(,"repeat":)" + std::to_string(event.repeat);
  }
  out += event.cut ? R"(,"cut":true,"fields":)" : R"(,"fields":)";
  append_fields(out, batch, event, catalog.fields());
  for (std::size_t i = 0; i < explain.size(); ++i) {
    out += i == 0 ? R"(,"explain":[)" : ",";
    json::append_string(out, explain[i]);
  }
  out += explain.empty() ? "}" : "]}";
}

std::string event_to_json(Batch const& batch, Event const& event, catalog::Catalog const& catalog,
                          std::string_view log_name) {
  std::string out;
  append_event(out, batch, event, catalog, log_name);
  return out;
}

}  // namespace vedette::normalize
