#include "chain/model_id.h"

#include <set>

#include "chain/abi.h"
#include "crypto/keccak.h"

namespace teetee::chain {
namespace {

constexpr uint32_t kHour = 3600;
constexpr uint32_t kMaxTimeout = 12 * kHour;
constexpr uint32_t kMinLease = kHour;
constexpr uint32_t kMaxLease = 90 * 24 * kHour;

Error Bad(const char* what) { return Error(Code::kInvalidArgument, what); }

}  // namespace

Status CheckModel(const Model& m) {
  if (m.slots.empty() || m.slots.size() > kMaxSlots) return Bad("model: must have 1 to 64 slots");
  if (crypto::IsZero(m.verifier)) return Bad("model: the verifier is zero");
  if (m.timeout == 0 || m.timeout > kMaxTimeout) return Bad("model: timeout must be 1 s to 12 h");
  if (m.lease < kMinLease || m.lease > kMaxLease) return Bad("model: lease must be 1 h to 90 days");
  std::set<Hash32> weights;
  uint64_t total = 0;
  for (const Slot& slot : m.slots) {
    if (slot.share == 0) return Bad("model: a slot's share is zero");
    if (!weights.insert(slot.weights).second) return Bad("model: two slots have equal weights");
    total += slot.share;
  }
  if (total > ~uint32_t{0}) return Bad("model: the shares sum to more than 32 bits");
  return Ok{};
}

Bytes EncodeModel(const Model& m) {
  std::vector<Word> slots;
  for (const Slot& slot : m.slots) {
    slots.push_back(slot.weights);
    slots.push_back(WordOf(Uint128{slot.share}));
  }
  AbiWriter tuple;
  tuple.Raw(m.manifest).Addr(m.verifier).Uint(m.price_in).Uint(m.price_out);
  tuple.Uint(m.timeout).Uint(m.lease).StaticArray(m.slots.size(), slots);
  return AbiWriter().Dynamic(tuple.Finish()).Finish();
}

Hash32 ModelId(const Model& model) { return crypto::Keccak256(EncodeModel(model)); }

Family FamilyOf(const Model& m) {
  std::vector<Word> weights;
  for (const Slot& slot : m.slots) weights.push_back(slot.weights);
  AbiWriter out;
  out.Addr(m.verifier).Raw(m.manifest).Uint(m.lease).StaticArray(weights.size(), weights);
  const Hash32 hash = crypto::Keccak256(out.Finish());
  Family family;
  std::memcpy(family.data(), hash.data(), family.size());
  return family;
}

Hash32 LineOf(const Hash32& model, const Address& head) {
  return crypto::Keccak256(AbiWriter().Raw(model).Addr(head).Finish());
}

Hash32 TabQueryId(const Hash32& line, const Hash32& request_id) {
  return crypto::Keccak256(AbiWriter().Raw(line).Raw(request_id).Finish());
}

Hash32 TabQueryId(const Hash32& line, const ByteArray<16>& request_id) {
  Hash32 padded{};
  std::memcpy(padded.data() + 16, request_id.data(), request_id.size());
  return TabQueryId(line, padded);
}

Hash32 JoinReportData(const JoinClaim& c) {
  AbiWriter out;
  out.Uint(c.chain_id).Addr(c.registry).Addr(c.host).Addr(c.key).Raw(c.weights).Raw(c.block_hash);
  return crypto::Keccak256(out.Finish());
}

}  // namespace teetee::chain
