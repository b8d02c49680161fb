#include "normalize/normalize.hpp"

#include "base/timezone.hpp"
#include "normalize/event_time.hpp"
#include "normalize/type_index.hpp"

#include <algorithm>
#include <array>

namespace vedette::normalize {

/// Per event, plain names of shapes included: a hostile event cannot have more of them.
constexpr std::size_t kMaxFields = 16'384;

struct NormalizeContext::Impl {
  explicit Impl(catalog::Catalog const& content)
      : catalog(content), index(content), bits(index.no_bits()) {}

  catalog::Catalog const& catalog;
  TypeIndex index;
  std::string zone_name;
  Timezone zone;

  // Buffers.
  struct Noted {
    std::uint32_t place = 0;  // of the field in `rebuilt`
    NameId name{};
    std::uint8_t uses = 0;
  };
  struct Candidate {
    std::uint32_t place = 0;
    MapLink const* link = nullptr;
  };
  /// What follows from the bits alone: most events are of few kinds.
  struct Known {
    DetectBits bits;
    TypeId fixed{};  ///< the type that the decoder knows
    std::size_t shape = TypeIndex::kNoShape;
    TypeId type{};
    TypeIndex::Given given;
  };
  std::vector<Noted> noted;           // the fields of this event that any type uses
  std::vector<Candidate> candidates;  // usable values for common fields
  std::vector<std::uint16_t> best;    // by target: the least rank among them
  std::vector<std::uint32_t> seen;    // by field: the event that has it
  std::uint32_t event_number = 0;
  struct Said {
    catalog::Constant const* constant = nullptr;
    std::size_t rank = 0;
  };
  std::vector<Said> said;  // what words say, before the map
  DetectBits bits;
  std::vector<Field> rebuilt;
  std::array<Known, 1024> known;

  void event(Batch& batch, Event& event);
  void copy(Batch const& batch, Event& event);

 private:
  void note(Batch& batch, std::size_t begin, std::size_t end);
  Known const& look_up(TypeId fixed);
  void add_plain_names(std::size_t shape, std::size_t begin);
  void set_time(Batch& batch, Event& event, TypeId by);
  void find_candidates(Batch& batch, Known const& what);
  void consider(Batch& batch, std::uint32_t place, MapLink const& link);
  void mark_common(Event const& event);
  void find_said(Batch& batch, TypeId by, bool payload_first);
  void add_common(Batch& batch, Event const& event, bool payload_first);
  void add_constants(Event const& event, Known const& what);
  bool is_said(FieldId id) const {
    return std::any_of(said.begin(), said.end(),
                       [&](Said const& one) { return one.constant->to == id; });
  }
  bool has(FieldId id) const {
    auto const place = static_cast<std::size_t>(id);
    return place < seen.size() && seen[place] == event_number;
  }
  void mark(FieldId id) {
    auto const place = static_cast<std::size_t>(id);
    if (seen.size() <= place) {
      seen.resize(std::max(place + 1, 2 * seen.size()), 0);
    }
    seen[place] = event_number;
  }
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

/// What of `ADDRESS:PORT` or `[ADDRESS]:PORT` a field of this type takes; "" = it is none.
std::string_view part_of_endpoint(std::string_view text, FieldType type) {
  std::size_t const colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return {};
  }
  std::string_view address = text.substr(0, colon);
  std::string_view const port = text.substr(colon + 1);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  } else if (address.find(':') != std::string_view::npos) {
    return {};  // of an IPv6 address the last part is no port
  }
  auto const number = parse_int(port);
  if (!number || *number < 0 || *number > 65'535 || !parse_ip(address)) {
    return {};
  }
  return type == FieldType::ip ? address : port;
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
      return parse_ip(text).has_value() || !part_of_endpoint(text, link.type).empty();
    case FieldType::integer:
      return parse_int(text).has_value() || !part_of_endpoint(text, link.type).empty();
    default:
      return link.values == nullptr ||
             std::find(link.values->begin(), link.values->end(), text) != link.values->end();
  }
}

/// Of an endpoint a field of the type holds its part. False: the value stays whole.
bool take_part(Batch& batch, Field& field, FieldType type) {
  if ((type != FieldType::ip && type != FieldType::integer) || field.kind != Kind::text) {
    return false;
  }
  std::string_view const part = part_of_endpoint(batch.text(field), type);
  if (part.empty()) {
    return false;
  }
  field.data = part.data();
  field.size = static_cast<std::uint32_t>(part.size());
  field.kind = type == FieldType::ip ? Kind::text : Kind::number;
  return true;
}

}  // namespace

/// Notes which fields of `rebuilt` matter and what they say for detection.
void NormalizeContext::Impl::note(Batch& batch, std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) {
    Field& field = rebuilt[i];
    if (field.id == kUnlisted) [[unlikely]] {
      ++i;  // the value of the name
      continue;
    }
    TypeIndex::FieldUse const use = index.use(field.id);
    if (use.uses == 0) {
      continue;
    }
    noted.push_back({static_cast<std::uint32_t>(i), use.name, use.uses});
    if ((use.uses & TypeIndex::kDetect) != 0 && field.kind != Kind::null) {
      index.detect(use, index.asks_value(use) ? batch.text(field) : std::string_view(), bits);
    }
  }
}

NormalizeContext::Impl::Known const& NormalizeContext::Impl::look_up(TypeId fixed) {
  Known& memory = known[(bits.hash() + static_cast<std::size_t>(fixed)) % known.size()];
  if (memory.bits != bits || memory.fixed != fixed) {
    memory.bits = bits;
    memory.fixed = fixed;
    memory.shape = index.shape_of(bits);
    memory.type = fixed != kUnknownType ? fixed : index.type_of(bits);
    index.given(memory.type, bits, memory.given);
  }
  return memory;
}

/// The plain names of a shape's fields behind the originals.
void NormalizeContext::Impl::add_plain_names(std::size_t shape, std::size_t begin) {
  std::size_t const end = rebuilt.size();
  for (std::size_t i = begin; i < end; ++i) {
    mark(rebuilt[i].id);
  }
  for (std::size_t i = begin; i < end && rebuilt.size() - begin < kMaxFields; ++i) {
    Field field = rebuilt[i];
    if (field.id == kUnlisted) {
      ++i;
      continue;
    }
    FieldId const plain = index.plain_name(shape, field.id);
    if (plain != kUnlisted && !has(plain)) {
      field.id = plain;
      rebuilt.push_back(field);
    }
  }
}

void NormalizeContext::Impl::set_time(Batch& batch, Event& event, TypeId by) {
  for (NameId const name : index.times(by)) {
    for (Noted const& note : noted) {
      Field& field = rebuilt[note.place];
      if (note.name != name || (field.kind != Kind::text && field.kind != Kind::number)) {
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

void NormalizeContext::Impl::consider(Batch& batch, std::uint32_t place, MapLink const& link) {
  if (link.rank <= best[link.target] && is_usable(batch, rebuilt[place], link)) {
    best[link.target] = link.rank;
    candidates.push_back({place, &link});
  }
}

void NormalizeContext::Impl::find_candidates(Batch& batch, Known const& what) {
  candidates.clear();
  best.assign(index.targets(what.type), 0xFFFF);
  for (Noted const& note : noted) {
    if ((note.uses & TypeIndex::kMap) == 0) {
      continue;
    }
    for (TypeIndex::OwnLink const* own : what.given.links) {
      if (own->from == note.name) {
        consider(batch, note.place, own->link);
      }
    }
    for (MapLink const& link : index.links(what.type, note.name)) {
      consider(batch, note.place, link);
    }
  }
}

/// Of several originals whose words say the same common field, the first of `words` is heard.
void NormalizeContext::Impl::find_said(Batch& batch, TypeId by, bool payload_first) {
  said.clear();
  for (Noted const& note : noted) {
    Field& field = rebuilt[note.place];
    std::size_t rank = 0;
    if ((note.uses & TypeIndex::kWords) == 0 || field.kind == Kind::list ||
        field.kind == Kind::record || field.kind == Kind::null) {
      continue;
    }
    auto const* const constants = index.said(by, note.name, batch.text(field), rank);
    if (constants == nullptr) {
      continue;
    }
    for (catalog::Constant const& constant : *constants) {
      if (has(constant.to) && !payload_first) {
        continue;  // the decoder gave it
      }
      auto const earlier = std::find_if(said.begin(), said.end(), [&](Said const& one) {
        return one.constant->to == constant.to;
      });
      if (earlier == said.end()) {
        said.push_back({&constant, rank});
      } else if (rank < earlier->rank) {
        *earlier = {&constant, rank};
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

/// Remembers which common fields the decoders gave.
void NormalizeContext::Impl::mark_common(Event const& event) {
  for (std::size_t i = event.first_field; i < rebuilt.size(); ++i) {
    if (catalog.is_common(rebuilt[i].id)) {
      mark(rebuilt[i].id);
    }
  }
}

/// Common fields behind the originals just copied. Of an event whose decoders gave it some, they
/// stay; with `payload_first` those of the map take their place.
void NormalizeContext::Impl::add_common(Batch& batch, Event const& event, bool payload_first) {
  std::size_t const originals = rebuilt.size();
  for (Candidate const& candidate : candidates) {
    MapLink const& link = *candidate.link;
    if (link.rank != best[link.target] || (has(link.to) && !payload_first) ||
        (!said.empty() && is_said(link.to))) {
      continue;  // a better original came later, or words say it
    }
    for (std::size_t i = event.first_field; has(link.to) && i < originals; ++i) {
      if (rebuilt[i].id == link.to) {
        rebuilt[i].id = index.envelope_name(link.to);
      }
    }
    Field to = rebuilt[candidate.place];
    to.id = link.to;
    if (take_part(batch, to, link.type) || rebuilt[candidate.place].id != link.renamed) {
      rebuilt.push_back(to);
    } else {
      rebuilt[candidate.place].id = link.to;
    }
  }
}

/// Common fields that are no copies of a value: what words say, and what holds for the type.
void NormalizeContext::Impl::add_constants(Event const& event, Known const& what) {
  auto const add = [&](catalog::Constant const& constant) {
    rebuilt.push_back({constant.value.data(), static_cast<std::uint32_t>(constant.value.size()),
                       constant.to, Kind::text, false});
  };
  for (Said const& one : said) {
    add(*one.constant);
  }
  for (catalog::Constant const* constant : what.given.constants) {
    if (std::none_of(rebuilt.begin() + event.first_field, rebuilt.end(),
                     [&](Field const& field) { return field.id == constant->to; })) {
      add(*constant);
    }
  }
}

void NormalizeContext::Impl::event(Batch& batch, Event& event) {
  ++event_number;
  noted.clear();
  bits.clear();
  copy(batch, event);
  note(batch, event.first_field, rebuilt.size());
  TypeId const fixed = event.open_type ? kUnknownType : event.type;
  Known const* what = &look_up(fixed);
  if (what->shape != TypeIndex::kNoShape) {
    std::size_t const originals = rebuilt.size();
    add_plain_names(what->shape, event.first_field);
    note(batch, originals, rebuilt.size());
    what = &look_up(fixed);
  }
  // A type that only says how the event was brought gives way to what the payload is.
  bool const brought = event.open_type && event.type != kUnknownType &&
                       (what->type == kUnknownType || catalog.type(what->type).envelope);
  if (brought && event.by_map) {
    what = &look_up(event.type);
  }
  event.type = brought ? event.type : what->type;
  if (event.time_from_arrival || event.open_time) {
    set_time(batch, event, what->type);
  }
  if (event.open_type || event.by_map) {
    mark_common(event);
  }
  find_candidates(batch, *what);
  bool const payload_first = event.open_type && !brought;
  find_said(batch, what->type, payload_first);
  add_common(batch, event, payload_first);
  add_constants(event, *what);
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
    return event.field_count > 0 && (event.by_map || event.open_type || event.type == kUnknownType);
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
