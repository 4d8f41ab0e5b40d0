// What a gateway remembers, in one SQLite file: the Registry's logs, which batches and strict
// receipts the chain has, manifests, receipts with their proofs, and the heads' outbox entries. All
// of it can be rebuilt from the chain and the outboxes, so losing the file loses nothing. Whether a
// receipt is mined is never stored: it is the join of its proofs with the chain's batches, so
// undoing replaced blocks undoes that too. Threads: one. Calls block for a moment. Errors:
// kDataLoss for a damaged file, kUnavailable when it cannot be written.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "chain/events.h"
#include "crypto/merkle.h"
#include "protocol/outbox.h"

namespace teetee::gateway {

using crypto::Address;

// What the state is about: a file of another chain or other contracts is refused.
struct StoreIdentity {
  uint64_t chain_id = 0;
  Address registry{}, ledger{};
};

struct MinedBatch {
  Hash32 line{};
  uint64_t seq = 0;
  Hash32 root{};
  uint32_t count = 0;
  Hash32 tx{};
  uint64_t block = 0;
  chain::Wei amount;  // that it paid out
};

struct ServedReceipt {  // of a strict query
  Hash32 receipt_hash{}, query{}, tx{};
  uint64_t block = 0;
  Hash32 line{};
  chain::Wei cost;
};

// What a line brought in since some time.
struct LineRevenue {
  Hash32 line{};
  chain::Wei amount;
};

// Which receipts to list: each that is set must fit.
struct ReceiptFilter {
  std::optional<Hash32> query, line, batch;  // batch: by its root
  std::optional<uint64_t> before;            // the `n` of a receipt: only older ones
};
struct ListedReceipt {
  uint64_t n = 0;  // rises with the time at which the gateway learned of it
  Hash32 hash{};
};

// One range of the chain, decoded.
struct ChainChange {
  std::optional<uint64_t> undo_above;  // first forget everything above this block
  std::vector<chain::LogEntry> registry_logs;
  std::vector<MinedBatch> batches;
  std::vector<ServedReceipt> served;
};

enum class EntryKind : uint8_t { kBatch = 0, kSettle = 1, kRelease = 2 };

// An outbox entry as a transaction that waits for the chain.
struct QueueItem {
  Address head{};
  uint64_t n = 0;
  EntryKind kind = EntryKind::kBatch;
  Hash32 line{};
  uint64_t seq = 0;  // of a batch
  Hash32 id{};       // a batch's root, a settlement's query
  Bytes call;        // calldata for the Ledger
};

// A receipt that an outbox entry brought, and where it stands in that entry's tree.
struct ReceiptProof {
  chain::Receipt receipt;
  crypto::MerkleProof proof;
};

struct ReceiptState {
  chain::Receipt receipt;
  bool strict = false;  // settled by itself: no batch, no proof
  uint64_t seq = 0;
  Hash32 root{};
  crypto::MerkleProof proof;
  std::optional<Hash32> tx;  // mined
  uint64_t block = 0;
};

class Store {
 public:
  // Creates the file or opens it. *fresh: it holds nothing of the chain. kFailedPrecondition: it
  // belongs to other contracts.
  static Result<std::unique_ptr<Store>> Open(const std::string& path,
                                             const StoreIdentity& identity);
  ~Store();

  bool fresh() const { return fresh_; }  // nothing of the chain was in it when it was opened

  Status Apply(
      const ChainChange& change);  // all or nothing; taking the same range twice is no harm
  Status ForgetChain();            // before the chain is read again from the start
  Result<std::vector<chain::LogEntry>> RegistryLogs() const;  // in order of (block, index)

  Status PutManifest(const Hash32& hash, std::string_view text);
  Result<std::vector<std::pair<Hash32, std::string>>> Manifests() const;

  // Replaces an entry with the same head and n. Older unmined places of the same receipts are
  // dropped, and so are all but the newest kMaxBatchesPerLine batches of the line.
  Status PutEntry(const QueueItem& item, const std::vector<ReceiptProof>& receipts);
  Result<std::vector<QueueItem>> Queue() const;
  // Entries of the head that its outbox does not hold any more.
  Status DropEntriesExcept(const Address& head, const std::set<uint64_t>& kept);

  Result<std::optional<ReceiptState>> FindReceipt(const Hash32& hash) const;
  Result<uint64_t> LastSeq(const Hash32& line) const;                              // 0: none
  Result<std::vector<MinedBatch>> Batches(const Hash32& line, size_t most) const;  // newest first
  Result<std::vector<MinedBatch>> NewestBatches(size_t most) const;                // of all lines
  Result<bool> IsServed(const Hash32& query) const;

  // ---- lists, newest first
  Result<std::vector<ListedReceipt>> Receipts(const ReceiptFilter& filter, size_t most) const;
  Result<std::vector<MinedBatch>> BatchesByRoot(const Hash32& root) const;
  // Receipts, queries or roots of batches whose hex begins with `prefix`. REQUIRES: whole bytes.
  Result<std::vector<Hash32>> ReceiptsLike(ByteView prefix, size_t most) const;
  Result<std::vector<Hash32>> QueriesLike(ByteView prefix, size_t most) const;
  Result<std::vector<Hash32>> RootsLike(ByteView prefix, size_t most) const;

  // ---- times and amounts
  // Blocks with events whose time is not known yet.
  Result<std::vector<uint64_t>> UntimedBlocks(size_t most) const;
  Status PutBlockTime(uint64_t block, uint64_t unix_seconds);
  Result<std::optional<uint64_t>> BlockTime(uint64_t block) const;
  Result<std::vector<LineRevenue>> RevenueSince(uint64_t unix_seconds) const;
  Result<std::optional<uint64_t>> FirstRevenue() const;  // unix seconds

  static constexpr size_t kMaxBatchesPerLine = 8;

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
  bool fresh_ = false;
};

}  // namespace teetee::gateway
