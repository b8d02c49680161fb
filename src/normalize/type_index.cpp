#include "normalize/type_index.hpp"

#include "base/ascii.hpp"

#include <algorithm>

namespace vedette::normalize {
namespace type_index {
namespace {

constexpr std::array<std::string_view, 7> kTimeNames{"@timestamp", "time",        "timestamp", "ts",
                                                     "eventTime",  "TimeCreated", "UtcTime"};
/// What a sender said about the time when it handed the event over (source/http_bodies.hpp) goes
/// before all that stands in the event.
constexpr std::array<std::string_view, 2> kSenderTimes{"splunk.time", "otel.time"};
constexpr std::string_view kOriginal = "original.";

/// How many bytes of `name` (folded) `prefix` takes; 0 = it does not begin so. A `*` in the prefix
/// stands for one part of a dotted name.
std::size_t prefix_size(std::string_view name, std::string_view prefix) {
  std::size_t at = 0;
  for (char const c : prefix) {
    if (c == '*') {
      std::size_t const dot = name.find('.', at);
      if (dot == std::string_view::npos || dot == at) {
        return 0;
      }
      at = dot;
    } else if (at < name.size() && name[at] == c) {
      ++at;
    } else {
      return 0;
    }
  }
  return at;
}

}  // namespace
}  // namespace type_index

TypeIndex::TypeIndex(catalog::Catalog const& catalog)
    : catalog_(catalog),
      name_uses_(1),
      questions_(1),
      maps_(catalog.types().size()),
      times_(catalog.types().size()),
      settings_(catalog.types().size()) {
  for (catalog::CommonField const& field : catalog.common()) {
    envelope_names_.push_back(catalog.fields().intern("envelope." + field.name));
  }
  for (catalog::LogType const& type : catalog.types()) {
    auto const index = static_cast<std::size_t>(type.id);
    for (catalog::Condition const& condition : type.detect) {
      detections_.push_back(compile(condition));
      detections_.back().what = index;
    }
    for (catalog::Setting const& setting : type.set) {
      settings_[index].push_back({compile(setting.when), &setting.values, {}});
    }
    add_map(type);
    add_words(type);
    add_times(type);
  }
  auto const envelope = [&](Rule const& rule) { return catalog.types()[rule.what].envelope; };
  std::stable_sort(detections_.begin(), detections_.end(), [&](Rule const& a, Rule const& b) {
    if (envelope(a) != envelope(b)) {
      return envelope(b);
    }
    return a.all.size() != b.all.size() ? a.all.size() > b.all.size() : a.what < b.what;
  });
  for (catalog::Shape const& shape : catalog.shapes()) {
    add_shape(shape);
  }
}

/// The name without case, as the source wrote it: names of ours are called `original.NAME`.
NameId TypeIndex::name_id(std::string_view name) {
  std::string key = ascii_lower_copy(name);
  if (key.starts_with(type_index::kOriginal)) {
    key.erase(0, type_index::kOriginal.size());
  }
  auto const [at, added] = names_.emplace(std::move(key), static_cast<NameId>(name_uses_.size()));
  if (added) {
    name_uses_.push_back(0);
    questions_.emplace_back();
  }
  return at->second;
}

NameId TypeIndex::ask_for(FieldId id, std::uint8_t for_what) {
  NameId const name = name_id(catalog_.fields().name(id));
  name_uses_[static_cast<std::size_t>(name)] |= for_what;
  return name;
}

TypeIndex::FieldUse const& TypeIndex::learn(FieldId id) {
  auto const index = static_cast<std::size_t>(id);
  if (uses_.size() <= index) {
    uses_.resize(std::max(index + 1, 2 * uses_.size()));
  }
  FieldUse& use = uses_[index];
  use.known = true;
  if (catalog_.is_common(id)) {
    return use;  // not an original
  }
  std::string key = ascii_lower_copy(catalog_.fields().name(id));
  if (key.starts_with(type_index::kOriginal)) {
    key.erase(0, type_index::kOriginal.size());
  }
  if (auto const name = names_.find(key); name != names_.end()) {
    use.name = name->second;
    use.uses = name_uses_[static_cast<std::size_t>(use.name)];
  }
  std::vector<std::uint32_t> bits;
  for (std::size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.', dot + 1)) {
    if (auto const under = under_.find(std::string_view(key).substr(0, dot));
        under != under_.end()) {
      bits.push_back(under->second);
    }
  }
  if (!bits.empty()) {
    auto found = std::find(under_bits_.begin() + 1, under_bits_.end(), bits);
    if (found == under_bits_.end()) {
      under_bits_.push_back(std::move(bits));
      found = under_bits_.end() - 1;
    }
    use.under = static_cast<std::uint16_t>(found - under_bits_.begin());
    use.uses |= kDetect;
  }
  return use;
}

std::uint32_t TypeIndex::bit_of(Question& question, std::string const& value) {
  if (value == "*") {
    question.present = question.present == kNoBit ? bit_count_++ : question.present;
    return static_cast<std::uint32_t>(question.present);
  }
  bool const open_begin = value.starts_with('*');
  bool const open_end = value.ends_with('*');
  if (!open_begin && !open_end) {
    question.longest = std::max(question.longest, value.size());
    auto const [at, added] = question.values.emplace(value, bit_count_);
    bit_count_ += added ? 1 : 0;
    return static_cast<std::uint32_t>(at->second);
  }
  question.longest = ~std::size_t{0};
  std::string const text =
      value.substr(open_begin ? 1 : 0, value.size() - (open_begin ? 1 : 0) - (open_end ? 1 : 0));
  question.patterns.push_back({text, !open_begin, !open_end, bit_count_});
  return static_cast<std::uint32_t>(bit_count_++);
}

TypeIndex::Rule TypeIndex::compile(catalog::Condition const& condition) {
  Rule out;
  for (catalog::Detect const& detect : condition) {
    std::vector<std::uint32_t>& bits = out.all.emplace_back();
    if (detect.under) {
      auto const [at, added] =
          under_.emplace(ascii_lower_copy(catalog_.fields().name(detect.field)),
                         static_cast<std::uint32_t>(bit_count_));
      bit_count_ += added ? 1 : 0;
      bits.push_back(at->second);
      continue;
    }
    NameId const name = ask_for(detect.field, kDetect);
    for (std::string const& value : detect.values) {
      bits.push_back(bit_of(questions_[static_cast<std::size_t>(name)], value));
    }
  }
  return out;
}

MapLink TypeIndex::link_to(FieldId to, std::size_t rank, std::vector<FieldId>& targets) const {
  auto target = std::find(targets.begin(), targets.end(), to);
  if (target == targets.end()) {
    targets.push_back(to);
    target = targets.end() - 1;
  }
  auto const& common = catalog_.common()[static_cast<std::size_t>(to)];
  return {
      .to = to,
      .renamed = catalog_.fields().intern(std::string(type_index::kOriginal).append(common.name)),
      .rank = static_cast<std::uint16_t>(rank),
      .type = catalog_.fields().type(to),
      .target = static_cast<std::uint8_t>(target - targets.begin()),
      .values = common.values.empty() ? nullptr : &common.values};
}

void TypeIndex::add_map(catalog::LogType const& type) {
  TypeMap& map = maps_[static_cast<std::size_t>(type.id)];
  std::vector<FieldId> targets;
  std::size_t rank = 0;
  for (std::size_t i = 0; i < type.set.size(); ++i) {
    for (catalog::FieldMap const& entry : type.set[i].map) {
      NameId const from = ask_for(entry.from, kMap);
      settings_[static_cast<std::size_t>(type.id)][i].map.push_back(
          {from, link_to(entry.to, rank++, targets)});
    }
  }
  for (catalog::FieldMap const& entry : type.map) {
    auto const index = static_cast<std::size_t>(ask_for(entry.from, kMap));
    if (map.place.size() <= index) {
      map.place.resize(index + 1, 0);
    }
    if (map.place[index] == 0) {
      map.place[index] = static_cast<std::uint16_t>(map.links.size());
      map.links.emplace_back();
    }
    map.links[map.place[index]].push_back(link_to(entry.to, rank++, targets));
  }
  map.targets = targets.size();
}

void TypeIndex::add_words(catalog::LogType const& type) {
  TypeMap& map = maps_[static_cast<std::size_t>(type.id)];
  for (catalog::WordMap const& entry : type.words) {
    TypeMap::Words& words = map.words.emplace_back();
    words.from = ask_for(entry.from, kWords);
    for (catalog::WordMap::Word const& word : entry.words) {
      (word.word == "*" ? words.any : words.words[word.word]) = &word.set;
    }
  }
}

std::vector<catalog::Constant> const* TypeIndex::said(TypeId type, NameId from,
                                                      std::string_view word,
                                                      std::size_t& rank) const {
  constexpr std::size_t kLongest = 64;
  if (word.empty() || word == "-") {
    return nullptr;
  }
  std::array<char, kLongest> lower{};
  std::size_t const size = std::min(word.size(), kLongest);
  std::transform(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(size), lower.begin(),
                 ascii_lower);
  std::vector<TypeMap::Words> const& all = maps_[static_cast<std::size_t>(type)].words;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].from != from) {
      continue;
    }
    rank = i;
    auto const found = all[i].words.find(std::string_view(lower.data(), size));
    return found != all[i].words.end() && size == word.size() ? found->second : all[i].any;
  }
  return nullptr;
}

void TypeIndex::add_times(catalog::LogType const& type) {
  std::vector<NameId>& times = times_[static_cast<std::size_t>(type.id)];
  for (std::string_view const name : type_index::kSenderTimes) {
    times.push_back(ask_for(catalog_.fields().intern(name), kTime));
  }
  for (FieldId const id : type.time) {
    times.push_back(ask_for(id, kTime));
  }
  for (std::string_view const name : type_index::kTimeNames) {
    times.push_back(ask_for(catalog_.fields().intern(name), kTime));
  }
}

void TypeIndex::add_shape(catalog::Shape const& shape) {
  for (catalog::Condition const& condition : shape.detect) {
    shape_detections_.push_back(compile(condition));
    shape_detections_.back().what = shapes_.size();
  }
  ShapeNames& names = shapes_.emplace_back();
  for (catalog::FieldMap const& entry : shape.names) {
    names.names.emplace(ascii_lower_copy(catalog_.fields().name(entry.from)), entry.to);
  }
  names.capital = shape.capital;
  for (std::string const& prefix : shape.strip) {
    names.strip.push_back(ascii_lower_copy(prefix));
  }
  for (std::string const& end : shape.strip_end) {
    names.strip_end.push_back(ascii_lower_copy(end));
  }
}

FieldId TypeIndex::plain_name(std::size_t shape, FieldId id) {
  ShapeNames& names = shapes_[shape];
  auto const index = static_cast<std::size_t>(id);
  if (names.known.size() <= index) {
    std::size_t const size = std::max(index + 1, 2 * names.known.size());
    names.known.resize(size, kUnlisted);
    names.is_known.resize(size, false);
  }
  if (!names.is_known[index]) {
    names.is_known[index] = true;
    FieldId const plain =
        catalog_.is_common(id) ? kUnlisted : make_plain_name(names, catalog_.fields().name(id));
    names.known[index] = plain == id ? kUnlisted : plain;
  }
  return names.known[index];
}

FieldId TypeIndex::make_plain_name(ShapeNames const& shape, std::string_view name) const {
  std::string key = ascii_lower_copy(name);
  if (auto const found = shape.names.find(key); found != shape.names.end()) {
    return found->second;
  }
  for (std::string const& end : shape.strip_end) {
    if (key.ends_with(end)) {
      key.resize(key.size() - end.size());
      name.remove_suffix(end.size());
    }
  }
  if (auto const found = shape.names.find(key); found != shape.names.end()) {
    return found->second;
  }
  for (std::string const& prefix : shape.strip) {
    std::size_t const size = type_index::prefix_size(key, prefix);
    if (size > 0 && size < name.size()) {
      std::string plain(name.substr(size));
      if (shape.capital && plain[0] >= 'a' && plain[0] <= 'z') {
        plain[0] = static_cast<char>(plain[0] - ('a' - 'A'));
      }
      auto const known = catalog_.fields().find(plain);
      if (known && catalog_.is_common(*known)) {
        plain.insert(0, type_index::kOriginal);
      }
      return catalog_.fields().intern(plain);
    }
  }
  return kUnlisted;
}

void TypeIndex::detect(FieldUse const& use, std::string_view value, DetectBits& bits) const {
  if (use.under != 0) {
    for (std::uint32_t const bit : under_bits_[use.under]) {
      bits.set(bit);
    }
  }
  Question const& question = questions_[static_cast<std::size_t>(use.name)];
  if (question.present != kNoBit) {
    bits.set(question.present);
  }
  if (question.longest < value.size()) {
    return;
  }
  if (auto const bit = question.values.find(value); bit != question.values.end()) {
    bits.set(bit->second);
  }
  for (Pattern const& pattern : question.patterns) {
    if (pattern.at_begin ? value.starts_with(pattern.text)
        : pattern.at_end ? value.ends_with(pattern.text)
                         : value.contains(pattern.text)) {
      bits.set(pattern.bit);
    }
  }
}

bool TypeIndex::holds(Rule const& rule, DetectBits const& bits) {
  return std::all_of(rule.all.begin(), rule.all.end(), [&](auto const& any) {
    return std::any_of(any.begin(), any.end(), [&](std::uint32_t bit) { return bits.has(bit); });
  });
}

TypeId TypeIndex::type_of(DetectBits const& bits) const {
  for (Rule const& detection : detections_) {
    if (holds(detection, bits)) {
      return static_cast<TypeId>(detection.what);
    }
  }
  return kUnknownType;
}

void TypeIndex::given(TypeId type, DetectBits const& bits, Given& out) const {
  out.constants.clear();
  out.links.clear();
  for (Setting const& setting : settings_[static_cast<std::size_t>(type)]) {
    if (!holds(setting.when, bits)) {
      continue;
    }
    for (catalog::Constant const& value : *setting.values) {
      bool const said =
          std::any_of(out.constants.begin(), out.constants.end(),
                      [&](catalog::Constant const* other) { return other->to == value.to; });
      if (!said) {
        out.constants.push_back(&value);
      }
    }
    for (OwnLink const& link : setting.map) {
      out.links.push_back(&link);
    }
  }
}

std::size_t TypeIndex::shape_of(DetectBits const& bits) const {
  for (Rule const& detection : shape_detections_) {
    if (holds(detection, bits)) {
      return detection.what;
    }
  }
  return kNoShape;
}

std::vector<MapLink> const& TypeIndex::links(TypeId type, NameId from) const {
  TypeMap const& map = maps_[static_cast<std::size_t>(type)];
  auto const index = static_cast<std::size_t>(from);
  return map.links[index < map.place.size() ? map.place[index] : 0];
}

}  // namespace vedette::normalize
