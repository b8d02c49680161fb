#include "event/field_table.hpp"

#include "base/arena.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <unordered_map>

namespace vedette {
namespace {

// Bounds against logs that make up names.
constexpr std::size_t kMaxNames = 60'000;
constexpr std::size_t kMaxNameSize = 1024;
constexpr std::size_t kMaxNameBytes = 8 << 20;

constexpr std::size_t kPageSize = 1024;
constexpr std::size_t kPages = kMaxNames / kPageSize + 1;

std::uint64_t random_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

}  // namespace

struct FieldTable::Impl {
  struct NameEntry {
    std::string_view name;
    FieldType type = FieldType::text;
  };

  /// Seeded per table, so that no log can hold names that fall into one bucket.
  struct SeededHash {
    std::uint64_t seed;
    std::size_t operator()(std::string_view name) const { return hash64(name, seed); }
  };

  using Page = std::array<NameEntry, kPageSize>;

  std::unordered_map<std::string_view, FieldId, SeededHash> ids{64, SeededHash{random_seed()}};
  Arena text;
  std::size_t text_bytes = 0;
  std::atomic<std::size_t> size{0};
  /// Entries never move: name() and type() take no lock.
  std::array<std::atomic<Page*>, kPages> pages{};
  std::array<std::unique_ptr<Page>, kPages> owned;
  mutable std::shared_mutex mutex;

  NameEntry& entry(FieldId id) const {
    auto const index = static_cast<std::size_t>(id);
    CHECK(index < size.load(std::memory_order_acquire));
    return (*pages[index / kPageSize].load(std::memory_order_acquire))[index % kPageSize];
  }

  /// The caller holds the lock, and `name` is not known.
  FieldId add(std::string_view name) {
    std::size_t const index = size.load(std::memory_order_relaxed);
    if (index >= kMaxNames || name.size() > kMaxNameSize ||
        text_bytes + name.size() > kMaxNameBytes) {
      return kUnlisted;
    }
    auto& page = owned[index / kPageSize];
    if (page == nullptr) {
      page = std::make_unique<Page>();
      pages[index / kPageSize].store(page.get(), std::memory_order_release);
    }
    std::string_view const kept = text.copy(name);
    text_bytes += name.size();
    (*page)[index % kPageSize].name = kept;
    auto const id = static_cast<FieldId>(index);
    ids.emplace(kept, id);
    size.store(index + 1, std::memory_order_release);
    return id;
  }
};

FieldTable::FieldTable() : impl_(std::make_unique<Impl>()) {}
FieldTable::~FieldTable() = default;

FieldId FieldTable::intern(std::string_view name) {
  if (auto const known = find(name)) {
    return *known;
  }
  std::unique_lock const lock(impl_->mutex);
  auto const found = impl_->ids.find(name);
  return found != impl_->ids.end() ? found->second : impl_->add(name);
}

std::optional<FieldId> FieldTable::find(std::string_view name) const {
  if (name.size() > kMaxNameSize) {
    return std::nullopt;
  }
  std::shared_lock const lock(impl_->mutex);
  auto const found = impl_->ids.find(name);
  return found != impl_->ids.end() ? std::optional(found->second) : std::nullopt;
}

FieldId FieldTable::declare(std::string_view name, FieldType type) {
  FieldId const id = intern(name);
  CHECK(id != kUnlisted);
  impl_->entry(id).type = type;
  return id;
}

std::string_view FieldTable::name(FieldId id) const { return impl_->entry(id).name; }
FieldType FieldTable::type(FieldId id) const { return impl_->entry(id).type; }
std::size_t FieldTable::size() const { return impl_->size.load(std::memory_order_acquire); }

FieldCache::FieldCache(FieldTable& table) : table_(table), slots_(4096) {}
FieldCache::~FieldCache() = default;

FieldId FieldCache::intern(std::string_view name) {
  std::uint64_t const hash = hash64(name);
  // Two slots per name: two hot names that share a slot do not push each other out.
  std::size_t const mask = slots_.size() - 1;
  Slot& first = slots_[hash & mask];
  if (first.hash == hash && first.name == name && first.name.data() != nullptr) {
    return first.id;
  }
  Slot& second = slots_[(hash & mask) ^ 1];
  if (second.hash == hash && second.name == name && second.name.data() != nullptr) {
    return second.id;
  }
  FieldId const id = table_.intern(name);
  if (id != kUnlisted) {
    second = first;
    first = {hash, table_.name(id), id};
  }
  return id;
}

}  // namespace vedette
