// What decoding a syslog line costs: splitting, header, template, fields; beside a raw count of
// line ends over the same bytes in the same run.
//
//   bench_templates [FILE] [ROUNDS]
//
// FILE: any log; without it, the examples of all templates behind a header, shuffled (every line
// another template: the worst case for caches).
#include "decode/templates.hpp"

#include "base/clock.hpp"
#include "base/yaml.hpp"
#include "decode/byte_bits.hpp"
#include "decode/decoder.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace vedette;
using decode::kBitBlock;
using decode::kBitBlocks;
using decode::kBitPiece;

constexpr std::size_t kBlock = 256 * 1024;
constexpr std::size_t kTotal = 48 << 20;

std::string read_file(char const* path) {
  std::string out;
  if (std::FILE* const file = std::fopen(path, "rb"); file != nullptr) {
    char buffer[65536];
    for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) {
      out.append(buffer, n);
    }
    std::fclose(file);
  }
  return out;
}

/// Every example of every decoder file as a line of its first program.
std::string example_lines() {
  std::vector<std::string> lines;
  for (catalog::ContentFile const& file : catalog::embedded_content("decoders/")) {
    auto const root = yaml::parse(file.text, file.path);
    if (!root) {
      continue;
    }
    yaml::Node const* const program = root->find("program");
    std::string const name = program->is_list() ? program->items[0].scalar : program->scalar;
    for (yaml::Node const& entry : root->find("templates")->items) {
      if (yaml::Node const* const example = entry.find("example"); example != nullptr) {
        lines.push_back("Mar 27 13:06:56 web1 " + (name == "*" ? "app" : name) +
                        "[4711]: " + example->scalar + "\n");
      }
    }
  }
  std::mt19937 random(1);
  std::string out;
  for (int i = 0; i < 20; ++i) {
    std::shuffle(lines.begin(), lines.end(), random);
    for (std::string const& line : lines) {
      out += line;
    }
  }
  return out;
}

/// `text` over and over, cut into blocks of whole lines.
std::vector<Batch> blocks_of(std::string const& text) {
  std::vector<Batch> out;
  std::size_t total = 0;
  std::size_t at = 0;
  while (total < kTotal && !text.empty()) {
    std::size_t end = std::min(text.size(), at + kBlock);
    if (end < text.size()) {
      end = text.rfind('\n', end - 1) + 1;
      if (end <= at) {  // a line longer than a block
        end = std::min(text.size(), text.find('\n', at)) + 1;
      }
    }
    Batch batch;
    batch.block.size = end - at;
    batch.block.data = std::make_unique<char[]>(batch.block.size + 64);
    std::memcpy(batch.block.data.get(), text.data() + at, batch.block.size);
    batch.block.reference = 1774700000 * kSecond;
    total += batch.block.size;
    out.push_back(std::move(batch));
    at = end == text.size() ? 0 : end;
  }
  return out;
}

std::size_t count_lines(std::vector<Batch> const& blocks) {
  decode::ByteBits const& bits = decode::byte_bits();
  std::size_t lines = 0;
  std::uint64_t words[kBitBlocks];
  for (Batch const& batch : blocks) {
    for (std::size_t at = 0; at < batch.block.size; at += kBitPiece) {
      std::size_t const left = std::min(kBitPiece, batch.block.size - at);
      std::size_t const count = (left + kBitBlock - 1) / kBitBlock;
      bits.one(batch.block.data.get() + at, count, '\n', words);
      for (std::size_t i = 0; i < count; ++i) {
        lines += static_cast<std::size_t>(std::popcount(words[i]));
      }
    }
  }
  return lines;
}

struct Message {
  decode::ProgramId program;
  std::string_view text;
};

template <class Work>
double nanos_per(std::size_t events, Work work) {
  Nanos const start = thread_cpu_now();
  work();
  return static_cast<double>(thread_cpu_now() - start) / static_cast<double>(events);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  auto catalog = catalog::Catalog::embedded();
  CHECK(catalog.has_value());
  auto const content = catalog::embedded_content("decoders/");
  auto set = decode::DecoderSet::load(**catalog, content);
  auto templates = decode::TemplateSet::load(content, **catalog);
  CHECK(set.has_value() && templates.has_value());
  std::string const text = argc > 1 ? read_file(argv[1]) : example_lines();
  int const rounds = argc > 2 ? std::atoi(argv[2]) : 9;
  std::vector<Batch> blocks = blocks_of(text);
  FieldCache cache((*catalog)->fields());
  decode::DecodeOptions const options;
  decode::WorkerScratch scratch;
  FieldId const program = *(*catalog)->fields().find("program");
  FieldId const message = *(*catalog)->fields().find("message");

  std::size_t events = 0, fields = 0, taken = 0;
  std::vector<Message> messages;
  for (Batch& batch : blocks) {  // warm up, and gather what the second measurement matches
    (*set)->decode(batch, cache, options, &scratch);
    for (Event const& event : batch.events) {
      Field* const said = batch.find(event, message);
      Field* const by = batch.find(event, program);
      taken += event.field_count > 4 ? 1U : 0U;
      if (said != nullptr) {
        messages.push_back(
            {(*templates)->lookup(by != nullptr ? by->view() : std::string_view()), said->view()});
      }
    }
    events += batch.events.size();
    fields += batch.fields.size();
  }
  CHECK(events > 0 && !messages.empty());

  std::vector<double> raw, whole, match, ratio;
  Batch sink;
  for (int round = 0; round < rounds; ++round) {
    std::size_t lines = 0;
    raw.push_back(nanos_per(events, [&] { lines = count_lines(blocks); }));
    CHECK(lines > 0);
    whole.push_back(nanos_per(events, [&] {
      for (Batch& batch : blocks) {  // one output for all: a pipeline's batches stay in the cache
        sink.block = std::move(batch.block);
        sink.events.clear();
        sink.fields.clear();
        sink.arena.clear();
        (*set)->decode(sink, cache, options, &scratch);
        batch.block = std::move(sink.block);
      }
    }));
    ratio.push_back(whole.back() / raw.back());
    match.push_back(nanos_per(messages.size(), [&] {
      TypeId type{};
      for (Message const& one : messages) {
        sink.fields.clear();
        (*templates)->match(one.program, one.text, sink, cache, type);
      }
    }));
  }
  std::printf(
      "%zu templates, %zu variants; %zu events of %.0f bytes, %.2f fields each, %.1f %% by "
      "template\n",
      (*templates)->template_count(), (*templates)->variant_count(), events,
      static_cast<double>(kTotal) / static_cast<double>(events),
      static_cast<double>(fields) / static_cast<double>(events),
      100.0 * static_cast<double>(taken) / static_cast<double>(events));
  std::printf("%-34s best %6.1f  median %6.1f ns/event\n", "count line ends",
              *std::min_element(raw.begin(), raw.end()), median(raw));
  std::printf("%-34s best %6.1f  median %6.1f ns/event, %.1f x the count (median of pairs)\n",
              "split, header, match, fields", *std::min_element(whole.begin(), whole.end()),
              median(whole), median(ratio));
  std::printf("%-34s best %6.1f  median %6.1f ns/event\n", "match and fields alone",
              *std::min_element(match.begin(), match.end()), median(match));
  return 0;
}
