// Amounts of money in wei, and 256-bit words of the Ethereum virtual machine. Every amount fits 128
// bits (all ether that exists fits 87), so sums are checked against that and never wrap. Pure,
// thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secp256k1.h"

namespace teetee::chain {

using crypto::Address;
__extension__ typedef unsigned __int128 Uint128;
using Word = Hash32;  // big-endian

class Wei {
 public:
  constexpr Wei() = default;
  constexpr explicit Wei(Uint128 value) : value_(value) {}

  static Result<Wei> ParseDecimal(std::string_view text);  // "1000": wei, digits only
  static Result<Wei> ParseEth(std::string_view text);      // "0.05": ether, at most 18 decimals

  constexpr Uint128 value() const { return value_; }
  constexpr bool is_zero() const { return value_ == 0; }
  std::string Decimal() const;  // "50000000000000000", as JSON and vouchers carry it
  std::string Eth() const;      // "0.05 ETH", exact, for people

  // kInvalidArgument when the result leaves [0, 2^128).
  Result<Wei> Plus(Wei other) const;
  Result<Wei> Minus(Wei other) const;
  Result<Wei> Times(uint64_t factor) const;
  // value * numerator / denominator, rounded up, capped at 2^128 - 1. REQUIRES: denominator != 0.
  Wei ScaledUp(uint32_t numerator, uint32_t denominator) const;

  constexpr auto operator<=>(const Wei&) const = default;

 private:
  Uint128 value_ = 0;
};

// tokensIn * priceIn + tokensOut * priceOut: at most 2^97, so it cannot overflow.
Wei CostOf(uint32_t tokens_in, uint32_t tokens_out, uint64_t price_in, uint64_t price_out);

Word WordOf(Uint128 value);
inline Word WordOf(Wei value) { return WordOf(value.value()); }
Word WordOf(const Address& address);       // right-aligned
Result<Uint128> Uint128Of(const Word& w);  // kInvalidArgument: 2^128 or more
Result<Address> AddressOf(const Word& w);  // kInvalidArgument: the upper 12 bytes are not zero
Bytes TrimmedBigEndian(Uint128 value);     // no leading zero byte; empty for 0

std::string Uint128Text(Uint128 value);  // decimal
// "0x1f": a JSON-RPC quantity.
std::string Quantity(Uint128 value);
Result<Uint128> ParseQuantity(std::string_view text);  // at most 2^128 - 1
Result<uint64_t> ParseQuantity64(std::string_view text);

}  // namespace teetee::chain
