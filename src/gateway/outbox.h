// Foreign outbox entries -> transactions of the Ledger. Everything is checked before anything is
// stored: the entry is the polled head's, about a line of its own, with its signature. What the
// chain thinks of it is asked later. Pure.
#pragma once

#include "chain/eip712.h"
#include "gateway/store.h"

namespace teetee::gateway {

struct AcceptedEntry {
  QueueItem item;
  std::vector<ReceiptProof> receipts;
};

struct OutboxPage {
  std::vector<AcceptedEntry> entries;
  std::vector<uint64_t> numbers;  // of all entries, the refused too
  size_t refused = 0;             // entries that are well formed and not acceptable
};

inline constexpr size_t kMaxOutboxPage =
    12u << 20;  // bytes of one answer; a full batch has about 2 MiB

// An answer of GET /v1/teetee/outbox?after=. kInvalidArgument unless it is strictly what
// docs/formats/http-api.md says: entries in rising order above `after`.
Result<OutboxPage> ReadOutboxPage(std::string_view text, uint64_t after, const Address& head,
                                  const chain::Domain& domain);

// kPermissionDenied for an entry of another head, line or query; kUnauthenticated for a wrong
// signature.
Result<AcceptedEntry> AcceptEntry(const protocol::OutboxEntry& entry, const Address& head,
                                  const chain::Domain& domain);

}  // namespace teetee::gateway
