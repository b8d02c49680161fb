// NetFlow and IPFIX: hand-made datagrams, hostile ones among them. Those of real exporters are in
// test/integration/netflow_test.py.
#include "decode/decode_fixture.hpp"
#include "decode/netflow_packet.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

namespace vedette::decode::netflow_test {
namespace {

std::string be(std::uint64_t value, std::size_t size) {
  std::string out;
  for (std::size_t i = size; i-- > 0;) {
    out += static_cast<char>(value >> (8 * i) & 0xFFU);
  }
  return out;
}
std::string set_of(unsigned id, std::string const& body) {
  return be(id, 2) + be(body.size() + 4, 2) + body;
}
std::string v9(std::string const& sets, std::uint32_t domain = 7) {
  return be(9, 2) + be(1, 2) + be(60'000, 4) + be(1'700'000'000, 4) + be(1, 4) + be(domain, 4) +
         sets;
}
std::string ipfix(std::string const& sets) {
  return be(10, 2) + be(sets.size() + 16, 2) + be(1'700'000'000, 4) + be(1, 4) + be(7, 4) + sets;
}
std::string entry(unsigned number, unsigned size) { return be(number, 2) + be(size, 2); }
std::string hex_line(std::string const& datagram, std::string const& exporter = "192.0.2.1") {
  std::string out = "netflow " + exporter + " 2055 hex ";
  for (char const byte : datagram) {
    static constexpr char kDigits[] = "0123456789abcdef";
    out += kDigits[static_cast<unsigned char>(byte) >> 4];
    out += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return out + '\n';
}

/// Decodes blocks as a reader hands them on, with the context moved past each.
struct Stream {
  DecodeFixture fixture;
  LogState state;
  std::uint64_t offset = 0;

  std::string add(std::string const& text, Block::Framing framing = Block::Framing::lines) {
    Block block = DecodeFixture::block_of(text, framing);
    block.offset = offset;
    offset += text.size();
    std::vector<Block> blocks;
    fixture.set->advance(state, std::move(block), fixture.options, blocks);
    std::string out;
    for (Batch const& batch : fixture.decode_blocks(std::move(blocks))) {
      for (Event const& event : batch.events) {
        out += std::string(fixture.catalog->type(event.type).name) + '|' +
               fixture.fields(batch, event) + '\n';
      }
    }
    return out;
  }
};

std::string const kTemplate = set_of(0, be(300, 2) + be(2, 2) + entry(8, 4) + entry(1, 4));
std::string flow(unsigned last, unsigned octets) {
  return be(0xC0000200U | last, 4) + be(octets, 4);
}

}  // namespace

TEST_CASE("NetFlow: templates hold for what comes later, in the same and in other blocks") {
  Stream stream;
  CHECK(stream.add(hex_line(v9(kTemplate))).empty());
  CHECK(stream.fixture.joined == 1);
  std::string const head =
      "network/netflow|exporter='192.0.2.1'|version=9|sequence=1|observationDomainId=7|"
      "templateId=300|";
  CHECK(stream.add(hex_line(v9(set_of(300, flow(1, 10) + flow(2, 20))))) ==
        head + "sourceIPv4Address='192.0.2.1'|octetDeltaCount=10\n" + head +
            "sourceIPv4Address='192.0.2.2'|octetDeltaCount=20\n");
  // A template that is changed holds from there on, also within one datagram and block.
  std::string const changed = set_of(0, be(300, 2) + be(1, 2) + entry(4, 1));
  CHECK(stream.add(hex_line(v9(set_of(300, flow(3, 30)))) +
                   hex_line(v9(changed + set_of(300, "\x06")))) ==
        head + "sourceIPv4Address='192.0.2.3'|octetDeltaCount=30\n" + head +
            "protocolIdentifier=6\n");
  // Another exporter, another domain: not theirs.
  std::string const other = stream.add(hex_line(v9(set_of(300, "\x06")), "192.0.2.9") +
                                       hex_line(v9(set_of(300, "\x06"), 8)));
  CHECK(other.find("protocolIdentifier") == std::string::npos);
  CHECK(other.find("undecodedSet=300|undecodedBytes=1") != std::string::npos);
  CHECK(stream.fixture.records == 6);
}

TEST_CASE("NetFlow: what a log carries goes through a checkpoint") {
  Stream before;
  before.add(hex_line(v9(kTemplate)));
  Stream after;
  REQUIRE(after.state.load(before.state.save()).has_value());
  after.offset = before.offset;
  CHECK(after.add(hex_line(v9(set_of(300, flow(5, 50))))).find("192.0.2.5") != std::string::npos);
}

TEST_CASE("NetFlow: datagrams as the source writes them, with any last byte") {
  Stream stream;
  for (std::string const last : {"x\n", "\r\n", "xx"}) {
    std::string const datagram =
        v9(set_of(0, be(300, 2) + be(1, 2) + entry(999, 2)) + set_of(300, last));
    std::string const record =
        "netflow ::1 9 " + std::to_string(datagram.size()) + "\n" + datagram + ".";
    std::string const frame =
        std::string{static_cast<char>(record.size()), 0, 0, 0} + std::string(8, '\0') + record;
    std::string const got = stream.add(frame, Block::Framing::framed);
    CAPTURE(got);
    unsigned const value =
        static_cast<unsigned char>(last[0]) * 256U + static_cast<unsigned char>(last[1]);
    CHECK(got.find("element_999=" + std::to_string(value)) != std::string::npos);
  }
}

TEST_CASE("IPFIX: lengths in the data, vendors' elements, withdrawal, every kind of value") {
  Stream stream;
  std::string const entries = entry(371, 0xFFFF) + entry(0x8000 | 5, 2) + be(12345, 4) +
                              entry(56, 6) + entry(27, 16) + entry(320, 8) + entry(95, 4) +
                              entry(152, 8) + entry(1, 3) + entry(210, 2) + entry(90, 8);
  std::string const templates = set_of(2, be(256, 2) + be(10, 2) + entries);
  std::string const data = std::string(
                               "\x03"
                               "bob") +
                           be(17, 2) + be(0x0102030405FF, 6) + be(0x20010DB8, 4) +
                           std::string(11, '\0') + "\x01" + be(0x3FF8000000000000, 8) +
                           be(0x03000050, 4) + be(1'700'000'000'123, 8) + be(1000, 3) + "zz" +
                           be(0xABCD, 8);
  CHECK(stream.add(hex_line(ipfix(templates + set_of(256, data)))) ==
        "network/netflow|exporter='192.0.2.1'|version=10|sequence=1|observationDomainId=7|"
        "templateId=256|userName='bob'|element_12345_5=17|sourceMacAddress='01:02:03:04:05:ff'|"
        "sourceIPv6Address='2001:db8::1'|absoluteError=1.5|applicationId='3..80'|"
        "flowStartMilliseconds=1700000000123|octetDeltaCount=1000|"
        "mplsVpnRouteDistinguisher='000000000000abcd'|flowStart='2023-11-14T22:13:20.123Z'\n");
  stream.add(hex_line(ipfix(set_of(2, be(256, 2) + be(0, 2)))));
  CHECK(stream.add(hex_line(ipfix(set_of(256, data)))).find("undecodedSet=256") !=
        std::string::npos);
  // Options, with scopes.
  std::string const options =
      set_of(3, be(257, 2) + be(2, 2) + be(1, 2) + entry(143, 4) + entry(41, 8));
  CHECK(stream.add(hex_line(ipfix(options + set_of(257, be(9, 4) + be(100, 8)))))
            .starts_with("network/netflow_meta|"));
}

TEST_CASE("NetFlow: hostile datagrams cost what they weigh") {
  // Fields of no length and records of one byte: neither multiplies.
  std::string many;
  for (int i = 0; i < 10'000; ++i) {
    many += entry(1, 0);
  }
  std::string const zero = set_of(0, be(300, 2) + be(10'001, 2) + many + entry(4, 1));
  Stream stream;
  stream.add(hex_line(v9(zero)));
  std::string const flows = stream.add(hex_line(v9(set_of(300, std::string(20'000, 'x')))));
  CHECK(std::count(flows.begin(), flows.end(), '\n') == 20'000);
  CHECK(flows.size() < 20'000 * 200);
  // Templates without end: the oldest go.
  NetflowTemplates templates;
  NetflowHeader header;
  header.version = 9;
  for (unsigned i = 0; i < 200'000; ++i) {
    header.domain = i;
    std::string const body = be(300, 2) + be(1, 2) + entry(1, 4);
    templates.read_set("192.0.2.1", header, {0, body});
  }
  CHECK(templates.save().size() < 200'000);
  CHECK(templates.find("192.0.2.1", header, 300) != nullptr);
  header.domain = 0;
  CHECK(templates.find("192.0.2.1", header, 300) == nullptr);
}

TEST_CASE("NetFlow: any bytes are taken or refused, and never read past their end") {
  std::mt19937 random(7);
  std::string const good =
      v9(kTemplate + set_of(300, flow(1, 10)) +
         set_of(1, be(301, 2) + be(4, 2) + be(4, 2) + entry(1, 4) + entry(2, 4)));
  Stream stream;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = round % 2 == 0 ? good : ipfix(good.substr(20));
    for (unsigned i = 0; i < 1 + random() % 4; ++i) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    bytes.resize(random() % (bytes.size() + 1));
    stream.add(hex_line(v9(kTemplate)) + hex_line(bytes));
    CHECK(stream.fixture.records == 2U * static_cast<unsigned>(round + 1));
    NetflowTemplates templates;
    templates.load(bytes);
    templates.load("NFT1" + bytes);
    auto const saved = templates.save();
    NetflowTemplates again;
    again.load(saved);
    CHECK(again.save() == saved);
  }
  for (char const* wrong :
       {"netflow", "netflow ", "netflow a", "netflow a b", "netflow a b ", "netflow a b hex",
        "netflow a b hex 0", "netflow a b hex zz", "netflow a b 12x\n", "netflow a b -1\nxx",
        "netflow a b 99999999999999999999999\nxx"}) {
    CAPTURE(wrong);
    std::string kept;
    auto const record = read_netflow_record(wrong, kept);
    CHECK_FALSE((record && read_netflow_header(record->datagram)));
  }
}

}  // namespace vedette::decode::netflow_test
