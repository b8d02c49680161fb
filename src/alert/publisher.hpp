// Turns what the keyed state finds into alert revisions.
//
// A growing condition is told at once, before the watermark has passed; so what was said may have
// to be said again: `revised`, `merged` into another alert, or `withdrawn`. An alert keeps the id
// it was first published with. When an episode is final its last revision goes out and it is
// forgotten here.
//
// Single-threaded; reads no clock: what is published depends on the calls alone.
#pragma once

#include "alert/message.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "detect/episode.hpp"
#include "rule/ir.hpp"
#include "state/snapshot.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vedette::alert {

class Publisher {
 public:
  /// Takes each revision in the order of publication (appends it to the outbox).
  using Emit = std::function<void(Message&&)>;

  /// `rules` must outlive the publisher.
  Publisher(rule::RuleSet const& rules, Emit emit);

  /// All episodes of this rule and (encoded) key that are not final, as they look now; may be
  /// empty.
  void update(rule::RuleIndex rule, std::string_view key, std::vector<detect::Episode>&& current);
  /// A final one. Comes before the update() of its key that no longer holds it. Its status says
  /// whether it is closed or, at the end of the input, still open.
  void finish(detect::Episode&& episode);
  /// After the finish() and update() calls of a batch: everything up to `judged` has been said.
  void settle(Nanos judged);

  /// Alerts published and not final.
  std::size_t open() const { return open_; }

  void save(state::SnapshotWriter& out) const;
  /// Returns how many open alerts belong to rules that are no longer there (they are dropped).
  Result<std::size_t> load(state::SnapshotReader const& in);
  /// After load(): what the outbox had taken after that checkpoint. Replay will find these alerts
  /// again; they keep their ids, nothing is said twice, and what is not found again is withdrawn.
  void resume(std::vector<Message> const& given_out);

 private:
  using Status = detect::Episode::Status;
  using Episode = detect::Episode;

  struct Published {
    Digest id;
    Digest hash;       ///< of the episode as it was last seen
    Digest content;    ///< of what the last revision said
    Digest before;     ///< of the evidence before `said_last`, as far as it is kept
    Digest evidence;   ///< the evidence hash that was said
    Nanos opened = 0;  ///< as last seen
    Nanos last = 0;
    Nanos said_first = 0;
    Nanos said_last = 0;
    std::uint64_t said_count = 0;
    std::uint64_t base = 0;  ///< the count when it was first published
    std::uint64_t late = 0;
    std::uint32_t revision = 0;
    Status status = Status::open;
    bool given = false;  ///< said after the checkpoint; replay has not come to it yet
    bool matched = false;
  };
  /// Final and told in this batch: what it covers may still be on the list.
  struct Told {
    Digest id;
    Nanos opened = 0;
    Nanos last = 0;
  };
  struct Entry {
    rule::RuleIndex rule = 0;
    std::string_view key;            ///< within the entry's id
    std::vector<Published> alerts;   ///< in order of publication
    std::vector<Episode> undecided;  ///< final ones that may take over an id
    std::vector<Told> told;
    bool listed = false;  ///< in unsettled_
  };
  struct Columns;  ///< rows in the form of checkpoints
  struct ColumnsWriter;

  static std::string entry_id(rule::RuleIndex rule, std::string_view key);
  Entry& entry_of(rule::RuleIndex rule, std::string_view key);
  bool drop_if_empty(Entry& entry);
  void list(Entry& entry);
  Digest hash_of(Episode const& episode) const;
  Nanos due_of(rule::RuleIndex rule, Nanos last) const;
  Digest fresh_id(Entry const& entry, Digest const& hash) const;

  void compare(Entry& entry, Published& known, Episode&& now);
  void appear(Entry& entry, Episode&& now, Digest const& hash);
  void disappear(Entry& entry, std::vector<Told> const& present);
  void decide(Entry& entry);
  void publish_final(Entry& entry, Published* known, Episode&& episode, Digest const& hash);
  Published* take_over(Entry& entry, Nanos opened, Nanos last, bool also_given, bool* shadowed);
  void say(Entry const& entry, Published& known, Episode&& episode);
  void say_gone(Entry const& entry, Published& known, Status status, Digest const* into);
  void emit(Entry const& entry, Published& known, Episode&& episode);
  std::string note_of(Entry const& entry, Published const& known) const;
  void await(Entry const& entry, Published const& known);
  void give_up(Entry& entry);
  std::map<std::string, rule::RuleIndex, std::less<>> rule_index() const;

  rule::RuleSet const& rules_;
  Emit emit_;
  std::unordered_map<std::string, Entry, StringHash, std::equal_to<>> entries_;
  std::vector<std::string> unsettled_;  // ids of entries with undecided or told ones
  std::vector<std::string> awaited_;    // ids of entries with given alerts
  Nanos awaited_until_ = kNever;        // judged by then, all of them have been found again
  bool awaits_late_ = false;            // one was touched by late events: its times say nothing
  std::size_t open_ = 0;
};

}  // namespace vedette::alert
