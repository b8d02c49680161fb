// The second half of AuditWriter: what is derived from the records of an event when all are there.
#include "decode/audit_event.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace vedette::decode {
namespace audit_common {
namespace {

bool is_unset_id(std::string_view text) {
  return text.empty() || text == "4294967295" || text == "-1" || text == "unset" || text == "?";
}
bool says_something(std::string_view text) {
  return !text.empty() && text != "?" && text != "(null)" && text != "(none)" && text != "unset" &&
         text != "(unknown)" && text != "(unknown user)" && text != "(invalid)" &&
         text != "(invalid user)";
}

std::string_view base_name(std::string_view path) {
  std::size_t const slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// A user by name, else by number; nobody has logged in: nothing.
std::string_view user_of(std::string_view name, std::string_view number) {
  if (says_something(name)) {
    return name;
  }
  return is_unset_id(number) ? std::string_view() : number == "0" ? "root" : number;
}

}  // namespace
}  // namespace audit_common

/// `a0="x"`, `a1_len=9000`, `a1[0]="..."`: false when the word is no argument.
bool AuditWriter::argument(AuditWord const& word) {
  std::string_view const name = word.name;
  if (name.size() < 2 || name[0] != 'a' || name[1] < '0' || name[1] > '9') {
    return false;
  }
  Argument out;
  char const* const end = name.data() + name.size();
  auto const index = std::from_chars(name.data() + 1, end, out.index);
  if (index.ec != std::errc{}) {
    return false;
  }
  if (index.ptr != end) {
    if (std::string_view(index.ptr, static_cast<std::size_t>(end - index.ptr)) == "_len") {
      return true;  // of the pieces that follow
    }
    auto const piece = *index.ptr == '[' ? std::from_chars(index.ptr + 1, end, out.piece) : index;
    if (piece.ec != std::errc{} || piece.ptr + 1 != end || *piece.ptr != ']') {
      return false;
    }
  }
  out.text = word.value;
  if (word.quote == 0 && is_hex(word.value)) {
    char* const text = batch_->arena.allocate(word.value.size() / 2);
    decode_hex(word.value, text);
    out.text = {text, word.value.size() / 2};
  }
  arguments_.push_back(out);
  return true;
}

/// The arguments as one line, and each of them as its own field.
void AuditWriter::command_line() {
  if (arguments_.empty()) {
    return;
  }
  auto const before = [](Argument const& a, Argument const& b) {
    return a.index != b.index ? a.index < b.index : a.piece < b.piece;
  };
  if (!std::is_sorted(arguments_.begin(), arguments_.end(), before)) {
    std::stable_sort(arguments_.begin(), arguments_.end(), before);
  }
  std::size_t size = 0;
  for (Argument const& argument : arguments_) {
    size += argument.text.size() + 1;
  }
  char* const line = batch_->arena.allocate(size);
  char* at = line;
  for (std::size_t i = 0; i < arguments_.size();) {
    if (i > 0) {
      *at++ = ' ';
    }
    char* const begin = at;
    std::uint32_t const index = arguments_[i].index;
    for (; i < arguments_.size() && arguments_[i].index == index; ++i) {
      at = std::copy(arguments_[i].text.begin(), arguments_[i].text.end(), at);
    }
    std::string_view const text(begin, static_cast<std::size_t>(at - begin));
    if (index < names_.ids.arguments.size()) {
      add(names_.ids.arguments[index], text);
    } else {
      ++batch_->fields_over;  // in `command` and `raw`
    }
  }
  facts_.command = {line, static_cast<std::size_t>(at - line)};
  // SYSCALL's own a0 to a3 are addresses in memory here: rules mean the arguments.
  for (std::size_t i = 0; i < pointer_at_.size(); ++i) {
    if (pointer_at_[i] != 0) {
      batch_->fields[first_ + pointer_at_[i] - 1].id = names_.ids.pointers[i];
    }
  }
}

/// Of several paths: what was made or removed, else the first that is no parent folder.
void AuditWriter::end_path() {
  if (!audit_common::says_something(path_.name) || record_type_ != "PATH") {
    return;
  }
  unsigned const rank = path_.kind == "CREATE" || path_.kind == "DELETE" ? 3
                        : path_.kind != "PARENT"                         ? 2
                                                                         : 1;
  if (rank > facts_.file_rank) {
    facts_.file_rank = rank;
    facts_.file = path_.name;
  }
}

std::string_view AuditWriter::full_path(std::string_view name) {
  std::string_view const folder = facts_.cwd;
  if (name.empty() || name.front() == '/' || !folder.starts_with('/')) {
    return name;
  }
  while (name.starts_with("./")) {
    name.remove_prefix(2);
  }
  bool const slash = !folder.ends_with('/');
  std::size_t const size = folder.size() + (slash ? 1 : 0) + name.size();
  char* const text = batch_->arena.allocate(size);
  char* at = std::copy(folder.begin(), folder.end(), text);
  if (slash) {
    *at++ = '/';
  }
  std::copy(name.begin(), name.end(), at);
  return {text, size};
}

/// Names of architecture and system call, where the log is not enriched already.
void AuditWriter::system_call() {
  if (facts_.syscall.empty()) {
    return;
  }
  auto const* const machine = names_.tables.machine(facts_.arch);
  if (facts_.call.empty()) {
    facts_.call = machine == nullptr ? "" : AuditTables::call(*machine, facts_.syscall);
    if (machine != nullptr) {
      add_once(names_.ids.arch_name, machine->name);
    }
    char const first = facts_.syscall.front();
    if (facts_.call.empty() && first >= 'a' && first <= 'z') {
      facts_.call = facts_.syscall;  // interpreted already
    }
    if (!facts_.call.empty()) {
      add_once(names_.ids.call_name, facts_.call);
    }
  }
  if (!facts_.call.empty() && facts_.call != facts_.syscall) {
    add(names_.ids.syscall, facts_.call);  // rules name it by number or by name
  }
}

void AuditWriter::socket_address() {
  if (!is_hex(facts_.source)) {
    return;  // a packet's address as text, or none
  }
  facts_.peer = read_audit_address(facts_.source, batch_->arena);
  facts_.source = {};
  auto const put = [&](FieldId id, std::string_view text, Kind kind = Kind::text) {
    if (!text.empty()) {
      add(id, text, kind);
    }
  };
  put(names_.ids.family, facts_.peer.family);
  put(names_.ids.address, facts_.peer.address);
  put(names_.ids.port, facts_.peer.port, Kind::number);
  put(names_.ids.path, facts_.peer.path);
}

std::string_view AuditWriter::action() const {
  std::string_view by_type = names_.tables.type_action(facts_.type);
  if (by_type == "login_step" && facts_.type == "USER_AUTH" && outcome() == "failure") {
    return "auth_failure";
  }
  if (by_type == "promiscuous_on" && facts_.prom == "0") {
    return "promiscuous_off";
  }
  if (!by_type.empty()) {
    return by_type;
  }
  if (facts_.execve) {
    return "process_start";
  }
  std::string_view const by_call = AuditTables::call_action(facts_.call);
  bool const made = facts_.file_rank == 3 && by_call == "file_open";
  return made ? "file_create" : by_call;
}

std::string_view AuditWriter::outcome() const {
  std::string_view const said = facts_.success.empty() ? facts_.result : facts_.success;
  if (facts_.anomaly) {
    return {};
  }
  if (said == "yes" || said == "success" || said == "1" || said == "Success") {
    return "success";
  }
  if (said == "no" || said == "failed" || said == "0" || said == "Failed" || said == "failure") {
    return "failure";
  }
  return facts_.denied && facts_.permissive != "1" ? "failure" : std::string_view();
}

void AuditWriter::user(std::string_view action) {
  using namespace audit_common;
  std::string_view const login = user_of(facts_.auid_name, facts_.auid);
  std::string_view const actor = !login.empty() ? login : user_of(facts_.uid_name, facts_.uid);
  std::string_view const named = says_something(facts_.acct) ? facts_.acct
                                 : facts_.user_record || !facts_.id.empty()
                                     ? user_of(facts_.id_name, facts_.id)
                                     : std::string_view();
  bool const of_accounts = action.starts_with("user_") || action.starts_with("group_") ||
                           action.starts_with("account_") || action == "password_change";
  std::string_view user = actor;
  if (of_accounts && !action.starts_with("group_")) {
    add_given(names_.ids.target_user, named);
  } else if (!of_accounts && facts_.user_record && action != "command" && !named.empty()) {
    user = named;  // whose credentials are tried
  }
  add_given(names_.ids.user, user);
  if (action == "process_start") {
    add_given(names_.ids.user_name, user_of(facts_.uid_name, facts_.uid));
  }
}

void AuditWriter::common() {
  using namespace audit_common;
  AuditNames::Ids const& ids = names_.ids;
  std::string_view const what = action();
  add_given(ids.host, facts_.node);
  user(what);
  if (says_something(facts_.exe)) {
    add(ids.process_path, facts_.exe);
  }
  add_given(ids.process, says_something(facts_.comm) ? facts_.comm : base_name(facts_.exe));
  std::string_view const command = facts_.command.empty() ? facts_.proctitle : facts_.command;
  add_given(ids.command, command);
  if (!facts_.file.empty()) {
    add(ids.file, full_path(facts_.file));
  }
  AddressSide const side = AuditTables::call_side(facts_.call);
  if (!facts_.peer.address.empty() && side != AddressSide::none) {
    bool const out = side == AddressSide::destination;
    add(out ? ids.dst_ip : ids.src_ip, facts_.peer.address);
    add(out ? ids.dst_port : ids.src_port, facts_.peer.port, Kind::number);
  }
  std::string_view const from = parse_ip(facts_.address) ? facts_.address : facts_.hostname;
  add_ip(ids.src_ip, from);
  add_ip(ids.src_ip, facts_.source);
  add_ip(ids.dst_ip, facts_.local_address);
  add_ip(ids.dst_ip, facts_.destination);
  auto const port = [&](FieldId id, std::string_view text) {
    if (parse_int(text)) {
      add(id, text, Kind::number);
    }
  };
  port(ids.src_port, facts_.remote_port);
  port(ids.src_port, facts_.source_port);
  port(ids.dst_port, facts_.local_port);
  port(ids.dst_port, facts_.destination_port);
  if (!is_unset_id(facts_.session)) {
    add(ids.session, facts_.session);
  }
  add_given(ids.action, what);
  add_given(ids.outcome, outcome());
  if (what == "process_start") {  // the names of Sigma's process_creation
    add_given(ids.image, facts_.exe);
    add_given(ids.command_line, command);
    add_given(ids.current_directory, facts_.cwd);
  }
}

void AuditWriter::finish() {
  record_type_ = {};
  command_line();
  system_call();
  socket_address();
  common();
}

}  // namespace vedette::decode
