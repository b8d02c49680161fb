#include "source/poll_state.hpp"

#include "base/hash.hpp"
#include "base/json.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>

namespace vedette::source {
namespace {

constexpr std::size_t kMostRecent = 10'000;
constexpr std::size_t kHexDigits = 16;
constexpr char kDamagedHint[] = "move it away to begin anew where `start` says";

std::string hex16(std::uint64_t value) {
  std::string digits(kHexDigits, '0');
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  digits.resize(static_cast<std::size_t>(end.ptr - digits.data()));
  return std::string(kHexDigits - digits.size(), '0') + digits;
}

Status write_durably(std::string const& path, std::string const& text) {
  std::string const fresh = path + ".new";
  Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file.valid()) {
    return fail_errno("cannot write " + fresh, errno);
  }
  for (std::size_t done = 0; done < text.size();) {
    ssize_t const wrote = ::write(file.get(), text.data() + done, text.size() - done);
    if (wrote < 0 && errno != EINTR) {
      return fail_errno("cannot write " + fresh, errno, "free disk space");
    }
    done += wrote < 0 ? 0 : static_cast<std::size_t>(wrote);
  }
  if (::fsync(file.get()) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0) {
    return fail_errno("cannot write " + path, errno, "free disk space");
  }
  Fd const folder(
      ::open(path.substr(0, path.rfind('/') + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder.valid() && ::fsync(folder.get()) == 0
             ? Status{}
             : Status(fail_errno("cannot sync the folder of " + path, errno));
}

bool digits_only(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_later(std::string const& a, std::string const& b) {
  if (digits_only(a) && digits_only(b)) {
    auto const whole = [](std::string const& text) {
      std::size_t const zeros = std::min(text.find_first_not_of('0'), text.size());
      return std::string_view(text).substr(zeros, std::min(text.find('.'), text.size()) - zeros);
    };
    if (whole(a) != whole(b)) {
      return whole(a).size() != whole(b).size() ? whole(a).size() > whole(b).size()
                                                : whole(a) > whole(b);
    }
    return a > b;
  }
  auto const time_a = parse_iso_time(a);
  auto const time_b = parse_iso_time(b);
  return time_a && time_b ? *time_a > *time_b : a > b;
}

}  // namespace

Status PollState::load(std::string path, Journal const& journal) {
  path_ = std::move(path);
  std::ifstream in(path_, std::ios::binary);
  if (!in) {
    return errno == ENOENT ? Status{} : Status(fail_errno("cannot read " + path_, errno));
  }
  std::string const text((std::istreambuf_iterator<char>(in)), {});
  Result<json::Value> const saved = json::parse(text);
  std::uint64_t end = 0;
  std::string_view const offset = saved ? saved->string_or("end", "") : "";
  if (!saved ||
      std::from_chars(offset.data(), offset.data() + offset.size(), end).ec != std::errc()) {
    return fail(path_ + " is damaged", kDamagedHint);
  }
  next = saved->string_or("next", "");
  since = saved->string_or("since", "");
  std::string_view ids = saved->string_or("recent", "");
  for (; ids.size() >= kHexDigits; ids.remove_prefix(kHexDigits)) {
    std::uint64_t id = 0;
    std::from_chars(ids.data(), ids.data() + kHexDigits, id, 16);
    recent_.push_back(id);
    ++known_[id];
  }
  bool const same = saved->string_or("journal", "") == journal.id();
  return same && journal.end() > end ? load_unsaved(journal, end) : Status{};
}

/// What came into the journal after the state was saved.
Status PollState::load_unsaved(Journal const& journal, std::uint64_t from) {
  std::uint64_t at = from;
  while (at < journal.end()) {
    Journal::Segment const segment = journal.segment_at(at);
    std::ifstream in(segment.path, std::ios::binary);
    char head[BatchHeader::kSize];
    BatchHeader header;
    bool moved = false;
    while (in.read(static_cast<char*>(head), sizeof head) && header.read(head)) {
      if (header.offset + header.size <= at) {
        in.seekg(header.size, std::ios::cur);
        continue;
      }
      std::string frames(header.size, '\0');
      if (!in.read(frames.data(), static_cast<std::streamsize>(frames.size())) ||
          !header.fits(frames)) {
        break;
      }
      for (std::size_t place = 0; place + kFrameHeader <= frames.size();) {
        std::uint32_t size = 0;
        std::memcpy(&size, frames.data() + place, sizeof size);
        size &= ~kFrameCut;
        ++unsaved_[hash64(std::string_view(frames).substr(place + kFrameHeader, size))];
        place += kFrameHeader + size;
      }
      at = header.offset + header.size;
      moved = true;
    }
    if (!moved) {
      break;  // damaged: the reader of the journal tells
    }
  }
  return {};
}

bool PollState::seen(std::string_view item, std::string_view identity, bool remember) {
  bool known = false;
  if (auto const here = unsaved_.find(hash64(item)); here != unsaved_.end()) {
    known = true;
    if (--here->second == 0) {
      unsaved_.erase(here);
    }
  }
  if (!remember) {
    return known;
  }
  std::uint64_t const id = hash64(identity);
  if (known_.contains(id)) {
    return true;
  }
  ++known_[id];
  recent_.push_back(id);
  if (recent_.size() > kMostRecent) {
    auto const oldest = known_.find(recent_.front());
    if (--oldest->second == 0) {
      known_.erase(oldest);
    }
    recent_.pop_front();
  }
  return known;
}

void PollState::note_since(std::string const& value) {
  if (!value.empty() && (since.empty() || is_later(value, since))) {
    since = value;
  }
}

Status PollState::save(Journal const& journal) {
  std::string ids;
  ids.reserve(recent_.size() * kHexDigits);
  for (std::uint64_t const id : recent_) {
    ids += hex16(id);
  }
  std::string text;
  json::Writer(text)
      .begin_object()
      .key("end")
      .string(std::to_string(journal.end()))
      .key("journal")
      .string(journal.id())
      .key("next")
      .string(next)
      .key("since")
      .string(since)
      .key("recent")
      .string(ids)
      .end_object();
  return write_durably(path_, text);
}

}  // namespace vedette::source
