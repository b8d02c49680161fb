// OTLP logs as protobuf (opentelemetry/proto/collector/logs/v1). The few messages there are read
// straight from the wire, so that nothing is built that is larger than the request.
#include "base/json.hpp"
#include "source/http_otlp.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

namespace vedette::source {
namespace http_otlp {
namespace {

struct Piece {
  std::uint32_t field = 0;
  std::uint32_t wire = 0;
  std::uint64_t number = 0;  // wire types 0, 1, 5
  std::string_view bytes;    // wire type 2
};

/// The fields of one message, front to back.
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  /// False at the end, and when what follows is broken.
  bool next(Piece& piece) {
    if (rest_.empty()) {
      return false;
    }
    std::uint64_t tag = 0;
    whole_ = varint(tag) && tag >> 3 != 0 && tag <= 0xFFFF'FFFFU;
    piece = {static_cast<std::uint32_t>(tag >> 3), static_cast<std::uint32_t>(tag & 7), 0, {}};
    whole_ = whole_ && value(piece);
    return whole_;
  }
  bool whole() const { return whole_; }

 private:
  bool varint(std::uint64_t& out) {
    out = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      auto const byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      out |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) {
        return true;
      }
    }
    return false;
  }
  bool fixed(std::uint64_t& out, std::size_t size) {
    if (rest_.size() < size) {
      return false;
    }
    out = 0;
    for (std::size_t i = size; i-- > 0;) {
      out = out << 8 | static_cast<unsigned char>(rest_[i]);
    }
    rest_.remove_prefix(size);
    return true;
  }
  bool value(Piece& piece) {
    switch (piece.wire) {
      case 0:
        return varint(piece.number);
      case 1:
        return fixed(piece.number, 8);
      case 5:
        return fixed(piece.number, 4);
      case 2: {
        std::uint64_t size = 0;
        if (!varint(size) || size > rest_.size()) {
          return false;
        }
        piece.bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
      }
      default:  // groups are not used by OTLP
        return false;
    }
  }

  std::string_view rest_;
  bool whole_ = true;
};

std::string quoted(std::string_view text) {
  std::string out;
  json::append_string(out, text);
  return out;
}

std::string hex_of(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  if (bytes.find_first_not_of('\0') == std::string_view::npos) {
    return {};
  }
  std::string out = "\"";
  for (char const byte : bytes) {
    out += kDigits[static_cast<unsigned char>(byte) >> 4];
    out += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return out + '"';
}

std::string double_of(std::uint64_t bits) {
  double const value = std::bit_cast<double>(bits);
  std::string out;
  if (!std::isfinite(value)) {  // JSON has no word for it
    return std::isnan(value) ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  }
  json::Writer(out).number(value);
  return out;
}

bool any_value(std::string_view bytes, std::string& out, int depth);

/// KeyValue: key = 1, value = 2. Appended to an object.
bool key_value(std::string_view bytes, std::string& object, int depth) {
  Message message(bytes);
  std::string_view key;
  std::string value = "null";
  for (Piece piece; message.next(piece);) {
    if (piece.field == 1 && piece.wire == 2) {
      key = piece.bytes;
    } else if (piece.field == 2 && piece.wire == 2 && !any_value(piece.bytes, value, depth + 1)) {
      return false;
    }
  }
  object += object.ends_with('{') ? "" : ",";
  json::append_string(object, key);
  object += ':' + value;
  return message.whole();
}

/// ArrayValue and KeyValueList: values = 1.
bool many_values(std::string_view bytes, std::string& out, bool list, int depth) {
  Message message(bytes);
  out = list ? "[" : "{";
  for (Piece piece; message.next(piece);) {
    if (piece.field != 1 || piece.wire != 2) {
      continue;
    }
    if (list) {
      std::string item;
      if (!any_value(piece.bytes, item, depth + 1)) {
        return false;
      }
      out += out.size() > 1 ? "," : "";
      out += item;
    } else if (!key_value(piece.bytes, out, depth)) {
      return false;
    }
  }
  out += list ? ']' : '}';
  return message.whole();
}

/// AnyValue: string 1, bool 2, int 3, double 4, array 5, kvlist 6, bytes 7.
bool any_value(std::string_view bytes, std::string& out, int depth) {
  if (depth > kMaxDepth) {
    return false;
  }
  Message message(bytes);
  out = "null";
  for (Piece piece; message.next(piece);) {
    if (piece.field == 1 && piece.wire == 2) {
      out = quoted(piece.bytes);
    } else if (piece.field == 2 && piece.wire == 0) {
      out = piece.number != 0 ? "true" : "false";
    } else if (piece.field == 3 && piece.wire == 0) {
      out = std::to_string(static_cast<std::int64_t>(piece.number));
    } else if (piece.field == 4 && piece.wire == 1) {
      out = double_of(piece.number);
    } else if ((piece.field == 5 || piece.field == 6) && piece.wire == 2) {
      if (!many_values(piece.bytes, out, piece.field == 5, depth)) {
        return false;
      }
    } else if (piece.field == 7 && piece.wire == 2) {
      out = "\"";
      json::append_base64(out, piece.bytes);
      out += '"';
    }
  }
  return message.whole();
}

/// Of Resource (attributes = 1).
bool attributes(std::string_view bytes, std::string& out) {
  return many_values(bytes, out, false, 0);
}

/// InstrumentationScope: name = 1, version = 2.
bool scope(std::string_view bytes, std::string& out) {
  Message message(bytes);
  out = "{";
  for (Piece piece; message.next(piece);) {
    if ((piece.field == 1 || piece.field == 2) && piece.wire == 2 && !piece.bytes.empty()) {
      member(out, piece.field == 1 ? "name" : "version", quoted(piece.bytes));
    }
  }
  out = out.size() > 1 ? out + '}' : std::string();
  return message.whole();
}

/// LogRecord: time 1, severity number 2, severity text 3, body 5, attributes 6, trace 9, span 10,
/// observed time 11.
bool log_record(std::string_view bytes, Around const& around, RecordSink& sink) {
  Message message(bytes);
  LogRecord record;
  record.attributes = "{";
  for (Piece piece; message.next(piece);) {
    if (piece.field == 1 && piece.wire == 1) {
      record.time = time_of(std::to_string(piece.number));
    } else if (piece.field == 11 && piece.wire == 1) {
      record.observed = time_of(std::to_string(piece.number));
    } else if (piece.field == 2 && piece.wire == 0) {
      record.severity_number = std::to_string(piece.number);
    } else if (piece.wire != 2) {
      continue;
    } else if (piece.field == 3) {
      record.severity = quoted(piece.bytes);
    } else if (piece.field == 5) {
      if (!any_value(piece.bytes, record.body, 0)) {
        return false;
      }
    } else if (piece.field == 6) {
      if (!key_value(piece.bytes, record.attributes, 0)) {
        return false;
      }
    } else if (piece.field == 9) {
      record.trace_id = hex_of(piece.bytes);
    } else if (piece.field == 10) {
      record.span_id = hex_of(piece.bytes);
    }
  }
  record.attributes = record.attributes.size() > 1 ? record.attributes + '}' : std::string();
  return message.whole() && write_record(record, around, sink);
}

/// ResourceLogs (`first` = resource) and ScopeLogs (scope): what belongs to all = 1, the rest = 2.
/// It may stand behind the rest, hence two passes.
template <class First, class Rest>
bool with_first(std::string_view bytes, First&& first, Rest&& rest) {
  Message head(bytes);
  for (Piece piece; head.next(piece);) {
    if (piece.field == 1 && piece.wire == 2 && !first(piece.bytes)) {
      return false;
    }
  }
  Message body(bytes);
  for (Piece piece; body.next(piece);) {
    if (piece.field == 2 && piece.wire == 2 && !rest(piece.bytes)) {
      return false;
    }
  }
  return head.whole() && body.whole();
}

}  // namespace
}  // namespace http_otlp

bool read_otlp_protobuf(std::string_view body, RecordSink& sink) {
  using namespace http_otlp;
  Message message(body);
  for (Piece piece; message.next(piece);) {
    if (piece.field != 1 || piece.wire != 2) {
      continue;
    }
    Around around;
    bool const whole = with_first(
        piece.bytes, [&](std::string_view bytes) { return attributes(bytes, around.resource); },
        [&](std::string_view logs) {
          around.scope.clear();
          return with_first(
              logs, [&](std::string_view bytes) { return scope(bytes, around.scope); },
              [&](std::string_view record) { return log_record(record, around, sink); });
        });
    if (!whole) {
      return false;
    }
  }
  return message.whole();
}

}  // namespace vedette::source
