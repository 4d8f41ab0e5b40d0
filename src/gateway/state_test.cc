// Store, directory and outbox reader: what is refused, what survives, what an undo undoes.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "net/egress.h"
#include "gateway/outbox.h"
#include "gateway/status_page.h"
#include "gateway/testing/fixtures.h"

namespace teetee::gateway {
namespace {

using namespace testing;

constexpr char kManifest[] = R"({"name":"tiny","v":1})";

uint64_t InAnHour() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count()) +
         3600;
}

class Folder {
 public:
  Folder() {
    std::string pattern = ::testing::TempDir() + "teetee-gateway-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const StoreIdentity kIdentity{31337, Address{1}, Address{2}};

// ---- directory

TEST(Directory, RefusesAModelWhoseParametersAreOthers) {
  Directory d;
  const chain::Model model = MakeModel(kManifest, 2, Address{9});
  chain::LogEntry log = ModelAddedLog(model, 1);
  log.topics[1][0] ^= 1;
  EXPECT_EQ(d.Apply(log).error().code(), Code::kDataLoss);
  EXPECT_TRUE(d.Models().empty());
}

TEST(Directory, RefusesANodeOfNoModelOrSlot) {
  Directory d;
  const chain::Model model = MakeModel(kManifest, 2, Address{9});
  EXPECT_FALSE(d.Apply(NodeJoinedLog(model, 0, Address{5}, "http://a", InAnHour(), 1)));
  ASSERT_TRUE(d.Apply(ModelAddedLog(model, 1)));
  EXPECT_FALSE(d.Apply(NodeJoinedLog(model, 2, Address{5}, "http://a", InAnHour(), 1)));
  EXPECT_TRUE(d.nodes().empty());
}

TEST(Directory, RefusesAManifestOfNoModelOrWithoutAName) {
  Directory d;
  EXPECT_EQ(d.AddManifest(kManifest).error().code(), Code::kDataLoss);
  for (const char* text :
       {"not json", R"({"v":1})", R"({"name":""})", R"({"name":"0xab"})", R"({"name":"a/b"})"}) {
    ASSERT_TRUE(d.Apply(ModelAddedLog(MakeModel(text, 1, Address{9}), 1)));
    EXPECT_FALSE(d.AddManifest(text)) << text;
  }
  EXPECT_TRUE(d.ListedModels().empty());
}

TEST(Directory, ANodeServesEveryModelOfItsFamily) {
  Directory d;
  const chain::Model one = MakeModel(kManifest, 1, Address{9});
  chain::Model dearer = one;
  dearer.price_out = 99;
  chain::Model other = one;
  other.lease += 1;
  for (const auto& model : {one, dearer, other}) ASSERT_TRUE(d.Apply(ModelAddedLog(model, 1)));
  ASSERT_TRUE(d.Apply(NodeJoinedLog(one, 0, Address{5}, "http://a", InAnHour(), 2)));
  const ModelRecord* listed = d.FindModel(chain::ModelId(dearer));
  ASSERT_NE(listed, nullptr);
  EXPECT_EQ(d.NodesOf(listed->family).size(), 1u);
  EXPECT_TRUE(d.NodesOf(d.FindModel(chain::ModelId(other))->family).empty());
  EXPECT_FALSE(d.IsLive(*listed));
  d.NoteProbe(Address{5}, "simulated");
  EXPECT_TRUE(d.IsLive(*listed));
  // One name, three models: the first has it.
  ASSERT_TRUE(d.AddManifest(kManifest));
  EXPECT_EQ(d.FindModel("tiny")->id, chain::ModelId(one));
  EXPECT_EQ(d.PublicName(*listed), ToHex0x(listed->id));
}

TEST(Directory, TwoSilencesMakeANodeUnreachableAndItsLeaseEnds) {
  Directory d;
  const chain::Model model = MakeModel(kManifest, 1, Address{9});
  ASSERT_TRUE(d.Apply(ModelAddedLog(model, 1)));
  ASSERT_TRUE(d.Apply(NodeJoinedLog(model, 0, Address{5}, "http://a", InAnHour(), 2)));
  d.NoteProbe(Address{5}, "simulated");
  d.NoteProbe(Address{5}, std::nullopt);
  EXPECT_TRUE(d.IsReachable(Address{5}));
  d.NoteProbe(Address{5}, std::nullopt);
  EXPECT_FALSE(d.IsReachable(Address{5}));
  d.NoteProbe(Address{5}, "<script>");
  EXPECT_EQ(d.EvidenceClass(Address{5}), "");
  EXPECT_TRUE(d.IsLive(*d.FindNode(Address{5})));
  ASSERT_TRUE(d.Apply(UrlSetLog(Address{5}, "http://b", 3)));
  EXPECT_EQ(d.FindNode(Address{5})->url, "http://b");
  d.NoteBlockTime(InAnHour() + 10);  // the chain's time runs ahead
  EXPECT_FALSE(d.HasLease(*d.FindNode(Address{5})));
  EXPECT_TRUE(d.HasGrace(*d.FindNode(Address{5})));
  ASSERT_TRUE(d.Apply(NodeLeftLog(Address{5}, 4)));
  EXPECT_TRUE(d.NodesOf(d.Models()[0]->family).empty());
}

TEST(Directory, NodeUrlsAreBaseUrlsOfHttp) {
  EXPECT_EQ(net::NodeBaseUrl("https://a").error().code(), Code::kUnimplemented);
  EXPECT_FALSE(net::NodeBaseUrl("http://a/?x=1"));
  EXPECT_FALSE(net::NodeBaseUrl("javascript:alert(1)"));
  EXPECT_EQ(*net::NodeBaseUrl("http://A:81/x/"), "http://a:81/x");
  EXPECT_EQ(*net::NodeBaseUrl("http://a"), "http://a");
}

// ---- store

TEST(Store, RefusesAFileOfOtherContractsAndADamagedOne) {
  Folder folder;
  const std::string path = folder.path() + "/db";
  ASSERT_TRUE(Store::Open(path, kIdentity));
  StoreIdentity other = kIdentity;
  other.ledger = Address{3};
  EXPECT_EQ(Store::Open(path, other).error().code(), Code::kFailedPrecondition);
  EXPECT_FALSE((*Store::Open(path, kIdentity))->fresh());
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  std::ofstream(path) << std::string(8192, 'x');
  EXPECT_EQ(Store::Open(path, kIdentity).error().code(), Code::kDataLoss);
}

struct Settled {
  crypto::SigningKey head = crypto::SigningKey::Generate();
  chain::Domain domain = chain::Domain::Ledger(kIdentity.chain_id, kIdentity.ledger);
  Hash32 model = chain::ModelId(MakeModel(kManifest, 1, Address{9}));
  Hash32 line = chain::LineOf(model, head.address());
  std::vector<chain::Receipt> receipts{MakeReceipt(line, 1), MakeReceipt(line, 2),
                                       MakeReceipt(line, 3)};

  AcceptedEntry Entry(uint64_t n, uint64_t seq, std::vector<chain::Receipt> leaves) const {
    return *AcceptEntry(MakeBatch(n, seq, model, head, domain, std::move(leaves)), head.address(),
                        domain);
  }
  MinedBatch Mined(const AcceptedEntry& entry, uint64_t block) const {
    return {line, entry.item.seq, entry.item.id, 3, Hash32{0xaa}, block};
  }
};

// Before amounts and times were kept: what is of the chain is read again, what heads handed over stays.
TEST(Store, AFileOfTheFirstSchemaKeepsItsReceiptsAndReadsTheChainAgain) {
  Folder folder;
  Settled s;
  const std::string path = folder.path() + "/db";
  {
    auto store = *Store::Open(path, kIdentity);
    const AcceptedEntry entry = s.Entry(1, 1, s.receipts);
    ASSERT_TRUE(store->PutEntry(entry.item, entry.receipts));
    ChainChange change;
    change.batches = {s.Mined(entry, 7)};
    ASSERT_TRUE(store->Apply(change));
  }
  SQLite::Database db(path, SQLite::OPEN_READWRITE);
  db.exec("DROP TABLE batches; DROP TABLE served; DROP TABLE receipt_order; DROP TABLE block_times;"
          "CREATE TABLE batches (line BLOB, seq INTEGER, root BLOB, count INTEGER, tx BLOB, block INTEGER, PRIMARY KEY (line, seq)) WITHOUT ROWID;"
          "CREATE TABLE served (receipt BLOB PRIMARY KEY, query BLOB, tx BLOB, block INTEGER) WITHOUT ROWID;"
          "UPDATE meta SET value='v1' || substr(value, 3) WHERE name='identity'");
  StoreIdentity other = kIdentity;
  other.ledger = Address{3};
  EXPECT_EQ(Store::Open(path, other).error().code(), Code::kFailedPrecondition) << "also a first schema is of its contracts only";
  auto store = Store::Open(path, kIdentity);
  ASSERT_TRUE(store) << store.error().message();
  EXPECT_TRUE((*store)->fresh()) << "so that the cursor starts again";
  EXPECT_EQ((*store)->Receipts({}, 10)->size(), 3u);
  EXPECT_TRUE((*store)->NewestBatches(10)->empty());
  EXPECT_EQ((*store)->FindReceipt(chain::StructHash(s.receipts[0]))->value().tx, std::nullopt);
}

TEST(Store, AReceiptIsMinedWhileTheChainHasItsBatch) {
  Folder folder;
  Settled s;
  auto store = *Store::Open(folder.path() + "/db", kIdentity);
  const AcceptedEntry entry = s.Entry(1, 5, s.receipts);
  ASSERT_TRUE(store->PutEntry(entry.item, entry.receipts));
  const Hash32 hash = chain::StructHash(s.receipts[1]);
  EXPECT_FALSE(store->FindReceipt(Hash32{1})->has_value());
  EXPECT_FALSE((*store->FindReceipt(hash))->tx);

  MinedBatch other_root = s.Mined(entry, 10);
  other_root.root = Hash32{1};
  ASSERT_TRUE(store->Apply({std::nullopt, {}, {other_root}, {}}));
  EXPECT_FALSE((*store->FindReceipt(hash))->tx)
      << "another root under the same number proves nothing";

  ASSERT_TRUE(store->Apply({std::nullopt, {}, {s.Mined(entry, 10)}, {}}));
  const ReceiptState mined = **store->FindReceipt(hash);
  EXPECT_EQ(mined.tx, Hash32{0xaa});
  EXPECT_EQ(mined.block, 10u);
  EXPECT_EQ(mined.receipt, s.receipts[1]);
  EXPECT_TRUE(crypto::MerkleVerify(mined.proof, mined.root, hash));
  EXPECT_EQ(*store->LastSeq(s.line), 5u);

  store = nullptr;  // a restart
  store = *Store::Open(folder.path() + "/db", kIdentity);
  EXPECT_TRUE((*store->FindReceipt(hash))->tx);
  EXPECT_EQ(store->Queue()->size(), 1u);

  ASSERT_TRUE(store->Apply({9, {}, {}, {}}));  // block 10 was replaced
  EXPECT_FALSE((*store->FindReceipt(hash))->tx);
  EXPECT_EQ(*store->LastSeq(s.line), 0u);
}

TEST(Store, ANewerProofReplacesAnUnminedOneAndNeverAMinedOne) {
  Folder folder;
  Settled s;
  auto store = *Store::Open(folder.path() + "/db", kIdentity);
  const AcceptedEntry first = s.Entry(1, 5, {s.receipts[0]});
  const AcceptedEntry second = s.Entry(2, 6, {s.receipts[0], s.receipts[1]});
  const AcceptedEntry third = s.Entry(3, 7, s.receipts);
  const Hash32 hash = chain::StructHash(s.receipts[0]);
  ASSERT_TRUE(store->PutEntry(first.item, first.receipts));
  ASSERT_TRUE(store->PutEntry(second.item, second.receipts));
  EXPECT_EQ((*store->FindReceipt(hash))->seq, 6u);
  ASSERT_TRUE(store->Apply({std::nullopt, {}, {s.Mined(second, 10)}, {}}));
  ASSERT_TRUE(store->PutEntry(third.item, third.receipts));
  EXPECT_EQ((*store->FindReceipt(hash))->seq, 6u);
  ASSERT_TRUE(store->Apply({std::nullopt, {}, {s.Mined(third, 11)}, {}}));
  EXPECT_EQ((*store->FindReceipt(hash))->seq, 7u);
}

TEST(Store, KeepsFewBatchesOfALineAndDropsWhatAnOutboxNoLongerLists) {
  Folder folder;
  Settled s;
  auto store = *Store::Open(folder.path() + "/db", kIdentity);
  for (uint64_t i = 1; i <= 20; ++i) {
    const AcceptedEntry entry = s.Entry(i, i, {s.receipts[0]});
    ASSERT_TRUE(store->PutEntry(entry.item, entry.receipts));
  }
  EXPECT_EQ(store->Queue()->size(), Store::kMaxBatchesPerLine);
  ASSERT_TRUE(store->DropEntriesExcept(Address{77}, {}));
  EXPECT_EQ(store->Queue()->size(), Store::kMaxBatchesPerLine);
  ASSERT_TRUE(store->DropEntriesExcept(s.head.address(), {19, 20}));
  EXPECT_EQ(store->Queue()->size(), 2u);
}

// ---- outbox

TEST(Outbox, RefusesEntriesOfAnotherHeadLineOrSigner) {
  Settled s;
  const auto good = MakeBatch(1, 5, s.model, s.head, s.domain, s.receipts);
  EXPECT_TRUE(AcceptEntry(good, s.head.address(), s.domain));
  EXPECT_EQ(AcceptEntry(good, Address{1}, s.domain).error().code(), Code::kPermissionDenied);
  const auto elsewhere = chain::Domain::Ledger(1, kIdentity.ledger);
  EXPECT_EQ(AcceptEntry(good, s.head.address(), elsewhere).error().code(), Code::kUnauthenticated);
  auto foreign = MakeBatch(1, 5, s.model, s.head, s.domain, {MakeReceipt(Hash32{3}, 1)});
  EXPECT_EQ(AcceptEntry(foreign, s.head.address(), s.domain).error().code(),
            Code::kPermissionDenied);
  auto renumbered = good;
  std::get<protocol::BatchEntry>(renumbered.what).batch.seq = 6;
  EXPECT_EQ(AcceptEntry(renumbered, s.head.address(), s.domain).error().code(),
            Code::kUnauthenticated);
  const auto empty = MakeBatch(1, 5, s.model, s.head, s.domain, {});
  EXPECT_EQ(AcceptEntry(empty, s.head.address(), s.domain).error().code(), Code::kPermissionDenied)
      << "gas for nothing";
}

TEST(Outbox, RefusesPagesThatAreNotStrictlyRisingOrWhoseRootIsWrong) {
  Settled s;
  const auto one = MakeBatch(1, 5, s.model, s.head, s.domain, s.receipts),
             two = MakeBatch(2, 6, s.model, s.head, s.domain, s.receipts);
  const Address head = s.head.address();
  EXPECT_EQ(ReadOutboxPage(OutboxText({one, two}), 0, head, s.domain)->entries.size(), 2u);
  EXPECT_FALSE(ReadOutboxPage(OutboxText({two, one}), 0, head, s.domain));
  EXPECT_FALSE(ReadOutboxPage(OutboxText({one}), 1, head, s.domain));
  EXPECT_FALSE(ReadOutboxPage("[]", 0, head, s.domain));
  auto wrong_root = one;
  std::get<protocol::BatchEntry>(wrong_root.what).batch.root[0] ^= 1;
  EXPECT_EQ(ReadOutboxPage(OutboxText({wrong_root}), 0, head, s.domain).error().code(),
            Code::kDataLoss);
}

// ---- status page

TEST(StatusPage, EscapesForeignTextAndSaysWhatIsNotReal) {
  Directory d;
  const std::string manifest =
      R"({"name":"<b>x</b>"})";  // refused for its '/', so that the id is shown
  const chain::Model model = MakeModel(manifest, 1, Address{9});
  ASSERT_TRUE(d.Apply(ModelAddedLog(model, 1)));
  ASSERT_TRUE(d.Apply(NodeJoinedLog(model, 0, Address{5}, "http://a/<script>", InAnHour(), 2)));
  StatusFacts facts;
  facts.chain_id = 1;
  std::string page = StatusPage(d, facts);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("Demo money"), std::string::npos);
  d.NoteProbe(Address{5}, "simulated");
  facts.chain_id = 31337;
  page = StatusPage(d, facts);
  EXPECT_NE(page.find("Demo money"), std::string::npos);
  EXPECT_NE(page.find("Simulated evidence"), std::string::npos);
  EXPECT_EQ(page.find("style="), std::string::npos) << "the policy forbids inline styles";
  EXPECT_EQ(EscapeHtml("<a b=\"c\">&'"), "&lt;a b=&quot;c&quot;&gt;&amp;&#39;");
}

}  // namespace
}  // namespace teetee::gateway
