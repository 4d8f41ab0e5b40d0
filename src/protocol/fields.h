// JSON fields that many messages share: hashes, addresses, ids as hex; amounts as decimal strings. Errors name the field only.
#pragma once

#include "base/json.h"
#include "chain/types.h"

namespace teetee::protocol {

using chain::Wei;

template <size_t N>
Result<ByteArray<N>> GetHex(const Json& object, std::string_view key) {
  std::string text = TT_TRY(object.GetString(key));
  auto bytes = FromHexFixed<N>(text);
  if (!bytes) return std::move(bytes).error().Context("field '" + std::string(key) + "'");
  return *bytes;
}

Result<Wei> GetWei(const Json& object, std::string_view key);
// An integer of [0, max].
Result<uint64_t> GetBounded(const Json& object, std::string_view key, uint64_t max);
// r || vs, 64 bytes of hex.
Result<chain::CompactSignature> GetSignature(const Json& object, std::string_view key);
std::string SignatureText(const chain::CompactSignature& signature);
ByteArray<64> SignatureBytes(const chain::CompactSignature& signature);
chain::CompactSignature SignatureFrom(const ByteArray<64>& bytes);

}  // namespace teetee::protocol
