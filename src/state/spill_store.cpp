// unity: off (the only file that includes RocksDB)
#include "state/spill_store.hpp"

#include "state/files.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace vedette::state {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kWriteBuffer = 8 << 20;
constexpr std::size_t kCache = 16 << 20;
constexpr double kFilterBits = 10;
constexpr int kOpenFiles = 256;

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(rocksdb::Slice const& text) { return {text.data(), text.size()}; }

Status to_status(rocksdb::Status const& status) {
  if (status.ok()) {
    return {};
  }
  return fail("cannot keep state on disk: " + status.ToString(),
              status.IsNoSpace() ? "free disk space" : "check the disk and the state folder");
}

class SilentLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(char const*, va_list) override {}
};

class ForgetFilter final : public rocksdb::CompactionFilter {
 public:
  explicit ForgetFilter(SpillStore::Forget forget) : forget_(std::move(forget)) {}
  char const* Name() const override { return "vedette"; }
  bool Filter(int, rocksdb::Slice const& key, rocksdb::Slice const& value, std::string*,
              bool*) const override {
    return forget_ && forget_(view(key), view(value));
  }

 private:
  SpillStore::Forget forget_;
};

rocksdb::Options make_options(rocksdb::CompactionFilter const* filter) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.info_log = std::make_shared<SilentLog>();
  options.compaction_filter = filter;
  options.write_buffer_size = kWriteBuffer;
  options.max_write_buffer_number = 2;
  options.target_file_size_base = 16 << 20;
  options.max_bytes_for_level_base = 64 << 20;
  options.max_open_files = kOpenFiles;
  options.max_background_jobs = 2;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.compression = rocksdb::kLZ4Compression;
  options.avoid_flush_during_shutdown = true;  // checkpoints are what lasts
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBits));
  table.block_cache = rocksdb::NewLRUCache(kCache);
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

/// Tables never change and are linked; what RocksDB writes on is copied.
Status copy_checkpoint(std::string const& from, std::string const& to) {
  std::error_code error;
  fs::create_directories(to, error);
  auto at = error ? fs::directory_iterator() : fs::directory_iterator(from, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    fs::path const target = fs::path(to) / at->path().filename();
    if (at->path().extension() == ".sst") {
      fs::create_hard_link(at->path(), target, error);
    } else {
      fs::copy_file(at->path(), target, error);
    }
    if (error) {
      break;
    }
  }
  if (error) {
    return fail("cannot copy " + from + " to " + to + ": " + error.message(),
                "it belongs to the checkpoint; restore it or start with a new state folder");
  }
  return {};
}

}  // namespace

struct SpillStore::Impl {
  std::string path;
  bool temporary = false;
  std::unique_ptr<ForgetFilter> filter;
  std::unique_ptr<rocksdb::DB> db;

  ~Impl() {
    db.reset();
    if (temporary) {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  }
};

struct SpillStore::Cursor::Impl {
  std::unique_ptr<rocksdb::Iterator> at;
};

struct SpillStore::Batch::Impl {
  rocksdb::WriteBatch batch;
};

SpillStore::Batch::Batch() : impl_(std::make_unique<Impl>()) {}
SpillStore::Batch::~Batch() = default;
SpillStore::Batch::Batch(Batch&&) noexcept = default;
SpillStore::Batch& SpillStore::Batch::operator=(Batch&&) noexcept = default;

void SpillStore::Batch::put(std::string_view key, std::string_view value) {
  (void)impl_->batch.Put(slice(key), slice(value));
}
void SpillStore::Batch::erase(std::string_view key) { (void)impl_->batch.Delete(slice(key)); }
std::size_t SpillStore::Batch::bytes() const { return impl_->batch.GetDataSize(); }
bool SpillStore::Batch::empty() const { return impl_->batch.Count() == 0; }
void SpillStore::Batch::clear() { impl_->batch.Clear(); }

SpillStore::Cursor::Cursor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SpillStore::Cursor::~Cursor() = default;
SpillStore::Cursor::Cursor(Cursor&&) noexcept = default;
void SpillStore::Cursor::seek(std::string_view key) { impl_->at->Seek(slice(key)); }
void SpillStore::Cursor::next() { impl_->at->Next(); }
bool SpillStore::Cursor::valid() const { return impl_->at->Valid(); }
std::string_view SpillStore::Cursor::key() const { return view(impl_->at->key()); }
std::string_view SpillStore::Cursor::value() const { return view(impl_->at->value()); }
Status SpillStore::Cursor::status() const { return to_status(impl_->at->status()); }

SpillStore::SpillStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SpillStore::~SpillStore() = default;

Result<std::unique_ptr<SpillStore>> SpillStore::open(std::string const& path,
                                                     std::string const& from, Forget forget) {
  auto impl = std::make_unique<Impl>();
  if (path.empty()) {
    std::string pattern = temporary_folder() + "/vedette-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
      return fail_errno("cannot make a folder in " + temporary_folder(), errno,
                        "check disk space and rights, or set TMPDIR");
    }
    impl->path = pattern;
    impl->temporary = true;
  } else {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) {
      return fail("cannot remove " + path + ": " + error.message());
    }
    impl->path = path;
  }
  if (!from.empty()) {
    TRY(copy_checkpoint(from, impl->path));
  }
  impl->filter = std::make_unique<ForgetFilter>(std::move(forget));
  rocksdb::DB* db = nullptr;
  TRY(to_status(rocksdb::DB::Open(make_options(impl->filter.get()), impl->path, &db)));
  impl->db.reset(db);
  return std::unique_ptr<SpillStore>(new SpillStore(std::move(impl)));
}

Status SpillStore::write(Batch& batch) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  return to_status(impl_->db->Write(options, &batch.impl_->batch));
}

Result<bool> SpillStore::get(std::string_view key, std::string& value) {
  rocksdb::Status const status = impl_->db->Get({}, slice(key), &value);
  if (status.IsNotFound()) {
    return false;
  }
  TRY(to_status(status));
  return true;
}

SpillStore::Cursor SpillStore::cursor() {
  auto impl = std::make_unique<Cursor::Impl>();
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.total_order_seek = true;
  impl->at.reset(impl_->db->NewIterator(options));
  return Cursor(std::move(impl));
}

Status SpillStore::checkpoint(std::string const& path) {
  rocksdb::Checkpoint* made = nullptr;
  TRY(to_status(rocksdb::Checkpoint::Create(impl_->db.get(), &made)));
  std::unique_ptr<rocksdb::Checkpoint> const checkpoint(made);
  return to_status(checkpoint->CreateCheckpoint(path));
}

Status SpillStore::resume() { return to_status(impl_->db->Resume()); }

std::uint64_t SpillStore::keys() const {
  std::uint64_t count = 0;
  impl_->db->GetIntProperty("rocksdb.estimate-num-keys", &count);
  return count;
}

}  // namespace vedette::state
