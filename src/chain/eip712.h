// Typed structured data (EIP-712) of the project: docs/formats/typed-data.md. A digest binds a
// message to one kind of message, one chain and one contract. Pure, thread-safe.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "chain/types.h"
#include "crypto/secp256k1.h"

namespace teetee::chain {

// keccak256 of name, version, chain id and verifying contract: computed once, kept by value.
class Domain {
 public:
  static Domain Ledger(uint64_t chain_id, const Address& ledger);       // "TeeTee", "1"
  static Domain Allowlist(uint64_t chain_id, const Address& verifier);  // "TeeTee Allowlist", "1"
  const Hash32& separator() const { return separator_; }

 private:
  Domain(std::string_view name, uint64_t chain_id, const Address& contract);
  Hash32 separator_;
};

// hashStruct of each message.
Hash32 StructHash(const Query& m);
Hash32 StructHash(const Receipt& m);  // also the leaf of a batch's tree and a strict query's record
Hash32 StructHash(const PartMessage& m);
Hash32 StructHash(const WorkMessage& m);
Hash32 StructHash(const Voucher& m);
Hash32 StructHash(const Release& m);
Hash32 StructHash(const BatchMessage& m);
Hash32 StructHash(const Access& m);
Hash32 StructHash(const Approval& m);

// keccak256(0x19 0x01 || domain separator || struct hash): what is signed.
Hash32 TypedDigest(const Domain& domain, const Hash32& struct_hash);

template <class M>
Hash32 Digest(const Domain& domain, const M& message) {
  return TypedDigest(domain, StructHash(message));
}
template <class M>
CompactSignature SignTyped(const Domain& domain, const M& message, const crypto::SigningKey& key) {
  return Compact(key.Sign(Digest(domain, message)));
}
// kUnauthenticated unless `signer` signed exactly this message in this domain.
template <class M>
Status VerifyTyped(const Domain& domain, const M& message, const Address& signer,
                   const CompactSignature& signature) {
  return crypto::ExpectSigner(signer, Digest(domain, message), signature.r, signature.vs);
}

inline Hash32 QueryId(const Domain& ledger, const Query& q) { return Digest(ledger, q); }
BatchMessage MessageOf(const Hash32& line, const Batch& batch);

// The words of each struct in calldata, in the order of its members: 6 a charge, 5 a work entry, 6
// a part, 7 a query, 8 a receipt.
std::vector<Word> WordsOf(const Charge& c);
std::vector<Word> WordsOf(const Work& w);
std::vector<Word> WordsOf(const Part& p);
std::vector<Word> WordsOf(const Query& q);
std::vector<Word> WordsOf(const Receipt& r);

}  // namespace teetee::chain
