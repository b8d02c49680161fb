#include "decode/decode_fixture.hpp"
#include "decode/xml_reader.hpp"

#include <random>
#include <string>
#include <vector>

namespace vedette::decode::xml_test {
namespace {

struct XmlFixture : DecodeFixture {
  using DecodeFixture::DecodeFixture;
  /// The fields of all events of a log read in the pieces that end at `cuts`, and their raw texts.
  std::vector<std::string> read(std::string_view text, std::vector<std::size_t> cuts = {}) {
    std::vector<std::string> out;
    for (Batch const& batch : decode_pieces(text, std::move(cuts))) {
      for (Event const& event : batch.events) {
        std::string const what = event.decoder == 0xFF ? "unknown" : fields(batch, event);
        out.push_back(std::to_string(event.offset) + '/' + std::to_string(event.part) + ' ' +
                      std::string(event.raw_view()) + " -> " + what);
      }
    }
    return out;
  }
};

std::string event(std::string_view inside) {
  return "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
         "<EventID>1</EventID></System>" +
         std::string(inside) + "</Event>";
}

std::string unescaped(std::string_view text) {
  std::string out(text.size(), '\0');
  out.resize(unescape_xml(text, out.data()));
  return out;
}

}  // namespace

TEST_CASE("xml: a Windows event has the names Windows gives its fields") {
  XmlFixture f;
  CHECK(
      f.fields("<Event xmlns='x'><System><Provider Name='P' Guid='{1}'/>"
               "<EventID Qualifiers='16384'>7045</EventID><Level>4</Level><Keywords>0x80</Keywords>"
               "<TimeCreated SystemTime='2026-03-27T13:06:56.1234567Z'/><Correlation/>"
               "<Execution ProcessID='4' ThreadID='8'/><Channel>System</Channel>"
               "<Computer>pc</Computer><Security UserID='S-1-5-18'/></System>"
               "<EventData><Data Name='ServiceName'>a &amp; b</Data><Data Name='Empty'></Data>"
               "<Data>x</Data><Data>y</Data><Binary>00FF</Binary></EventData></Event>") ==
      "Provider_Name='P'|Provider_Guid='{1}'|EventID_Qualifiers=16384|EventID=7045|Level=4|"
      "Keywords='0x80'|TimeCreated='2026-03-27T13:06:56.1234567Z'|Execution_ProcessID=4|"
      "Execution_ThreadID=8|Channel='System'|Computer='pc'|Security_UserID='S-1-5-18'|"
      "ServiceName='a & b'|Empty=''|Data='x'|Data='y'|Binary='00FF'");
}

TEST_CASE("xml: user data, and what the collector rendered") {
  XmlFixture f;
  CHECK(f.fields(event("<UserData><LogFileCleared xmlns='y'><SubjectUserName>bob</SubjectUserName>"
                       "<Client><Pid>4</Pid></Client></LogFileCleared></UserData>"
                       "<RenderingInfo Culture='en-US'><Message>The log\nwas cleared</Message>"
                       "<Level>Information</Level><Keywords><Keyword>A</Keyword>"
                       "<Keyword>B</Keyword></Keywords></RenderingInfo>")) ==
        "EventID=1|SubjectUserName='bob'|Client.Pid='4'|RenderingInfo_Culture='en-US'|"
        "Message='The log\nwas cleared'|RenderingInfo_Level='Information'|"
        "RenderingInfo_Keywords='A'|RenderingInfo_Keywords='B'");
}

TEST_CASE("xml: names of ours stay ours") {
  XmlFixture f;
  CHECK(f.fields(event("<EventData><Data Name='outcome'>success</Data>"
                       "<Data Name='geo.city'>x</Data></EventData>")) ==
        "EventID=1|original.outcome='success'|original.geo.city='x'");
}

TEST_CASE("xml: any other element has dotted names") {
  XmlFixture f;
  CHECK(f.fields("<?xml version='1.0'?><!-- c --><r:row id='7'><a>1</a><b><c>2</c><c>3</c></b>"
                 "<d/>t&lt;<![CDATA[<x>&amp;]]></r:row>") ==
        "id='7'|a='1'|b.c='2'|b.c='3'|d=''|xml.element='row'|row='t<<x>&amp;'");
}

TEST_CASE("xml: references") {
  CHECK(unescaped("a&lt;b&gt;&amp;&quot;&apos;") == "a<b>&\"'");
  CHECK(unescaped("&#65;&#x42;&#xE4;&#x20AC;&#x1F600;") == "AB\u00E4\u20AC\U0001F600");
  CHECK(unescaped("&#0;") == std::string(1, '\0'));
  CHECK(unescaped("&#xD800;&#1114112;") == "\uFFFD\uFFFD");
  CHECK(unescaped("&unknown; & &; &# &#x; &#12a; &amp") == "&unknown; & &; &# &#x; &#12a; &amp");
}

TEST_CASE("xml: what is broken, nested without end or declares entities is not taken") {
  XmlFixture f("xml");
  std::string deep;
  for (int i = 0; i < 100; ++i) {
    deep += "<a>";
  }
  for (std::string const& bad :
       {std::string("<a>"), std::string("<a></b>"), std::string("</a>"), std::string("<a b></a>"),
        std::string("<a b=c></a>"), std::string("<a b='c></a>"), std::string("<a><![CDATA[x</a>"),
        std::string("<a><!-- </a>"), std::string("<a/><b"), std::string("<a/>text"),
        std::string("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), std::string("<a"),
        std::string("<a/"), std::string("< a/>"), std::string("<>"), deep}) {
    CAPTURE(bad);
    Batch const batch = f.decode(bad, Block::Framing::whole);
    REQUIRE(batch.events.size() == 1);
    CHECK(batch.events[0].decoder == 0xFF);
    CHECK(batch.fields.empty());
    CHECK(!f.set->explain(bad, *f.cache, f.options).empty());
  }
}

TEST_CASE("xml: fields and names are bounded") {
  XmlFixture f;
  std::string many = "<r>";
  for (int i = 0; i < 5000; ++i) {
    many += "<a>1</a>";
  }
  Batch const batch = f.decode(many + "</r>", Block::Framing::whole);
  REQUIRE(batch.events.size() == 1);
  CHECK(batch.events[0].field_count == 4096);
  CHECK(batch.fields_over == 905);
  std::string const name(1000, 'n');
  CHECK(f.fields("<" + name + ">v</" + name + ">") ==
        "xml.element='" + name + "'|" + std::string(256, 'n') + "='v'");
}

TEST_CASE("xml: several events in a record") {
  XmlFixture f;
  auto const events = f.read("<Events>" + event("") + "\r" + event("") + "</Events>\n");
  REQUIRE(events.size() == 2);
  CHECK(events[0] == "0/0 " + event("") + " -> EventID=1");
  CHECK(events[1].starts_with("0/1 "));
}

TEST_CASE("xml: events over several lines, wherever the log is cut") {
  std::string const log =
      "<?xml version=\"1.0\"?>\n<Events>\n<Event>\n  <System>\n    <EventID>1</EventID>\n"
      "  </System>\n  <EventData>\n    <Data Name=\"x\">a &lt;Event>\n\nb</Data>\n  </EventData>\n"
      "</Event>\n<Event><System><EventID>2</EventID></System></Event>\nno XML\n<Event>\n  "
      "<System>\n"
      "<Event>\n  <System><EventID>3</EventID></System>\n</Event>\n<Event\n  a='1'/>\n</Events>\n";
  XmlFixture f;
  auto const whole = f.read(log);
  CHECK(f.records == f.joined + whole.size() + 1);  // one is empty
  REQUIRE(whole.size() == 6);
  CHECK(whole[0].ends_with("-> EventID=1|x='a <Event>\n\nb'"));
  CHECK(whole[1].ends_with("-> EventID=2"));
  CHECK(whole[2].ends_with("no XML -> unknown"));
  CHECK(whole[3].ends_with("<Event>\n  <System> -> "));  // cut off by the next one
  CHECK(whole[4].ends_with("-> EventID=3"));
  CHECK(whole[5].ends_with("-> a='1'|xml.element='Event'|Event=''"));
  std::vector<std::size_t> ends;
  for (std::size_t at = log.find('\n'); at != std::string::npos; at = log.find('\n', at + 1)) {
    ends.push_back(at + 1);
  }
  CHECK(f.read(log, ends) == whole);
  for (std::size_t const end : ends) {
    CHECK(f.read(log, {end}) == whole);
  }
}

TEST_CASE("xml: an element that never ends holds nothing up for long") {
  XmlFixture f;
  std::string log = "<a>\n";
  for (int i = 0; i < 100'000; ++i) {
    log += "<a>x\n";
  }
  auto const events = f.read(log);
  CHECK(events.size() >= 2);
  CHECK(f.records == f.joined + events.size());
  std::string indented = "<b>\n";
  for (int i = 0; i < 100'000; ++i) {
    indented += " <b>x\n";
  }
  CHECK(f.read(indented).size() >= 2);
}

TEST_CASE("xml: garbled events never break anything") {
  std::string const good = event("<EventData><Data Name='a'>&#65;b</Data></EventData>");
  XmlFixture f("xml");
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string bad = good;
    for (unsigned change = 0; change < 1 + random() % 3; ++change) {
      bad[random() % bad.size()] = std::string_view("<>&'\"/ =;!\nx")[random() % 12];
    }
    CHECK(f.decode(bad, Block::Framing::whole).events.size() >= 1);
  }
}

}  // namespace vedette::decode::xml_test
