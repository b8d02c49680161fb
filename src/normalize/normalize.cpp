#include "normalize/normalize.hpp"

#include "base/timezone.hpp"
#include "normalize/event_time.hpp"
#include "normalize/type_index.hpp"

#include <algorithm>
#include <array>

namespace vedette::normalize {

struct NormalizeContext::Impl {
  explicit Impl(catalog::Catalog const& catalog) : index(catalog), bits(index.no_bits()) {}

  TypeIndex index;
  std::string zone_name;
  Timezone zone;

  // Buffers.
  struct Noted {
    std::uint32_t place = 0;  // of the field in its event
    std::uint8_t uses = 0;
  };
  struct Candidate {
    std::uint32_t place = 0;
    MapLink const* link = nullptr;
  };
  std::vector<Noted> noted;           // the fields of this event that any type uses
  std::vector<Candidate> candidates;  // usable values for common fields
  std::vector<std::uint16_t> best;    // by target: the least rank among them
  DetectBits bits;
  std::vector<Field> rebuilt;
  /// Types by what was seen before: most events are of few kinds.
  struct Known {
    DetectBits bits;
    TypeId type{};
  };
  std::array<Known, 64> known;

  void event(Batch& batch, Event& event);
  void copy(Batch const& batch, Event& event);

 private:
  TypeId detect(Batch& batch, Event const& event);
  void set_time(Batch& batch, Event& event);
  void find_candidates(Batch& batch, Event const& event);
  void add_common(Event const& event);
};

namespace {

/// A list is an address list when each of its elements is one.
bool all_addresses(std::string_view list) {
  std::size_t quote = list.find('"');
  bool any = false;
  while (quote != std::string_view::npos) {
    std::size_t const end = list.find('"', quote + 1);
    if (end == std::string_view::npos || !parse_ip(list.substr(quote + 1, end - quote - 1))) {
      return false;
    }
    any = true;
    quote = list.find('"', end + 1);
  }
  return any;
}

/// Whether the value may stand in a common field of this type.
bool is_usable(Batch& batch, Field& field, MapLink const& link) {
  if (field.kind == Kind::null || field.kind == Kind::record || field.size == 0) {
    return false;
  }
  if (field.kind == Kind::list) {
    return link.values == nullptr && link.type != FieldType::integer &&
           (link.type != FieldType::ip || all_addresses(field.view()));
  }
  std::string_view const text = batch.text(field);
  if (text == "-") {  // how many products write "nothing"
    return false;
  }
  switch (link.type) {
    case FieldType::ip:
      return parse_ip(text).has_value();
    case FieldType::integer:
      return parse_int(text).has_value();
    default:
      return link.values == nullptr ||
             std::find(link.values->begin(), link.values->end(), text) != link.values->end();
  }
}

}  // namespace

/// The log type of an event, and which of its fields matter.
TypeId NormalizeContext::Impl::detect(Batch& batch, Event const& event) {
  noted.clear();
  bits.clear();
  Field* const fields = batch.begin(event);
  for (std::uint32_t i = 0; i < event.field_count; ++i) {
    std::uint8_t const uses = index.uses(fields[i].id);
    if (uses == 0) [[likely]] {
      continue;
    }
    noted.push_back({i, uses});
    if ((uses & TypeIndex::kDetect) != 0) {
      index.detect(fields[i].id, batch.text(fields[i]), bits);
    }
  }
  Known& memory = known[bits.hash() % known.size()];
  if (memory.bits != bits) {
    memory = {bits, index.type_of(bits)};
  }
  return memory.type;
}

void NormalizeContext::Impl::set_time(Batch& batch, Event& event) {
  Field* const fields = batch.begin(event);
  for (FieldId const id : index.times(event.type)) {
    for (Noted const& note : noted) {
      Field& field = fields[note.place];
      if (field.id != id || (field.kind != Kind::text && field.kind != Kind::number)) {
        continue;
      }
      if (auto const time = parse_event_time(batch.text(field), zone)) {
        event.time = *time;
        event.time_from_arrival = false;
        return;
      }
    }
  }
}

void NormalizeContext::Impl::find_candidates(Batch& batch, Event const& event) {
  candidates.clear();
  best.assign(index.targets(event.type), 0xFFFF);
  Field* const fields = batch.begin(event);
  for (Noted const& note : noted) {
    if ((note.uses & TypeIndex::kMap) == 0) {
      continue;
    }
    for (MapLink const& link : index.links(event.type, fields[note.place].id)) {
      if (link.rank <= best[link.target] && is_usable(batch, fields[note.place], link)) {
        best[link.target] = link.rank;
        candidates.push_back({note.place, &link});
      }
    }
  }
}

/// The event's fields, unchanged, at the end of `rebuilt`.
void NormalizeContext::Impl::copy(Batch const& batch, Event& event) {
  auto const place = static_cast<std::uint32_t>(rebuilt.size());
  rebuilt.insert(rebuilt.end(), batch.begin(event), batch.end(event));
  event.first_field = place;
}

/// Common fields behind the originals just copied.
void NormalizeContext::Impl::add_common(Event const& event) {
  for (Candidate const& candidate : candidates) {
    MapLink const& link = *candidate.link;
    if (link.rank != best[link.target]) {
      continue;  // a better original came later
    }
    Field& from = rebuilt[event.first_field + candidate.place];
    if (link.rename) {
      from.id = link.to;
    } else {
      Field to = from;
      to.id = link.to;
      rebuilt.push_back(to);
    }
  }
}

void NormalizeContext::Impl::event(Batch& batch, Event& event) {
  event.type = detect(batch, event);
  set_time(batch, event);
  find_candidates(batch, event);
  copy(batch, event);
  add_common(event);
  event.field_count = static_cast<std::uint16_t>(rebuilt.size() - event.first_field);
}

NormalizeContext::NormalizeContext(catalog::Catalog const& catalog)
    : impl_(std::make_unique<Impl>(catalog)) {}
NormalizeContext::~NormalizeContext() = default;
NormalizeContext::NormalizeContext(NormalizeContext&&) noexcept = default;
NormalizeContext& NormalizeContext::operator=(NormalizeContext&&) noexcept = default;

void NormalizeContext::use_zone(std::string_view name) {
  if (impl_->zone_name == name) {
    return;
  }
  auto loaded = name.empty() ? Result<Timezone>(Timezone{}) : Timezone::load(name);
  impl_->zone = loaded ? std::move(*loaded) : Timezone{};
  impl_->zone_name = name;
}

void normalize(Batch& batch, catalog::Catalog const& /*catalog*/, NormalizeContext& context) {
  auto const wants = [](Event const& event) {
    return event.type == kUnknownType && event.field_count > 0;
  };
  if (std::none_of(batch.events.begin(), batch.events.end(), wants)) {
    return;
  }
  NormalizeContext::Impl& work = context.impl();
  work.rebuilt.clear();
  work.rebuilt.reserve(batch.fields.size() + 16 * batch.events.size());
  for (Event& event : batch.events) {
    if (wants(event)) {
      work.event(batch, event);
    } else {
      work.copy(batch, event);
    }
  }
  batch.fields.swap(work.rebuilt);
}

}  // namespace vedette::normalize
