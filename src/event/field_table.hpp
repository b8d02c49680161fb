// Interned field names with their types. One table per program run, shared by all workers.
#pragma once

#include "event/field.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette {

class FieldTable {
 public:
  FieldTable();
  ~FieldTable();
  FieldTable(FieldTable const&) = delete;
  FieldTable& operator=(FieldTable const&) = delete;

  /// The id of `name`, made when it is new. kUnlisted when 60,000 names are taken (hostile JSON).
  /// Thread-safe; takes a lock only for names this thread's FieldCache does not know.
  FieldId intern(std::string_view name);
  /// nullopt when nobody interned it.
  std::optional<FieldId> find(std::string_view name) const;
  /// Declares a name with a type (at start-up, before workers run).
  FieldId declare(std::string_view name, FieldType type);

  std::string_view name(FieldId id) const;
  FieldType type(FieldId id) const;
  std::size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A worker's lock-free front to FieldTable::intern.
class FieldCache {
 public:
  explicit FieldCache(FieldTable& table);
  ~FieldCache();
  FieldId intern(std::string_view name);
  FieldTable& table() { return table_; }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::string_view name;  // as the table holds it
    FieldId id{};
  };
  FieldTable& table_;
  std::vector<Slot> slots_;
};

}  // namespace vedette
