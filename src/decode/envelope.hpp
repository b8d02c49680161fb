// Payloads: a JSON object in a syslog message, a syslog line in a JSON field, many events in one
// record. What the payload says is decoded by the decoders it belongs to and joined with the fields
// that brought it.
#pragma once

#include "catalog/catalog.hpp"
#include "decode/decoder.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vedette::decode {

/// Decodes one record that is a payload.
class PayloadDecoder {
 public:
  /// Formats that may be meant: kLoose are those that take nearly any text of KEY=VALUE words,
  /// kTemplates is plain text that a template takes whole.
  static constexpr unsigned kShaped = 0, kLoose = 1, kSyslog = 2, kTemplates = 4;

  virtual ~PayloadDecoder() = default;
  /// Appends events; false: no decoder takes it.
  virtual bool decode_payload(Record const& record, unsigned formats) = 0;
  /// A quick look: false = no decoder takes it.
  virtual bool may_be_payload(std::string_view text, unsigned formats) const = 0;
};

/// Which fields hold payloads. Immutable; shared by workers.
class Envelope {
 public:
  static constexpr unsigned kMaxDepth = 4;  ///< payloads in payloads
  static constexpr std::size_t kMaxElements =
      32'000;  ///< of lists in one record; numbers of parts are 16 bits
  /// Fields of the envelope that each of many events of a record gets.
  static constexpr std::size_t kMaxShared = 32;

  explicit Envelope(catalog::Catalog const& catalog);

  /// Looks at the events of the batch from `from` on, which one decoder just made (of its kind it
  /// is `made_by`), and puts what their payloads are in their place.
  /// An event of a record that holds one payload keeps the record as `raw`; of several, each has
  /// its own part of it. Fields of payload and envelope that have one name: the payload's keeps it,
  /// the envelope's is called `envelope.NAME`.
  enum class Maker : std::uint8_t { syslog, json };
  void unwrap(DecodeContext& context, std::size_t from, Maker made_by,
              PayloadDecoder& decoder) const;

 private:
  class Work;
  enum class Role : std::uint8_t {
    none,
    message,   ///< text that may be anything: only formats with a shape of their own
    text,      ///< text that is a log line
    base64,    ///< the same, encoded
    list,      ///< of objects, each an event
    lines,     ///< of objects, each with a log line as its message
    tagged,    ///< text without header: the program stands in another field
    program,   ///< that field
    pid,       ///< and this
    priority,  ///< syslog's number of the severity
    facility,  ///< and of the facility
    level,     ///< beside a message: a program's logger wrote it
    carrier,   ///< beside a message: it is a line that somebody read or sent on
  };
  struct Named {
    Role role = Role::none;
    std::uint8_t rank = 0;  ///< of several that an event has, the lower is looked at first
  };

  Named named(FieldId id) const {
    auto const index = static_cast<std::size_t>(id);
    return index < roles_.size() ? roles_[index] : Named{};
  }
  void name(catalog::Catalog const& catalog, Role role, std::initializer_list<char const*> names);

  std::vector<Named> roles_;             // by field
  std::vector<FieldId> envelope_names_;  // of common fields
  FieldId message_{}, facility_{}, severity_{};
  TypeId plain_{};  // of syslog lines of programs that nobody names
  std::uint8_t next_rank_ = 0;
};

}  // namespace vedette::decode
