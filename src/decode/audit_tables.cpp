#include "decode/audit_tables.hpp"

#include <libaudit.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace vedette::decode {
namespace audit_tables {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

/// Architectures, as `arch=` has them (AUDIT_ARCH_...).
constexpr std::array<std::uint32_t, 9> kArchs{0xC000003E, 0x40000003, 0xC00000B7,
                                              0x40000028, 0xC00000F3, 0xC0000015,
                                              0x80000015, 0x80000016, 0x00000016};
constexpr int kMaxCall = 1024;

constexpr std::array kTypeActions{
    Pair{"USER_LOGIN", "login"},
    Pair{"USER_LOGOUT", "logout"},
    Pair{"USER_AUTH", "login_step"},
    Pair{"USER_ACCT", "login_step"},
    Pair{"CRED_ACQ", "login_step"},
    Pair{"USER_ERR", "login_step"},
    Pair{"LOGIN", "session_start"},
    Pair{"USER_START", "session_open"},
    Pair{"USER_END", "session_close"},
    Pair{"USER_CHAUTHTOK", "password_change"},
    Pair{"USER_CMD", "command"},
    Pair{"USER_ROLE_CHANGE", "user_change"},
    Pair{"USER_MGMT", "user_change"},
    Pair{"ADD_USER", "user_add"},
    Pair{"DEL_USER", "user_delete"},
    Pair{"ADD_GROUP", "group_add"},
    Pair{"DEL_GROUP", "group_delete"},
    Pair{"GRP_MGMT", "group_change"},
    Pair{"GRP_CHAUTHTOK", "group_change"},
    Pair{"ACCT_LOCK", "account_lock"},
    Pair{"ACCT_UNLOCK", "account_unlock"},
    Pair{"RESP_ACCT_LOCK", "account_lock"},
    Pair{"RESP_ACCT_UNLOCK_TIMED", "account_unlock"},
    Pair{"SERVICE_START", "service_start"},
    Pair{"SERVICE_STOP", "service_stop"},
    Pair{"SYSTEM_BOOT", "system_start"},
    Pair{"SYSTEM_SHUTDOWN", "system_stop"},
    Pair{"DAEMON_START", "log_start"},
    Pair{"DAEMON_RESUME", "log_start"},
    Pair{"DAEMON_END", "log_stop"},
    Pair{"DAEMON_ABORT", "log_stop"},
    Pair{"ANOM_ABEND", "process_crash"},
    Pair{"ANOM_PROMISCUOUS", "promiscuous_on"},
    Pair{"KERN_MODULE", "module_load"},
};

constexpr std::array kCallActions{
    Pair{"execve", "process_start"},    Pair{"execveat", "process_start"},
    Pair{"init_module", "module_load"}, Pair{"finit_module", "module_load"},
    Pair{"open", "file_open"},          Pair{"openat", "file_open"},
    Pair{"openat2", "file_open"},       Pair{"open_by_handle_at", "file_open"},
    Pair{"creat", "file_create"},       Pair{"mknod", "file_create"},
    Pair{"mknodat", "file_create"},     Pair{"mkdir", "file_create"},
    Pair{"mkdirat", "file_create"},     Pair{"symlink", "file_create"},
    Pair{"symlinkat", "file_create"},   Pair{"link", "file_create"},
    Pair{"linkat", "file_create"},      Pair{"unlink", "file_delete"},
    Pair{"unlinkat", "file_delete"},    Pair{"rmdir", "file_delete"},
    Pair{"rename", "file_rename"},      Pair{"renameat", "file_rename"},
    Pair{"renameat2", "file_rename"},   Pair{"truncate", "file_write"},
    Pair{"ftruncate", "file_write"},    Pair{"chmod", "file_change"},
    Pair{"fchmod", "file_change"},      Pair{"fchmodat", "file_change"},
    Pair{"fchmodat2", "file_change"},   Pair{"chown", "file_change"},
    Pair{"fchown", "file_change"},      Pair{"lchown", "file_change"},
    Pair{"fchownat", "file_change"},    Pair{"setxattr", "file_change"},
    Pair{"lsetxattr", "file_change"},   Pair{"fsetxattr", "file_change"},
    Pair{"removexattr", "file_change"}, Pair{"utimensat", "file_change"},
    Pair{"connect", "connection"},      Pair{"accept", "connection"},
    Pair{"accept4", "connection"},      Pair{"exit_group", "process_exit"},
};

constexpr std::array<std::string_view, 4> kCallsOut{"connect", "sendto", "sendmsg", "sendmmsg"};
constexpr std::array<std::string_view, 5> kCallsIn{"accept", "accept4", "recvfrom", "recvmsg",
                                                   "recvmmsg"};

template <class T>
bool parse(std::string_view text, T& value, int base) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace
}  // namespace audit_tables

namespace audit_tables {
namespace {

constexpr unsigned kTypes = 3000;

unsigned parse_type(std::string_view text) {
  unsigned number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number < kTypes ? number : 0;
}

}  // namespace
}  // namespace audit_tables

AuditTypes::AuditTypes() : names_(audit_tables::kTypes) {
  for (unsigned i = 1000; i < audit_tables::kTypes; ++i) {
    if (char const* const name = ::audit_msg_type_to_name(static_cast<int>(i)); name != nullptr) {
      names_[i] = name;
      numbers_.emplace(names_[i], static_cast<std::uint16_t>(i));
    }
  }
}

unsigned AuditTypes::number(std::string_view type) const {
  if (auto const known = numbers_.find(type); known != numbers_.end()) {
    return known->second;
  }
  if (type.starts_with("UNKNOWN[") && type.ends_with(']')) {
    type = type.substr(8, type.size() - 9);
  }
  return audit_tables::parse_type(type);
}

std::string_view AuditTypes::name(std::string_view type) const {
  if (type.empty() || type.front() < '0' || type.front() > '9') {
    return type;
  }
  std::string_view const known = names_[audit_tables::parse_type(type)];
  return known.empty() ? type : known;
}

bool AuditTypes::ends_event(std::string_view type) const {
  unsigned const type_number = number(type);
  // LOGIN is the kernel's, in spite of its number; 1100 to 1299 and 2100 on are of user programs.
  return type_number == AUDIT_EOE || type_number == AUDIT_PROCTITLE ||
         (type_number >= 1000 && type_number < 1300 && type_number != AUDIT_LOGIN) ||
         type_number >= 2100;
}

AuditTypes const& audit_types() {
  static AuditTypes const types;
  return types;
}

AuditTables::AuditTables() : actions_(3000) {
  using namespace audit_tables;
  for (std::uint32_t const arch : kArchs) {
    int const id = ::audit_elf_to_machine(arch);
    if (id < 0) {
      continue;  // this build of the library does not know it
    }
    Machine& machine = machines_.emplace_back();
    machine.arch = arch;
    char const* const name = ::audit_machine_to_name(id);
    machine.name = name == nullptr ? "" : name;
    machine.calls.resize(kMaxCall);
    for (int call = 0; call < kMaxCall; ++call) {
      if (char const* const call_name = ::audit_syscall_to_name(call, id); call_name != nullptr) {
        machine.calls[static_cast<std::size_t>(call)] = call_name;
      }
    }
  }
  for (auto const& [type, action] : kTypeActions) {
    if (unsigned const number = audit_types().number(type); number != 0) {
      actions_[number] = action;
    }
  }
}

AuditTables::Machine const* AuditTables::machine(std::string_view arch) const {
  std::uint32_t number = 0;
  bool const numeric = audit_tables::parse(arch, number, 16);
  auto const found = std::find_if(machines_.begin(), machines_.end(), [&](Machine const& machine) {
    return (numeric && machine.arch == number) || machine.name == arch;
  });
  return found == machines_.end() ? nullptr : &*found;
}

std::string_view AuditTables::call(Machine const& machine, std::string_view number) {
  std::uint32_t index = 0;
  return audit_tables::parse(number, index, 10) && index < machine.calls.size()
             ? machine.calls[index]
             : std::string_view();
}

std::string_view AuditTables::type_action(std::string_view type) const {
  return actions_[audit_types().number(type)];
}

std::string_view AuditTables::call_action(std::string_view call) {
  auto const& actions = audit_tables::kCallActions;
  auto const found = std::find_if(actions.begin(), actions.end(),
                                  [&](auto const& entry) { return entry.first == call; });
  return found == actions.end() ? std::string_view() : found->second;
}

AddressSide AuditTables::call_side(std::string_view call) {
  using namespace audit_tables;
  auto const has = [&](auto const& calls) {
    return std::find(calls.begin(), calls.end(), call) != calls.end();
  };
  return has(kCallsOut)  ? AddressSide::destination
         : has(kCallsIn) ? AddressSide::source
                         : AddressSide::none;
}

}  // namespace vedette::decode
