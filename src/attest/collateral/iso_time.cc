#include "attest/collateral/iso_time.h"

#include <ctime>

namespace teetee::attest {
namespace {

constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:ddZ";

bool HasForm(std::string_view text) {
  if (text.size() != kForm.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == 'd' ? !digit : text[i] != kForm[i]) return false;
  }
  return true;
}

int Digits(std::string_view text) {
  int out = 0;
  for (char c : text) out = out * 10 + (c - '0');
  return out;
}

}  // namespace

Result<int64_t> ParseIsoTime(std::string_view text) {
  Error bad(Code::kInvalidArgument, "time is not of the form YYYY-MM-DDThh:mm:ssZ");
  if (!HasForm(text)) return bad;
  std::tm tm{};
  tm.tm_year = Digits(text.substr(0, 4)) - 1900;
  tm.tm_mon = Digits(text.substr(5, 2)) - 1;
  tm.tm_mday = Digits(text.substr(8, 2));
  tm.tm_hour = Digits(text.substr(11, 2));
  tm.tm_min = Digits(text.substr(14, 2));
  tm.tm_sec = Digits(text.substr(17, 2));
  if (tm.tm_year < 70) return bad;
  int64_t seconds = timegm(&tm);  // normalises: 31 February would become March
  if (FormatIsoTime(seconds) != text) return bad;
  return seconds;
}

std::string FormatIsoTime(int64_t unix_seconds) {
  auto when = static_cast<time_t>(unix_seconds);
  std::tm tm{};
  gmtime_r(&when, &tm);
  char text[40];
  size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
  return std::string(text, size);
}

}  // namespace teetee::attest
