// The values of a field: a plain value is one, a JSON list has one per element.
#pragma once

#include "event/event.hpp"

#include <string_view>

namespace vedette::rule {

/// One element of a JSON list as it stands in the text. Never fails: bytes that are no JSON end the
/// list at the latest there, so hostile text costs one pass and yields at most its own length.
struct ListElement {
  std::string_view token;  ///< without the quotes of a string
  Kind kind = Kind::null;
  bool escaped = false;  ///< a string with escapes in it
};
/// Takes the next element off `rest`, which starts as the whole list token (`[1,"a"]`).
/// A list or object inside the list is one element, its text as written.
bool next_element(std::string_view& rest, ListElement& out);

/// The element as values compare: escapes resolved (into the batch's arena where there are any).
std::string_view element_text(Batch& batch, ListElement const& element);

/// Calls `visit(std::string_view text, Kind kind)` for each value of one field until it returns
/// true; returns whether it did. Null values are visited with an empty text and Kind::null.
template <class Visit>
bool for_each_value(Batch& batch, Field& field, Visit&& visit) {
  if (field.kind != Kind::list) {
    return visit(field.kind == Kind::null ? std::string_view{} : batch.text(field), field.kind);
  }
  std::string_view rest = field.view();
  ListElement element;
  while (next_element(rest, element)) {
    if (visit(element_text(batch, element), element.kind)) {
      return true;
    }
  }
  return false;
}

}  // namespace vedette::rule
