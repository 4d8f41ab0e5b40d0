// Errors as values: Result<T> is a T or an Error with a code from a closed list. Foreign input (peer, file, chain, user)
// yields an Error and never aborts; our own bugs abort through TT_CHECK (check.h). No exception crosses a module border.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace teetee {

// The canonical RPC status names that we use. One table (result.cc) maps each to an HTTP status, an OpenAI error type and an
// exit code.
enum class Code : uint8_t {
  kInvalidArgument = 1,   // malformed or out-of-range input
  kUnauthenticated,       // evidence, signature or credential does not verify
  kPermissionDenied,      // verified, but policy refuses
  kNotFound,
  kPaymentRequired,       // credit, voucher or tab does not cover the request
  kUnavailable,           // a peer, chain or file is not reachable now; trying again may help
  kDeadlineExceeded,
  kResourceExhausted,     // a limit of ours was reached
  kDataLoss,              // stored or received bytes do not match their hash
  kFailedPrecondition,    // the state does not allow it (wrong order, already done)
  kCancelled,
  kUnimplemented,
  kInternal,
};

std::string_view CodeName(Code code);         // "invalid_argument"
int HttpStatus(Code code);                    // 400
std::string_view OpenAiErrorType(Code code);  // "invalid_request_error"
int ExitCode(Code code);                      // 2..15; 0 is success, 1 an unexpected failure

class [[nodiscard]] Error {
 public:
  Error(Code code, std::string message, const char* file = __builtin_FILE(),
        int line = __builtin_LINE())
      : code_(code), line_(line), file_(file), message_(std::move(message)) {}

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const char* file() const { return file_; }
  int line() const { return line_; }

  // Says on the way up what was being done: "shard 2: tensor blk.7.attn_q: ...".
  Error Context(std::string_view what) && {
    message_.insert(0, std::string(what) + ": ");
    return std::move(*this);
  }

 private:
  Code code_;
  int line_;
  const char* file_;
  std::string message_;
};

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : v_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const { return v_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& operator*() & { return std::get<0>(v_); }
  const T& operator*() const& { return std::get<0>(v_); }
  T&& operator*() && { return std::get<0>(std::move(v_)); }
  T* operator->() { return &std::get<0>(v_); }
  const T* operator->() const { return &std::get<0>(v_); }
  const Error& error() const& { return std::get<1>(v_); }
  Error&& error() && { return std::get<1>(std::move(v_)); }

 private:
  std::variant<T, Error> v_;
};

struct Ok {};
using Status = Result<Ok>;

}  // namespace teetee

// TT_TRY(expr): the value of a Result, or return its error from the enclosing function.
// It may be nested: each use names its own variable.
#define TT_TRY(expr) TT_TRY_NAMED_(expr, __COUNTER__)
#define TT_TRY_NAMED_(expr, n) TT_TRY_BODY_(expr, n)
#define TT_TRY_BODY_(expr, n)                                           \
  __extension__({                                                       \
    auto tt_result_##n = (expr);                                        \
    if (!tt_result_##n) return std::move(tt_result_##n).error();        \
    *std::move(tt_result_##n);                                          \
  })
// In coroutines a statement expression may not hold co_await on g++ 12, so name the result first:
//   auto r = co_await F(); TT_CO_CHECK(r); use(*r);
#define TT_CO_CHECK(result) \
  if (!(result)) co_return std::move(result).error()
#define TT_RETURN_IF_ERROR(expr)                             \
  do {                                                       \
    auto tt_status_ = (expr);                                \
    if (!tt_status_) return std::move(tt_status_).error();   \
  } while (0)
