// What can fail returns Result<T>; exceptions are for bugs only.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace vedette {

/// Why something failed, as a user reads it: `vedette: FILE:LINE: message; hint`.
struct Error {
  std::string message;
  std::string hint;  ///< what to do about it; may be empty
  std::string file;  ///< may be empty
  int line = 0;      ///< 1-based; 0 = no line

  /// `FILE:LINE: message; hint` without the leading program name.
  std::string text() const;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(std::string message, std::string hint = {}) {
  return std::unexpected(Error{std::move(message), std::move(hint), {}, 0});
}

inline std::unexpected<Error> fail_at(std::string file, int line, std::string message,
                                      std::string hint = {}) {
  return std::unexpected(Error{std::move(message), std::move(hint), std::move(file), line});
}

/// `text` with the errno's name, for system calls.
std::unexpected<Error> fail_errno(std::string const& what, int error_number, std::string hint = {});

[[noreturn]] void check_failed(char const* condition, char const* file, int line);

}  // namespace vedette

#define VEDETTE_CONCAT_(a, b) a##b
#define VEDETTE_CONCAT(a, b) VEDETTE_CONCAT_(a, b)
#define VEDETTE_TRY_STATUS(tmp, expr)                 \
  do {                                                \
    if (auto tmp = (expr); !tmp) {                    \
      return std::unexpected(std::move(tmp).error()); \
    }                                                 \
  } while (false)
#define VEDETTE_TRY_VALUE(tmp, decl, expr)          \
  auto tmp = (expr);                                \
  if (!tmp) {                                       \
    return std::unexpected(std::move(tmp).error()); \
  }                                                 \
  decl = std::move(*tmp)
#define VEDETTE_TRY_PICK(_1, _2, name, ...) name
#define VEDETTE_TRY_1(expr) VEDETTE_TRY_STATUS(VEDETTE_CONCAT(try_, __LINE__), expr)
#define VEDETTE_TRY_2(decl, expr) VEDETTE_TRY_VALUE(VEDETTE_CONCAT(try_, __LINE__), decl, expr)
/// TRY(status()) or TRY(auto x, result()): on failure returns the error to the caller.
#define TRY(...) VEDETTE_TRY_PICK(__VA_ARGS__, VEDETTE_TRY_2, VEDETTE_TRY_1, )(__VA_ARGS__)
#ifndef DOCTEST_LIBRARY_INCLUDED  // tests have doctest's CHECK, whichever header comes first
/// A bug when false; stays on in release builds.
#define CHECK(condition) \
  ((condition) ? void() : ::vedette::check_failed(#condition, __FILE__, __LINE__))
#endif
