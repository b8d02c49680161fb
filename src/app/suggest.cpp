#include "app/suggest.hpp"

#include "base/json.hpp"
#include "decode/templates.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>
#include <vector>

namespace vedette::app {
namespace suggest {
namespace {

constexpr std::size_t kMostInStatus = 20;
constexpr std::size_t kMostShown = 40;   // shapes of one program
constexpr std::size_t kMostKept = 2048;  // of several tables and of the past

// In the checkpoint; a number keeps its meaning for ever.
enum ShapesField : std::uint16_t { kPrograms = 1, kSamples = 2, kPatterns = 3, kLines = 4 };

FieldId field_id(catalog::Catalog const& catalog, std::string_view name) {
  return catalog.fields().find(name).value_or(kUnlisted);
}

/// As a YAML scalar in single quotes; what a terminal would not show as it is becomes `?`.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char const c : text) {
    bool const shown = (c >= ' ' && c <= '~') || c == '\t';
    out += c == '\'' ? "''" : std::string(1, shown ? c : '?');
  }
  return out + "'";
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  char text[64];
  std::snprintf(text, sizeof text, "%llu line%s (%.1f %%)", static_cast<unsigned long long>(part),
                part == 1 ? "" : "s",
                100.0 * static_cast<double>(part) / static_cast<double>(whole == 0 ? 1 : whole));
  return text;
}

/// A program's name as a part of a log type.
std::string type_name(std::string_view program) {
  std::string out;
  for (char const c : program) {
    bool const plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    out += plain ? static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c) : '_';
  }
  return out.empty() || program == decode::kTextProgram ? "text" : out;
}

}  // namespace
}  // namespace suggest

Unexplained::Unexplained(catalog::Catalog const& catalog)
    : catalog_(catalog),
      message_(suggest::field_id(catalog, "message")),
      program_(suggest::field_id(catalog, "program")) {}

/// What syslog says beside the message, behind it.
bool Unexplained::of_header(FieldId id) const {
  if (id == kUnlisted) {
    return true;
  }
  std::string_view const name = catalog_.fields().name(id);
  return name.starts_with("syslog.") || name.starts_with("sd.");
}

template <class Take>
void Unexplained::each(Batch const& batch, decode::DecoderSet const& decoders, Take take) const {
  for (Event const& event : batch.events) {
    std::string_view const decoder = decoders.decoder_name(event.decoder);
    if (decoder == "unknown") {
      take(decode::kTextProgram, event.raw_view());
      continue;
    }
    if (decoder != "syslog" && decoder != "text") {
      continue;
    }
    // A template's fields follow those of the header, the last of which is the message, or what
    // syslog says beside it.
    std::string_view program = decode::kTextProgram;
    std::string_view message;
    bool understood = false;
    for (Field const* field = batch.begin(event); field != batch.end(event); ++field) {
      if (field->id == program_ && message.empty()) {
        program = field->view();
      } else if (field->id == message_ && message.empty()) {
        message = field->view();
      } else if (!message.empty()) {
        understood = understood || !of_header(field->id);
      }
    }
    if (!understood && !message.empty()) {
      take(program, message);
    }
  }
}

void Unexplained::collect(Batch const& batch, decode::DecoderSet const& decoders,
                          decode::ShapeTable& shapes) const {
  each(batch, decoders, [&](auto program, auto message) { shapes.add(program, message); });
}

void Unexplained::collect(Batch const& batch, decode::DecoderSet const& decoders,
                          decode::ShapeCount& shapes) const {
  each(batch, decoders, [&](auto program, auto message) { shapes.add(program, message); });
}

void ShapeSum::add(decode::ShapeTable::Shape const& shape) {
  auto const known = shapes_.find({shape.program, shape.pattern});
  if (known != shapes_.end()) {
    known->second.lines += shape.lines;
    known->second.sample = std::min(known->second.sample, shape.sample);
  } else if (shapes_.size() < suggest::kMostKept) {
    shapes_.emplace(std::pair(shape.program, shape.pattern), shape);
  } else {
    others_ += shape.lines;
  }
}

void ShapeSum::add(decode::ShapeTable const& table) {
  lines_ += table.lines();
  others_ += table.others();
  for (decode::ShapeTable::Shape const& shape : table.shapes()) {
    add(shape);
  }
}

void ShapeSum::add(ShapeSum const& other) {
  lines_ += other.lines_;
  others_ += other.others_;
  for (auto const& [key, shape] : other.shapes_) {
    add(shape);
  }
}

void ShapeSum::save(state::SnapshotWriter& out) const {
  state::TextColumn programs, samples, patterns;
  std::vector<std::uint64_t> lines{lines_, others_};
  for (auto const& [key, shape] : shapes_) {
    programs.add(shape.program);
    samples.add(shape.sample);
    patterns.add(shape.pattern);
    lines.push_back(shape.lines);
  }
  out.texts(suggest::kPrograms, programs);
  out.texts(suggest::kSamples, samples);
  out.texts(suggest::kPatterns, patterns);
  out.column(suggest::kLines, lines);
}

void ShapeSum::load(state::SnapshotReader const& in) {
  auto const programs = in.texts(suggest::kPrograms);
  auto const samples = in.texts(suggest::kSamples);
  auto const patterns = in.texts(suggest::kPatterns);
  auto const lines = in.column<std::uint64_t>(suggest::kLines);
  if (lines.size() != programs.size() + 2 || samples.size() != programs.size() ||
      patterns.size() != programs.size()) {
    return;  // of a version that did not keep them
  }
  lines_ = lines[0];
  others_ = lines[1];
  for (std::size_t i = 0; i < programs.size(); ++i) {
    add({programs[i], samples[i], patterns[i], lines[i + 2]});
  }
}

std::string ShapeSum::json() const {
  std::vector<decode::ShapeTable::Shape const*> order;
  for (auto const& [key, shape] : shapes_) {
    order.push_back(&shape);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](auto const* a, auto const* b) { return a->lines > b->lines; });
  std::uint64_t others = others_;
  for (std::size_t i = suggest::kMostInStatus; i < order.size(); ++i) {
    others += order[i]->lines;
  }
  order.resize(std::min(order.size(), suggest::kMostInStatus));
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("lines").number(lines_).key("other_lines").number(others);
  writer.key("shapes").begin_array();
  for (auto const* const shape : order) {
    writer.begin_object().key("lines").number(shape->lines);
    writer.key("program").string(shape->program).key("sample").string(shape->sample);
    writer.key("template").string(shape->pattern).end_object();
  }
  writer.end_array().end_object();
  return out;
}

std::string Suggestions::yaml() const {
  auto const all = shapes_.shapes();
  std::string out = "# " + suggest::share(shapes_.lines(), records_) + " of " +
                    std::to_string(records_) + " records are understood by nobody; " +
                    std::to_string(all.size()) + " shapes";
  out += shapes_.others() == 0
             ? "\n"
             : ", and " + suggest::share(shapes_.others(), records_) + " of further shapes\n";
  out +=
      "# Give fields their names (docs/content.md), set action and outcome, then put it into\n"
      "# content/decoders/.\n";
  std::map<std::string, std::vector<decode::ShapeTable::Shape const*>> programs;
  std::vector<std::string> order;
  for (auto const& shape : all) {
    auto& of_program = programs[shape.program];
    if (of_program.empty()) {
      order.push_back(shape.program);
    }
    of_program.push_back(&shape);
  }
  for (std::string const& program : order) {
    out += "---\nprogram: " + suggest::quoted(program) + "\ntype: custom/" +
           suggest::type_name(program) + "\ntemplates:\n";
    std::size_t left = suggest::kMostShown;
    for (auto const* const shape : programs[program]) {
      if (left-- == 0) {
        out += "  # and " + std::to_string(programs[program].size() - suggest::kMostShown) +
               " more shapes\n";
        break;
      }
      out += "  # " + suggest::share(shape->lines, records_) +
             "\n  - match: " + suggest::quoted(shape->pattern) +
             "\n    example: " + suggest::quoted(shape->sample) + "\n";
    }
  }
  return out;
}

}  // namespace vedette::app
