#include "chain/eip712.h"

#include <vector>

#include "crypto/keccak.h"

namespace teetee::chain {
namespace {

using crypto::Keccak256;

constexpr std::string_view kDomainType =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
constexpr std::string_view kQueryType =
    "Query(address user,bytes32 model,address head,bytes32 input,uint128 maxCost,uint64 "
    "deadline,uint64 nonce)";
constexpr std::string_view kReceiptType =
    "Receipt(bytes32 query,bytes32 line,bytes32 input,bytes32 output,uint32 tokensIn,uint32 "
    "tokensOut,"
    "uint128 cost,bytes32 transcript)";
constexpr std::string_view kPartType =
    "Part(bytes32 query,uint8 slot,address key,uint32 tokensIn,uint32 tokensOut)";
constexpr std::string_view kWorkType = "Work(bytes32 line,uint8 slot,address key,uint128 total)";
constexpr std::string_view kVoucherType =
    "Voucher(address user,bytes32 line,uint32 epoch,uint128 total)";
constexpr std::string_view kReleaseType =
    "Release(address user,bytes32 line,uint32 epoch,uint128 used)";
constexpr std::string_view kBatchType =
    "Batch(bytes32 line,uint64 seq,uint32 count,bytes32 root,bytes32 charges,bytes32 work)";
constexpr std::string_view kAccessType =
    "Access(address host,bytes32 model,bytes32 session,uint64 expires)";
constexpr std::string_view kApprovalType =
    "Approval(bytes32 manifest,bytes32 reportData,uint64 expires)";

Hash32 HashStruct(std::string_view type, const std::vector<Word>& words) {
  crypto::Keccak256Stream stream;
  stream.Update(Keccak256(type));
  for (const Word& word : words) stream.Update(word);
  return stream.Finish();
}

Word U(Uint128 value) { return WordOf(value); }

template <class Entry>
Hash32 HashEntries(const std::vector<Entry>& entries) {
  crypto::Keccak256Stream stream;
  for (const Entry& entry : entries) {
    for (const Word& word : WordsOf(entry)) stream.Update(word);
  }
  return stream.Finish();
}

}  // namespace

Domain::Domain(std::string_view name, uint64_t chain_id, const Address& contract)
    : separator_(HashStruct(kDomainType,
                            {Keccak256(name), Keccak256("1"), U(chain_id), WordOf(contract)})) {}
Domain Domain::Ledger(uint64_t chain_id, const Address& ledger) {
  return Domain("TeeTee", chain_id, ledger);
}
Domain Domain::Allowlist(uint64_t chain_id, const Address& verifier) {
  return Domain("TeeTee Allowlist", chain_id, verifier);
}

std::vector<Word> WordsOf(const Charge& c) {
  return {WordOf(c.user),  U(c.epoch),    WordOf(c.used),
          WordOf(c.total), c.signature.r, c.signature.vs};
}
std::vector<Word> WordsOf(const Work& w) {
  return {WordOf(w.key), U(w.slot), WordOf(w.total), w.signature.r, w.signature.vs};
}
std::vector<Word> WordsOf(const Part& p) {
  return {WordOf(p.key), U(p.slot), U(p.tokens_in), U(p.tokens_out), p.signature.r, p.signature.vs};
}
std::vector<Word> WordsOf(const Query& q) {
  return {WordOf(q.user),     q.model,       WordOf(q.head), q.input,
          WordOf(q.max_cost), U(q.deadline), U(q.nonce)};
}
std::vector<Word> WordsOf(const Receipt& r) {
  return {r.query,        r.line,          r.input,        r.output,
          U(r.tokens_in), U(r.tokens_out), WordOf(r.cost), r.transcript};
}

Hash32 StructHash(const Query& m) { return HashStruct(kQueryType, WordsOf(m)); }
Hash32 StructHash(const Receipt& m) { return HashStruct(kReceiptType, WordsOf(m)); }
Hash32 StructHash(const PartMessage& m) {
  return HashStruct(kPartType,
                    {m.query, U(m.slot), WordOf(m.key), U(m.tokens_in), U(m.tokens_out)});
}
Hash32 StructHash(const WorkMessage& m) {
  return HashStruct(kWorkType, {m.line, U(m.slot), WordOf(m.key), WordOf(m.total)});
}
Hash32 StructHash(const Voucher& m) {
  return HashStruct(kVoucherType, {WordOf(m.user), m.line, U(m.epoch), WordOf(m.total)});
}
Hash32 StructHash(const Release& m) {
  return HashStruct(kReleaseType, {WordOf(m.user), m.line, U(m.epoch), WordOf(m.used)});
}
Hash32 StructHash(const BatchMessage& m) {
  return HashStruct(kBatchType, {m.line, U(m.seq), U(m.count), m.root, m.charges, m.work});
}
Hash32 StructHash(const Access& m) {
  return HashStruct(kAccessType, {WordOf(m.host), m.model, m.session, U(m.expires)});
}
Hash32 StructHash(const Approval& m) {
  return HashStruct(kApprovalType, {m.manifest, m.report_data, U(m.expires)});
}

Hash32 TypedDigest(const Domain& domain, const Hash32& struct_hash) {
  ByteWriter out;
  out.U8(0x19).U8(0x01).Raw(domain.separator()).Raw(struct_hash);
  return Keccak256(out.bytes());
}

BatchMessage MessageOf(const Hash32& line, const Batch& batch) {
  return {line,
          batch.seq,
          batch.count,
          batch.root,
          HashEntries(batch.charges),
          HashEntries(batch.work)};
}

}  // namespace teetee::chain
