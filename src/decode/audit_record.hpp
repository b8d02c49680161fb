// One record of the Linux audit system, as it stands on a line:
//   [node=HOST ]type=SYSCALL msg=audit(1700000000.123:456): arch=c000003e syscall=59 ... key="x"
// The head says to which event the record belongs; the body is NAME=VALUE words.
#pragma once

#include "base/arena.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <string_view>

namespace vedette::decode {

struct AuditHead {
  std::string_view node;    ///< "" = not said
  std::string_view type;    ///< `SYSCALL`, `1300` or `UNKNOWN[1334]`
  std::string_view stamp;   ///< `1700000000.123`
  std::string_view serial;  ///< `456`
  std::string_view body;    ///< what follows the head, without blanks before it
  Nanos time = 0;

  bool same_event(AuditHead const& other) const {
    return serial == other.serial && stamp == other.stamp && node == other.node;
  }
};

/// False: not an audit record.
bool read_audit_head(std::string_view record, AuditHead& head);

/// Why read_audit_head says no, for `decode --explain`.
std::string_view audit_refusal(std::string_view record);

/// A word of a body.
struct AuditWord {
  std::string_view name;   ///< "" = a word without `=`
  std::string_view value;  ///< without quotes
  char quote = 0;          ///< `"`, `'` or `{` when the value stood in them
};

/// Walks the words of a body. Linear; knows the enriched part after 0x1d, also where a shipper has
/// lost that byte.
class AuditWords {
 public:
  explicit AuditWords(std::string_view body) : left_(body) {}
  bool next(AuditWord& word);

 private:
  void unquoted(AuditWord& word, std::size_t from);
  std::string_view left_;
};

/// Bytes of `text` written as hexadecimal, or what `text` is when it is not all of it.
bool is_hex(std::string_view text);
/// Into `out`, text.size() / 2 bytes. Only for is_hex().
void decode_hex(std::string_view text, char* out);

/// An address as the kernel holds it (SOCKADDR's `saddr`).
struct AuditAddress {
  std::string_view family;  ///< `inet`, `inet6`, `local`, `netlink`, ...; "" = unknown
  std::string_view address;
  std::string_view port;
  std::string_view path;  ///< of a unix socket
};
/// Texts are made in `arena`.
AuditAddress read_audit_address(std::string_view hex, Arena& arena);

}  // namespace vedette::decode
