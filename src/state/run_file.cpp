#include "state/run_file.hpp"

#include "state/record.hpp"

#include <algorithm>

namespace vedette::state {
namespace {

constexpr std::size_t kWriteBuffer = 256 * 1024;
constexpr std::size_t kReadBuffer = 64 * 1024;

/// Takes a pair off `in`. Of a pair that is cut off, `wanted` says how long it is at least.
bool take_pair(std::string_view& in, std::string_view& key, std::string_view& value,
               std::uint64_t& wanted) {
  std::string_view rest = in;
  std::uint64_t key_size = 0;
  std::uint64_t value_size = 0;
  wanted = in.size() + 1;
  if (!take_varint(rest, key_size) || !take_varint(rest, value_size)) {
    return false;
  }
  if (key_size > rest.size() || value_size > rest.size() - key_size) {
    bool const sane = key_size < UINT32_MAX && value_size < UINT32_MAX;
    wanted = sane ? in.size() - rest.size() + key_size + value_size : UINT64_MAX;
    return false;
  }
  key = rest.substr(0, key_size);
  value = rest.substr(key_size, value_size);
  in = rest.substr(key_size + value_size);
  return true;
}

}  // namespace

void append_pair(std::string& out, std::string_view key, std::string_view value) {
  append_varint(out, key.size());
  append_varint(out, value.size());
  out.append(key);
  out.append(value);
}

bool for_each_pair(std::string_view bytes,
                   std::function<void(std::string_view, std::string_view)> const& call) {
  std::string_view key;
  std::string_view value;
  std::uint64_t wanted = 0;
  while (!bytes.empty()) {
    if (!take_pair(bytes, key, value, wanted)) {
      return false;
    }
    call(key, value);
  }
  return true;
}

Status RunWriter::flush() {
  TRY(file_.write_at(buffer_, written_));
  written_ += buffer_.size();
  buffer_.clear();
  return {};
}

Status RunWriter::add(std::string_view key, std::string_view value) {
  append_pair(buffer_, key, value);
  return buffer_.size() >= kWriteBuffer ? flush() : Status{};
}

Result<File> RunWriter::finish(bool sync) {
  TRY(flush());
  if (sync) {
    TRY(file_.sync());
  }
  return std::move(file_);
}

Result<RunReader> RunReader::again() const {
  TRY(File same, file_.duplicate());
  return RunReader(std::move(same), position_);
}

Result<bool> RunReader::next() {
  position_ = next_;
  std::size_t want = kReadBuffer;
  for (;;) {
    std::uint64_t const skip = next_ - buffer_from_;
    std::string_view rest;
    if (next_ >= buffer_from_ && skip <= buffer_.size()) {
      rest = std::string_view(buffer_.data(), buffer_.size()).substr(skip);
    }
    std::size_t const before = rest.size();
    std::uint64_t wanted = 0;
    if (take_pair(rest, key_, value_, wanted)) {
      next_ += before - rest.size();
      return true;
    }
    if (wanted > kReadBuffer && wanted > file_.size() - std::min(file_.size(), next_)) {
      return fail("a state file is damaged", "the state folder was changed from outside");
    }
    want = std::max(want, static_cast<std::size_t>(wanted));
    std::vector<char> fresh(want);
    TRY(std::size_t const got, file_.read_at(fresh.data(), want, next_));
    if (got == 0) {
      key_ = value_ = {};
      return false;
    }
    if (got <= before) {
      return fail("a state file is cut short", "the state folder was changed from outside");
    }
    fresh.resize(got);
    buffer_ = std::move(fresh);
    buffer_from_ = next_;
  }
}

Result<File> merge_runs(std::vector<RunReader> runs, File out) {
  RunWriter writer(std::move(out));
  std::vector<RunReader*> live;
  auto const later = [](RunReader const* a, RunReader const* b) { return a->key() > b->key(); };
  for (RunReader& run : runs) {
    TRY(bool const more, run.next());
    if (more) {
      live.push_back(&run);
    }
  }
  std::make_heap(live.begin(), live.end(), later);
  while (!live.empty()) {
    std::pop_heap(live.begin(), live.end(), later);
    RunReader& least = *live.back();
    TRY(writer.add(least.key(), least.value()));
    TRY(bool const more, least.next());
    if (more) {
      std::push_heap(live.begin(), live.end(), later);
    } else {
      live.pop_back();
    }
  }
  return writer.finish(false);
}

}  // namespace vedette::state
