#include "gateway/history.h"

#include <algorithm>

#include "crypto/hash.h"
#include "gateway/sqlite.h"

namespace teetee::gateway {
namespace {

constexpr Range kRanges[] = {Range::kHour, Range::kDay, Range::kMonth};
constexpr uint64_t kSpeedStep = 3600, kSpeedWindow = 86'400;  // seconds
constexpr uint64_t kDropEvery = 60;                           // seconds

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS usage (key BLOB, step INTEGER, t INTEGER, requests INTEGER, tokens_in INTEGER, tokens_out INTEGER,
  busy REAL, up INTEGER, probes INTEGER, answers INTEGER, ttft_ms REAL, rated INTEGER, rate REAL, PRIMARY KEY (key, step, t)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS usage_by_age ON usage (step, t);
CREATE TABLE IF NOT EXISTS counters (key BLOB PRIMARY KEY, started INTEGER, requests INTEGER, tokens_in INTEGER, tokens_out INTEGER,
  busy REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS speed (model BLOB, t INTEGER, answers INTEGER, ttft_ms REAL, rated INTEGER, rate REAL,
  PRIMARY KEY (model, t)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS evidence (n INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB, at INTEGER, sha256 BLOB, class TEXT, answer TEXT,
  UNIQUE (key, sha256));
)sql";

// Sums of what is to be written.
struct Sum {
  NodeCounters used;
  uint64_t up = 0, probes = 0, answers = 0, rated = 0;
  double ttft_ms = 0, rate = 0;

  void Add(const AnswerSpeed& speed) {
    ++answers;
    ttft_ms += speed.ttft_ms;
    if (speed.chunks_per_second <= 0) return;
    ++rated;
    rate += speed.chunks_per_second;
  }
};

double Mean(double sum, uint64_t count) { return count == 0 ? 0 : sum / static_cast<double>(count); }

EvidenceNote NoteOf(SQLite::Statement& s) {  // columns key, at, sha256, class
  return {FixedOf<20>(s, 0), NumberOf(s, 1), FixedOf<32>(s, 2), s.getColumn(3).getString()};
}

}  // namespace

RangeShape ShapeOf(Range range) {
  switch (range) {
    case Range::kHour:
      return {60, 60};
    case Range::kDay:
      return {900, 96};
    case Range::kMonth:
      return {21'600, 120};
  }
  return {60, 60};
}

NodeCounters Added(const NodeCounters& before, const NodeCounters& now) {
  const bool same_run = now.started == before.started && now.requests >= before.requests && now.tokens_in >= before.tokens_in &&
                        now.tokens_out >= before.tokens_out && now.busy_seconds >= before.busy_seconds;
  if (!same_run) return now;
  return {now.started, now.requests - before.requests, now.tokens_in - before.tokens_in, now.tokens_out - before.tokens_out,
          now.busy_seconds - before.busy_seconds};
}

struct History::Impl {
  explicit Impl(const std::string& path) : db(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMs) {}
  mutable SQLite::Database db;
  std::map<Address, NodeCounters> last;                          // as written or noted
  std::map<std::pair<Address, uint64_t>, Sum> usage;             // by minute, waits for Flush
  std::map<std::pair<Hash32, uint64_t>, Sum> speed;              // by hour, likewise
  std::map<Address, NodeCounters> changed;                       // of last, likewise
  uint64_t next_drop = 0;

  void ReadCounters();
  void PutUsage(const Address& key, uint64_t minute, const Sum& sum);
  void PutSpeed(const Hash32& model, uint64_t hour, const Sum& sum);
  void PutCounters(const Address& key, const NodeCounters& counters);
  void DropOld(uint64_t now);
};

History::History(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
History::~History() = default;

Result<std::unique_ptr<History>> History::Open(const std::string& path) {
  auto opened = Guarded("open", [&]() -> Result<std::unique_ptr<History>> {
    auto impl = std::make_unique<Impl>(path);
    impl->db.exec("PRAGMA journal_mode=WAL");
    impl->db.exec("PRAGMA synchronous=NORMAL");
    impl->db.exec(kSchema);
    impl->ReadCounters();
    return std::unique_ptr<History>(new History(std::move(impl)));
  });
  if (!opened) return std::move(opened).error().Context(path);
  return opened;
}

void History::Impl::ReadCounters() {
  SQLite::Statement s(db, "SELECT key, started, requests, tokens_in, tokens_out, busy FROM counters");
  while (s.executeStep())
    last[FixedOf<20>(s, 0)] = {NumberOf(s, 1), NumberOf(s, 2), NumberOf(s, 3), NumberOf(s, 4), s.getColumn(5).getDouble()};
}

// ---- writing

void History::NoteProbe(const Address& key, std::optional<NodeCounters> counters, uint64_t now) {
  Sum& sum = impl_->usage[{key, now / 60 * 60}];
  ++sum.probes;
  if (!counters) return;
  ++sum.up;
  auto before = impl_->last.find(key);
  // Of a node that is met for the first time nobody knows when it counted what it shows.
  if (before != impl_->last.end()) {
    const NodeCounters added = Added(before->second, *counters);
    sum.used.requests += added.requests;
    sum.used.tokens_in += added.tokens_in;
    sum.used.tokens_out += added.tokens_out;
    sum.used.busy_seconds += added.busy_seconds;
  }
  impl_->last[key] = impl_->changed[key] = *counters;
}

void History::NoteAnswer(const Address& head, const Hash32& model, const AnswerSpeed& speed, uint64_t now) {
  impl_->usage[{head, now / 60 * 60}].Add(speed);
  impl_->speed[{model, now / kSpeedStep * kSpeedStep}].Add(speed);
}

void History::Impl::PutUsage(const Address& key, uint64_t minute, const Sum& sum) {
  for (Range range : kRanges) {
    const uint64_t step = ShapeOf(range).step;
    SQLite::Statement s(db,
                        "INSERT INTO usage VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET requests=requests+excluded.requests, "
                        "tokens_in=tokens_in+excluded.tokens_in, tokens_out=tokens_out+excluded.tokens_out, busy=busy+excluded.busy, "
                        "up=up+excluded.up, probes=probes+excluded.probes, answers=answers+excluded.answers, "
                        "ttft_ms=ttft_ms+excluded.ttft_ms, rated=rated+excluded.rated, rate=rate+excluded.rate");
    BindHash(s, 1, key);
    s.bind(2, Signed(step));
    s.bind(3, Signed(minute / step * step));
    s.bind(4, Signed(sum.used.requests));
    s.bind(5, Signed(sum.used.tokens_in));
    s.bind(6, Signed(sum.used.tokens_out));
    s.bind(7, sum.used.busy_seconds);
    s.bind(8, Signed(sum.up));
    s.bind(9, Signed(sum.probes));
    s.bind(10, Signed(sum.answers));
    s.bind(11, sum.ttft_ms);
    s.bind(12, Signed(sum.rated));
    s.bind(13, sum.rate);
    s.exec();
  }
}

void History::Impl::PutSpeed(const Hash32& model, uint64_t hour, const Sum& sum) {
  SQLite::Statement s(db,
                      "INSERT INTO speed VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE SET answers=answers+excluded.answers, "
                      "ttft_ms=ttft_ms+excluded.ttft_ms, rated=rated+excluded.rated, rate=rate+excluded.rate");
  BindHash(s, 1, model);
  s.bind(2, Signed(hour));
  s.bind(3, Signed(sum.answers));
  s.bind(4, sum.ttft_ms);
  s.bind(5, Signed(sum.rated));
  s.bind(6, sum.rate);
  s.exec();
}

void History::Impl::PutCounters(const Address& key, const NodeCounters& counters) {
  SQLite::Statement s(db, "INSERT OR REPLACE INTO counters VALUES (?,?,?,?,?,?)");
  BindHash(s, 1, key);
  s.bind(2, Signed(counters.started));
  s.bind(3, Signed(counters.requests));
  s.bind(4, Signed(counters.tokens_in));
  s.bind(5, Signed(counters.tokens_out));
  s.bind(6, counters.busy_seconds);
  s.exec();
}

void History::Impl::DropOld(uint64_t now) {
  if (now < next_drop) return;
  next_drop = now + kDropEvery;
  for (Range range : kRanges) {
    const RangeShape shape = ShapeOf(range);
    const uint64_t keep = shape.step * shape.points * (range == Range::kMonth ? 4 : 6) / 3;
    SQLite::Statement s(db, "DELETE FROM usage WHERE step=? AND t<?");
    s.bind(1, Signed(shape.step));
    s.bind(2, Signed(now - std::min(now, keep)));
    s.exec();
  }
  SQLite::Statement s(db, "DELETE FROM speed WHERE t<?");
  s.bind(1, Signed(now - std::min(now, 2 * kSpeedWindow)));
  s.exec();
}

Status History::Flush(uint64_t now) {
  return Guarded("usage", [&]() -> Status {
    SQLite::Transaction transaction(impl_->db);
    for (const auto& [at, sum] : impl_->usage) impl_->PutUsage(at.first, at.second, sum);
    for (const auto& [at, sum] : impl_->speed) impl_->PutSpeed(at.first, at.second, sum);
    for (const auto& [key, counters] : impl_->changed) impl_->PutCounters(key, counters);
    impl_->DropOld(now);
    transaction.commit();
    impl_->usage.clear();
    impl_->speed.clear();
    impl_->changed.clear();
    return Ok{};
  });
}

// ---- reading

Result<std::vector<UsagePoint>> History::Usage(const Address& key, Range range, uint64_t now) const {
  return Guarded("usage", [&]() -> Result<std::vector<UsagePoint>> {
    const RangeShape shape = ShapeOf(range);
    const uint64_t first = now / shape.step * shape.step - shape.step * (shape.points - 1);
    std::vector<UsagePoint> out(shape.points);
    for (size_t i = 0; i < out.size(); ++i) out[i].t = first + shape.step * i;
    SQLite::Statement s(impl_->db,
                        "SELECT t, requests, tokens_in, tokens_out, busy, up, probes, answers, ttft_ms, rated, rate FROM usage "
                        "WHERE key=? AND step=? AND t>=? AND t<=?");
    BindHash(s, 1, key);
    s.bind(2, Signed(shape.step));
    s.bind(3, Signed(first));
    s.bind(4, Signed(now));
    while (s.executeStep()) {
      UsagePoint& p = out.at((NumberOf(s, 0) - first) / shape.step);
      p.used = {0, NumberOf(s, 1), NumberOf(s, 2), NumberOf(s, 3), s.getColumn(4).getDouble()};
      p.probes = NumberOf(s, 6);
      p.up = Mean(static_cast<double>(NumberOf(s, 5)), p.probes);
      p.answers = NumberOf(s, 7);
      p.ttft_ms = Mean(s.getColumn(8).getDouble(), p.answers);
      p.tokens_per_second = Mean(s.getColumn(10).getDouble(), NumberOf(s, 9));
    }
    return out;
  });
}

Result<std::optional<ModelSpeed>> History::SpeedOf(const Hash32& model, uint64_t now) const {
  return Guarded("speed", [&]() -> Result<std::optional<ModelSpeed>> {
    SQLite::Statement s(impl_->db,
                        "SELECT sum(answers), sum(ttft_ms), sum(rated), sum(rate), min(t) FROM speed WHERE model=? AND t>?");
    BindHash(s, 1, model);
    s.bind(2, Signed(now - std::min(now, kSpeedWindow)));
    if (!s.executeStep() || NumberOf(s, 0) == 0) return std::optional<ModelSpeed>();
    return std::optional<ModelSpeed>(ModelSpeed{Mean(s.getColumn(3).getDouble(), NumberOf(s, 2)),
                                                Mean(s.getColumn(1).getDouble(), NumberOf(s, 0)), NumberOf(s, 0), NumberOf(s, 4)});
  });
}

// ---- evidence

Status History::NoteEvidence(const Address& key, std::string_view evidence_class, std::string_view answer, uint64_t now) {
  return Guarded("evidence", [&]() -> Status {
    SQLite::Transaction transaction(impl_->db);
    SQLite::Statement put(impl_->db, "INSERT OR IGNORE INTO evidence (key, at, sha256, class, answer) VALUES (?,?,?,?,?)");
    BindHash(put, 1, key);
    put.bind(2, Signed(now));
    BindHash(put, 3, crypto::Sha256(AsBytes(answer)));
    put.bind(4, std::string(evidence_class));
    put.bind(5, std::string(answer));
    put.exec();
    SQLite::Statement drop(impl_->db, "DELETE FROM evidence WHERE key=?1 AND n NOT IN (SELECT n FROM evidence WHERE key=?1 ORDER BY n DESC LIMIT ?2)");
    BindHash(drop, 1, key);
    drop.bind(2, Signed(kMaxEvidence));
    drop.exec();
    transaction.commit();
    return Ok{};
  });
}

Result<std::vector<EvidenceNote>> History::EvidenceOf(const Address& key) const {
  return Guarded("evidence", [&]() -> Result<std::vector<EvidenceNote>> {
    SQLite::Statement s(impl_->db, "SELECT key, at, sha256, class FROM evidence WHERE key=? ORDER BY n DESC");
    BindHash(s, 1, key);
    std::vector<EvidenceNote> out;
    while (s.executeStep()) out.push_back(NoteOf(s));
    return out;
  });
}

Result<std::vector<EvidenceNote>> History::NewestEvidence(size_t most) const {
  return Guarded("evidence", [&]() -> Result<std::vector<EvidenceNote>> {
    SQLite::Statement s(impl_->db, "SELECT key, at, sha256, class FROM evidence ORDER BY n DESC LIMIT ?");
    s.bind(1, Signed(most));
    std::vector<EvidenceNote> out;
    while (s.executeStep()) out.push_back(NoteOf(s));
    return out;
  });
}

Result<std::optional<std::string>> History::EvidenceAnswer(const Address& key, const Hash32& sha256) const {
  return Guarded("evidence", [&]() -> Result<std::optional<std::string>> {
    SQLite::Statement s(impl_->db, "SELECT answer FROM evidence WHERE key=? AND sha256=?");
    BindHash(s, 1, key);
    BindHash(s, 2, sha256);
    if (!s.executeStep()) return std::optional<std::string>();
    return std::optional<std::string>(s.getColumn(0).getString());
  });
}

}  // namespace teetee::gateway
