#include "chain/tx.h"

#include <vector>

#include "chain/rlp.h"
#include "crypto/keccak.h"

namespace teetee::chain {
namespace {

constexpr uint8_t kType = 2;
constexpr size_t kMaxRaw = 1u << 20;  // bytes

std::vector<Bytes> Fields(const Tx& tx) {
  return {
      RlpUint(tx.chain_id),        RlpUint(tx.nonce),  RlpUint(tx.max_priority_fee.value()),
      RlpUint(tx.max_fee.value()), RlpUint(tx.gas),    tx.to ? RlpString(*tx.to) : RlpString({}),
      RlpUint(tx.value.value()),   RlpString(tx.data), RlpList({})};  // access list
}

Bytes Typed(const std::vector<Bytes>& fields) {
  ByteWriter out;
  out.U8(kType).Raw(RlpList(fields));
  return out.Take();
}

Result<std::optional<Address>> ReadTo(RlpReader* in) {
  const ByteView bytes = TT_TRY(in->String());
  if (bytes.empty()) return std::optional<Address>();
  if (bytes.size() != 20)
    return Error(Code::kInvalidArgument, "transaction: receiver is no address");
  Address to;
  std::memcpy(to.data(), bytes.data(), to.size());
  return std::optional<Address>(to);
}

Result<Tx> ReadFields(RlpReader* in) {
  Tx tx;
  tx.chain_id = TT_TRY(in->Uint64());
  tx.nonce = TT_TRY(in->Uint64());
  tx.max_priority_fee = Wei(TT_TRY(in->Uint()));
  tx.max_fee = Wei(TT_TRY(in->Uint()));
  tx.gas = TT_TRY(in->Uint64());
  tx.to = TT_TRY(ReadTo(in));
  tx.value = Wei(TT_TRY(in->Uint()));
  tx.data = ToBytes(TT_TRY(in->String()));
  const RlpReader access_list = TT_TRY(in->List());
  if (!access_list.done()) return Error(Code::kUnimplemented, "transaction: has an access list");
  return tx;
}

}  // namespace

Hash32 TxSigningHash(const Tx& tx) { return crypto::Keccak256(Typed(Fields(tx))); }

SignedTx SignTx(const Tx& tx, const crypto::SigningKey& key) {
  const crypto::Signature signature = key.Sign(TxSigningHash(tx));
  std::vector<Bytes> fields = Fields(tx);
  fields.push_back(RlpUint(signature.parity));
  fields.push_back(RlpWordUint(signature.r));
  fields.push_back(RlpWordUint(signature.s));
  SignedTx out;
  out.raw = Typed(fields);
  out.hash = crypto::Keccak256(out.raw);
  return out;
}

Result<DecodedTx> DecodeSignedTx(ByteView raw) {
  if (raw.empty() || raw.size() > kMaxRaw || raw[0] != kType) {
    return Error(Code::kInvalidArgument, "transaction: not of type 2, or too long");
  }
  RlpReader outer(raw.subspan(1));
  RlpReader in = TT_TRY(outer.List());
  TT_RETURN_IF_ERROR(outer.ExpectDone());
  DecodedTx out;
  out.tx = TT_TRY(ReadFields(&in));
  crypto::Signature signature;
  const uint64_t parity = TT_TRY(in.Uint64());
  if (parity > 1) return Error(Code::kInvalidArgument, "transaction: parity is not 0 or 1");
  signature.parity = static_cast<uint8_t>(parity);
  signature.r = TT_TRY(in.WordUint());
  signature.s = TT_TRY(in.WordUint());
  TT_RETURN_IF_ERROR(in.ExpectDone());
  out.from = TT_TRY(crypto::Recover(TxSigningHash(out.tx), signature));
  out.hash = crypto::Keccak256(raw);
  return out;
}

}  // namespace teetee::chain
