// Any bytes to what reads untrusted bytes before a decoder does: the framing of TCP syslog, the
// journal, decompression, the cutting into lines, saved positions. The last byte chooses which, the
// one before it the size of pieces. Held: the result does not depend on the pieces; lines are those
// the slow, obvious way finds; what is left out is counted; of a damaged journal only whole batches
// are read, and writing goes on.
#include "hold.hpp"
#include "source/decompress.hpp"
#include "source/file_position.hpp"
#include "source/identity.hpp"
#include "source/journal_log.hpp"
#include "source/lines.hpp"
#include "source/listen.hpp"
#include "source/paths.hpp"
#include "source/syslog_framer.hpp"
#include "source/test_input.hpp"

#include <stdlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace vedette;
using namespace vedette::source;

constexpr std::size_t kMaxRecord = 100;

// --- framing

struct Framed {
  std::vector<std::string> messages;
  std::uint64_t left_out = 0;
  friend bool operator==(Framed const&, Framed const&) = default;
};

Framed frame(std::string_view text, std::size_t piece) {
  Framed out;
  SyslogFramer framer(kMaxRecord);
  auto const take = [&](std::string_view message, bool cut) {
    hold(message.size() <= kMaxRecord, "no message is longer than the bound");
    out.messages.emplace_back((cut ? "c" : "w") + std::string(message));
  };
  for (std::size_t at = 0; at < text.size(); at += piece) {
    framer.feed(text.substr(at, piece), take);
    hold(framer.held() <= kMaxRecord, "no more is held than the bound");
  }
  framer.finish(take);
  out.left_out = framer.left_out();
  return out;
}

void fuzz_framer(std::string_view text, std::size_t piece) {
  Framed const whole = frame(text, text.size() + 1);
  hold(frame(text, piece) == whole, "framing does not depend on the pieces");
  std::uint64_t sum = whole.left_out;
  for (std::string const& message : whole.messages) {
    sum += message.size() - 1;
  }
  hold(sum <= text.size(), "nothing is made up");
}

// --- lines

void fuzz_lines(std::string_view text, std::size_t piece) {
  LogCounters counters;
  LineReader lines(kMaxRecord, 0, false, &counters);
  test::TextInput input(std::string(text), piece);
  std::size_t at = 0;  // where the obvious way is
  for (bool end = false;;) {
    if (!end) {
      auto const filled = lines.fill(input, piece);
      end = filled && *filled == LineReader::Fill::end;
    }
    Block block;
    if (!lines.take(block, piece, end)) {
      hold(end, "a filled reader has something");
      break;
    }
    hold(block.offset == at, "blocks begin where lines do");
    std::string_view const bytes(block.data.get(), block.size);
    for (std::size_t done = 0; done < bytes.size();) {
      std::size_t const feed = std::min(text.find('\n', at), text.size());
      std::size_t const size = std::min(feed - at, kMaxRecord);
      hold(bytes.substr(done, size) == text.substr(at, size), "lines come out unchanged");
      hold(block.cut == (feed - at > kMaxRecord), "cut is what is too long, alone");
      done += size + (!block.cut && feed < text.size() ? 1 : 0);
      at = feed + 1;
    }
  }
  hold(at >= text.size(), "everything was read");
  hold(counters.bytes == text.size(), "everything was counted");
}

// --- decompression

struct Outcome {
  std::string text;
  bool failed = false;
};

Outcome inflate_all(std::string_view raw, std::size_t piece, std::size_t room) {
  Outcome out;
  auto const input = auto_decompressed(std::make_unique<test::TextInput>(std::string(raw), piece));
  std::string buffer(room, '\0');
  while (out.text.size() < (1 << 20)) {  // a bomb is read no further
    auto const got = input->read(buffer.data(), room);
    if (!got || got->end) {
      out.failed = !got || !input->finish();
      return out;
    }
    out.text.append(buffer, 0, got->size);
  }
  out.text.resize(1 << 20);
  return out;
}

void fuzz_inflate(std::string_view raw, std::size_t piece) {
  Outcome const whole = inflate_all(raw, raw.size() + 1, 1 << 16);
  Outcome const pieces = inflate_all(raw, piece, 100 + piece);
  hold(whole.failed == pieces.failed, "whether it fails does not depend on the pieces");
  hold(whole.failed || whole.text == pieces.text, "the text does not depend on the pieces");
}

// --- the journal

/// Made at the first use, gone at the end.
struct SharedFolder {
  SharedFolder() {
    char name[] = "/dev/shm/vedette-fuzz-XXXXXX";
    char* const made = ::mkdtemp(name);
    hold(made != nullptr, "a folder in shared memory can be made");
    path = made;
  }
  ~SharedFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  SharedFolder(SharedFolder const&) = delete;
  SharedFolder& operator=(SharedFolder const&) = delete;
  std::string path;
};

std::vector<std::string> read_journal(std::shared_ptr<Journal> const& journal, std::size_t want) {
  std::vector<std::string> blocks;
  JournalLog log("fuzz", journal, system_clock());
  for (int errors = 0; errors < 10;) {
    Block block;
    auto const state = log.read(block, want);
    if (!state) {
      ++errors;
    } else if (*state == ReadState::idle) {
      return blocks;
    } else {
      hold(whole_frames({block.data.get(), block.size}, block.size).size == block.size,
           "blocks hold whole frames");
      blocks.emplace_back(block.data.get(), block.size);
    }
  }
  hold(false, "errors come to an end");
  return blocks;
}

void fuzz_journal(std::string_view text, std::size_t piece) {
  static SharedFolder const shared;
  std::string const folder = shared.path + "/journal";
  std::string const path = folder + "/0000000000000000.journal";
  std::filesystem::create_directory(folder);
  for (auto const& entry : std::filesystem::directory_iterator(folder)) {
    std::filesystem::remove(entry.path());
  }
  // Some whole batches first, then the bytes.
  std::string content;
  std::string good;
  for (std::size_t i = 0; i < piece % 3; ++i) {
    std::string frames;
    append_frame(frames, 1, "record", i == 1);
    char head[BatchHeader::kSize];
    BatchHeader::of(frames, good.size()).write(head);
    content.append(head, sizeof head).append(frames);
    good += frames;
  }
  std::ofstream(path, std::ios::binary) << content << text;
  std::vector<Error> problems;
  auto opened = Journal::open(folder, {.sync = false}, problems);
  hold(opened.has_value(), "any bytes can be opened");
  std::shared_ptr<Journal> const journal = std::move(*opened);
  hold(journal->end() >= good.size(), "whole batches stay");
  auto const before = read_journal(journal, piece);
  std::string frames;
  append_frame(frames, 2, "appended", false);
  hold(journal->append(frames).has_value(), "writing goes on");
  auto const after = read_journal(journal, piece);
  hold(after.size() > 0 && after.back().ends_with(frames), "what is written is read");
  auto again = Journal::open(folder, {.sync = false}, problems);
  hold(again && (*again)->end() == journal->end(), "it is whole when opened again");
}

// --- texts that come back from a checkpoint, or from people

void fuzz_texts(std::string_view text, std::size_t piece) {
  if (auto const position = parse_file_position(text)) {
    std::string const once = to_json(*position, past_to_json(position->past));
    auto const again = parse_file_position(once);
    hold(again && to_json(*again, past_to_json(again->past)) == once, "positions are kept");
  }
  static_cast<void>(parse_listen_address(text));
  std::string_view const name = text.substr(0, std::min(text.size(), piece));
  std::string_view const root = rotation_root(name);
  hold(name.starts_with(root), "a root begins the name");
  hold(rotation_root(root).size() <= root.size(), "roots do not grow");
  static_cast<void>(is_rotation_of(name, text));
  static_cast<void>(glob_match(name, text.substr(name.size())));
  hold(glob_match("*", name) == !name.starts_with('.'), "* is every name");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size < 2) {
    return 0;
  }
  std::string_view const text(reinterpret_cast<char const*>(data), size - 2);
  std::size_t const piece = std::size_t{1} + data[size - 2];
  switch (data[size - 1] % 8) {
    case 0:
    case 1:
      fuzz_framer(text, piece);
      break;
    case 2:
    case 3:
      fuzz_lines(text, piece);
      break;
    case 4:
      fuzz_journal(text, piece);
      break;
    case 5:
    case 6:
      fuzz_inflate(text, piece);
      break;
    default:
      fuzz_texts(text, piece);
  }
  return 0;
}
