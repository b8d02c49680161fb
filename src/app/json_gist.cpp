#include "app/json_gist.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace vedette::app {
namespace {

constexpr std::size_t kMaxRead = 64U << 10;  // of a record; what tells stands in front of that
constexpr std::size_t kMaxDepth = 24;
constexpr std::size_t kMaxPath = 200;
constexpr std::size_t kMaxValue = 120;

/// Parts of the line, in the order in which it says them. Of the names of one part the first found
/// in the record wins.
enum class Part : std::uint8_t { time, who, what, failure, to, from, text, count };

struct Telling {
  std::string_view path;
  Part part;
};

// The names under which products in wide use say these things.
constexpr Telling kTelling[] = {
    {"eventTime", Part::time},
    {"@timestamp", Part::time},
    {"timestamp", Part::time},
    {"time", Part::time},
    {"published", Part::time},
    {"UtcTime", Part::time},
    {"eventName", Part::what},
    {"alert.signature", Part::what},
    {"EventID", Part::what},
    {"event_id", Part::what},
    {"eventType", Part::what},
    {"event_type", Part::what},
    {"operationName", Part::what},
    {"methodName", Part::what},
    {"action", Part::what},
    {"verb", Part::what},
    {"errorCode", Part::failure},
    {"responseElements.ConsoleLogin", Part::failure},
    {"outcome.result", Part::failure},
    {"userIdentity.arn", Part::who},
    {"userIdentity.userName", Part::who},
    {"userIdentity.invokedBy", Part::who},
    {"actor.alternateId", Part::who},
    {"actor", Part::who},
    {"user.username", Part::who},
    {"user.name", Part::who},
    {"user", Part::who},
    {"SubjectUserName", Part::who},
    {"User", Part::who},
    {"sourceIPAddress", Part::from},
    {"client.ipAddress", Part::from},
    {"callerIpAddress", Part::from},
    {"IpAddress", Part::from},
    {"src_ip", Part::from},
    {"source.ip", Part::from},
    {"requestParameters.groupId", Part::to},
    {"requestParameters.userName", Part::to},
    {"requestParameters.roleName", Part::to},
    {"requestParameters.bucketName", Part::to},
    {"requestParameters.snapshotId", Part::to},
    {"requestParameters.dBSnapshotIdentifier", Part::to},
    {"requestParameters.imageId", Part::to},
    {"requestParameters.name", Part::to},
    {"requestParameters.trailName", Part::to},
    {"requestParameters.detectorId", Part::to},
    {"requestParameters.policyArn", Part::to},
    {"dest_ip", Part::to},
    {"TargetUserName", Part::to},
    {"objectRef.resource", Part::to},
    {"CommandLine", Part::text},
    {"ScriptBlockText", Part::text},
    {"displayMessage", Part::text},
    {"message", Part::text},
    {"msg", Part::text},
    {"MESSAGE", Part::text},
    {"log", Part::text},
    {"Image", Part::text},
};

// What the names above may stand in.
constexpr std::string_view kWrappers[] = {"detail.",          "winlog.event_data.", "event_data.",
                                          "Event.EventData.", "Event.System.",      "winlog.",
                                          "protoPayload."};

class GistReader {
 public:
  explicit GistReader(std::string_view text) : text_(text.substr(0, kMaxRead)) {
    ranks_.fill(std::size(kTelling));
  }

  std::string read() {
    skip_blanks();
    if (place_ < text_.size() && text_[place_] == '{') {
      while (place_ < text_.size() && token()) {
      }
    }
    return said();
  }

 private:
  struct Level {
    std::size_t path = 0;  ///< length of the path to it
    bool object = false;
  };

  void skip_blanks() {
    while (place_ < text_.size() && (text_[place_] == ' ' || text_[place_] == '\t' ||
                                     text_[place_] == '\n' || text_[place_] == '\r')) {
      ++place_;
    }
  }

  /// False: the end of the object, or of what can be followed.
  bool token() {
    char const c = text_[place_];
    if (c == '{' || c == '[') {
      if (depth_ == kMaxDepth) {
        return false;
      }
      levels_[depth_++] = {path_.size(), c == '{'};
      ++place_;
    } else if (c == '}' || c == ']') {
      path_.resize(std::min(path_.size(), levels_[--depth_].path));
      ++place_;
      if (depth_ == 0) {
        return false;
      }
    } else if (c == '"') {
      string();
    } else if (c == ',' || c == ':') {
      ++place_;
    } else {
      std::size_t const end =
          std::min(text_.find_first_of(",:]}\"{[ \t\r\n", place_ + 1), text_.size());
      value(text_.substr(place_, end - place_));
      place_ = end;
    }
    skip_blanks();
    return true;
  }

  void string() {
    std::size_t const begin = ++place_;
    while (place_ < text_.size() && text_[place_] != '"') {
      place_ += text_[place_] == '\\' ? 2 : 1;
    }
    place_ = std::min(place_, text_.size());
    std::string_view const inside = text_.substr(begin, place_ - begin);
    place_ = std::min(place_ + 1, text_.size());
    skip_blanks();
    if (place_ < text_.size() && text_[place_] == ':' && levels_[depth_ - 1].object) {
      path_.resize(std::min(path_.size(), levels_[depth_ - 1].path));
      if (path_.size() + 1 + inside.size() <= kMaxPath) {
        path_ += path_.empty() ? "" : ".";
        path_ += inside;
      } else {
        path_ += '.';  // of no name that tells
      }
      return;
    }
    value(inside);
  }

  void value(std::string_view text) {
    if (!levels_[depth_ - 1].object || text.empty() || text == "null") {
      return;
    }
    std::string_view path = path_;
    for (std::string_view const wrapper : kWrappers) {
      if (path.starts_with(wrapper)) {
        path.remove_prefix(wrapper.size());
        break;
      }
    }
    for (std::size_t i = 0; i < std::size(kTelling); ++i) {
      auto const part = static_cast<std::size_t>(kTelling[i].part);
      if (kTelling[i].path == path && i < ranks_[part]) {
        ranks_[part] = i;
        values_[part] = text;
        return;
      }
    }
  }

  std::string_view of(Part part) const { return values_[static_cast<std::size_t>(part)]; }

  /// Of an Amazon resource name what follows the account, without the kind of identity.
  static std::string_view without_account(std::string_view name) {
    if (name.starts_with("arn:")) {
      name.remove_prefix(name.rfind(':') + 1);
      for (std::string_view const kind : {"assumed-role/", "user/"}) {
        name.remove_prefix(name.starts_with(kind) ? kind.size() : 0);
      }
    }
    return name;
  }

  std::string said() const {
    std::string line;
    auto const say = [&](std::string_view word, std::string_view text) {
      if (!text.empty()) {
        line += (line.empty() ? "" : " ");
        line += word;
        line += text.substr(0, kMaxValue);
      }
    };
    say("", without_account(of(Part::who)));
    say("", of(Part::what));
    say("", of(Part::failure));
    say("", without_account(of(Part::to)));
    say("from ", of(Part::from));
    say("", of(Part::text));
    std::string_view const time = of(Part::time);
    bool const stamp = time.size() >= 19 && (time[10] == 'T' || time[10] == ' ') &&
                       time[13] == ':' && time[16] == ':';
    return line.empty() || !stamp ? line : std::string(time.substr(11, 8)) + " " + line;
  }

  std::string_view text_;
  std::size_t place_ = 0;
  std::array<Level, kMaxDepth> levels_{};
  std::size_t depth_ = 0;
  std::string path_;
  std::array<std::size_t, static_cast<std::size_t>(Part::count)> ranks_{};
  std::array<std::string_view, static_cast<std::size_t>(Part::count)> values_{};
};

}  // namespace

std::string json_gist(std::string_view record) { return GistReader(record).read(); }

}  // namespace vedette::app
