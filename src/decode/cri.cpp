// Lines of containers as Kubernetes nodes keep them (/var/log/pods, /var/log/containers):
// `2026-03-27T13:06:56.123456789+01:00 stdout F text`. The text is decoded as what it is; `log`,
// `stream` and `time` are named as in Docker's JSON files.
#include "decode/event_writer.hpp"

namespace vedette::decode::cri {
namespace {

constexpr std::size_t kLeastStamp = 20;  ///< `2026-03-27T13:06:56Z`
constexpr std::size_t kMostStamp = 36;

struct Parts {
  std::string_view stamp, stream, tag, log;
};

/// Takes the text up to the next blank, and the blank.
std::string_view word(std::string_view& text) {
  std::size_t const end = std::min(text.find(' '), text.size());
  std::string_view const out = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return out;
}

/// Without its header nothing of a record is a container's line.
bool split(std::string_view record, Parts& parts) {
  if (record.size() < kLeastStamp || record[4] != '-' || record[10] != 'T') {
    return false;
  }
  parts.stamp = word(record);
  parts.stream = word(record);
  parts.tag = word(record);
  parts.log = record;
  return parts.stamp.size() >= kLeastStamp && parts.stamp.size() <= kMostStamp &&
         (parts.stream == "stdout" || parts.stream == "stderr") &&
         (parts.tag == "F" || parts.tag == "P") && !parts.log.empty();
}

class Cri final : public Decoder {
 public:
  explicit Cri(catalog::Catalog const& catalog)
      : time_(original_id(catalog, "time")),
        stream_(original_id(catalog, "stream")),
        tag_(original_id(catalog, "logtag")),
        log_(original_id(catalog, "log")) {}

  std::size_t decode(std::span<Record const> records, DecodeContext& context) const override {
    KeptScratch const kept(context);
    EventWriter writer(context, *kept);
    std::size_t taken = 0;
    for (Record const& record : records) {
      Parts parts;
      if (!split(record.bytes, parts)) {
        break;
      }
      writer.begin(record);
      writer.add(time_, parts.stamp);
      writer.add(stream_, parts.stream);
      writer.add(tag_, parts.tag);
      writer.add(log_, parts.log);
      if (!writer.use_time(parts.stamp)) {
        writer.cancel();
        break;
      }
      writer.finish(kUnknownType);
      ++taken;
    }
    return taken;
  }

  std::string refusal(std::string_view /*record*/) const override {
    return "a container's line is TIME stdout|stderr F|P text";
  }

 private:
  FieldId time_, stream_, tag_, log_;
};

bool looks_like(std::string_view record) {
  Parts parts;
  return split(record, parts);
}

Result<std::unique_ptr<Decoder>> make(DecoderInit const& init) {
  return std::make_unique<Cri>(init.catalog);
}

}  // namespace

DecoderSpec spec() {
  return {.name = "cri",
          .summary = "lines of containers on Kubernetes nodes (CRI: containerd, CRI-O)",
          .example = "2026-03-27T13:06:56.123456789+01:00 stdout F GET /index.html 200",
          .first_bytes = "0123456789",
          .order = 8,
          .make = &make,
          .looks_like = &looks_like};
}

}  // namespace vedette::decode::cri
