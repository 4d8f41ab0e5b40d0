#include "base/result.h"

#include <array>

namespace teetee {
namespace {

struct Row {
  Code code;
  std::string_view name;
  int http;
  std::string_view openai;
};

constexpr std::array kRows = {
    Row{Code::kInvalidArgument, "invalid_argument", 400, "invalid_request_error"},
    Row{Code::kUnauthenticated, "unauthenticated", 401, "authentication_error"},
    Row{Code::kPermissionDenied, "permission_denied", 403, "permission_error"},
    Row{Code::kNotFound, "not_found", 404, "invalid_request_error"},
    Row{Code::kPaymentRequired, "payment_required", 402, "insufficient_quota"},
    Row{Code::kUnavailable, "unavailable", 503, "server_error"},
    Row{Code::kDeadlineExceeded, "deadline_exceeded", 504, "server_error"},
    Row{Code::kResourceExhausted, "resource_exhausted", 429, "rate_limit_error"},
    Row{Code::kDataLoss, "data_loss", 502, "server_error"},
    Row{Code::kFailedPrecondition, "failed_precondition", 409, "invalid_request_error"},
    Row{Code::kCancelled, "cancelled", 499, "server_error"},
    Row{Code::kUnimplemented, "unimplemented", 501, "invalid_request_error"},
    Row{Code::kInternal, "internal", 500, "server_error"},
};

const Row& Find(Code code) {
  for (const Row& row : kRows) {
    if (row.code == code) return row;
  }
  return kRows.back();
}

}  // namespace

std::string_view CodeName(Code code) { return Find(code).name; }
int HttpStatus(Code code) { return Find(code).http; }
std::string_view OpenAiErrorType(Code code) { return Find(code).openai; }
int ExitCode(Code code) { return static_cast<int>(code) + 1; }

}  // namespace teetee
