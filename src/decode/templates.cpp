#include "decode/templates.hpp"

#include "base/hash.hpp"
#include "decode/dotted_quad.hpp"
#include "decode/template_scan.hpp"
#include "decode/template_set.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>

namespace vedette::decode {
namespace tmpl {
namespace {

constexpr std::size_t kMaxWords = 512;  // KEY=VALUE words taken from one message
constexpr std::size_t kMaxKey = 100;    // bytes of a key
constexpr std::size_t kMaxNumber = 40;  // digits of what is still a number
constexpr std::string_view kOriginal = "original.";
constexpr std::string_view kReserved[] = {"geo.", "dns.", "identity.", "intel.", "vuln.", "seen."};

inline bool is_number(char const* p, std::size_t size) {
  std::size_t const sign = *p == '-' ? 1 : 0;
  return size <= kMaxNumber && (p[sign] != '0' || size == sign + 1);
}

inline bool all_digits(char const* p, std::size_t size) {
  std::size_t i = size > 1 && *p == '-' ? 1 : 0;
  while (i < size && is_digit_byte(p[i])) {
    ++i;
  }
  return i == size;
}

/// Fills a fresh field with a value that is not empty.
inline void fill(Field& field, Emit const& emit, char const* data, std::size_t size) {
  field.data = data;
  field.size = static_cast<std::uint32_t>(size);
  field.id = emit.id;
  if (emit.as == Emit::As::number) {
    field.kind = is_number(data, size) ? Kind::number : Kind::text;
  } else if (emit.as == Emit::As::address && !is_dotted_quad(data, size) &&
             !parse_ip({data, size})) {
    field.id = emit.original;
  }
}

/// A name the message made up itself: never one of ours.
void emit_own_name(std::string_view key, std::string_view value, std::size_t common_fields,
                   Batch& batch, FieldCache& names) {
  FieldId id = names.intern(key);
  bool ours = static_cast<std::size_t>(id) < common_fields;
  for (std::string_view const reserved : kReserved) {
    ours = ours || key.starts_with(reserved);
  }
  if (ours) {
    char* const name = batch.arena.allocate(kOriginal.size() + key.size());
    std::memcpy(name, kOriginal.data(), kOriginal.size());
    std::memcpy(name + kOriginal.size(), key.data(), key.size());
    key = {name, kOriginal.size() + key.size()};
    id = names.intern(key);
  }
  Field field;
  field.id = id;
  if (id == kUnlisted) {
    field.data = key.data();
    field.size = static_cast<std::uint32_t>(key.size());
    batch.fields.push_back(field);
  }
  field.data = value.data();
  field.size = static_cast<std::uint32_t>(value.size());
  batch.fields.push_back(field);
}

/// The end of a value that begins at `p`: behind the closing quote where it has quotes, else at the
/// next blank. `closed`: false once no quote follows any more, so that none is looked for again.
char const* value_end(char const* p, char const* end, bool& closed) {
  if (closed && p < end && *p == '"') {
    for (char const* at = p + 1; at < end; ++at) {
      if (*at == '\\') {
        ++at;  // and what it escapes
      } else if (*at == '"') {
        return at + 1;
      }
    }
    closed = false;
  }
  while (p < end && !is_blank_byte(*p)) {
    ++p;
  }
  return p;
}

std::string_view without_quotes(std::string_view value) {
  bool const quoted = value.size() > 1 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

/// `KEY=VALUE` words; words without `=` and empty values give no field.
void emit_words(std::string_view text, std::vector<KeyName> const& key_names,
                std::size_t common_fields, Batch& batch, FieldCache& names) {
  std::size_t words = 0;
  bool closed = true;
  char const* p = text.data();
  char const* const end = p + text.size();
  while (p < end && words < kMaxWords) {
    while (p < end && is_blank_byte(*p)) {
      ++p;
    }
    char const* const begin = p;
    char const* equals = nullptr;
    while (p < end && !is_blank_byte(*p) && equals == nullptr) {
      equals = *p == '=' ? p : nullptr;
      ++p;
    }
    p = equals != nullptr ? value_end(p, end, closed) : p;
    if (equals == nullptr || equals == begin || equals + 1 == p ||
        static_cast<std::size_t>(equals - begin) > kMaxKey) {
      continue;
    }
    ++words;
    std::string_view const key(begin, static_cast<std::size_t>(equals - begin));
    std::string_view const value =
        without_quotes({equals + 1, static_cast<std::size_t>(p - equals - 1)});
    if (value.empty()) {
      continue;
    }
    auto const known = std::find_if(key_names.begin(), key_names.end(),
                                    [&](KeyName const& name) { return name.key == key; });
    if (known == key_names.end()) {
      emit_own_name(key, value, common_fields, batch, names);
      continue;
    }
    Emit emit = known->emit;
    if (emit.as == Emit::As::number && !all_digits(value.data(), value.size())) {
      emit.as = Emit::As::text;
    }
    fill(batch.fields.emplace_back(), emit, value.data(), value.size());
  }
}

void fill_program_slots(TemplateSet::Impl& set) {
  set.slots.assign(std::bit_ceil(set.programs.size() * 2), {});
  for (std::size_t i = 1; i < set.programs.size(); ++i) {
    std::uint64_t const hash = hash64(set.programs[i].name);
    std::size_t at = hash & (set.slots.size() - 1);
    while (set.slots[at].program != 0) {
      at = (at + 1) & (set.slots.size() - 1);
    }
    set.slots[at] = {hash, static_cast<std::uint16_t>(i)};
  }
}

VariantInfo info_of(TemplateSet::Impl& set, Variant const& variant) {
  Template const& source = set.templates[variant.source];
  VariantInfo info;
  info.source = variant.source;
  info.emits = static_cast<std::uint32_t>(set.emits.size());
  info.captures = static_cast<std::uint16_t>(variant.captures.size());
  info.constants = static_cast<std::uint32_t>(set.constants.size());
  info.constant_count = static_cast<std::uint16_t>(source.constants.size());
  info.words = !variant.captures.empty() && variant.captures.back().type == CaptureType::kv;
  info.has_type = source.type.has_value();
  info.type = source.type.value_or(source.file_type);
  set.constants.insert(set.constants.end(), source.constants.begin(), source.constants.end());
  return info;
}

void compile(TemplateSet::Impl& set, catalog::Catalog& catalog) {
  sort_by_rank(set.variants);
  compile_ops(set.compiled, set.variants);
  std::vector<std::vector<std::uint32_t>> of_program(set.programs.size());
  for (std::uint32_t v = 0; v < set.variants.size(); ++v) {
    Variant const& variant = set.variants[v];
    set.infos.push_back(info_of(set, variant));
    for (Capture const& capture : variant.captures) {
      set.emits.push_back(make_emit(catalog, capture.name, capture.type));
    }
    auto const& programs = set.templates[variant.source].programs;
    if (std::find(programs.begin(), programs.end(), 0) != programs.end()) {
      for (std::size_t i = 0; i < set.programs.size(); ++i) {
        // Plain text is no program's: only what names it is for it.
        if (set.programs[i].name != kTextProgram ||
            std::find(programs.begin(), programs.end(), i) != programs.end()) {
          of_program[i].push_back(v);
        }
      }
      continue;
    }
    for (std::uint16_t const program : programs) {
      of_program[program].push_back(v);
    }
  }
  // The programs of a file mostly have the same templates: one tree is enough for them.
  std::map<std::vector<std::uint32_t>, std::uint32_t> roots;
  for (std::size_t i = 0; i < set.programs.size(); ++i) {
    auto const [root, added] = roots.try_emplace(std::move(of_program[i]), kNone);
    if (added) {
      root->second = compile_tree(set.compiled, set.variants, root->first);
    }
    set.programs[i].root = root->second;
  }
}

}  // namespace
}  // namespace tmpl

std::uint32_t TemplateSet::Impl::find(ProgramId program, std::string_view message) const {
  std::string padded(message);
  padded.append(64, '\0');
  tmpl::Matcher matcher(compiled, padded.data(), padded.data() + message.size());
  return matcher.match(programs[static_cast<std::size_t>(program)].root);
}

TemplateSet::TemplateSet() : impl_(std::make_unique<Impl>()) {}
TemplateSet::~TemplateSet() = default;

Result<std::unique_ptr<TemplateSet>> TemplateSet::load(
    std::vector<catalog::ContentFile> const& files, catalog::Catalog& catalog) {
  std::unique_ptr<TemplateSet> out(new TemplateSet);
  Impl& set = *out->impl_;
  set.programs.push_back({"*", catalog.add_type("linux/syslog"), {}, tmpl::kNone, false});
  for (catalog::ContentFile const& file : files) {
    TRY(load_template_file(file, catalog, set));
  }
  set.common_fields = catalog.common().size();
  tmpl::compile(set, catalog);
  tmpl::fill_program_slots(set);
  return out;
}

Result<std::shared_ptr<TemplateSet const>> SharedTemplates::get() {
  if (loaded_ == nullptr) {
    TRY(loaded_, TemplateSet::load(files_, catalog_));
  }
  return loaded_;
}

ProgramId TemplateSet::lookup(std::string_view program) const {
  std::uint64_t const hash = hash64(program);
  std::size_t const mask = impl_->slots.size() - 1;
  for (std::size_t at = hash & mask; impl_->slots[at].program != 0; at = (at + 1) & mask) {
    tmpl::ProgramSlot const& slot = impl_->slots[at];
    if (slot.hash == hash && impl_->programs[slot.program].name == program) {
      return ProgramId{slot.program};
    }
  }
  return kAnyProgram;
}

TypeId TemplateSet::type(ProgramId program) const {
  return impl_->programs[static_cast<std::size_t>(program)].type;
}

bool TemplateSet::match(ProgramId program, std::string_view message, Batch& batch,
                        FieldCache& fields, TypeId& type) const {
  Impl const& set = *impl_;
  tmpl::Program const& own = set.programs[static_cast<std::size_t>(program)];
  static constexpr char kNothing[128] = {};  // an empty message need not point into a record
  char const* const begin = message.empty() ? kNothing : message.data();
  tmpl::Matcher matcher(set.compiled, begin, begin + message.size());
  std::uint32_t const found = matcher.match(own.root);
  if (found == tmpl::kNone) {
    return false;
  }
  tmpl::VariantInfo const& info = set.infos[found];
  bool const by_template = info.has_type || program == kAnyProgram || own.types_vary;
  type = by_template ? info.type : own.type;
  std::vector<Field>& out = batch.fields;
  std::size_t const before = out.size();
  unsigned const plain = info.captures - (info.words ? 1U : 0U);
  out.resize(before + info.constant_count + plain);
  Field* at = out.data() + before;
  at = std::copy_n(set.constants.data() + info.constants, info.constant_count, at);
  tmpl::Emit const* const emits = set.emits.data() + info.emits;
  tmpl::Span const* const captures = matcher.captures();
  for (unsigned i = 0; i < plain; ++i) {
    auto const size = static_cast<std::size_t>(captures[i].end - captures[i].begin);
    if (size != 0) {
      tmpl::fill(*at++, emits[i], captures[i].begin, size);
    }
  }
  out.resize(static_cast<std::size_t>(at - out.data()));
  if (info.words) {
    tmpl::emit_words({captures[plain].begin, captures[plain].end},
                     set.key_names[set.templates[info.source].key_names], set.common_fields, batch,
                     fields);
  }
  return true;
}

std::string TemplateSet::explain(ProgramId program, std::string_view message) const {
  std::uint32_t const found = impl_->find(program, message);
  if (found == tmpl::kNone) {
    return {};
  }
  tmpl::Template const& source = impl_->templates[impl_->infos[found].source];
  return source.file + ":" + std::to_string(source.line) + ": " + source.match;
}

std::size_t TemplateSet::template_count() const { return impl_->templates.size(); }
std::size_t TemplateSet::variant_count() const { return impl_->variants.size(); }

}  // namespace vedette::decode
