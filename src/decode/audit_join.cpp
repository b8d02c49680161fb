#include "decode/audit_join.hpp"

#include <algorithm>

namespace vedette::decode {
void AuditJoin::clear() {
  members_.clear();
  groups_.clear();
  open_.clear();
  before_ = 0;
}

void AuditJoin::stranger() {
  std::size_t const count = before_ + members_.size() + 1;
  clear();
  before_ = count;
}

void AuditJoin::close_old(AuditHead const& head) {
  auto const begun = static_cast<std::uint32_t>(groups_.size());
  std::erase_if(open_, [&](Open const& open) {
    Group& group = groups_[open.group];
    if (begun - group.begun > kMixed ||
        (head.time - kPatience >= open.head.time && head.node == open.head.node)) {
      group.open = false;
    }
    return !group.open;
  });
}

void AuditJoin::add(AuditHead const& head, std::size_t size) {
  close_old(head);
  auto const index = static_cast<std::uint32_t>(members_.size());
  // From the newest: mostly the record follows its predecessor.
  auto found = std::find_if(open_.rbegin(), open_.rend(),
                            [&](Open const& open) { return open.head.same_event(head); });
  if (found == open_.rend()) {
    auto const group = static_cast<std::uint32_t>(groups_.size());
    groups_.push_back({.first = index});
    open_.push_back({head, group});
    found = open_.rbegin();
  }
  Group& group = groups_[found->group];
  group.last = index;
  group.bytes += size;
  group.begun = static_cast<std::uint32_t>(groups_.size());
  ++group.count;
  members_.push_back(found->group);
  if (group.bytes > kMaxBytes || audit_types().ends_event(head.type)) {
    group.open = false;
    open_.erase(std::next(found).base());
  }
}

void AuditJoin::sorted(std::vector<std::uint32_t>& records,
                       std::vector<std::uint32_t>& starts) const {
  starts.clear();
  std::uint32_t sum = 0;
  for (Group const& group : groups_) {
    starts.push_back(sum);
    sum += group.count;
  }
  starts.push_back(sum);
  std::vector<std::uint32_t> next(starts.begin(), starts.end() - 1);
  records.resize(members_.size());
  for (std::uint32_t i = 0; i < members_.size(); ++i) {
    records[next[members_[i]]++] = i;
  }
}

std::size_t AuditJoin::complete() const {
  std::size_t limit = members_.size();
  for (Open const& open : open_) {
    limit = std::min<std::size_t>(limit, groups_[open.group].first);
  }
  // How many events have begun and not ended after each record.
  std::size_t best = before_;
  std::size_t under_way = 0;
  for (std::uint32_t i = 0; i < limit; ++i) {
    Group const& group = groups_[members_[i]];
    under_way += group.first == i ? 1 : 0;
    under_way -= group.last == i ? 1 : 0;
    if (under_way == 0) {
      best = before_ + i + 1;
    }
  }
  return best;
}

}  // namespace vedette::decode
