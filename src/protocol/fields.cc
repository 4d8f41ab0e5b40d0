#include "protocol/fields.h"

namespace teetee::protocol {

Result<Wei> GetWei(const Json& object, std::string_view key) {
  auto amount = Wei::ParseDecimal(TT_TRY(object.GetString(key)));
  if (!amount) return std::move(amount).error().Context("field '" + std::string(key) + "'");
  return *amount;
}

Result<uint64_t> GetBounded(const Json& object, std::string_view key, uint64_t max) {
  uint64_t value = TT_TRY(object.GetUint64(key));
  if (value > max) {
    return Error(Code::kInvalidArgument,
                 "field '" + std::string(key) + "': over the limit of " + std::to_string(max));
  }
  return value;
}

ByteArray<64> SignatureBytes(const chain::CompactSignature& signature) {
  ByteArray<64> out;
  std::memcpy(out.data(), signature.r.data(), 32);
  std::memcpy(out.data() + 32, signature.vs.data(), 32);
  return out;
}

chain::CompactSignature SignatureFrom(const ByteArray<64>& bytes) {
  chain::CompactSignature out;
  std::memcpy(out.r.data(), bytes.data(), 32);
  std::memcpy(out.vs.data(), bytes.data() + 32, 32);
  return out;
}

std::string SignatureText(const chain::CompactSignature& signature) {
  return ToHex(SignatureBytes(signature));
}

Result<chain::CompactSignature> GetSignature(const Json& object, std::string_view key) {
  return SignatureFrom(TT_TRY(GetHex<64>(object, key)));
}

}  // namespace teetee::protocol
