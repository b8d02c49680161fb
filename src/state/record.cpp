#include "state/record.hpp"

namespace vedette::state {
namespace {

enum class Form : std::uint8_t { number = 0, fixed = 1, bytes = 2 };

void append_head(std::string& out, unsigned field, Form form) {
  append_varint(out, std::uint64_t{field} << 2 | static_cast<unsigned>(form));
}

}  // namespace

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

bool take_varint(std::string_view& in, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    auto const byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) {
      return true;
    }
  }
  return false;
}

void RecordWriter::number(unsigned field, std::uint64_t value) {
  append_head(out_, field, Form::number);
  append_varint(out_, value);
}

void RecordWriter::fixed(unsigned field, std::int64_t value) {
  append_head(out_, field, Form::fixed);
  out_.append(reinterpret_cast<char const*>(&value), sizeof value);
}

void RecordWriter::bytes(unsigned field, std::string_view value) {
  append_head(out_, field, Form::bytes);
  append_varint(out_, value.size());
  out_.append(value);
}

bool RecordReader::next() {
  bytes_ = {};
  number_ = 0;
  if (!ok_ || rest_.empty()) {
    return false;
  }
  std::uint64_t head = 0;
  ok_ = take_varint(rest_, head) && head >> 2 <= UINT32_MAX;
  if (!ok_) {
    return false;
  }
  field_ = static_cast<unsigned>(head >> 2);
  switch (static_cast<Form>(head & 3)) {
    case Form::number:
      ok_ = take_varint(rest_, number_);
      return ok_;
    case Form::fixed:
      ok_ = rest_.size() >= sizeof number_;
      if (ok_) {
        std::memcpy(&number_, rest_.data(), sizeof number_);
        rest_.remove_prefix(sizeof number_);
      }
      return ok_;
    case Form::bytes: {
      std::uint64_t size = 0;
      ok_ = take_varint(rest_, size) && size <= rest_.size();
      if (ok_) {
        bytes_ = rest_.substr(0, size);
        rest_.remove_prefix(size);
      }
      return ok_;
    }
  }
  ok_ = false;
  return false;
}

}  // namespace vedette::state
