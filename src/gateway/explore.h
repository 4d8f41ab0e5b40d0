// Lists for pages: models with their slots, nodes with what was seen of them, receipts, batches, search, expected earnings. JSON of
// docs/formats/http-api.md, table "Gateway". Reads the directory and the databases; changes nothing. Threads: one.
#pragma once

#include "gateway/directory.h"
#include "gateway/history.h"
#include "gateway/store.h"

namespace teetee::gateway {

struct ExploreParts {
  const Directory& directory;
  const Store& store;
  const History& history;
};

class Explore {
 public:
  explicit Explore(ExploreParts parts) : p_(parts) {}

  Json Model(const ModelRecord& model) const;  // an item of /v1/models
  Json Models() const;
  Result<Json> Nodes(std::string_view query, uint64_t block) const;  // ?model= or ?host=, or all
  Result<Json> Node(std::string_view key) const;
  Result<Json> Usage(std::string_view key, std::string_view query) const;
  Result<Json> NodeHistory(std::string_view key) const;
  Result<std::string> EvidenceAnswer(std::string_view key, std::string_view sha256) const;
  Result<Json> Evidence(std::string_view query) const;  // newest of all nodes
  Result<Json> Receipts(std::string_view query) const;
  Result<Json> Batches(std::string_view query) const;
  Result<Json> Batch(std::string_view root) const;
  Result<Json> Search(std::string_view query) const;
  Result<Json> Expected(uint64_t now) const;  // earnings by model and slot

 private:
  Json SlotList(const ModelRecord& model) const;
  Json NodeItem(const NodeRecord& node) const;
  Json BatchItem(const MinedBatch& batch) const;
  Result<Json> ReceiptItem(const Hash32& hash) const;
  Result<Json> ReceiptItems(const ReceiptFilter& filter, size_t most, uint64_t* next) const;
  std::string ModelName(const Hash32& id) const;
  void SearchDirectory(ByteView prefix, bool exact, Json& out) const;
  Status SearchStore(ByteView prefix, Json& out) const;

  ExploreParts p_;
};

}  // namespace teetee::gateway
