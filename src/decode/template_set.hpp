// What a TemplateSet holds: shared by the files that implement it.
#pragma once

#include "decode/template_program.hpp"
#include "decode/templates.hpp"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::decode {

namespace tmpl {

/// How a capture becomes a field.
struct Emit {
  enum class As : std::uint8_t { text, number, address, words };
  FieldId id{};
  FieldId original{};  ///< for what is no address
  As as = As::text;
};

/// A key of `kv` words that has another name here.
struct KeyName {
  std::string key;
  Emit emit;
};

/// One entry of `templates:`.
struct Template {
  std::string file;
  int line = 0;
  std::string match;
  std::vector<std::string> examples;
  std::vector<Field> constants;  ///< views into TemplateSet::Impl::texts
  std::optional<TypeId> type;    ///< said on the template itself
  TypeId file_type{};
  std::uint32_t key_names = 0;          ///< index into TemplateSet::Impl::key_names
  std::vector<std::uint16_t> programs;  ///< 0 = any
};

/// What is needed of a variant when it has matched.
struct VariantInfo {
  std::uint32_t source = 0;     ///< index of the template
  std::uint32_t emits = 0;      ///< first of Impl::emits, one per capture
  std::uint32_t constants = 0;  ///< first of Impl::constants
  std::uint16_t captures = 0;
  std::uint16_t constant_count = 0;
  bool words = false;     ///< the last capture is KEY=VALUE words
  bool has_type = false;  ///< `type` holds for every program; else for those nobody names
  TypeId type{};
};

struct Program {
  std::string name;
  TypeId type{};
  std::string file;  ///< that gave the type
  std::uint32_t root = kNone;
  bool types_vary = false;  ///< a line has its template's type, said on it or by its file
};

struct ProgramSlot {
  std::uint64_t hash = 0;
  std::uint16_t program = 0;  ///< 0 = empty
};

}  // namespace tmpl

struct TemplateSet::Impl {
  std::vector<tmpl::Template> templates;
  std::vector<tmpl::Variant> variants;   ///< by rank
  std::vector<tmpl::VariantInfo> infos;  ///< by rank
  std::vector<tmpl::Emit> emits;
  std::vector<Field> constants;
  std::vector<std::vector<tmpl::KeyName>> key_names;
  std::deque<std::string> texts;        ///< constants: addresses stay
  std::vector<tmpl::Program> programs;  ///< 0 = any
  std::vector<tmpl::ProgramSlot> slots;
  std::size_t common_fields = 0;
  tmpl::Compiled compiled;

  std::uint32_t find(ProgramId program, std::string_view message) const;
};

namespace tmpl {
/// Declares what is not declared yet: the name with the capture's type, `original.NAME` of an
/// address.
Emit make_emit(catalog::Catalog& catalog, std::string const& name, CaptureType captured);
}  // namespace tmpl

/// Reads one decoder file into `set` (variants not yet ranked).
Status load_template_file(catalog::ContentFile const& file, catalog::Catalog& catalog,
                          TemplateSet::Impl& set);

}  // namespace vedette::decode
