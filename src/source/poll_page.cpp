#include "source/poll_page.hpp"

#include <simdjson.h>

#include <charconv>

namespace vedette::source {
namespace {

namespace ondemand = simdjson::ondemand;

struct OpenPage {
  ondemand::parser parser;
  ondemand::document document;

  Status open(std::string& body) {
    if (body.capacity() < body.size() + simdjson::SIMDJSON_PADDING) {
      body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
    }
    auto const error =
        parser.iterate(simdjson::padded_string_view(body.data(), body.size(), body.capacity()))
            .get(document);
    return error == simdjson::SUCCESS ? Status{} : no_json(error);
  }
  static Status no_json(simdjson::error_code error) {
    return fail(std::string("the answer is no JSON: ") + simdjson::error_message(error));
  }
  /// NO_SUCH_FIELD when there is nothing at the path.
  simdjson::error_code find(JsonPath const& path, ondemand::value& out) {
    ondemand::value here;
    if (auto const error = document.get_value().get(here); error != simdjson::SUCCESS) {
      return error;
    }
    for (std::string const& step : path) {
      ondemand::json_type type{};
      if (auto const error = here.type().get(type); error != simdjson::SUCCESS) {
        return error;
      }
      std::size_t index = 0;
      auto const number = std::from_chars(step.data(), step.data() + step.size(), index);
      simdjson::error_code error = simdjson::NO_SUCH_FIELD;
      if (type == ondemand::json_type::object) {
        error = here.find_field_unordered(step).get(here);
      } else if (type == ondemand::json_type::array && number.ec == std::errc() &&
                 number.ptr == step.data() + step.size()) {
        error = here.at(index).get(here);
      }
      if (error != simdjson::SUCCESS) {
        return error == simdjson::INDEX_OUT_OF_BOUNDS ? simdjson::NO_SUCH_FIELD : error;
      }
    }
    out = here;
    return simdjson::SUCCESS;
  }
};

std::string_view without_blanks_behind(std::string_view text) {
  std::size_t const last = text.find_last_not_of(" \t\r\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

template <class Container>
simdjson::error_code trimmed_raw(Container& container, std::string_view& out) {
  auto const error = container.raw_json().get(out);
  out = without_blanks_behind(out);
  return error;
}

/// A value as it is written; moves past it.
simdjson::error_code raw_text(ondemand::value value, std::string_view& out) {
  ondemand::json_type type{};
  if (auto const error = value.type().get(type); error != simdjson::SUCCESS) {
    return error;
  }
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    auto const error = value.get_object().get(object);
    return error != simdjson::SUCCESS ? error : trimmed_raw(object, out);
  }
  if (type == ondemand::json_type::array) {
    ondemand::array array;
    auto const error = value.get_array().get(array);
    return error != simdjson::SUCCESS ? error : trimmed_raw(array, out);
  }
  out = without_blanks_behind(value.raw_json_token());
  return simdjson::SUCCESS;
}

}  // namespace

Result<JsonPath> parse_json_path(std::string_view text) {
  JsonPath out;
  if (text == "$") {
    return out;
  }
  if (text.starts_with("$.")) {
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    std::size_t const dot = text.find('.');
    std::string_view const step = text.substr(0, dot);
    if (step.empty() || dot + 1 == text.size()) {
      return fail("'" + std::string(text) + "' is no path", "write names with dots between them");
    }
    out.emplace_back(step);
    text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
  }
  return out;
}

std::string text_at(json::Value const& value, JsonPath const& path) {
  json::Value const* here = &value;
  for (std::string const& step : path) {
    std::size_t index = 0;
    auto const number = std::from_chars(step.data(), step.data() + step.size(), index);
    if (here->kind == json::Value::Kind::array && number.ec == std::errc() &&
        number.ptr == step.data() + step.size() && index < here->items.size()) {
      here = &here->items[index];
    } else if (json::Value const* const member = here->find(step)) {
      here = member;
    } else {
      return {};
    }
  }
  bool const said =
      here->kind == json::Value::Kind::string || here->kind == json::Value::Kind::number;
  return said ? here->text : std::string();
}

Status each_item(std::string& body, JsonPath const& items,
                 std::function<void(std::string_view)> const& visit) {
  OpenPage page;
  TRY(page.open(body));
  ondemand::value found;
  auto error = page.find(items, found);
  if (error == simdjson::NO_SUCH_FIELD) {
    return fail("the answer has no items where `items` says");
  }
  ondemand::json_type type{};
  error = error != simdjson::SUCCESS ? error : found.type().get(type);
  if (error != simdjson::SUCCESS) {
    return OpenPage::no_json(error);
  }
  if (type == ondemand::json_type::null) {
    return {};
  }
  std::string_view raw;
  if (type != ondemand::json_type::array) {
    error = raw_text(found, raw);
    if (error == simdjson::SUCCESS) {
      visit(raw);
    }
    return error == simdjson::SUCCESS ? Status{} : OpenPage::no_json(error);
  }
  ondemand::array array;
  error = found.get_array().get(array);
  if (error != simdjson::SUCCESS) {
    return OpenPage::no_json(error);
  }
  for (auto element : array) {
    ondemand::value value;
    error = element.get(value);
    error = error != simdjson::SUCCESS ? error : raw_text(value, raw);
    if (error != simdjson::SUCCESS) {
      return OpenPage::no_json(error);
    }
    visit(raw);
  }
  return {};
}

Result<std::string> text_in(std::string& body, JsonPath const& path) {
  OpenPage page;
  TRY(page.open(body));
  ondemand::value found;
  auto error = page.find(path, found);
  if (error == simdjson::NO_SUCH_FIELD) {
    return std::string();
  }
  ondemand::json_type type{};
  error = error != simdjson::SUCCESS ? error : found.type().get(type);
  std::string_view text;
  if (error == simdjson::SUCCESS && type == ondemand::json_type::string) {
    error = found.get_string().get(text);
  } else if (error == simdjson::SUCCESS && type == ondemand::json_type::number) {
    text = without_blanks_behind(found.raw_json_token());
  }
  if (error != simdjson::SUCCESS) {
    return std::unexpected(OpenPage::no_json(error).error());
  }
  return std::string(text);
}

}  // namespace vedette::source
