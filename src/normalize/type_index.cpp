#include "normalize/type_index.hpp"

#include <algorithm>

namespace vedette::normalize {
namespace {

constexpr std::array<std::string_view, 7> kTimeNames{"@timestamp", "time",        "timestamp", "ts",
                                                     "eventTime",  "TimeCreated", "UtcTime"};

}  // namespace

TypeIndex::TypeIndex(catalog::Catalog const& catalog)
    : catalog_(catalog), maps_(catalog.types().size()), times_(catalog.types().size()) {
  // Bits are numbered before conditions are made of them, so that all are of one width.
  for (catalog::LogType const& type : catalog.types()) {
    for (catalog::Detect const& condition : type.detect) {
      Question& question = questions_[static_cast<std::uint16_t>(original(condition.field))];
      for (std::string const& value : condition.values) {
        if (value == "*") {
          question.present = question.present == kNoBit ? bit_count_++ : question.present;
        } else if (question.values.emplace(value, bit_count_).second) {
          ++bit_count_;
        }
      }
    }
  }
  for (catalog::LogType const& type : catalog.types()) {
    add_detect(type);
    add_map(type);
    add_times(type);
  }
  std::sort(detections_.begin(), detections_.end(), [](auto const& a, auto const& b) {
    return a.conditions.size() != b.conditions.size() ? a.conditions.size() > b.conditions.size()
                                                      : a.type < b.type;
  });
}

/// How JSON events call a field: an original of a common name is `original.NAME`.
FieldId TypeIndex::original(FieldId id) const {
  if (!catalog_.is_common(id)) {
    return id;
  }
  return catalog_.fields().intern("original." + std::string(catalog_.fields().name(id)));
}

void TypeIndex::use(FieldId id, std::uint8_t for_what) {
  auto const index = static_cast<std::size_t>(id);
  if (uses_.size() <= index) {
    uses_.resize(index + 1, 0);
  }
  uses_[index] |= for_what;
}

void TypeIndex::add_detect(catalog::LogType const& type) {
  if (type.detect.empty()) {
    return;
  }
  Detection detection{.type = type.id, .conditions = {}};
  for (catalog::Detect const& condition : type.detect) {
    FieldId const field = original(condition.field);
    use(field, kDetect);
    Question const& question = questions_[static_cast<std::uint16_t>(field)];
    DetectBits& bits = detection.conditions.emplace_back(bit_count_);
    for (std::string const& value : condition.values) {
      bits.set(value == "*" ? question.present : question.values.find(value)->second);
    }
  }
  detections_.push_back(std::move(detection));
}

void TypeIndex::add_map(catalog::LogType const& type) {
  TypeMap& map = maps_[static_cast<std::size_t>(type.id)];
  std::vector<FieldId> targets;
  for (std::size_t rank = 0; rank < type.map.size(); ++rank) {
    FieldId const to = type.map[rank].to;
    FieldId const from = original(type.map[rank].from);
    use(from, kMap);
    auto const index = static_cast<std::size_t>(from);
    if (map.place.size() <= index) {
      map.place.resize(index + 1, 0);
    }
    if (map.place[index] == 0) {
      map.place[index] = static_cast<std::uint16_t>(map.links.size());
      map.links.emplace_back();
    }
    auto target = std::find(targets.begin(), targets.end(), to);
    if (target == targets.end()) {
      targets.push_back(to);
      target = targets.end() - 1;
    }
    auto const& values = catalog_.common()[static_cast<std::size_t>(to)].values;
    map.links[map.place[index]].push_back(
        {.to = to,
         .rank = static_cast<std::uint16_t>(rank),
         .rename = from == original(to),
         .type = catalog_.fields().type(to),
         .target = static_cast<std::uint8_t>(target - targets.begin()),
         .values = values.empty() ? nullptr : &values});
  }
  map.targets = targets.size();
}

void TypeIndex::add_times(catalog::LogType const& type) {
  std::vector<FieldId>& times = times_[static_cast<std::size_t>(type.id)];
  for (FieldId const id : type.time) {
    times.push_back(original(id));
  }
  for (std::string_view const name : kTimeNames) {
    times.push_back(original(catalog_.fields().intern(name)));
  }
  for (FieldId const id : times) {
    use(id, kTime);
  }
}

void TypeIndex::detect(FieldId id, std::string_view value, DetectBits& bits) const {
  auto const found = questions_.find(static_cast<std::uint16_t>(id));
  if (found == questions_.end()) {
    return;
  }
  Question const& question = found->second;
  if (question.present != kNoBit) {
    bits.set(question.present);
  }
  if (auto const bit = question.values.find(value); bit != question.values.end()) {
    bits.set(bit->second);
  }
}

TypeId TypeIndex::type_of(DetectBits const& bits) const {
  for (Detection const& detection : detections_) {
    if (std::all_of(detection.conditions.begin(), detection.conditions.end(),
                    [&](DetectBits const& condition) { return condition.overlaps(bits); })) {
      return detection.type;
    }
  }
  return kUnknownType;
}

std::vector<MapLink> const& TypeIndex::links(TypeId type, FieldId from) const {
  TypeMap const& map = maps_[static_cast<std::size_t>(type)];
  auto const index = static_cast<std::size_t>(from);
  return map.links[index < map.place.size() ? map.place[index] : 0];
}

}  // namespace vedette::normalize
