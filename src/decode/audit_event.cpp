#include "decode/audit_event.hpp"

#include "decode/json_names.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace vedette::decode {
namespace audit_event {
namespace {

using Role = AuditNames::Role;

/// Names with a meaning. Values of the encoded ones stand in quotes, or as hexadecimal when they
/// hold a blank, a quote or a byte that does not print.
struct Known {
  std::string_view name;
  Role role;
};
constexpr Known kKnown[] = {
    {"arch", Role::arch},
    {"syscall", Role::syscall},
    {"success", Role::success},
    {"exe", Role::exe},
    {"comm", Role::comm},
    {"key", Role::key},
    {"auid", Role::auid},
    {"uid", Role::uid},
    {"AUID", Role::auid_name},
    {"UID", Role::uid_name},
    {"id", Role::id},
    {"ID", Role::id_name},
    {"acct", Role::acct},
    {"ses", Role::session},
    {"res", Role::result},
    {"result", Role::result},
    {"addr", Role::address},
    {"hostname", Role::hostname},
    {"rport", Role::remote_port},
    {"laddr", Role::local_address},
    {"lport", Role::local_port},
    {"saddr", Role::sockaddr},
    {"daddr", Role::destination},
    {"sport", Role::source_port},
    {"dport", Role::destination_port},
    {"item", Role::item},
    {"name", Role::path_name},
    {"nametype", Role::path_kind},
    {"cwd", Role::cwd},
    {"proctitle", Role::proctitle},
    {"cmd", Role::command},
    {"op", Role::operation},
    {"SYSCALL", Role::call_name},
    {"ARCH", Role::arch_name},
    {"a0", Role::argument},
    {"a1", Role::argument},
    {"a2", Role::argument},
    {"a3", Role::argument},
    {"prom", Role::prom},
    {"permissive", Role::permissive},
    {"apparmor", Role::apparmor},
    {"data", Role::other_encoded},
    {"device", Role::other_encoded},
    {"dir", Role::other_encoded},
    {"file", Role::other_encoded},
    {"grp", Role::other_encoded},
    {"invalid_context", Role::other_encoded},
    {"new-chardev", Role::other_encoded},
    {"new-disk", Role::other_encoded},
    {"new-fs", Role::other_encoded},
    {"new-rng", Role::other_encoded},
    {"new_group", Role::other_encoded},
    {"ocomm", Role::other_encoded},
    {"old-chardev", Role::other_encoded},
    {"old-disk", Role::other_encoded},
    {"old-fs", Role::other_encoded},
    {"old-rng", Role::other_encoded},
    {"path", Role::other_encoded},
    {"root_dir", Role::other_encoded},
    {"sw", Role::other_encoded},
    {"vm", Role::other_encoded},
    {"watch", Role::other_encoded},
};

bool is_encoded(Role role) {
  switch (role) {
    case Role::exe:
    case Role::comm:
    case Role::key:
    case Role::acct:
    case Role::path_name:
    case Role::cwd:
    case Role::proctitle:
    case Role::command:
    case Role::other_encoded:
      return true;
    default:
      return false;
  }
}

/// Hexadecimal by nature, so no number although it may look like one.
bool is_bare_text(Role role) {
  return is_encoded(role) || role == Role::arch || role == Role::argument || role == Role::sockaddr;
}

bool is_number(std::string_view text) {
  std::size_t const sign = text.starts_with('-') ? 1 : 0;
  if (text.size() == sign || text.size() > 18 || (text[sign] == '0' && text.size() > 1)) {
    return false;
  }
  return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(sign), text.end(),
                     [](char c) { return c >= '0' && c <= '9'; });
}

/// How the audit system writes nothing.
bool is_unset(std::string_view text) {
  return text.empty() || text == "?" || text == "(null)" || text == "(none)" || text == "unset" ||
         text == "4294967295" || text == "-1" || text == "(unknown)" || text == "(invalid)" ||
         text == "(unknown user)" || text == "UNKNOWN" || text == "-";
}

}  // namespace
}  // namespace audit_event

AuditNames::AuditNames(catalog::Catalog& catalog) : catalog_(catalog) {
  FieldTable& table = catalog.fields();
  for (auto const& [name, role] : audit_event::kKnown) {
    // A name that is one of ours comes in as `original.NAME`; `path` and the rest as they are.
    FieldId const id = table.intern(
        is_reserved_name(name, catalog) ? "original." + std::string(name) : std::string(name));
    auto const index = static_cast<std::size_t>(id);
    roles_.resize(std::max(roles_.size(), index + 1), Role::none);
    roles_[index] = role;
  }
  for (catalog::CommonField const& field : catalog.common()) {
    renamed_.push_back(table.intern("original." + field.name));
  }
  std::pair<FieldId*, std::string_view> const named[] = {
      {&ids.host, "host"},
      {&ids.user, "user"},
      {&ids.target_user, "target_user"},
      {&ids.process, "process"},
      {&ids.process_path, "process_path"},
      {&ids.command, "command"},
      {&ids.pid, "pid"},
      {&ids.file, "file"},
      {&ids.src_ip, "src_ip"},
      {&ids.src_port, "src_port"},
      {&ids.dst_ip, "dst_ip"},
      {&ids.dst_port, "dst_port"},
      {&ids.action, "action"},
      {&ids.outcome, "outcome"},
      {&ids.session, "session"},
      {&ids.node, "node"},
      {&ids.type, "type"},
      {&ids.serial, "serial"},
      {&ids.arch_name, "ARCH"},
      {&ids.call_name, "SYSCALL"},
      {&ids.syscall, "syscall"},
      {&ids.cwd, "cwd"},
      {&ids.family, "saddr_fam"},
      {&ids.address, "saddr_ip"},
      {&ids.port, "saddr_port"},
      {&ids.path, "saddr_path"},
      {&ids.denied, "seresult"},
      {&ids.permissions, "seperms"},
      {&ids.image, "Image"},
      {&ids.command_line, "CommandLine"},
      {&ids.current_directory, "CurrentDirectory"},
      {&ids.user_name, "User"}};
  for (auto const& [id, name] : named) {
    *id = table.intern(name);
  }
  for (std::size_t i = 0; i < ids.arguments.size(); ++i) {
    ids.arguments[i] = table.intern("a" + std::to_string(i));
  }
  for (std::size_t i = 0; i < ids.pointers.size(); ++i) {
    ids.pointers[i] = table.intern("syscall.a" + std::to_string(i));
  }
}

FieldId AuditNames::original(std::string_view name, FieldCache& fields) const {
  FieldId const id = fields.intern(name);
  if (id == ids.pid) {
    return id;  // means the same
  }
  if (static_cast<std::size_t>(id) < renamed_.size()) {
    return renamed_[static_cast<std::size_t>(id)];
  }
  if (name.contains('.') && is_reserved_name(name, catalog_)) {
    return fields.intern("original." + std::string(name));
  }
  return id;
}

void AuditWriter::begin(DecodeContext& context) {
  context_ = &context;
  batch_ = &context.batch;
  first_ = batch_->fields.size();
  facts_ = {};
  arguments_.clear();
  pointer_at_ = {};
  ++event_;
}

void AuditWriter::add(FieldId id, std::string_view text, Kind kind) {
  if (batch_->fields.size() - first_ >= kMaxFields) {
    ++batch_->fields_over;
    return;
  }
  batch_->fields.push_back({text.data(), static_cast<std::uint32_t>(text.size()), id, kind, false});
}

/// Unless the same value of the same name is there already.
void AuditWriter::add_once(FieldId id, std::string_view text, Kind kind) {
  auto const index = static_cast<std::size_t>(id);
  if (index >= seen_.size()) {
    seen_.resize(index + 64);
  }
  Seen& seen = seen_[index];
  if (seen.event == event_ && batch_->fields[first_ + seen.place].view() == text) {
    return;
  }
  std::size_t const place = batch_->fields.size();
  add(id, text, kind);
  if (batch_->fields.size() > place) {
    seen = {event_, static_cast<std::uint32_t>(place - first_)};
  }
}

void AuditWriter::add_original(std::string_view name, std::string_view text, Kind kind) {
  FieldId const id = names_.original(name, context_->fields);
  if (id == kUnlisted) {
    if (batch_->fields.size() - first_ + 2 > kMaxFields) {
      ++batch_->fields_over;
      return;
    }
    add(id, name);
    add(id, text, kind);
  } else if (record_type_ == "PATH") {
    add(id, text, kind);  // several PATH records: the n-th values of all names belong together
  } else {
    add_once(id, text, kind);
  }
  note(names_.role(id), text);
}

void AuditWriter::add_given(FieldId id, std::string_view text, Kind kind) {
  if (!audit_event::is_unset(text)) {
    add(id, text, kind);
  }
}

void AuditWriter::add_ip(FieldId id, std::string_view text) {
  if (parse_ip(text)) {
    add(id, text);
  }
}

void AuditWriter::type(AuditHead const& head) {
  record_type_ = audit_types().name(head.type);
  unsigned const number = audit_types().number(head.type);
  facts_.user_record = facts_.user_record || (number >= 1100 && number < 1200);
  facts_.anomaly =
      facts_.anomaly || (number >= 1700 && number < 1800) || (number >= 2100 && number < 2200);
  if (facts_.type.empty() || names_.tables.type_action(facts_.type).empty()) {
    facts_.type = record_type_;
  }
  Field const* const end = batch_->fields.data() + batch_->fields.size();
  Field const* const begin = end - std::min<std::size_t>(batch_->fields.size() - first_, 64);
  bool const told = std::any_of(begin, end, [&](Field const& field) {
    return field.id == names_.ids.type && field.view() == record_type_;
  });
  if (!told) {
    add(names_.ids.type, record_type_);
  }
}

void AuditWriter::record(AuditHead const& head) {
  if (batch_->fields.size() == first_) {
    facts_.node = head.node;
    add_given(names_.ids.node, head.node);
    add(names_.ids.serial, head.serial,
        audit_event::is_number(head.serial) ? Kind::number : Kind::text);
  }
  type(head);
  facts_.execve = facts_.execve || record_type_ == "EXECVE";
  path_ = {};
  if (head.body.starts_with("avc:")) {
    access_vector(head.body);
  }
  words(head.body, false);
  end_path();
}

void AuditWriter::words(std::string_view body, bool nested) {
  AuditWords reader(body);
  AuditWord next;
  bool more = reader.next(next);
  while (more) {
    AuditWord const current = next;
    more = reader.next(next);
    if (current.name.empty()) {
      continue;  // text between the words; it stays in `raw`
    }
    if (current.quote == '\'' && current.name == "msg" && !nested) {
      if (current.value.starts_with("avc:")) {
        access_vector(current.value);
      }
      words(current.value, true);
      continue;
    }
    AuditWord wide = current;
    if (current.name == "op" && current.quote == 0) {  // `op=change password id=0`
      while (more && next.name.empty() && next.value != ":" && next.quote == 0) {
        char const* const end = next.value.data() + next.value.size();
        wide.value = {wide.value.data(), static_cast<std::size_t>(end - wide.value.data())};
        more = reader.next(next);
      }
    }
    word(wide);
  }
}

/// `avc:  denied  { read write } for  pid=1 ...`
void AuditWriter::access_vector(std::string_view body) {
  body.remove_prefix(4);
  body.remove_prefix(std::min(body.find_first_not_of(' '), body.size()));
  std::string_view const result = body.substr(0, body.find_first_of(" {"));
  if (result != "denied" && result != "granted") {
    return;
  }
  facts_.denied = result == "denied";
  add_once(names_.ids.denied, result);
  std::size_t const open = body.find('{');
  std::size_t const close = body.find('}');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return;
  }
  std::string_view list = body.substr(open + 1, close - open - 1);
  while (!list.empty()) {
    std::size_t const begin = std::min(list.find_first_not_of(' '), list.size());
    list.remove_prefix(begin);
    std::string_view const one = list.substr(0, list.find(' '));
    if (!one.empty()) {
      add(names_.ids.permissions, one);
    }
    list.remove_prefix(one.size());
  }
}

/// Hexadecimal as text where the name says that it can be.
std::string_view AuditWriter::readable(Role role, AuditWord const& word) {
  if (word.quote != 0 || !audit_event::is_encoded(role) || !is_hex(word.value)) {
    return word.value;
  }
  std::size_t const size = word.value.size() / 2;
  char* const out = batch_->arena.allocate(size);
  decode_hex(word.value, out);
  if (role == Role::proctitle) {  // arguments stand apart by NUL
    std::replace(out, out + size, '\0', ' ');
    return {out, size > 0 && out[size - 1] == ' ' ? size - 1 : size};
  }
  return {out, size};
}

void AuditWriter::word(AuditWord const& word) {
  if (word.name.size() > 64) {
    ++batch_->fields_over;
    return;
  }
  if (record_type_ == "EXECVE" && argument(word)) {
    return;
  }
  FieldId const id = names_.original(word.name, context_->fields);
  Role const role = names_.role(id);
  std::string_view text = readable(role, word);
  if (role == Role::key && text.contains('\x01')) {  // several keys
    while (!text.empty()) {
      std::string_view const one = text.substr(0, text.find('\x01'));
      add(id, one);
      text.remove_prefix(std::min(one.size() + 1, text.size()));
    }
    return;
  }
  if (role == Role::argument && record_type_ == "SYSCALL") {
    pointer_at_[static_cast<std::size_t>(word.name[1] - '0')] = batch_->fields.size() - first_ + 1;
    add(id, text);
    return;
  }
  bool const number =
      word.quote == 0 && !audit_event::is_bare_text(role) && audit_event::is_number(text);
  add_original(word.name, text, number ? Kind::number : Kind::text);
}

void AuditWriter::note(Role role, std::string_view text) {
  Facts& facts = facts_;
  // The first record that says it holds; of paths the best one does.
  auto const first = [&](std::string_view& fact) {
    fact = audit_event::is_unset(fact) ? text : fact;
  };
  switch (role) {
    case Role::arch:
      return first(facts.arch);
    case Role::syscall:
      return first(facts.syscall);
    case Role::call_name:
      return first(facts.call);
    case Role::success:
      return first(facts.success);
    case Role::exe:
      return first(facts.exe);
    case Role::comm:
      return first(facts.comm);
    case Role::auid:
      return first(facts.auid);
    case Role::uid:
      return first(facts.uid);
    case Role::auid_name:
      return first(facts.auid_name);
    case Role::uid_name:
      return first(facts.uid_name);
    case Role::id:
      return first(facts.id);
    case Role::id_name:
      return first(facts.id_name);
    case Role::acct:
      return first(facts.acct);
    case Role::session:
      return first(facts.session);
    case Role::result:
      return first(facts.result);
    case Role::address:
      return first(facts.address);
    case Role::hostname:
      return first(facts.hostname);
    case Role::remote_port:
      return first(facts.remote_port);
    case Role::local_address:
      return first(facts.local_address);
    case Role::local_port:
      return first(facts.local_port);
    case Role::destination:
      return first(facts.destination);
    case Role::source_port:
      return first(facts.source_port);
    case Role::destination_port:
      return first(facts.destination_port);
    case Role::cwd:
      return first(facts.cwd);
    case Role::proctitle:
      return first(facts.proctitle);
    case Role::command:
      return first(facts.command);
    case Role::operation:
      return first(facts.operation);
    case Role::prom:
      return first(facts.prom);
    case Role::permissive:
      return first(facts.permissive);
    case Role::apparmor:
      facts.denied = text == "DENIED";
      return;
    case Role::sockaddr:
      return first(facts.source);
    case Role::path_name:
      path_.name = text;
      return;
    case Role::path_kind:
      path_.kind = text;
      return;
    default:
      return;
  }
}

}  // namespace vedette::decode
