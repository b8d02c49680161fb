// For tests of sources that fetch by themselves: one source, driven until it has brought enough.
#pragma once

#include "source/test_files.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace vedette::source::test {

class Fetched {
 public:
  Fetched(std::string_view type, Options const& options, std::string const& state_dir,
          std::string const& position = {}) {
    SourceContext context = scan_context();
    context.follow = true;
    context.state_dir = state_dir;
    source_ = make_source(type, options, context);
    std::vector<Error> problems;
    if (!position.empty()) {
      source_->recall("x", position);
    }
    Status const opened = source_->open(problems);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().text()));
    for (Error const& problem : problems) {
      errors.push_back(problem.text());
    }
    pump();
    if (!position.empty()) {
      if (Status const restored = log().restore(position); !restored) {
        errors.push_back(restored.error().text());
      }
    }
    started_ = true;
  }
  ~Fetched() { source_->close(); }
  Fetched(Fetched const&) = delete;
  Fetched& operator=(Fetched const&) = delete;

  /// All that is there now.
  void pump() {
    source_->woken();
    std::vector<Error> problems;
    for (auto& log : source_->discover(problems)) {
      logs_.push_back(std::move(log));
    }
    for (Error const& problem : problems) {
      errors.push_back(problem.text());
    }
    for (auto const& log : logs_) {
      while (started_ && read_one(*log)) {
      }
    }
  }

  void wait_for(std::size_t count) {
    wait([&] { return records.size() >= count; });
    CHECK(records.size() >= count);
  }
  void wait_for_error(std::string const& part) {
    auto const told = [&] {
      for (std::string const& error : errors) {
        if (error.find(part) != std::string::npos) {
          return true;
        }
      }
      return false;
    };
    wait(told);
    CHECK_MESSAGE(told(), part << " was not told; " << (errors.empty() ? "" : errors.back()));
  }
  Log& log() { return *logs_.at(0); }
  Source& source() { return *source_; }

  std::vector<std::string> records;
  std::vector<std::uint64_t> offsets;
  std::vector<std::string> errors;

 private:
  template <class Done>
  void wait(Done const& done) {
    Nanos const until = monotonic_now() + 20 * kSecond;
    pump();
    while (!done() && monotonic_now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      pump();
    }
  }
  bool read_one(Log& log) {
    Block block;
    Result<ReadState> const state = log.read(block, 65536);
    if (!state) {
      errors.push_back(state.error().text());
      return true;
    }
    if (*state != ReadState::data) {
      return false;
    }
    if (block.framing == Block::Framing::lines) {
      std::string_view text(block.data.get(), block.size);
      for (std::size_t at = 0; at < text.size();) {
        std::size_t const end = std::min(text.find('\n', at), text.size());
        records.emplace_back(text.substr(at, end - at));
        offsets.push_back(block.offset + at);
        at = end + 1;
      }
      return true;
    }
    for (std::size_t at = 0; at < block.size;) {
      std::uint32_t size = 0;
      std::memcpy(&size, block.data.get() + at, sizeof size);
      REQUIRE(at + 12 + size <= block.size);
      records.emplace_back(block.data.get() + at + 12, size);
      offsets.push_back(block.offset + at);
      at += 12 + size;
    }
    return true;
  }

  std::unique_ptr<Source> source_;
  std::vector<std::unique_ptr<Log>> logs_;
  bool started_ = false;
};

}  // namespace vedette::source::test
