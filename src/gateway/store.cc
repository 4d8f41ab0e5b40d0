#include "gateway/store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "chain/eip712.h"
#include "protocol/receipt.h"

namespace teetee::gateway {
namespace {

constexpr int kBusyMs = 2000;
constexpr int kSchemaVersion = 1;

// Keys lead with what is asked for; all of it is small.
constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS logs (block INTEGER, idx INTEGER, block_hash BLOB, tx BLOB, address BLOB, topics BLOB, data BLOB,
  PRIMARY KEY (block, idx)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batches (line BLOB, seq INTEGER, root BLOB, count INTEGER, tx BLOB, block INTEGER,
  PRIMARY KEY (line, seq)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS batches_by_block ON batches (block);
CREATE TABLE IF NOT EXISTS served (receipt BLOB PRIMARY KEY, query BLOB, tx BLOB, block INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS served_by_query ON served (query);
CREATE TABLE IF NOT EXISTS manifests (hash BLOB PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS receipts (hash BLOB PRIMARY KEY, line BLOB, strict INTEGER, json TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places (receipt BLOB, seq INTEGER, line BLOB, root BLOB, proof BLOB, PRIMARY KEY (receipt, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue (head BLOB, n INTEGER, kind INTEGER, line BLOB, seq INTEGER, id BLOB, call BLOB,
  PRIMARY KEY (head, n)) WITHOUT ROWID;
)sql";

// SQLite's integers are signed: the bits are kept, and no query orders by a number above 2^63 (seq
// is checked on the way in).
int64_t Signed(uint64_t v) { return static_cast<int64_t>(v); }

template <size_t N>
void BindHash(SQLite::Statement& s, int index, const ByteArray<N>& bytes) {
  s.bind(index, bytes.data(), static_cast<int>(N));
}
void BindBytes(SQLite::Statement& s, int index, ByteView bytes) {
  s.bind(index, bytes.data(), static_cast<int>(bytes.size()));
}

ByteView BlobOf(SQLite::Statement& s, int column) {
  SQLite::Column value = s.getColumn(column);
  return ByteView(static_cast<const uint8_t*>(value.getBlob()),
                  static_cast<size_t>(value.getBytes()));
}
struct Damaged {};
template <size_t N>
ByteArray<N> FixedOf(SQLite::Statement& s, int column) {
  ByteView blob = BlobOf(s, column);
  if (blob.size() != N) throw Damaged{};
  ByteArray<N> out;
  std::memcpy(out.data(), blob.data(), N);
  return out;
}
uint64_t NumberOf(SQLite::Statement& s, int column) {
  return static_cast<uint64_t>(s.getColumn(column).getInt64());
}

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

MinedBatch BatchOf(SQLite::Statement& s) {  // columns line, seq, root, count, tx, block
  MinedBatch b;
  b.line = FixedOf<32>(s, 0);
  b.seq = NumberOf(s, 1);
  b.root = FixedOf<32>(s, 2);
  b.count = static_cast<uint32_t>(NumberOf(s, 3));
  b.tx = FixedOf<32>(s, 4);
  b.block = NumberOf(s, 5);
  return b;
}

// The seam where SQLite's exceptions end.
template <class Fn>
auto Guarded(const char* what, Fn fn) -> decltype(fn()) {
  try {
    return fn();
  } catch (const SQLite::Exception& e) {
    const bool damaged =
        e.getErrorCode() == 11 || e.getErrorCode() == 26;  // SQLITE_CORRUPT, SQLITE_NOTADB
    return Error(damaged ? Code::kDataLoss : Code::kUnavailable,
                 std::string("database: ") + what + ": " + e.what());
  } catch (const Damaged&) {
    return Error(Code::kDataLoss, std::string("database: ") + what + ": a row is malformed");
  }
}

std::string IdentityText(const StoreIdentity& identity) {
  return "v" + std::to_string(kSchemaVersion) + " chain " + std::to_string(identity.chain_id) +
         " registry " + ToHex0x(identity.registry) + " ledger " + ToHex0x(identity.ledger);
}

}  // namespace

struct Store::Impl {
  explicit Impl(const std::string& path)
      : db(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMs) {}
  mutable SQLite::Database db;

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
    impl->db.exec(kSchema);
    const std::string wanted = IdentityText(identity);
    SQLite::Statement read(impl->db, "SELECT value FROM meta WHERE name='identity'");
    const bool known = read.executeStep();
    if (known && read.getColumn(0).getString() != wanted) {
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
      for (const char* table : {"logs", "batches", "served"})
        impl_->DropFrom(table, *change.undo_above);
    }
    for (const chain::LogEntry& log : change.registry_logs) impl_->PutLog(log);
    for (const MinedBatch& b : change.batches) {
      SQLite::Statement s(impl_->db, "INSERT OR REPLACE INTO batches VALUES (?,?,?,?,?,?)");
      BindHash(s, 1, b.line);
      s.bind(2, Signed(b.seq));
      BindHash(s, 3, b.root);
      s.bind(4, Signed(b.count));
      BindHash(s, 5, b.tx);
      s.bind(6, Signed(b.block));
      s.exec();
    }
    for (const ServedReceipt& r : change.served) {
      SQLite::Statement s(impl_->db, "INSERT OR REPLACE INTO served VALUES (?,?,?,?)");
      BindHash(s, 1, r.receipt_hash);
      BindHash(s, 2, r.query);
      BindHash(s, 3, r.tx);
      s.bind(4, Signed(r.block));
      s.exec();
    }
    transaction.commit();
    return Ok{};
  });
}

Status Store::ForgetChain() {
  return Guarded("forget", [&]() -> Status {
    SQLite::Transaction transaction(impl_->db);
    for (const char* table : {"logs", "batches", "served"})
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
                        "SELECT line, seq, root, count, tx, block FROM batches WHERE line=? ORDER "
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
                        "SELECT line, seq, root, count, tx, block FROM batches ORDER BY block "
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

}  // namespace teetee::gateway
