#include "event/event.hpp"

#include <doctest/doctest.h>

namespace vedette {
namespace {

std::string unescaped(std::string_view in) {
  std::string out(in.size() + 1, '#');
  std::size_t const size = unescape_json(in, out.data());
  REQUIRE_LE(size, in.size());
  CHECK_EQ(out.back(), '#');
  out.resize(size);
  return out;
}

}  // namespace

TEST_CASE("event: JSON escapes") {
  CHECK_EQ(unescaped(""), "");
  CHECK_EQ(unescaped("plain"), "plain");
  CHECK_EQ(unescaped(R"(C:\\Windows\\a.exe)"), R"(C:\Windows\a.exe)");
  CHECK_EQ(unescaped(R"(\"\/\b\f\n\r\t)"), "\"/\b\f\n\r\t");
  CHECK_EQ(unescaped(R"(\u0041\u00e4\u20AC\ud83d\ude00)"), "Aä€\xF0\x9F\x98\x80");
  CHECK_EQ(unescaped(R"(\u0000)"), std::string(1, '\0'));
}

TEST_CASE("event: broken JSON escapes stay within bounds") {
  CHECK_EQ(unescaped("\\"), "\\");
  CHECK_EQ(unescaped(R"(a\)"), R"(a\)");
  CHECK_EQ(unescaped(R"(\x41)"), R"(\x41)");
  CHECK_EQ(unescaped(R"(\u)"), R"(\u)");
  CHECK_EQ(unescaped(R"(\u12)"), R"(\u12)");
  CHECK_EQ(unescaped(R"(\u12g4)"), R"(\u12g4)");
  CHECK_EQ(unescaped(R"(\u\u0041)"), R"(\uA)");
  CHECK_EQ(unescaped(R"(\ud83d)"), "\xEF\xBF\xBD");
  CHECK_EQ(unescaped(R"(\ud83dx)"), "\xEF\xBF\xBDx");
  CHECK_EQ(unescaped(R"(\ude00)"), "\xEF\xBF\xBD");
  CHECK_EQ(unescaped(R"(\ud83d\u0041)"),
           "\xEF\xBF\xBD"
           "A");
  CHECK_EQ(unescaped(R"(\ud83d\ud83d\ude00)"), "\xEF\xBF\xBD\xF0\x9F\x98\x80");
  CHECK_EQ(unescaped(R"(\ud83d\u)"), "\xEF\xBF\xBD\\u");
  std::string const many(100'000, '\\');
  CHECK_EQ(unescaped(many).size(), 50'000);
  // Every cut of a text with all kinds of escapes.
  std::string_view const all = R"(a\\\"\u00e4\ud83d\ude00\q\n)";
  for (std::size_t begin = 0; begin <= all.size(); ++begin) {
    for (std::size_t end = begin; end <= all.size(); ++end) {
      unescaped(all.substr(begin, end - begin));
    }
  }
}

TEST_CASE("event: text() resolves escapes once") {
  Batch batch;
  std::string_view const token = R"(a\nb)";
  batch.fields.push_back({token.data(), 4, FieldId{3}, Kind::text, true});
  batch.fields.push_back({token.data(), 4, FieldId{4}, Kind::text, false});
  Event event;
  event.field_count = 2;
  Field* const field = batch.find(event, FieldId{3});
  REQUIRE(field != nullptr);
  CHECK_EQ(batch.text(*field), "a\nb");
  char const* const where = field->data;
  CHECK_EQ(batch.text(*field).data(), where);
  CHECK_EQ(batch.text(*batch.find(event, FieldId{4})), token);
  CHECK_EQ(batch.find(event, FieldId{5}), nullptr);
  Field empty{token.data(), 0, FieldId{6}, Kind::text, true};
  CHECK_EQ(batch.text(empty), "");
}

TEST_CASE("event: identity") {
  CHECK_EQ(event_id("file//var/log/auth.log", 0, 42, 0), "file//var/log/auth.log#0@42");
  CHECK_EQ(event_id("s/0", 3, 18446744073709551615U, 2), "s/0#3@18446744073709551615.2");
  CHECK_EQ(event_digest("a", "b"), event_digest("a", "b"));
  CHECK_NE(event_digest("a", "b"), event_digest("b", "b"));
  CHECK_NE(event_digest("a", "b"), event_digest("a", "c"));
  // Checkpoints and alerts hold digests: they must never change.
  CHECK_EQ(event_digest("linux/sshd", "line").hex(), "68a4207b3d0599059d11296326e8d797");
}

}  // namespace vedette
