// JSON fields that many messages share: hashes, addresses, ids as hex; amounts as decimal strings. Errors name the field only.
#pragma once

#include <vector>

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

// Lists: written item by item; read with a bound on their number.
template <class T, class Write>
Json ListJson(const std::vector<T>& list, Write write) {
  Json out = Json::MakeArray();
  for (const T& item : list) out.Push(write(item));
  return out;
}

template <class T, class Read>
Result<std::vector<T>> ListFromJson(const Json& object, std::string_view key, size_t most, Read read) {
  const Json* list = TT_TRY(object.GetArray(key));
  if (list->as_array().size() > most) {
    return Error(Code::kResourceExhausted, "field '" + std::string(key) + "': too many entries");
  }
  std::vector<T> out;
  for (const Json& item : list->as_array()) out.push_back(TT_TRY(read(item)));
  return out;
}

}  // namespace teetee::protocol
