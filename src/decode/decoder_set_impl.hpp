// What a DecoderSet holds: shared by the files that implement it.
#pragma once

#include "decode/decoder.hpp"
#include "decode/envelope.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace vedette::decode {

inline constexpr std::uint8_t kNobody = 0xFF;
/// In place of an opener: a log whose first line is `{` alone is JSON over many lines, and its
/// brackets say what is a record.
inline constexpr std::uint8_t kPretty = 0xFE;

struct DecoderSet::Impl {
  class BlockDecode;

  /// Decoders by their index in decode.def; those that `--format` leaves out are null.
  std::vector<std::unique_ptr<Decoder>> decoders;
  catalog::Catalog const* catalog = nullptr;
  bool only_one = false;  ///< `--format NAME`: first bytes do not matter
  /// Decoders to ask for a first byte, in order: candidates[begin[byte]] up to begin[byte + 1].
  std::vector<std::uint8_t> candidates;
  std::array<std::uint16_t, 257> begin{};
  /// The first candidate where it is asked without a look, else kNobody.
  std::array<std::uint8_t, 256> direct{};

  std::unique_ptr<Envelope> envelope;
  /// What a decoder's events may hold, and what of its kind may be held.
  struct Nature {
    bool opens = false;  ///< its events may hold payloads
    Envelope::Maker maker{};
    bool syslog = false;
    bool loose = false;
    bool text = false;  ///< plain text, also what only begins with a stamp
  };
  std::vector<Nature> natures;
  TypeId plain_text{};  ///< of lines of which no more than the stamp is known

  void index_first_bytes();
  void find_natures();
  bool wants(std::uint8_t index, std::string_view record) const {
    auto const looks_like = decoder_specs()[index].looks_like;
    return only_one || looks_like == nullptr || looks_like(record);
  }
  std::uint8_t first_candidate(std::string_view record) const;

  void open_log(LogState& state, Block const& block) const;
  void catch_up(LogState& state, Block const& block, Log& log) const;
  std::size_t complete_size(LogState const& state, Block const& block,
                            DecodeOptions const& options) const;
  void pass(LogState& state, Block&& block, std::vector<Block>& out) const;
};

}  // namespace vedette::decode
