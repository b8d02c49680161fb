// Free text by templates (content/decoders/*.yaml, described in docs/content.md): which template a
// message follows, and its fields. Loaded once, immutable, shared by all workers.
//
// Which of several templates wins is fixed by their rank (most literal bytes, most typed captures,
// file order), so matching is "the first in rank order that takes the whole message";
// template_program.hpp says how that is found without trying them all.
#pragma once

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "event/event.hpp"
#include "event/field_table.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::decode {

/// A log program (syslog tag) as templates know it; kAnyProgram: no file names it.
enum class ProgramId : std::uint16_t {};
inline constexpr ProgramId kAnyProgram{0};
/// The name under which decoder files list what is plain text without a program
/// (`decode/text.cpp`); many files name it, and a line has the type of the file whose template
/// takes it.
inline constexpr std::string_view kTextProgram = "@text";
/// The type of plain text that no template takes.
inline constexpr std::string_view kTextType = "text/plain";

class TemplateSet {
 public:
  /// Reads files that are decoder files (`program:`, `templates:`). Types and fields they declare
  /// are added to the catalogue. Every error names file and line.
  static Result<std::unique_ptr<TemplateSet>> load(std::vector<catalog::ContentFile> const& files,
                                                   catalog::Catalog& catalog);
  ~TemplateSet();

  /// The program of this name, or kAnyProgram.
  ProgramId lookup(std::string_view program) const;
  /// The type of its lines that no template takes.
  TypeId type(ProgramId program) const;

  /// Finds the best template of the program and appends its constants and captures to
  /// `batch.fields` (views into this object and into the message). The message has no blanks at its
  /// ends and is readable for 64 bytes past its end. False: no template takes it, nothing changed.
  bool match(ProgramId program, std::string_view message, Batch& batch, FieldCache& fields,
             TypeId& type) const;

  /// `decoders/sshd.yaml:12: Failed {method} for ...`, or "" when no template takes the message
  /// (which may be any text, without padding).
  std::string explain(ProgramId program, std::string_view message) const;

  /// Examples that their own template does not win: none in what ships.
  std::vector<Error> check_examples() const;
  /// What is allowed but unwise: templates that begin with a capture (tried on every line), whose
  /// address can be forged from within a text before it, or that can never win.
  std::vector<Error> lint() const;

  std::size_t template_count() const;
  std::size_t variant_count() const;

  struct Impl;  ///< for the implementation's files only

 private:
  TemplateSet();
  std::unique_ptr<Impl> impl_;
};

/// One set for all decoders that want it, loaded when the first one asks.
class SharedTemplates {
 public:
  SharedTemplates(std::vector<catalog::ContentFile> const& files, catalog::Catalog& catalog)
      : files_(files), catalog_(catalog) {}
  Result<std::shared_ptr<TemplateSet const>> get();

 private:
  std::vector<catalog::ContentFile> const& files_;
  catalog::Catalog& catalog_;
  std::shared_ptr<TemplateSet const> loaded_;
};

}  // namespace vedette::decode
