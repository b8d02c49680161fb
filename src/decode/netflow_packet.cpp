#include "decode/netflow_packet.hpp"

#include "decode/netflow_elements.hpp"

#include <algorithm>
#include <charconv>

namespace vedette::decode {
namespace {

constexpr std::string_view kMark = "netflow ";
constexpr std::size_t kFlowV5 = 48;

std::optional<unsigned> hex_digit(char c) {
  return c >= '0' && c <= '9'   ? std::optional(static_cast<unsigned>(c - '0'))
         : c >= 'a' && c <= 'f' ? std::optional(static_cast<unsigned>(c - 'a' + 10))
         : c >= 'A' && c <= 'F' ? std::optional(static_cast<unsigned>(c - 'A' + 10))
                                : std::nullopt;
}

std::optional<std::string_view> from_hex(std::string_view digits, std::string& kept) {
  kept.clear();
  if (digits.size() % 2 != 0) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    auto const high = hex_digit(digits[i]);
    auto const low = hex_digit(digits[i + 1]);
    if (!high || !low) {
      return std::nullopt;
    }
    kept += static_cast<char>(*high << 4 | *low);
  }
  return kept;
}

std::string_view next_word(std::string_view& text) {
  std::size_t const end = std::min(text.find_first_of(" \n"), text.size());
  std::string_view const word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

}  // namespace

std::optional<NetflowRecord> read_netflow_record(std::string_view record, std::string& kept) {
  NetflowRecord out;
  if (!record.starts_with(kMark)) {
    out.datagram = record;
    return read_netflow_header(record) ? std::optional(out) : std::nullopt;
  }
  record.remove_prefix(kMark.size());
  std::string_view* const words[] = {&out.exporter, &out.port};
  for (std::string_view* const word : words) {
    *word = next_word(record);
    if (word->empty() || word->size() > 64 || !record.starts_with(' ')) {
      return std::nullopt;
    }
    record.remove_prefix(1);
  }
  std::string_view const size = next_word(record);
  if (record.empty()) {
    return std::nullopt;
  }
  record.remove_prefix(1);
  if (size == "hex") {
    auto const bytes = from_hex(record, kept);
    out.datagram = bytes.value_or("");
    return bytes ? std::optional(out) : std::nullopt;
  }
  std::size_t count = 0;
  auto const read = std::from_chars(size.data(), size.data() + size.size(), count);
  if (size.empty() || read.ptr != size.data() + size.size() || read.ec != std::errc()) {
    return std::nullopt;
  }
  out.datagram = record.substr(0, count);
  return out;
}

std::optional<NetflowHeader> read_netflow_header(std::string_view datagram) {
  NetflowBytes bytes(datagram);
  NetflowHeader out;
  out.version = bytes.u16();
  if (out.version == 5) {
    out.count = bytes.u16();
    out.uptime = bytes.u32();
    out.seconds = bytes.u32();
    out.nanos = bytes.u32();
    out.sequence = bytes.u32();
    out.domain = bytes.u16();
    bytes.u16();
    if (bytes.over() || out.count == 0 || out.count * kFlowV5 > bytes.left()) {
      return std::nullopt;
    }
    out.body = bytes.take(out.count * kFlowV5);
    return out;
  }
  if (out.version == 9) {
    out.count = bytes.u16();
    out.uptime = bytes.u32();
    out.seconds = bytes.u32();
    out.sequence = bytes.u32();
    out.domain = bytes.u32();
    out.body = bytes.take(bytes.left());
  } else if (out.version == 10) {
    std::size_t const length = bytes.u16();
    out.seconds = bytes.u32();
    out.sequence = bytes.u32();
    out.domain = bytes.u32();
    if (length < 16 || length > datagram.size()) {
      return std::nullopt;
    }
    out.body = bytes.take(length - 16);
  } else {
    return std::nullopt;
  }
  return bytes.over() || out.body.size() < 4 ? std::nullopt : std::optional(out);
}

bool next_netflow_set(std::string_view& body, NetflowSet& set) {
  NetflowBytes bytes(body);
  set.id = bytes.u16();
  std::size_t const length = bytes.u16();
  if (bytes.over() || length < 4 || length > body.size()) {
    return false;
  }
  set.bytes = body.substr(4, length - 4);
  body.remove_prefix(length);
  return true;
}

namespace {

/// One template out of a template set. False: the rest is padding, or broken.
bool read_template(NetflowBytes& bytes, NetflowHeader const& header, std::uint16_t set,
                   std::uint16_t& id, NetflowTemplate& out) {
  id = bytes.u16();
  std::size_t count = bytes.u16();
  std::size_t scopes = 0;
  if (header.version == 9 && set == 1) {  // lengths in bytes
    scopes = count / 4;
    count = scopes + bytes.u16() / 4U;
    out.options = true;
  } else if (header.version == 10 && set == 3) {
    out.options = true;
    if (count > 0) {
      bytes.u16();  // how many of them are scopes
    }
  }
  if (bytes.over() || id < 256 || count * 4 > bytes.left()) {
    return false;
  }
  for (std::size_t i = 0; i < count; ++i) {
    NetflowTemplate::Entry entry;
    entry.number = bytes.u16();
    entry.size = bytes.u16();
    if (header.version == 10 && (entry.number & 0x8000U) != 0) {
      entry.number &= 0x7FFFU;
      entry.enterprise = bytes.u32();
    } else if (i < scopes) {
      entry.enterprise = NetflowElements::kScopePen;
    }
    out.least += header.version == 10 && entry.size == NetflowTemplate::kVariable ? 1 : entry.size;
    if (entry.size > 0) {  // so no value costs nothing
      out.entries.push_back(entry);
    }
  }
  return !bytes.over();
}

}  // namespace

bool NetflowTemplates::read_set(std::string_view exporter, NetflowHeader const& header,
                                NetflowSet const& set) {
  NetflowBytes bytes(set.bytes);
  bool changed = false;
  while (bytes.left() >= 4) {
    std::uint16_t id = 0;
    NetflowTemplate made;
    if (!read_template(bytes, header, set.id, id, made)) {
      return changed;
    }
    if (made.entries.empty()) {  // withdrawn
      auto const known =
          templates_.find({std::string(exporter), header.version, header.domain, id});
      if (known != templates_.end()) {
        erase(known);
        changed = true;
      }
    } else if (made.entries.size() <= kMostOfOne) {
      changed =
          define({std::string(exporter), header.version, header.domain, id}, std::move(made)) ||
          changed;
    }
  }
  return changed;
}

void NetflowTemplates::clear() {
  by_order_.clear();
  templates_.clear();
  entries_ = 0;
  next_order_ = 0;
}

void NetflowTemplates::erase(Map::iterator which) {
  entries_ -= which->second.entries.size();
  by_order_.erase(which->second.order);
  templates_.erase(which);
}

void NetflowTemplates::insert(Key key, NetflowTemplate made) {
  std::uint64_t const order = made.order;
  next_order_ = std::max(next_order_, order + 1);
  entries_ += made.entries.size();
  by_order_[order] = templates_.insert_or_assign(std::move(key), std::move(made)).first;
}

bool NetflowTemplates::define(Key key, NetflowTemplate made) {
  auto const found = templates_.find(key);
  if (found != templates_.end()) {
    if (found->second.same(made)) {
      return false;
    }
    erase(found);
  }
  made.order = next_order_;
  insert(std::move(key), std::move(made));
  while (templates_.size() > kMostTemplates || entries_ > kMostEntries) {
    erase(by_order_.begin()->second);
  }
  return true;
}

NetflowTemplate const* NetflowTemplates::find(std::string_view exporter,
                                              NetflowHeader const& header, std::uint16_t id) const {
  auto const found = templates_.find({std::string(exporter), header.version, header.domain, id});
  return found == templates_.end() ? nullptr : &found->second;
}

namespace {

constexpr std::string_view kSavedMark = "NFT1";

void put(std::string& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) {
    out += static_cast<char>(value >> (8 * i) & 0xFFU);
  }
}

}  // namespace

std::string NetflowTemplates::save() const {
  std::string out(kSavedMark);
  for (auto const& [key, one] : templates_) {
    auto const& [exporter, version, domain, id] = key;
    put(out, exporter.size(), 1);
    out += exporter;
    put(out, version, 2);
    put(out, domain, 4);
    put(out, id, 2);
    put(out, one.options ? 1 : 0, 1);
    put(out, one.least, 4);
    put(out, one.order, 8);
    put(out, one.entries.size(), 2);
    for (NetflowTemplate::Entry const& entry : one.entries) {
      put(out, entry.enterprise, 4);
      put(out, entry.number, 2);
      put(out, entry.size, 2);
    }
  }
  return out;
}

void NetflowTemplates::load(std::string_view saved) {
  clear();
  if (!saved.starts_with(kSavedMark)) {
    return;
  }
  NetflowBytes bytes(saved.substr(kSavedMark.size()));
  while (bytes.left() > 0) {
    std::string exporter(bytes.take(bytes.number(1)));
    std::uint16_t const version = bytes.u16();
    std::uint32_t const domain = bytes.u32();
    std::uint16_t const id = bytes.u16();
    NetflowTemplate one;
    one.options = bytes.number(1) != 0;
    one.least = bytes.u32();
    one.order = bytes.number(8);
    one.entries.resize(std::min<std::size_t>(bytes.u16(), kMostOfOne));
    for (NetflowTemplate::Entry& entry : one.entries) {
      entry.enterprise = bytes.u32();
      entry.number = bytes.u16();
      entry.size = bytes.u16();
    }
    if (bytes.over() || one.entries.empty() || one.least == 0 || by_order_.contains(one.order) ||
        templates_.size() >= kMostTemplates) {
      clear();
      return;
    }
    insert({std::move(exporter), version, domain, id}, std::move(one));
  }
}

}  // namespace vedette::decode
