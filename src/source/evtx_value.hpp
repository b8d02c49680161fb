// Values of Windows events as the text that Windows shows for them. Private to evtx_xml.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vedette::source {

/// Appends UTF-16 as UTF-8, with what XML needs escaped; control characters too, so that a record
/// stays on one line. NULs at the end are not part of a text.
void append_utf16(std::string& out, std::string_view bytes);
/// The same for bytes of an unknown code page (taken as Latin-1).
void append_latin(std::string& out, std::string_view bytes);

enum class EvtxType : std::uint8_t {
  null = 0x00,
  text = 0x01,
  ansi = 0x02,
  int8 = 0x03,
  uint8 = 0x04,
  int16 = 0x05,
  uint16 = 0x06,
  int32 = 0x07,
  uint32 = 0x08,
  int64 = 0x09,
  uint64 = 0x0A,
  real32 = 0x0B,
  real64 = 0x0C,
  boolean = 0x0D,
  binary = 0x0E,
  guid = 0x0F,
  size = 0x10,
  file_time = 0x11,
  system_time = 0x12,
  sid = 0x13,
  hex32 = 0x14,
  hex64 = 0x15,
  xml = 0x21,
};

/// How long one element of an array of that type is; 0 = it has none (texts, SIDs).
std::size_t evtx_size(EvtxType type);

/// Appends a value; false: its size does not fit its type.
bool append_value(std::string& out, EvtxType type, std::string_view bytes);

}  // namespace vedette::source
