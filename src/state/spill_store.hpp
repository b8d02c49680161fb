// Keys and values on disk, sorted by key: where state goes that does not fit into memory. RocksDB
// behind a small interface; nothing of it leaves spill_store.cpp.
//
// What is written is not durable by itself (there is no write-ahead log): checkpoint() makes a
// durable copy of everything, by hard links, and the next run begins with such a copy.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace vedette::state {

class SpillStore {
 public:
  /// Writes that are made together.
  class Batch {
   public:
    Batch();
    ~Batch();
    Batch(Batch&&) noexcept;
    Batch& operator=(Batch&&) noexcept;
    void put(std::string_view key, std::string_view value);
    void erase(std::string_view key);
    std::size_t bytes() const;
    bool empty() const;
    void clear();

   private:
    friend class SpillStore;
    struct Impl;
    std::unique_ptr<Impl> impl_;
  };

  /// Goes through pairs in order of keys, as they were when it was made.
  class Cursor {
   public:
    ~Cursor();
    Cursor(Cursor&&) noexcept;
    void seek(std::string_view key);
    void next();
    bool valid() const;
    std::string_view key() const;
    std::string_view value() const;
    Status status() const;

   private:
    friend class SpillStore;
    struct Impl;
    explicit Cursor(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
  };

  /// Whether a pair may be forgotten. Called by other threads, whenever files are rewritten.
  using Forget = std::function<bool(std::string_view key, std::string_view value)>;

  /// Opens an empty store at `path` (what lies there is removed), or in a temporary folder when
  /// `path` is "". `from`: begins with what a checkpoint() wrote there, which stays as it is.
  static Result<std::unique_ptr<SpillStore>> open(std::string const& path, std::string const& from,
                                                  Forget forget);
  /// Removes a temporary folder.
  ~SpillStore();

  Status write(Batch& batch);
  /// False when there is no such key.
  Result<bool> get(std::string_view key, std::string& value);
  Cursor cursor();
  /// Writes a durable copy to the folder `path`, which must not exist.
  Status checkpoint(std::string const& path);
  /// After a failed write, when there may be space again.
  Status resume();
  /// About how many keys there are.
  std::uint64_t keys() const;

 private:
  struct Impl;
  explicit SpillStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vedette::state
