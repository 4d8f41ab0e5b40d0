#include "chain/wei.h"

#include <algorithm>

#include "base/check.h"

namespace teetee::chain {
namespace {

constexpr Uint128 kMax = ~Uint128{0};
constexpr size_t kEthDecimals = 18;
constexpr uint64_t kWeiPerEth = 1'000'000'000'000'000'000;

Error OutOfRange() { return Error(Code::kInvalidArgument, "amount: out of the range of 128 bits"); }

// Appends one digit of base `base`; false on overflow.
bool AppendDigit(Uint128* value, unsigned base, unsigned digit) {
  if (*value > (kMax - digit) / base) return false;
  *value = *value * base + digit;
  return true;
}

}  // namespace

Result<Wei> Wei::ParseDecimal(std::string_view text) {
  if (text.empty()) return Error(Code::kInvalidArgument, "amount: empty");
  Uint128 value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return Error(Code::kInvalidArgument, "amount: not a decimal number");
    if (!AppendDigit(&value, 10, static_cast<unsigned>(c - '0'))) return OutOfRange();
  }
  return Wei(value);
}

Result<Wei> Wei::ParseEth(std::string_view text) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || (point != std::string_view::npos && fraction.empty()) ||
      fraction.size() > kEthDecimals) {
    return Error(Code::kInvalidArgument,
                 "amount: expected ether such as 0.05, at most 18 decimals");
  }
  std::string digits(whole);
  digits.append(fraction);
  digits.append(kEthDecimals - fraction.size(), '0');
  return ParseDecimal(digits);
}

std::string Wei::Decimal() const { return Uint128Text(value_); }

std::string Wei::Eth() const {
  std::string out = Uint128Text(value_ / kWeiPerEth);
  std::string fraction = Uint128Text(value_ % kWeiPerEth);
  fraction.insert(0, kEthDecimals - fraction.size(), '0');
  fraction.erase(fraction.find_last_not_of('0') + 1);
  if (!fraction.empty()) out += "." + fraction;
  return out + " ETH";
}

Result<Wei> Wei::Plus(Wei other) const {
  if (value_ > kMax - other.value_) return OutOfRange();
  return Wei(value_ + other.value_);
}

Result<Wei> Wei::Minus(Wei other) const {
  if (value_ < other.value_) return OutOfRange();
  return Wei(value_ - other.value_);
}

Result<Wei> Wei::Times(uint64_t factor) const {
  if (factor != 0 && value_ > kMax / factor) return OutOfRange();
  return Wei(value_ * factor);
}

Wei Wei::ScaledUp(uint32_t numerator, uint32_t denominator) const {
  TT_CHECK(denominator != 0);
  const Uint128 quotient = value_ / denominator;
  const Uint128 rest = value_ % denominator;  // below 2^32, so its product fits
  if (numerator != 0 && quotient > kMax / numerator) return Wei(kMax);
  const Uint128 whole = quotient * numerator;
  const Uint128 part = (rest * numerator + denominator - 1) / denominator;
  return whole > kMax - part ? Wei(kMax) : Wei(whole + part);
}

Wei CostOf(uint32_t tokens_in, uint32_t tokens_out, uint64_t price_in, uint64_t price_out) {
  return Wei(Uint128{tokens_in} * price_in + Uint128{tokens_out} * price_out);
}

Word WordOf(Uint128 value) {
  Word out{};
  for (size_t i = 0; i < 16; ++i) out[31 - i] = static_cast<uint8_t>(value >> (8 * i));
  return out;
}

Word WordOf(const Address& address) {
  Word out{};
  std::memcpy(out.data() + 12, address.data(), address.size());
  return out;
}

Result<Uint128> Uint128Of(const Word& w) {
  if (std::any_of(w.begin(), w.begin() + 16, [](uint8_t b) { return b != 0; })) return OutOfRange();
  Uint128 value = 0;
  for (size_t i = 16; i < 32; ++i) value = value << 8 | w[i];
  return value;
}

Result<Address> AddressOf(const Word& w) {
  if (std::any_of(w.begin(), w.begin() + 12, [](uint8_t b) { return b != 0; })) {
    return Error(Code::kInvalidArgument, "address: wider than 20 bytes");
  }
  Address out;
  std::memcpy(out.data(), w.data() + 12, out.size());
  return out;
}

Bytes TrimmedBigEndian(Uint128 value) {
  const Word word = WordOf(value);
  const auto first = std::find_if(word.begin(), word.end(), [](uint8_t b) { return b != 0; });
  return Bytes(first, word.end());
}

std::string Uint128Text(Uint128 value) {
  std::string out;
  do {
    out.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  std::reverse(out.begin(), out.end());
  return out;
}

std::string Quantity(Uint128 value) {
  std::string out;
  do {
    out.push_back("0123456789abcdef"[static_cast<int>(value & 15)]);
    value >>= 4;
  } while (value != 0);
  out += "x0";
  std::reverse(out.begin(), out.end());
  return out;
}

Result<Uint128> ParseQuantity(std::string_view text) {
  if (text.size() < 3 || text.substr(0, 2) != "0x") {
    return Error(Code::kInvalidArgument, "quantity: expected 0x and hexadecimal digits");
  }
  Uint128 value = 0;
  for (char c : text.substr(2)) {
    unsigned digit = 16;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A' + 10);
    if (digit == 16) return Error(Code::kInvalidArgument, "quantity: not hexadecimal");
    if (!AppendDigit(&value, 16, digit)) return OutOfRange();
  }
  return value;
}

Result<uint64_t> ParseQuantity64(std::string_view text) {
  const Uint128 value = TT_TRY(ParseQuantity(text));
  if (value > ~uint64_t{0}) return Error(Code::kInvalidArgument, "quantity: more than 64 bits");
  return static_cast<uint64_t>(value);
}

}  // namespace teetee::chain
