// NetFlow v5, v9 and IPFIX datagrams as they lie in records, taken apart down to sets; and the
// templates that say what the bytes of data sets mean. Any bytes may be given.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace vedette::decode {

/// What a record holds: `netflow ADDRESS PORT SIZE`, a line end and so many bytes (the netflow
/// source writes it so), `netflow ADDRESS PORT hex DIGITS`, or a datagram alone.
struct NetflowRecord {
  std::string_view exporter;  ///< "" = not known
  std::string_view port;
  std::string_view datagram;
};
/// `kept`: takes the bytes of the form in hexadecimal. nullopt: none of these.
std::optional<NetflowRecord> read_netflow_record(std::string_view record, std::string& kept);

/// Reads big-endian numbers from the front; past the end it gives zeros and says so.
class NetflowBytes {
 public:
  explicit NetflowBytes(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t number(std::size_t size) {
    std::string_view const bytes = take(size);
    std::uint64_t out = 0;
    for (char const byte : bytes) {
      out = out << 8 | static_cast<unsigned char>(byte);
    }
    return out;
  }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::string_view take(std::size_t size) {
    if (size > rest_.size()) {
      over_ = true;
      size = rest_.size();
    }
    std::string_view const out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  std::size_t left() const { return rest_.size(); }
  bool over() const { return over_; }

 private:
  std::string_view rest_;
  bool over_ = false;
};

struct NetflowHeader {
  std::uint16_t version = 0;
  std::uint16_t count = 0;    ///< v5: of flows
  std::uint32_t uptime = 0;   ///< milliseconds; v5, v9
  std::uint32_t seconds = 0;  ///< when it was sent
  std::uint32_t nanos = 0;    ///< v5
  std::uint32_t sequence = 0;
  std::uint32_t domain = 0;  ///< source id, observation domain; v5: engine
  std::string_view body;     ///< flows or sets
};
/// nullopt: neither v5, v9 nor IPFIX, or shorter than it says.
std::optional<NetflowHeader> read_netflow_header(std::string_view datagram);

struct NetflowSet {
  std::uint16_t id = 0;
  std::string_view bytes;
};
/// The next set of a v9 or IPFIX body; false at the end or when the rest is none.
bool next_netflow_set(std::string_view& body, NetflowSet& set);

struct NetflowTemplate {
  struct Entry {
    std::uint32_t enterprise = 0;
    std::uint16_t number = 0;
    std::uint16_t size = 0;  ///< kVariable: the data say it
    friend bool operator==(Entry const&, Entry const&) = default;
  };
  static constexpr std::uint16_t kVariable = 0xFFFF;
  std::vector<Entry> entries;
  bool options = false;
  std::size_t least = 0;    ///< bytes of a record, at least
  std::uint64_t order = 0;  ///< when it was defined last: the oldest goes when there are too many

  bool same(NetflowTemplate const& other) const {
    return entries == other.entries && options == other.options;
  }
};

/// The templates of one log. Bounded: senders of datagrams can claim any address.
class NetflowTemplates {
 public:
  static constexpr std::size_t kMostTemplates = 2000;
  static constexpr std::size_t kMostEntries = 60'000;  ///< of all templates together
  static constexpr std::size_t kMostOfOne = 500;

  /// Takes the templates out of a set. True: something is new or changed.
  bool read_set(std::string_view exporter, NetflowHeader const& header, NetflowSet const& set);
  NetflowTemplate const* find(std::string_view exporter, NetflowHeader const& header,
                              std::uint16_t id) const;
  std::string save() const;
  /// What save() gave; anything else gives no templates.
  void load(std::string_view saved);
  void clear();

 private:
  using Key = std::tuple<std::string, std::uint16_t, std::uint32_t, std::uint16_t>;
  using Map = std::map<Key, NetflowTemplate>;
  bool define(Key key, NetflowTemplate made);
  void insert(Key key, NetflowTemplate made);
  void erase(Map::iterator which);

  Map templates_;
  std::map<std::uint64_t, Map::iterator> by_order_;
  std::size_t entries_ = 0;
  std::uint64_t next_order_ = 0;
};

/// Whether a set holds templates.
inline bool is_template_set(NetflowHeader const& header, std::uint16_t id) {
  return header.version == 9 ? id == 0 || id == 1 : id == 2 || id == 3;
}

}  // namespace vedette::decode
