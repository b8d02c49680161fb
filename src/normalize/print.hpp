// Events as people and other programs see them: one JSON object per event.
#pragma once

#include "catalog/catalog.hpp"
#include "event/event.hpp"

#include <span>
#include <string>
#include <string_view>

namespace vedette::normalize {

/// `{"id","time","type","raw","fields":{...}}` and, only where it applies: `time_from: "arrival"`
/// after time, `raw_b64` after raw (which then has U+FFFD in it), `repeat`, `cut: true`. Fields are
/// sorted by name. Texts have their escapes resolved; numbers, lists and records are JSON as the
/// log wrote it (exact), except that it is always valid JSON on one line. A field that occurs
/// several times is a list of its values, in order.
std::string event_to_json(Batch const& batch, Event const& event, catalog::Catalog const& catalog,
                          std::string_view log_name);
/// The same into `out`, with `explain` (when there is any) as last member.
void append_event(std::string& out, Batch const& batch, Event const& event,
                  catalog::Catalog const& catalog, std::string_view log_name,
                  std::span<std::string const> explain = {});

/// The value of one field as JSON.
void append_value(std::string& out, Field const& field, FieldType type);

/// JSON text of a log made fit for one line of ours: blanks between tokens left out, what strings
/// may not hold (control characters, invalid UTF-8) replaced or escaped.
void append_clean_json(std::string& out, std::string_view text);

}  // namespace vedette::normalize
