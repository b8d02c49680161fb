// One file of a file log: private to file_log.cpp and file_rotation.cpp.
#pragma once

#include "source/file_log.hpp"

#include <memory>
#include <string>

namespace vedette::source {

struct FileLog::Part {
  Part(FileProbe probe, std::uint64_t offset, bool skipping, std::size_t max_record,
       LogCounters* counters)
      : path(std::move(probe.path)),
        fd(std::move(probe.fd)),
        device(probe.device),
        inode(probe.inode),
        born(probe.born),
        modified(probe.modified),
        head(std::move(probe.head)),
        head_print(fingerprint(head)),
        lines(max_record, offset, skipping, counters) {}

  std::string path;
  Fd fd;
  std::uint64_t device;
  std::uint64_t inode;
  Nanos born;
  Nanos modified;
  std::string head;
  Fingerprint head_print;
  std::string tail;        ///< the latest bytes delivered
  Fingerprint tail_print;  ///< of the bytes before `tail_end`; size 0: not known
  std::uint64_t tail_end = 0;
  std::unique_ptr<ByteInput> input;  ///< none: everything was read
  LineReader lines;
  std::uint32_t generation = 0;
  Compression compression = Compression::none;
  bool regular = true;
  bool plain = true;      ///< offsets in the file are offsets in the log
  bool document = false;  ///< a JSON document made lines of: what is read is not what lies there
  bool parked = false;    ///< closed for a while, to be opened again
  bool was_parked = false;
  bool superseded = false;  ///< something newer lies at the path
  bool fixed = false;       ///< grows no more: its end is the end
  bool at_end = false;
  bool complained = false;  ///< that it is incomplete
  Nanos quiet_since = 0;    ///< monotonic
};

}  // namespace vedette::source
