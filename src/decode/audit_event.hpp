// From the records of one audit event to its fields: the originals under the names that the audit
// system gives them (a name that several records have has several values), what is encoded in them
// made readable, and the common names beside them. docs/decisions/audit-events.md says what is
// called how.
#pragma once

#include "decode/audit_record.hpp"
#include "decode/audit_tables.hpp"
#include "decode/decoder.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace vedette::decode {

/// What a field of a certain name means; the same for all workers.
class AuditNames {
 public:
  explicit AuditNames(catalog::Catalog& catalog);

  enum class Role : std::uint8_t {
    none,
    arch,
    syscall,
    success,
    exe,
    comm,
    key,
    auid,
    uid,
    auid_name,
    uid_name,
    id,
    id_name,
    acct,
    session,
    result,
    address,
    hostname,
    remote_port,
    local_address,
    local_port,
    destination,
    source_port,
    destination_port,
    sockaddr,
    item,
    path_name,
    path_kind,
    cwd,
    proctitle,
    command,
    operation,
    call_name,
    arch_name,
    argument,
    prom,
    permissive,
    apparmor,
    other_encoded
  };
  Role role(FieldId id) const {
    auto const index = static_cast<std::size_t>(id);
    return index < roles_.size() ? roles_[index] : Role::none;
  }
  /// The field of an original; a name of ours becomes `original.NAME`.
  FieldId original(std::string_view name, FieldCache& fields) const;

  struct Ids {
    // common
    FieldId host, user, target_user, process, process_path, command, pid, file, src_ip, src_port,
        dst_ip, dst_port, action, outcome, session;
    // originals and their kin
    FieldId node, type, serial, arch_name, call_name, syscall, cwd, family, address, port, path,
        denied, permissions, image, command_line, current_directory, user_name;
    std::array<FieldId, 256> arguments;
    std::array<FieldId, 4> pointers;  ///< a0 to a3 of SYSCALL where EXECVE has its own
  } ids{};
  AuditTables tables;

 private:
  catalog::Catalog const& catalog_;
  std::vector<Role> roles_;
  std::vector<FieldId> renamed_;  // by common field
};

/// Writes events into a batch; one per worker.
class AuditWriter {
 public:
  static constexpr std::size_t kMaxFields = 4096;

  explicit AuditWriter(AuditNames const& names) : names_(names) {}

  void begin(DecodeContext& context);
  void record(AuditHead const& head);
  /// Derived and common fields; sets time, type of `event` excepted, nothing else.
  void finish();

 private:
  using Role = AuditNames::Role;
  struct Argument {
    std::uint32_t index = 0;
    std::uint32_t piece = 0;
    std::string_view text;
  };
  /// What the common names are made of; empty = not said.
  struct Facts {
    std::string_view node, type, arch, syscall, call, success, exe, comm, auid, uid, auid_name,
        uid_name, id, id_name, acct, session, result, address, hostname, remote_port, local_address,
        local_port, source, destination, source_port, destination_port, cwd, proctitle, command,
        operation, prom, permissive;
    std::string_view file;
    unsigned file_rank = 0;
    AuditAddress peer;
    bool denied = false;
    bool execve = false;
    bool user_record = false;
    bool anomaly = false;
  };
  struct Path {
    std::string_view name, kind;
  };

  void words(std::string_view body, bool nested);
  void word(AuditWord const& word);
  void note(Role role, std::string_view text);
  bool argument(AuditWord const& word);
  void access_vector(std::string_view body);
  std::string_view readable(Role role, AuditWord const& word);
  void add(FieldId id, std::string_view text, Kind kind = Kind::text);
  void add_once(FieldId id, std::string_view text, Kind kind = Kind::text);
  void add_original(std::string_view name, std::string_view text, Kind kind);
  void add_given(FieldId id, std::string_view text, Kind kind = Kind::text);
  void add_ip(FieldId id, std::string_view text);
  void type(AuditHead const& head);
  void end_path();
  void command_line();
  void system_call();
  void socket_address();
  void common();
  void user(std::string_view action);
  std::string_view action() const;
  std::string_view outcome() const;
  std::string_view full_path(std::string_view name);

  AuditNames const& names_;
  DecodeContext* context_ = nullptr;
  Batch* batch_ = nullptr;
  std::size_t first_ = 0;
  Facts facts_;
  Path path_;
  std::string_view record_type_;
  std::vector<Argument> arguments_;
  std::array<std::size_t, 4> pointer_at_{};  // 1 + place of a0 to a3 of SYSCALL
  // Where a name was seen in this event: values that are told twice are kept once.
  struct Seen {
    std::uint32_t event = 0;
    std::uint32_t place = 0;
  };
  std::vector<Seen> seen_;
  std::uint32_t event_ = 0;
};

}  // namespace vedette::decode
