// Bytes in order, from a file or a stream: what decompression and line reading stand on.
#pragma once

#include "base/result.hpp"

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace vedette::source {

/// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  Fd(Fd const&) = delete;
  Fd& operator=(Fd const&) = delete;
  ~Fd() { reset(); }

  int get() const { return number_; }
  bool valid() const { return number_ >= 0; }
  void reset() {
    if (number_ >= 0) {
      ::close(number_);
    }
    number_ = -1;
  }

 private:
  int number_ = -1;
};

class ByteInput {
 public:
  struct Got {
    std::size_t size = 0;  ///< 0 and not `end`: nothing now
    bool end = false;      ///< at the end as it is now; a followed file may grow past it
  };
  virtual ~ByteInput() = default;
  virtual Result<Got> read(char* to, std::size_t room) = 0;
  /// Asked at the end: an error when bytes are missing (a compressed stream cut short).
  virtual Status finish() { return {}; }
  /// Bytes taken from the file so far (compressed ones for gz and zstd).
  virtual std::uint64_t consumed() const = 0;
};

/// A regular file, read with pread from `offset` on. Does not own the descriptor.
class FileInput final : public ByteInput {
 public:
  FileInput(int fd, std::uint64_t offset) : fd_(fd), offset_(offset) {}
  Result<Got> read(char* to, std::size_t room) override;
  std::uint64_t consumed() const override { return offset_; }

 private:
  int fd_;
  std::uint64_t offset_;
};

/// A pipe, terminal or socket; with `wait` a read blocks until bytes come. Does not own the
/// descriptor, and leaves its flags alone: they are shared with whoever handed it to us.
class StreamInput final : public ByteInput {
 public:
  StreamInput(int fd, bool wait) : fd_(fd), wait_(wait) {}
  Result<Got> read(char* to, std::size_t room) override;
  std::uint64_t consumed() const override { return taken_; }

 private:
  int fd_;
  bool wait_;
  std::uint64_t taken_ = 0;
};

/// `input` without its first `count` bytes; they are read and dropped at the first read.
class SkippedInput final : public ByteInput {
 public:
  SkippedInput(std::unique_ptr<ByteInput> input, std::uint64_t count)
      : input_(std::move(input)), left_(count) {}
  Result<Got> read(char* to, std::size_t room) override;
  Status finish() override { return input_->finish(); }
  std::uint64_t consumed() const override { return input_->consumed(); }

 private:
  std::unique_ptr<ByteInput> input_;
  std::uint64_t left_;
};

}  // namespace vedette::source
