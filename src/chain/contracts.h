// Calls of the two contracts and of the allow-list verifier: calldata out, return values in. A Call
// knows its answer's type, so that reading is one step: `Rpc::Read(ledger, ledger::TabOf(user,
// line))`. Pure, thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "chain/model_id.h"
#include "chain/types.h"

namespace teetee::chain {

inline constexpr size_t kMaxUrlBytes = 2048;  // of a node, as read back
inline constexpr size_t kMaxQuoteBytes = 64u << 10;

template <class T>
struct Call {
  Bytes data;
  Result<T> (*decode)(ByteView returned);  // kInvalidArgument: not what the ABI says
};

namespace registry {

Bytes AddModel(const Model& model);
// The quote is in the verifier's format: AllowlistQuote below, or a vendor's.
Bytes Join(const Hash32& model, uint8_t slot, const Address& key, std::string_view url,
           ByteView quote, uint64_t block_number);
Bytes SetUrl(const Address& key, std::string_view url);
Bytes Leave(const Address& key, const Address& other);

Call<bool> IsLive(const Hash32& model, uint8_t slot, const Address& key);
Call<bool> IsAdmitted(const Hash32& model, uint8_t slot, const Address& key);
Call<Address> HostOf(const Address& key);
Call<uint64_t> HostUntil(const Hash32& model, const Address& host);
Call<uint32_t> TimeoutOf(const Hash32& model);
Call<Terms> TermsOf(const Hash32& model);
Call<ModelInfo> InfoOf(const Hash32& model);
Call<NodeInfo> NodeOf(const Address& key);

}  // namespace registry

namespace ledger {

Bytes Buy(const Address& to);  // send the ether with it
Bytes Withdraw(Wei amount, const Address& to);
Bytes Open(const Query& q);
Bytes OpenSigned(const Query& q, const CompactSignature& user);
Bytes Settle(const Query& q, const Receipt& r, const std::vector<Part>& parts,
             const CompactSignature& head);
Bytes Refund(const Query& q);
Bytes Fund(const Hash32& model, const Address& head, Wei amount, const Address& signer);
Bytes Close(const Hash32& line);
Bytes Finish(const Address& user, const Hash32& line);
// The line cannot be inverted, so the call names model and head; `signature` is the head's of
// Release.
Bytes ReleaseTab(const Address& user, const Hash32& model, const Address& head, uint32_t epoch,
                 Wei used, const CompactSignature& signature);
Bytes SettleBatch(const Hash32& model, const Address& head, const Batch& batch,
                  const CompactSignature& signature);
Bytes Collect(const Hash32& line, const Address& key);

Call<Wei> BalanceOf(const Address& owner);
Call<Hash32> RecordOf(const Hash32& query);
Call<Tab> TabOf(const Address& user, const Hash32& line);
Call<Account> AccountOf(const Hash32& line, const Address& key);
Call<uint64_t> LastSeq(const Hash32& line);
Call<Hash32> BatchRoot(const Hash32& line, uint64_t seq);
Call<bool> VerifyReceipt(const Receipt& r, uint64_t seq, const std::vector<Hash32>& proof);
Call<Address> Registry();

// What RecordOf returns besides a receipt's hash.
inline constexpr Hash32 kRecordNone{};
Hash32 RecordOpen();
Hash32 RecordRefunded();

}  // namespace ledger

// What Registry.join passes to an allow-list verifier: abi.encode(bytes32 reportData, uint64
// expires, bytes32[2][] sigs). REQUIRES: signatures in ascending order of the auditors' addresses.
Bytes AllowlistQuote(const Hash32& report_data, uint64_t expires,
                     const std::vector<CompactSignature>& signatures);

// Arguments to append to a contract's creation code.
Bytes LedgerConstructor(const Address& registry);
Bytes AllowlistConstructor(const std::vector<Address>& auditors, uint32_t threshold);

}  // namespace teetee::chain
