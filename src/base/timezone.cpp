#include "base/timezone.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>

namespace vedette {
namespace {

constexpr std::string_view kZoneFolder = "/usr/share/zoneinfo/";
constexpr std::size_t kMaxZoneFile = 1 << 20;
constexpr int kMaxOffset = 26 * 3600;  ///< RFC 8536 allows -25 h to 26 h
constexpr std::int64_t kRuleUntilSecond =
    9'000'000'000;  ///< 2255: rules of the footer are followed so far
constexpr int kRuleUntilYear = 2250;

/// A change of offset at a point of UTC, in seconds.
struct UtcChange {
  std::int64_t at;
  int offset;
};

/// Reads big-endian numbers; past the end it gives 0 and remembers.
class TzifReader {
 public:
  explicit TzifReader(std::string_view bytes) : bytes_(bytes) {}

  std::int64_t number(std::size_t size) {
    if (bytes_.size() - at_ < size) {
      good_ = false;
      at_ = bytes_.size();
      return 0;
    }
    std::uint64_t value = static_cast<unsigned char>(bytes_[at_]) >= 0x80 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = 0; i < size; ++i) {
      value = value << 8 | static_cast<unsigned char>(bytes_[at_++]);
    }
    return static_cast<std::int64_t>(value);
  }
  std::size_t count() { return static_cast<std::uint32_t>(number(4)); }
  void skip(std::size_t size) {
    good_ = good_ && bytes_.size() - at_ >= size;
    at_ = std::min(bytes_.size(), at_ + size);
  }
  std::string_view rest() const { return bytes_.substr(at_); }
  bool good() const { return good_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool good_ = true;
};

struct TzifHeader {
  char version = 0;
  std::size_t utc_marks = 0, wall_marks = 0, leaps = 0, times = 0, types = 0, letters = 0;

  std::size_t body_size(std::size_t time_size) const {
    return times * (time_size + 1) + types * 6 + letters + leaps * (time_size + 4) + wall_marks +
           utc_marks;
  }
};

std::optional<TzifHeader> read_header(TzifReader& in) {
  std::string_view const start = in.rest().substr(0, 20);
  if (!start.starts_with("TZif") || start.size() < 20) {
    return std::nullopt;
  }
  TzifHeader header;
  header.version = start[4];
  in.skip(20);
  header.utc_marks = in.count();
  header.wall_marks = in.count();
  header.leaps = in.count();
  header.times = in.count();
  header.types = in.count();
  header.letters = in.count();
  if (!in.good() || header.types == 0 || header.types > 256 || header.body_size(8) > kMaxZoneFile) {
    return std::nullopt;
  }
  return header;
}

/// The POSIX rule at the end of a TZif file, `CET-1CEST,M3.5.0,M10.5.0/3`: what holds after the
/// last change that the file lists.
class ZoneRule {
 public:
  static std::optional<ZoneRule> parse(std::string_view text) {
    ZoneRule rule;
    rule.text_ = text;
    auto const standard = rule.name() ? rule.offset(24) : std::nullopt;
    if (!standard) {
      return std::nullopt;
    }
    rule.standard_ = -*standard;
    rule.summer_ = rule.standard_ + 3600;
    if (rule.text_.empty()) {
      return rule;
    }
    rule.changes_ = true;
    if (!rule.name()) {
      return std::nullopt;
    }
    if (!rule.text_.starts_with(',')) {
      auto const summer = rule.offset(24);
      if (!summer) {
        return std::nullopt;
      }
      rule.summer_ = -*summer;
    }
    if (!rule.date(rule.begin_) || !rule.date(rule.end_) || !rule.text_.empty()) {
      return std::nullopt;
    }
    return rule;
  }

  /// Adds the changes of one year.
  void append(int year, std::vector<UtcChange>& out) const {
    if (!changes_) {
      return;
    }
    UtcChange const begin{begin_.second_in(year) - standard_, summer_};
    UtcChange const end{end_.second_in(year) - summer_, standard_};
    out.push_back(begin.at < end.at ? begin : end);
    out.push_back(begin.at < end.at ? end : begin);
  }

 private:
  struct Date {
    char form = 'M';  ///< M month.week.day, J day 1-365 without 29 February, 0 day 0-365
    int month = 0, week = 0, day = 0;
    int second = 7200;

    std::int64_t second_in(int year) const {
      std::int64_t date = days_from_civil(year, 1, 1) + day;
      if (form == 'J') {
        date = days_from_civil(year, 1, 1) + day - 1;
        bool const leap = days_from_civil(year, 3, 1) - days_from_civil(year, 2, 1) == 29;
        date += leap && day >= 60 ? 1 : 0;
      } else if (form == 'M') {
        std::int64_t const first = days_from_civil(year, static_cast<unsigned>(month), 1);
        std::int64_t const next = month == 12
                                      ? days_from_civil(year + 1, 1, 1)
                                      : days_from_civil(year, static_cast<unsigned>(month) + 1, 1);
        std::int64_t const weekday = ((first + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
        date = first + (day - weekday + 7) % 7 + (week - 1) * 7;
        date -= date >= next ? 7 : 0;
      }
      return date * 86400 + second;
    }
  };

  bool take(char c) {
    if (text_.starts_with(c)) {
      text_.remove_prefix(1);
      return true;
    }
    return false;
  }

  bool name() {
    std::size_t size = 0;
    if (take('<')) {
      size = text_.find('>');
      if (size == std::string_view::npos) {
        return false;
      }
      text_.remove_prefix(size + 1);
      return true;
    }
    while (size < text_.size() && ((text_[size] >= 'A' && text_[size] <= 'Z') ||
                                   (text_[size] >= 'a' && text_[size] <= 'z'))) {
      ++size;
    }
    text_.remove_prefix(size);
    return size > 0;
  }

  std::optional<int> integer(int least, int most) {
    int value = 0;
    std::size_t size = 0;
    while (size < text_.size() && size < 4 && text_[size] >= '0' && text_[size] <= '9') {
      value = value * 10 + (text_[size++] - '0');
    }
    text_.remove_prefix(size);
    return size == 0 || value < least || value > most ? std::nullopt : std::optional(value);
  }

  /// [+-]hh[:mm[:ss]] in seconds.
  std::optional<int> offset(int most_hours) {
    bool const negative = take('-');
    if (!negative) {
      take('+');
    }
    auto const hours = integer(0, most_hours);
    if (!hours) {
      return std::nullopt;
    }
    int seconds = *hours * 3600;
    for (int unit = 60; unit > 0 && take(':'); unit /= 60) {
      auto const part = integer(0, 59);
      if (!part) {
        return std::nullopt;
      }
      seconds += *part * unit;
    }
    return negative ? -seconds : seconds;
  }

  bool date(Date& out) {
    if (!take(',')) {
      return false;
    }
    std::optional<int> day;
    if (take('M')) {
      auto const month = integer(1, 12);
      auto const week = month && take('.') ? integer(1, 5) : std::nullopt;
      day = week && take('.') ? integer(0, 6) : std::nullopt;
      out.month = month.value_or(0);
      out.week = week.value_or(0);
    } else {
      out.form = take('J') ? 'J' : '0';
      day = integer(out.form == 'J' ? 1 : 0, 365);
    }
    if (!day) {
      return false;
    }
    out.day = *day;
    if (take('/')) {
      auto const second = offset(167);
      out.second = second.value_or(0);
      return second.has_value();
    }
    return true;
  }

  std::string_view text_;
  int standard_ = 0;
  int summer_ = 0;
  bool changes_ = false;
  Date begin_;
  Date end_;
};

/// The data block; fills `first` and `changes`. False when it is damaged.
bool read_body(TzifReader& in, TzifHeader const& header, std::size_t time_size, int& first,
               std::vector<UtcChange>& changes) {
  std::vector<std::size_t> types(header.times);
  changes.resize(header.times);
  for (UtcChange& change : changes) {
    change.at = in.number(time_size);
  }
  for (std::size_t& type : types) {
    type = static_cast<std::size_t>(in.number(1) & 0xFF);
  }
  std::vector<int> offsets(header.types);
  for (int& offset : offsets) {
    offset = static_cast<int>(in.number(4));
    if (offset < -kMaxOffset || offset > kMaxOffset) {
      return false;
    }
    in.skip(2);
  }
  in.skip(header.letters + header.leaps * (time_size + 4) + header.wall_marks + header.utc_marks);
  first = offsets[0];
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (types[i] >= offsets.size() || (i > 0 && changes[i].at <= changes[i - 1].at)) {
      return false;
    }
    changes[i].offset = offsets[types[i]];
  }
  return in.good();
}

/// The years after the last listed change, by the rule in the footer.
void follow_rule(std::string_view footer, std::vector<UtcChange>& changes) {
  if (!footer.starts_with('\n')) {
    return;
  }
  footer = footer.substr(1, footer.find('\n', 1) - 1);
  auto const rule = ZoneRule::parse(footer);
  if (!rule) {
    return;
  }
  std::int64_t const last = changes.empty() ? -kRuleUntilSecond : changes.back().at;
  int const begin =
      last < -kRuleUntilSecond ? 1700 : to_civil(std::min(last, kRuleUntilSecond) * kSecond).year;
  std::vector<UtcChange> more;
  for (int year = begin; year <= kRuleUntilYear; ++year) {
    rule->append(year, more);
  }
  for (UtcChange const& change : more) {
    if (change.at > last) {
      changes.push_back(change);
    }
  }
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

bool safe_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 100 || name.front() == '/' || name.back() == '/') {
    return false;
  }
  // No dot: neither `..` nor the folder's own data files.
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  });
}

/// `+02:00`, `-0530`, `+02`: what parse_iso_time takes after a stamp, read by it.
std::optional<int> parse_fixed_offset(std::string_view text) {
  if (text.empty() || text.size() > 6 || (text[0] != '+' && text[0] != '-')) {
    return std::nullopt;
  }
  auto const time = parse_iso_time(std::string("1970-01-02T00:00:00").append(text));
  return time ? std::optional(static_cast<int>((kDay - *time) / kSecond)) : std::nullopt;
}

}  // namespace

Result<Timezone> Timezone::load(std::string_view name) {
  Timezone zone;
  zone.name_ = name;
  if (name == "UTC" || name == "Z") {
    return zone;
  }
  if (auto const offset = parse_fixed_offset(name)) {
    zone.first_offset_ = *offset;
    return zone;
  }
  std::string const quoted = "timezone '" + std::string(name.substr(0, 100)) + "'";
  char const* const hint = "write a name such as Europe/Berlin, or an offset such as +02:00";
  if (!safe_zone_name(name)) {
    return fail(quoted + " is no name of a time zone", hint);
  }
  std::string const path = std::string(kZoneFolder).append(name);
  std::unique_ptr<std::FILE, CloseFile> const file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) {
    return errno == ENOENT || errno == ENOTDIR
               ? Result<Timezone>(fail(quoted + " is not known on this machine", hint))
               : Result<Timezone>(fail_errno("cannot read " + path, errno));
  }
  std::string bytes(kMaxZoneFile, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
  return from_tzif(bytes, name);
}

Result<Timezone> Timezone::from_tzif(std::string_view bytes, std::string_view name) {
  auto const damaged = [&] { return fail("timezone " + std::string(name) + ": not a TZif file"); };
  TzifReader in(bytes);
  auto header = read_header(in);
  if (!header) {
    return damaged();
  }
  std::size_t time_size = 4;
  if (header->version >= '2') {  // the second block has 64-bit times and the same meaning
    in.skip(header->body_size(4));
    header = read_header(in);
    time_size = 8;
  }
  Timezone zone;
  std::vector<UtcChange> changes;
  if (!header || !read_body(in, *header, time_size, zone.first_offset_, changes)) {
    return damaged();
  }
  if (time_size == 8) {
    follow_rule(in.rest(), changes);
  }
  zone.name_ = name;
  int before = zone.first_offset_;
  for (UtcChange const& change : changes) {
    if (change.at < -kRuleUntilSecond) {  // before 1684: the offset of then holds since ever
      zone.first_offset_ = before = change.offset;
      continue;
    }
    if (change.at > kRuleUntilSecond) {
      break;
    }
    // Of a gap the offset before it holds until its end, of a doubled hour until its first end.
    Nanos const local = (change.at + std::max(before, change.offset)) * kSecond;
    if (change.offset != before && (zone.changes_.empty() || zone.changes_.back().local < local)) {
      zone.changes_.push_back({local, change.offset});
    }
    before = change.offset;
  }
  return zone;
}

Timezone::Span Timezone::span_at(Nanos local) const {
  auto const next = std::upper_bound(changes_.begin(), changes_.end(), local,
                                     [](Nanos time, Change const& c) { return time < c.local; });
  Span span;
  span.offset = first_offset_;
  if (next != changes_.begin()) {
    span.from = std::prev(next)->local;
    span.offset = std::prev(next)->offset;
  }
  if (next != changes_.end()) {
    span.until = next->local;
  }
  return span;
}

}  // namespace vedette
