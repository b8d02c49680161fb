// Which audit records make up one event. The kernel writes an event as several records with one
// serial, those of several processors mixed with each other, and does not say which is the last.
//
// What belongs together is a function of the sequence of records alone, never of how it was cut
// into blocks. A record belongs to the open event of its node, stamp and serial; an event is open
// until
//   - its last record has come (EOE; PROCTITLE, after which the kernel writes nothing else; types
//     that user programs write, which are events of one record),
//   - its node has written a record that is two seconds younger,
//   - kMixed other events have begun since its last record, or
//   - it has grown to kMaxBytes.
// docs/decisions/audit-events.md has the reasons.
#pragma once

#include "decode/audit_record.hpp"
#include "decode/audit_tables.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vedette::decode {

/// The events of a sequence of records. Reused from call to call; add() is amortised constant.
class AuditJoin {
 public:
  static constexpr Nanos kPatience = 2 * kSecond;
  static constexpr std::uint32_t kMixed = 32;
  static constexpr std::size_t kMaxBytes = 256 * 1024;

  void clear();
  /// The next record, of `size` bytes; the head's texts must live until clear().
  void add(AuditHead const& head, std::size_t size);
  /// A record that is no audit record: no event goes on past it.
  void stranger();

  struct Group {
    std::uint32_t first = 0;  ///< of its records, by number of add()
    std::uint32_t last = 0;
    std::uint32_t count = 0;
    std::size_t bytes = 0;
    std::uint32_t begun = 0;  ///< events begun when its last record came
    bool open = true;
  };
  std::span<Group const> groups() const { return groups_; }
  /// The records of all groups, group after group in order of their first record; in `starts` where
  /// each group begins.
  void sorted(std::vector<std::uint32_t>& records, std::vector<std::uint32_t>& starts) const;
  /// How many of the records can stand without what comes next: no event has records on both sides
  /// of that place, and none before it is open.
  std::size_t complete() const;

 private:
  void close_old(AuditHead const& head);

  struct Open {
    AuditHead head;  // of its first record
    std::uint32_t group = 0;
  };
  std::vector<std::uint32_t> members_;  // the group of each record
  std::vector<Group> groups_;
  std::vector<Open> open_;  // at most kMixed + 1
  std::size_t before_ = 0;  // records up to the latest stranger
};

}  // namespace vedette::decode
