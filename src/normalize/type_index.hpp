// The catalogue's types and shapes compiled for look-up. One per worker: what it learns of names as
// they come it keeps.
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

/// A name that types ask for, whatever its case; 0 = nobody asks for it.
enum class NameId : std::uint16_t {};
inline constexpr NameId kNoName{0};

/// One entry of a type's `map`.
struct MapLink {
  FieldId to{};
  FieldId renamed{};       ///< `original.NAME` of `to`: such an original becomes it
  std::uint16_t rank = 0;  ///< place in `map`: the lower wins
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
  bool has(std::size_t bit) const { return (words_[bit / 64] >> bit % 64 & 1) != 0; }
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

class TypeIndex {
 public:
  static constexpr std::uint8_t kDetect = 1, kMap = 2, kTime = 4,
                                kWords = 8;  // what a field is used for
  static constexpr std::size_t kNoShape = ~std::size_t{0};

  /// What a field of an event means to the catalogue.
  struct FieldUse {
    NameId name{};
    std::uint16_t under = 0;  ///< index of the bits of the objects it lies in; 0 = none
    std::uint8_t uses = 0;
    bool known = false;
  };

  explicit TypeIndex(catalog::Catalog const& catalog);

  /// `id` is not kUnlisted.
  FieldUse const& use(FieldId id) {
    auto const index = static_cast<std::size_t>(id);
    return index < uses_.size() && uses_[index].known ? uses_[index] : learn(id);
  }
  DetectBits no_bits() const { return DetectBits(bit_count_); }
  /// Whether the value of such a field matters, not only its presence.
  bool asks_value(FieldUse const& use) const {
    return questions_[static_cast<std::size_t>(use.name)].longest > 0;
  }
  /// Sets the bits of a field with this value.
  void detect(FieldUse const& use, std::string_view value, DetectBits& bits) const;
  /// The type whose conditions these bits satisfy; unknown when there is none.
  TypeId type_of(DetectBits const& bits) const;
  /// What a word of an original says in a type; nullptr = nothing. `rank`: the place of the
  /// original among those of the type, the lower wins.
  std::vector<catalog::Constant> const* said(TypeId type, NameId from, std::string_view word,
                                             std::size_t& rank) const;
  /// A link of `set`, which goes before those of `map`.
  struct OwnLink {
    NameId from{};
    MapLink link;
  };
  /// What `set` gives events of a type with these bits.
  struct Given {
    std::vector<catalog::Constant const*> constants;
    std::vector<OwnLink const*> links;
  };
  void given(TypeId type, DetectBits const& bits, Given& out) const;
  /// The shape whose conditions hold, or kNoShape.
  std::size_t shape_of(DetectBits const& bits) const;
  /// The plain name of a field in a shape; kUnlisted: it has none.
  FieldId plain_name(std::size_t shape, FieldId id);
  /// The links of an original in a type.
  std::vector<MapLink> const& links(TypeId type, NameId from) const;
  std::size_t targets(TypeId type) const { return maps_[static_cast<std::size_t>(type)].targets; }
  /// The fields that may hold the time, best first.
  std::vector<NameId> const& times(TypeId type) const {
    return times_[static_cast<std::size_t>(type)];
  }
  std::size_t commons() const { return catalog_.common().size(); }
  std::size_t types() const { return maps_.size(); }
  /// What a common field of the envelope is called where the payload has it, too.
  FieldId envelope_name(FieldId common) const {
    return envelope_names_[static_cast<std::size_t>(common)];
  }

 private:
  using Names = std::unordered_map<std::string, NameId, StringHash, std::equal_to<>>;
  struct Pattern {
    std::string text;
    bool at_begin = false, at_end = false;  // never both
    std::size_t bit = 0;
  };
  struct Question {  // about one name
    std::size_t present = kNoBit;
    std::size_t longest = 0;  // value that is asked for; ~0 with patterns
    std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> values;
    std::vector<Pattern> patterns;
  };
  struct TypeMap {
    std::vector<std::uint16_t> place;  // by name: index into links, 0 = none
    std::vector<std::vector<MapLink>> links{1};
    std::size_t targets = 0;
    struct Words {
      NameId from{};
      std::unordered_map<std::string, std::vector<catalog::Constant> const*, StringHash,
                         std::equal_to<>>
          words;
      std::vector<catalog::Constant> const* any = nullptr;
    };
    std::vector<Words> words;
  };
  struct Rule {  // conditions, each a list of bits of which one must be set
    std::vector<std::vector<std::uint32_t>> all;
    std::size_t what = 0;  // type or shape
  };
  struct Setting {
    Rule when;
    std::vector<catalog::Constant> const* values = nullptr;
    std::vector<OwnLink> map;
  };
  struct ShapeNames {
    std::unordered_map<std::string, FieldId, StringHash, std::equal_to<>> names;
    std::vector<std::string> strip, strip_end;
    bool capital = false;
    std::vector<FieldId> known;  // by field
    std::vector<bool> is_known;
  };
  static constexpr std::size_t kNoBit = ~std::size_t{0};

  NameId name_id(std::string_view name);
  NameId ask_for(FieldId id, std::uint8_t for_what);
  FieldUse const& learn(FieldId id);
  Rule compile(catalog::Condition const& condition);
  std::uint32_t bit_of(Question& question, std::string const& value);
  static bool holds(Rule const& rule, DetectBits const& bits);
  void add_map(catalog::LogType const& type);
  MapLink link_to(FieldId to, std::size_t rank, std::vector<FieldId>& targets) const;
  void add_words(catalog::LogType const& type);
  void add_times(catalog::LogType const& type);
  void add_shape(catalog::Shape const& shape);
  FieldId make_plain_name(ShapeNames const& shape, std::string_view name) const;

  catalog::Catalog const& catalog_;
  std::size_t bit_count_ = 0;
  Names names_;                          // folded
  std::vector<std::uint8_t> name_uses_;  // by NameId
  std::vector<FieldUse> uses_;           // by FieldId
  std::vector<Question> questions_;      // by NameId
  std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>> under_;
  std::vector<std::vector<std::uint32_t>> under_bits_{1};
  std::vector<Rule> detections_;  // most conditions first
  std::vector<Rule> shape_detections_;
  std::vector<TypeMap> maps_;  // by type
  std::vector<std::vector<NameId>> times_;
  std::vector<std::vector<Setting>> settings_;  // by type
  std::vector<ShapeNames> shapes_;
  std::vector<FieldId> envelope_names_;  // by common field
};

}  // namespace vedette::normalize
