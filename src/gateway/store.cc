#include "gateway/store.h"

#include "chain/eip712.h"
#include "gateway/sqlite.h"
#include "protocol/receipt.h"

namespace teetee::gateway {
namespace {

constexpr int kSchemaVersion = 2;

// Keys lead with what is asked for; all of it is small.
constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logs (block INTEGER, idx INTEGER, block_hash BLOB, tx BLOB, address BLOB, topics BLOB, data BLOB,
  PRIMARY KEY (block, idx)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (line BLOB, seq INTEGER, root BLOB, count INTEGER, tx BLOB, block INTEGER, amount TEXT,
  PRIMARY KEY (line, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS batches_by_block ON batches (block);
CREATE INDEX IF NOT EXISTS batches_by_root ON batches (root);
CREATE TABLE IF NOT EXISTS served (receipt BLOB PRIMARY KEY, query BLOB, tx BLOB, block INTEGER, line BLOB, cost TEXT) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS served_by_query ON served (query);
CREATE TABLE IF NOT EXISTS block_times (block INTEGER PRIMARY KEY, time INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS manifests (hash BLOB PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receipts (hash BLOB PRIMARY KEY, line BLOB, strict INTEGER, json TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receipt_order (n INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB UNIQUE, query BLOB, line BLOB);
CREATE INDEX IF NOT EXISTS order_by_query ON receipt_order (query);
CREATE INDEX IF NOT EXISTS order_by_line ON receipt_order (line);
CREATE TABLE IF NOT EXISTS places (receipt BLOB, seq INTEGER, line BLOB, root BLOB, proof BLOB, PRIMARY KEY (receipt, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS places_by_root ON places (root);
CREATE TABLE IF NOT EXISTS queue (head BLOB, n INTEGER, kind INTEGER, line BLOB, seq INTEGER, id BLOB, call BLOB,
  PRIMARY KEY (head, n)) WITHOUT ROWID;
)sql";

std::vector<Hash32> HashesOf(SQLite::Statement& s, int column) {
  ByteView blob = BlobOf(s, column);
  if (blob.size() % 32 != 0) throw Damaged{};
  std::vector<Hash32> out(blob.size() / 32);
  if (!blob.empty()) std::memcpy(out.data(), blob.data(), blob.size());
  return out;
}
Bytes Joined(const std::vector<Hash32>& hashes) {
  ByteWriter out;
  for (const Hash32& hash : hashes) out.Raw(hash);
  return out.Take();
}

chain::Wei WeiOf(SQLite::Statement& s, int column) {
  auto wei = chain::Wei::ParseDecimal(s.getColumn(column).getString());
  if (!wei) throw Damaged{};
  return *wei;
}

MinedBatch BatchOf(SQLite::Statement& s) {  // columns line, seq, root, count, tx, block, amount
  MinedBatch b;
  b.line = FixedOf<32>(s, 0);
  b.seq = NumberOf(s, 1);
  b.root = FixedOf<32>(s, 2);
  b.count = static_cast<uint32_t>(NumberOf(s, 3));
  b.tx = FixedOf<32>(s, 4);
  b.block = NumberOf(s, 5);
  b.amount = WeiOf(s, 6);
  return b;
}

constexpr char kChainTables[] = "DROP TABLE IF EXISTS logs; DROP TABLE IF EXISTS batches; DROP TABLE IF EXISTS served;";

// The first `size` bytes and all ones: an upper bound of what begins with them.
Hash32 LastWith(ByteView prefix) {
  Hash32 out;
  out.fill(0xff);
  std::copy(prefix.begin(), prefix.end(), out.begin());
  return out;
}

std::string IdentityText(const StoreIdentity& identity, int version = kSchemaVersion) {
  return "v" + std::to_string(version) + " chain " + std::to_string(identity.chain_id) +
         " registry " + ToHex0x(identity.registry) + " ledger " + ToHex0x(identity.ledger);
}

}  // namespace

struct Store::Impl {
  explicit Impl(const std::string& path)
      : db(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMs) {}
  mutable SQLite::Database db;

  std::string ReadIdentity() {
    if (!db.tableExists("meta")) return "";
    SQLite::Statement read(db, "SELECT value FROM meta WHERE name='identity'");
    return read.executeStep() ? read.getColumn(0).getString() : "";
  }
  Status OrderReceipts();
  void PutOrder(const Hash32& hash, const chain::Receipt& receipt);
  std::vector<Hash32> Like(const char* sql, ByteView prefix, size_t most);
  void DropFrom(const char* table, uint64_t above) {
    SQLite::Statement s(db, std::string("DELETE FROM ") + table + " WHERE block > ?");
    s.bind(1, Signed(above));
    s.exec();
  }
  void PutLog(const chain::LogEntry& log);
  void PutReceipt(const QueueItem& item, const ReceiptProof& entry);
  void DropOldBatches(const Hash32& line);
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::Open(const std::string& path, const StoreIdentity& identity) {
  auto opened = Guarded("open", [&]() -> Result<std::unique_ptr<Store>> {
    auto impl = std::make_unique<Impl>(path);
    impl->db.exec("PRAGMA journal_mode=WAL");
    impl->db.exec("PRAGMA synchronous=NORMAL");
    const std::string wanted = IdentityText(identity);
    std::string found = impl->ReadIdentity();
    // What is of the chain is read from it again; receipts and their proofs stay.
    if (found == IdentityText(identity, 1)) {
      impl->db.exec(kChainTables);
      impl->db.exec("DELETE FROM meta WHERE name='identity'");
      found.clear();
    }
    impl->db.exec(kSchema);
    TT_RETURN_IF_ERROR(impl->OrderReceipts());
    const bool known = !found.empty();
    if (known && found != wanted) {
      return Error(Code::kFailedPrecondition,
                   path +
                       " belongs to another chain, other contracts or another version: use another "
                       "--state, or delete the file (it is rebuilt)");
    }
    if (!known) {
      SQLite::Statement write(impl->db, "INSERT INTO meta VALUES ('identity', ?)");
      write.bind(1, wanted);
      write.exec();
    }
    auto store = std::unique_ptr<Store>(new Store(std::move(impl)));
    store->fresh_ = !known;
    return store;
  });
  if (!opened && opened.error().code() == Code::kDataLoss) {
    return Error(Code::kDataLoss,
                 path + " is damaged: delete it and start again, the gateway rebuilds it");
  }
  return opened;
}

// ---- the chain ----

void Store::Impl::PutLog(const chain::LogEntry& log) {
  SQLite::Statement s(db, "INSERT OR REPLACE INTO logs VALUES (?,?,?,?,?,?,?)");
  s.bind(1, Signed(log.block_number));
  s.bind(2, Signed(log.log_index));
  BindHash(s, 3, log.block_hash);
  BindHash(s, 4, log.tx_hash);
  BindHash(s, 5, log.address);
  BindBytes(s, 6, Joined(log.topics));
  BindBytes(s, 7, log.data);
  s.exec();
}

Status Store::Apply(const ChainChange& change) {
  return Guarded("events", [&]() -> Status {
    SQLite::Transaction transaction(impl_->db);
    if (change.undo_above) {
      for (const char* table : {"logs", "batches", "served", "block_times"})
        impl_->DropFrom(table, *change.undo_above);
    }
    for (const chain::LogEntry& log : change.registry_logs) impl_->PutLog(log);
    for (const MinedBatch& b : change.batches) {
      SQLite::Statement s(impl_->db, "INSERT OR REPLACE INTO batches VALUES (?,?,?,?,?,?,?)");
      BindHash(s, 1, b.line);
      s.bind(2, Signed(b.seq));
      BindHash(s, 3, b.root);
      s.bind(4, Signed(b.count));
      BindHash(s, 5, b.tx);
      s.bind(6, Signed(b.block));
      s.bind(7, b.amount.Decimal());
      s.exec();
    }
    for (const ServedReceipt& r : change.served) {
      SQLite::Statement s(impl_->db, "INSERT OR REPLACE INTO served VALUES (?,?,?,?,?,?)");
      BindHash(s, 1, r.receipt_hash);
      BindHash(s, 2, r.query);
      BindHash(s, 3, r.tx);
      s.bind(4, Signed(r.block));
      BindHash(s, 5, r.line);
      s.bind(6, r.cost.Decimal());
      s.exec();
    }
    transaction.commit();
    return Ok{};
  });
}

Status Store::ForgetChain() {
  return Guarded("forget", [&]() -> Status {
    SQLite::Transaction transaction(impl_->db);
    for (const char* table : {"logs", "batches", "served", "block_times"})
      impl_->db.exec(std::string("DELETE FROM ") + table);
    transaction.commit();
    return Ok{};
  });
}

Result<std::vector<chain::LogEntry>> Store::RegistryLogs() const {
  return Guarded("events", [&]() -> Result<std::vector<chain::LogEntry>> {
    SQLite::Statement s(
        impl_->db,
        "SELECT block, idx, block_hash, tx, address, topics, data FROM logs ORDER BY block, idx");
    std::vector<chain::LogEntry> out;
    while (s.executeStep()) {
      chain::LogEntry log;
      log.block_number = NumberOf(s, 0);
      log.log_index = NumberOf(s, 1);
      log.block_hash = FixedOf<32>(s, 2);
      log.tx_hash = FixedOf<32>(s, 3);
      log.address = FixedOf<20>(s, 4);
      log.topics = HashesOf(s, 5);
      log.data = ToBytes(BlobOf(s, 6));
      out.push_back(std::move(log));
    }
    return out;
  });
}

Result<uint64_t> Store::LastSeq(const Hash32& line) const {
  return Guarded("batches", [&]() -> Result<uint64_t> {
    SQLite::Statement s(impl_->db, "SELECT max(seq) FROM batches WHERE line=?");
    BindHash(s, 1, line);
    s.executeStep();
    return NumberOf(s, 0);
  });
}

Result<std::vector<MinedBatch>> Store::Batches(const Hash32& line, size_t most) const {
  return Guarded("batches", [&]() -> Result<std::vector<MinedBatch>> {
    SQLite::Statement s(impl_->db,
                        "SELECT line, seq, root, count, tx, block, amount FROM batches WHERE line=? ORDER "
                        "BY seq DESC LIMIT ?");
    BindHash(s, 1, line);
    s.bind(2, Signed(most));
    std::vector<MinedBatch> out;
    while (s.executeStep()) out.push_back(BatchOf(s));
    return out;
  });
}

Result<std::vector<MinedBatch>> Store::NewestBatches(size_t most) const {
  return Guarded("batches", [&]() -> Result<std::vector<MinedBatch>> {
    SQLite::Statement s(impl_->db,
                        "SELECT line, seq, root, count, tx, block, amount FROM batches ORDER BY block "
                        "DESC, seq DESC LIMIT ?");
    s.bind(1, Signed(most));
    std::vector<MinedBatch> out;
    while (s.executeStep()) out.push_back(BatchOf(s));
    return out;
  });
}

Result<bool> Store::IsServed(const Hash32& query) const {
  return Guarded("served", [&]() -> Result<bool> {
    SQLite::Statement s(impl_->db, "SELECT 1 FROM served WHERE query=?");
    BindHash(s, 1, query);
    return s.executeStep();
  });
}

// ---- manifests ----

Status Store::PutManifest(const Hash32& hash, std::string_view text) {
  return Guarded("manifest", [&]() -> Status {
    SQLite::Statement s(impl_->db, "INSERT OR REPLACE INTO manifests VALUES (?,?)");
    BindHash(s, 1, hash);
    s.bind(2, std::string(text));
    s.exec();
    return Ok{};
  });
}

Result<std::vector<std::pair<Hash32, std::string>>> Store::Manifests() const {
  return Guarded("manifests", [&]() -> Result<std::vector<std::pair<Hash32, std::string>>> {
    SQLite::Statement s(impl_->db, "SELECT hash, text FROM manifests");
    std::vector<std::pair<Hash32, std::string>> out;
    while (s.executeStep()) out.emplace_back(FixedOf<32>(s, 0), s.getColumn(1).getString());
    return out;
  });
}

// ---- outboxes and receipts ----

void Store::Impl::PutReceipt(const QueueItem& item, const ReceiptProof& entry) {
  const Hash32 hash = chain::StructHash(entry.receipt);
  SQLite::Statement put(db, "INSERT OR REPLACE INTO receipts VALUES (?,?,?,?)");
  BindHash(put, 1, hash);
  BindHash(put, 2, item.line);
  put.bind(3, item.kind == EntryKind::kSettle ? 1 : 0);
  put.bind(4, protocol::ReceiptJson(entry.receipt).Dump());
  put.exec();
  PutOrder(hash, entry.receipt);
  if (item.kind != EntryKind::kBatch) return;
  SQLite::Statement drop(db,
                         "DELETE FROM places WHERE receipt=?1 AND seq < ?2 AND NOT EXISTS (SELECT "
                         "1 FROM batches b WHERE "
                         "b.line=places.line AND b.seq=places.seq AND b.root=places.root)");
  BindHash(drop, 1, hash);
  drop.bind(2, Signed(item.seq));
  drop.exec();
  SQLite::Statement place(db, "INSERT OR REPLACE INTO places VALUES (?,?,?,?,?)");
  BindHash(place, 1, hash);
  place.bind(2, Signed(item.seq));
  BindHash(place, 3, item.line);
  BindHash(place, 4, item.id);
  BindBytes(place, 5, Joined(entry.proof));
  place.exec();
}

void Store::Impl::PutOrder(const Hash32& hash, const chain::Receipt& receipt) {
  SQLite::Statement s(db, "INSERT OR IGNORE INTO receipt_order (hash, query, line) VALUES (?,?,?)");
  BindHash(s, 1, hash);
  BindHash(s, 2, receipt.query);
  BindHash(s, 3, receipt.line);
  s.exec();
}

// Receipts of a file that had no order yet.
Status Store::Impl::OrderReceipts() {
  SQLite::Statement s(db, "SELECT hash, json FROM receipts WHERE hash NOT IN (SELECT hash FROM receipt_order)");
  std::vector<std::pair<Hash32, chain::Receipt>> found;
  while (s.executeStep()) {
    auto receipt = protocol::ReceiptFromJson(TT_TRY(Json::Parse(s.getColumn(1).getString())));
    if (!receipt) throw Damaged{};
    found.emplace_back(FixedOf<32>(s, 0), *receipt);
  }
  for (const auto& [hash, receipt] : found) PutOrder(hash, receipt);
  return Ok{};
}

std::vector<Hash32> Store::Impl::Like(const char* sql, ByteView prefix, size_t most) {
  SQLite::Statement s(db, sql);
  BindBytes(s, 1, prefix);
  BindHash(s, 2, LastWith(prefix));
  s.bind(3, Signed(most));
  std::vector<Hash32> out;
  while (s.executeStep()) out.push_back(FixedOf<32>(s, 0));
  return out;
}

void Store::Impl::DropOldBatches(const Hash32& line) {
  SQLite::Statement s(db,
                      "DELETE FROM queue WHERE kind=0 AND line=?1 AND seq NOT IN (SELECT seq FROM "
                      "queue WHERE kind=0 AND line=?1 "
                      "ORDER BY seq DESC LIMIT ?2)");
  BindHash(s, 1, line);
  s.bind(2, Signed(kMaxBatchesPerLine));
  s.exec();
}

Status Store::PutEntry(const QueueItem& item, const std::vector<ReceiptProof>& receipts) {
  if (item.seq > static_cast<uint64_t>(INT64_MAX) || item.n > static_cast<uint64_t>(INT64_MAX)) {
    return Error(Code::kInvalidArgument, "outbox: a number beyond 2^63");
  }
  return Guarded("outbox", [&]() -> Status {
    SQLite::Transaction transaction(impl_->db);
    SQLite::Statement s(impl_->db, "INSERT OR REPLACE INTO queue VALUES (?,?,?,?,?,?,?)");
    BindHash(s, 1, item.head);
    s.bind(2, Signed(item.n));
    s.bind(3, static_cast<int>(item.kind));
    BindHash(s, 4, item.line);
    s.bind(5, Signed(item.seq));
    BindHash(s, 6, item.id);
    BindBytes(s, 7, item.call);
    s.exec();
    for (const ReceiptProof& receipt : receipts) impl_->PutReceipt(item, receipt);
    if (item.kind == EntryKind::kBatch) impl_->DropOldBatches(item.line);
    transaction.commit();
    return Ok{};
  });
}

Result<std::vector<QueueItem>> Store::Queue() const {
  return Guarded("outbox", [&]() -> Result<std::vector<QueueItem>> {
    SQLite::Statement s(impl_->db,
                        "SELECT head, n, kind, line, seq, id, call FROM queue ORDER BY head, n");
    std::vector<QueueItem> out;
    while (s.executeStep()) {
      QueueItem item;
      item.head = FixedOf<20>(s, 0);
      item.n = NumberOf(s, 1);
      if (NumberOf(s, 2) > 2) throw Damaged{};
      item.kind = static_cast<EntryKind>(NumberOf(s, 2));
      item.line = FixedOf<32>(s, 3);
      item.seq = NumberOf(s, 4);
      item.id = FixedOf<32>(s, 5);
      item.call = ToBytes(BlobOf(s, 6));
      out.push_back(std::move(item));
    }
    return out;
  });
}

Status Store::DropEntriesExcept(const Address& head, const std::set<uint64_t>& kept) {
  return Guarded("outbox", [&]() -> Status {
    SQLite::Statement read(impl_->db, "SELECT n FROM queue WHERE head=?");
    BindHash(read, 1, head);
    std::vector<uint64_t> gone;
    while (read.executeStep()) {
      if (kept.count(NumberOf(read, 0)) == 0) gone.push_back(NumberOf(read, 0));
    }
    read.reset();
    SQLite::Transaction transaction(impl_->db);
    for (uint64_t n : gone) {
      SQLite::Statement drop(impl_->db, "DELETE FROM queue WHERE head=? AND n=?");
      BindHash(drop, 1, head);
      drop.bind(2, Signed(n));
      drop.exec();
    }
    transaction.commit();
    return Ok{};
  });
}

Result<std::optional<ReceiptState>> Store::FindReceipt(const Hash32& hash) const {
  return Guarded("receipt", [&]() -> Result<std::optional<ReceiptState>> {
    SQLite::Statement s(impl_->db, "SELECT strict, json FROM receipts WHERE hash=?");
    BindHash(s, 1, hash);
    if (!s.executeStep()) return std::optional<ReceiptState>();
    ReceiptState out;
    out.strict = NumberOf(s, 0) != 0;
    auto receipt = protocol::ReceiptFromJson(TT_TRY(Json::Parse(s.getColumn(1).getString())));
    if (!receipt) throw Damaged{};
    out.receipt = *receipt;
    // The newest mined place before the newest of all.
    SQLite::Statement place(impl_->db,
                            "SELECT p.seq, p.root, p.proof, b.tx, b.block FROM places p LEFT JOIN "
                            "batches b ON b.line=p.line AND "
                            "b.seq=p.seq AND b.root=p.root WHERE p.receipt=? ORDER BY b.tx IS "
                            "NULL, p.seq DESC LIMIT 1");
    BindHash(place, 1, hash);
    if (place.executeStep()) {
      out.strict = false;
      out.seq = NumberOf(place, 0);
      out.root = FixedOf<32>(place, 1);
      out.proof = HashesOf(place, 2);
      if (place.getColumn(3).isNull()) return std::optional(out);
      out.tx = FixedOf<32>(place, 3);
      out.block = NumberOf(place, 4);
      return std::optional(out);
    }
    SQLite::Statement served(impl_->db, "SELECT tx, block FROM served WHERE receipt=?");
    BindHash(served, 1, hash);
    if (served.executeStep()) {
      out.tx = FixedOf<32>(served, 0);
      out.block = NumberOf(served, 1);
    }
    return std::optional(out);
  });
}

// ---- lists ----

Result<std::vector<ListedReceipt>> Store::Receipts(const ReceiptFilter& filter, size_t most) const {
  return Guarded("receipts", [&]() -> Result<std::vector<ListedReceipt>> {
    std::string sql = "SELECT n, hash FROM receipt_order WHERE n<?";
    if (filter.query) sql += " AND query=?";
    if (filter.line) sql += " AND line=?";
    if (filter.batch) sql += " AND hash IN (SELECT receipt FROM places WHERE root=?)";
    SQLite::Statement s(impl_->db, sql + " ORDER BY n DESC LIMIT ?");
    int at = 0;
    s.bind(++at, Signed(std::min<uint64_t>(filter.before.value_or(INT64_MAX), INT64_MAX)));
    for (const auto* hash : {&filter.query, &filter.line, &filter.batch}) {
      if (*hash) BindHash(s, ++at, **hash);
    }
    s.bind(++at, Signed(most));
    std::vector<ListedReceipt> out;
    while (s.executeStep()) out.push_back({NumberOf(s, 0), FixedOf<32>(s, 1)});
    return out;
  });
}

Result<std::vector<MinedBatch>> Store::BatchesByRoot(const Hash32& root) const {
  return Guarded("batches", [&]() -> Result<std::vector<MinedBatch>> {
    SQLite::Statement s(impl_->db,
                        "SELECT line, seq, root, count, tx, block, amount FROM batches WHERE root=? ORDER BY block DESC LIMIT 16");
    BindHash(s, 1, root);
    std::vector<MinedBatch> out;
    while (s.executeStep()) out.push_back(BatchOf(s));
    return out;
  });
}

Result<std::vector<Hash32>> Store::ReceiptsLike(ByteView prefix, size_t most) const {
  return Guarded("search", [&]() -> Result<std::vector<Hash32>> {
    return impl_->Like("SELECT hash FROM receipt_order WHERE hash>=? AND hash<=? LIMIT ?", prefix, most);
  });
}

Result<std::vector<Hash32>> Store::QueriesLike(ByteView prefix, size_t most) const {
  return Guarded("search", [&]() -> Result<std::vector<Hash32>> {
    return impl_->Like("SELECT DISTINCT query FROM receipt_order WHERE query>=? AND query<=? LIMIT ?", prefix, most);
  });
}

Result<std::vector<Hash32>> Store::RootsLike(ByteView prefix, size_t most) const {
  return Guarded("search", [&]() -> Result<std::vector<Hash32>> {
    return impl_->Like("SELECT DISTINCT root FROM batches WHERE root>=? AND root<=? LIMIT ?", prefix, most);
  });
}

// ---- times and amounts ----

Result<std::vector<uint64_t>> Store::UntimedBlocks(size_t most) const {
  return Guarded("block times", [&]() -> Result<std::vector<uint64_t>> {
    SQLite::Statement s(impl_->db,
                        "SELECT block FROM (SELECT block FROM logs UNION SELECT block FROM batches UNION SELECT block FROM served) "
                        "WHERE block NOT IN (SELECT block FROM block_times) ORDER BY block DESC LIMIT ?");
    s.bind(1, Signed(most));
    std::vector<uint64_t> out;
    while (s.executeStep()) out.push_back(NumberOf(s, 0));
    return out;
  });
}

Status Store::PutBlockTime(uint64_t block, uint64_t unix_seconds) {
  return Guarded("block times", [&]() -> Status {
    SQLite::Statement s(impl_->db, "INSERT OR REPLACE INTO block_times VALUES (?,?)");
    s.bind(1, Signed(block));
    s.bind(2, Signed(unix_seconds));
    s.exec();
    return Ok{};
  });
}

Result<std::optional<uint64_t>> Store::BlockTime(uint64_t block) const {
  return Guarded("block times", [&]() -> Result<std::optional<uint64_t>> {
    SQLite::Statement s(impl_->db, "SELECT time FROM block_times WHERE block=?");
    s.bind(1, Signed(block));
    if (!s.executeStep()) return std::optional<uint64_t>();
    return std::optional<uint64_t>(NumberOf(s, 0));
  });
}

Result<std::vector<LineRevenue>> Store::RevenueSince(uint64_t unix_seconds) const {
  return Guarded("revenue", [&]() -> Result<std::vector<LineRevenue>> {
    SQLite::Statement s(impl_->db,
                        "SELECT line, amount FROM batches b JOIN block_times t ON t.block=b.block WHERE t.time>=?1 UNION ALL "
                        "SELECT line, cost FROM served v JOIN block_times t ON t.block=v.block WHERE t.time>=?1");
    s.bind(1, Signed(unix_seconds));
    std::vector<LineRevenue> out;
    while (s.executeStep()) out.push_back({FixedOf<32>(s, 0), WeiOf(s, 1)});
    return out;
  });
}

Result<std::optional<uint64_t>> Store::FirstRevenue() const {
  return Guarded("revenue", [&]() -> Result<std::optional<uint64_t>> {
    SQLite::Statement s(impl_->db,
                        "SELECT min(time) FROM block_times WHERE block IN (SELECT block FROM batches UNION SELECT block FROM served)");
    if (!s.executeStep() || s.getColumn(0).isNull()) return std::optional<uint64_t>();
    return std::optional<uint64_t>(NumberOf(s, 0));
  });
}

}  // namespace teetee::gateway
