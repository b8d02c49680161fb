#include "source/syslog_framer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

namespace vedette::source::syslog_framer_test {
namespace {

using Messages = std::vector<std::string>;

struct Framed {
  Messages messages;  // "cut:" before those that were
  std::uint64_t left_out = 0;
  bool broke = false;
};

Framed frame(std::string const& text, std::size_t piece, std::size_t max_record = 1000) {
  Framed out;
  SyslogFramer framer(max_record);
  auto const take = [&](std::string_view message, bool cut) {
    CHECK(message.size() <= max_record);
    out.messages.push_back((cut ? "cut:" : "") + std::string(message));
  };
  for (std::size_t at = 0; at < text.size(); at += piece) {
    framer.feed(std::string_view(text).substr(at, piece), take);
    CHECK(framer.held() <= std::max<std::size_t>(max_record, 11));
  }
  framer.finish(take);
  CHECK_FALSE(framer.unfinished());
  out.left_out = framer.left_out();
  out.broke = framer.broke();
  return out;
}

/// The same for every size of pieces.
Framed frame_all_ways(std::string const& text, std::size_t max_record = 1000) {
  Framed const whole = frame(text, text.size() + 1, max_record);
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    CAPTURE(piece);
    Framed const pieces = frame(text, piece, max_record);
    CHECK(pieces.messages == whole.messages);
    CHECK(pieces.left_out == whole.left_out);
    CHECK(pieces.broke == whole.broke);
  }
  return whole;
}

}  // namespace

TEST_CASE("Framing is told by the first bytes and holds for the connection") {
  CHECK(frame_all_ways("<13>one\n<13>two\r\n\n\r\n<13>three").messages ==
        Messages{"<13>one", "<13>two\r", "<13>three"});
  CHECK(frame_all_ways("7 <13>one7 <13>two9 <13>th\nee").messages ==
        Messages{"<13>one", "<13>two", "<13>th\nee"});
  CHECK(frame_all_ways("7 <13>one\n7 <13>two\r\n").messages == Messages{"<13>one", "<13>two"});
  // Lines that begin with digits, with and without a blank after them.
  CHECK(frame_all_ways("2026-03-27T13:06:56Z host app: x\n10 <13>fake\n").messages ==
        Messages{"2026-03-27T13:06:56Z host app: x", "10 <13>fake"});
  CHECK(frame_all_ways("27 Mar host app: x\n").messages == Messages{"27 Mar host app: x"});
  CHECK(frame_all_ways("0123 <x\n").messages == Messages{"0123 <x"});
  CHECK(frame_all_ways("1234567890 <x\n").messages == Messages{"1234567890 <x"});
  CHECK(frame_all_ways("12").messages == Messages{"12"});
  CHECK(frame_all_ways("12 \n<13>x\n").messages == Messages{"12 ", "<13>x"});
  CHECK(frame_all_ways("").messages.empty());
  CHECK(frame_all_ways(std::string("<13>nul\0\xFF\n", 10)).messages ==
        Messages{std::string("<13>nul\0\xFF", 9)});
}

TEST_CASE("A wrong count is taken as the start of a line, and said") {
  Framed const out = frame_all_ways("7 <13>one12x <13>two\n<13>three\n");
  CHECK(out.messages == Messages{"<13>one", "12x <13>two", "<13>three"});
  CHECK(out.broke);
  CHECK(frame_all_ways("7 <13>one0 <13>two\n").messages == Messages{"<13>one", "0 <13>two"});
  CHECK(frame_all_ways("7 <13>one1234567890 x\n").messages == Messages{"<13>one", "1234567890 x"});
  CHECK_FALSE(frame_all_ways("7 <13>one").broke);
}

TEST_CASE("Unfinished messages count, too long ones are cut and the rest is left out") {
  CHECK(frame_all_ways("100 <13>never comes").messages == Messages{"<13>never comes"});
  Framed out = frame_all_ways("19 <3456789012345678905 <1234", 10);
  CHECK(out.messages == Messages{"cut:<345678901", "<1234"});
  CHECK(out.left_out == 9);
  out = frame_all_ways("<34567890\n<3456789012345\n<\n<1234567890", 10);
  CHECK(out.messages == Messages{"<34567890", "cut:<345678901", "<", "cut:<123456789"});
  CHECK(out.left_out == 5);
  CHECK(frame_all_ways("10 <234567890", 10).messages == Messages{"<234567890"});
  CHECK(frame_all_ways("999999999 <" + std::string(200, 'x'), 10).left_out == 191);
}

TEST_CASE("A message can be ended early to give back its memory") {
  for (bool const counted : {false, true}) {
    Messages got;
    auto const take = [&](std::string_view message, bool cut) {
      got.push_back((cut ? "cut:" : "") + std::string(message));
    };
    SyslogFramer framer(1000);
    framer.feed(counted ? "13 <13>some" : "<13>some", take);
    CHECK(framer.unfinished());
    framer.cut_short(take);
    CHECK(framer.held() == 0);
    framer.feed(counted ? " more5 <next" : " more\n<next\n", take);
    CHECK(got == Messages{"cut:<13>some", "<next"});
    CHECK(framer.left_out() == 5);
    framer.cut_short(take);
    CHECK(got.size() == 2);
  }
}

}  // namespace vedette::source::syslog_framer_test
