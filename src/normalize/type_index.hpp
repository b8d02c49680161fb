// The catalogue's types compiled for look-up by field id.
#pragma once

#include "base/hash.hpp"
#include "catalog/catalog.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vedette::normalize {

/// One entry of a type's `map`.
struct MapLink {
  FieldId to{};
  std::uint16_t rank = 0;  ///< place in `map`: the lower wins
  bool rename = false;     ///< the original is `original.NAME` of this very common field
  FieldType type{};
  std::uint8_t target = 0;                           ///< index of `to` among the type's targets
  std::vector<std::string> const* values = nullptr;  ///< closed set
};

/// What the fields of one event say for detection: one bit per (field, value) that any type asks
/// for.
class DetectBits {
 public:
  explicit DetectBits(std::size_t count = 0) : words_((count + 63) / 64, 0) {}
  void clear() { words_.assign(words_.size(), 0); }
  void set(std::size_t bit) { words_[bit / 64] |= std::uint64_t{1} << bit % 64; }
  bool overlaps(DetectBits const& other) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      if ((words_[i] & other.words_[i]) != 0) {
        return true;
      }
    }
    return false;
  }
  std::uint64_t hash() const {
    std::uint64_t out = 0;
    for (std::uint64_t const word : words_) {
      out = (out ^ word) * 0x9E3779B97F4A7C15U;
      out ^= out >> 32;
    }
    return out;
  }
  friend bool operator==(DetectBits const&, DetectBits const&) = default;

 private:
  std::vector<std::uint64_t> words_;
};

/// Immutable.
class TypeIndex {
 public:
  static constexpr std::uint8_t kDetect = 1, kMap = 2, kTime = 4;  // what a field is used for

  explicit TypeIndex(catalog::Catalog const& catalog);

  /// What a field is needed for, by any type; 0 for most.
  std::uint8_t uses(FieldId id) const {
    auto const index = static_cast<std::size_t>(id);
    return index < uses_.size() ? uses_[index] : 0;
  }
  DetectBits no_bits() const { return DetectBits(bit_count_); }
  /// Sets the bits of a field with this value.
  void detect(FieldId id, std::string_view value, DetectBits& bits) const;
  /// The type whose conditions these bits satisfy; unknown when there is none.
  TypeId type_of(DetectBits const& bits) const;
  /// The links of an original in a type.
  std::vector<MapLink> const& links(TypeId type, FieldId from) const;
  std::size_t targets(TypeId type) const { return maps_[static_cast<std::size_t>(type)].targets; }
  /// The fields that may hold the time, best first.
  std::vector<FieldId> const& times(TypeId type) const {
    return times_[static_cast<std::size_t>(type)];
  }
  std::size_t types() const { return maps_.size(); }

 private:
  struct Question {  // about one field
    std::size_t present = kNoBit;
    std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> values;
  };
  struct TypeMap {
    std::vector<std::uint16_t> place;  // by field id: index into links, 0 = none
    std::vector<std::vector<MapLink>> links{1};
    std::size_t targets = 0;
  };
  static constexpr std::size_t kNoBit = ~std::size_t{0};

  FieldId original(FieldId id) const;
  void use(FieldId id, std::uint8_t for_what);
  void add_detect(catalog::LogType const& type);
  void add_map(catalog::LogType const& type);
  void add_times(catalog::LogType const& type);

  struct Detection {
    TypeId type{};
    std::vector<DetectBits> conditions;
  };

  catalog::Catalog const& catalog_;
  std::vector<std::uint8_t> uses_;
  std::size_t bit_count_ = 0;
  std::unordered_map<std::uint16_t, Question> questions_;
  std::vector<Detection> detections_;  // most conditions first
  std::vector<TypeMap> maps_;          // by type
  std::vector<std::vector<FieldId>> times_;
};

}  // namespace vedette::normalize
