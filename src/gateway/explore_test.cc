// Lists, search, usage and the pages' files over HTTP.
#include <fstream>

#include "crypto/hash.h"
#include "gateway/testing/http_fixture.h"

namespace teetee::gateway {
namespace {

using namespace testing;

constexpr uint64_t kDay = 86'400;

class ExploreTest : public HttpTest {
 public:
  // Two receipts of one mined batch, one that waits, and a strict one.
  void SeedReceipts() {
    line_ = chain::LineOf(chain::ModelId(model_), head_);
    auto store = *Store::Open(folder_ + "/gateway.db", kIdentity);
    Put(*store, 1, {MakeReceipt(line_, 1), MakeReceipt(line_, 2)});
    Put(*store, 2, {MakeReceipt(line_, 3)});
    ChainChange change;
    change.batches.push_back({line_, 1, root_, 2, Hash32{0xaa}, 5, chain::Wei(7000)});
    ASSERT_TRUE(store->Apply(change));
    ASSERT_TRUE(store->PutBlockTime(5, ClockNow() - kDay));
    ASSERT_TRUE(store->PutBlockTime(2, ClockNow() - 2 * kDay));
  }
  void Put(Store& store, uint64_t seq, std::vector<chain::Receipt> receipts) {
    QueueItem item;
    item.head = head_;
    item.n = seq;
    item.line = line_;
    item.seq = seq;
    item.id = Hash32{static_cast<uint8_t>(0xd0 + seq)};
    if (seq == 1) root_ = item.id;
    std::vector<ReceiptProof> proofs;
    for (const chain::Receipt& receipt : receipts) proofs.push_back({receipt, {}});
    ASSERT_TRUE(store.PutEntry(item, proofs));
  }
  Task<Json> Get(std::string path, int status = 200) {
    auto answer = co_await Fetch(Request("GET", std::move(path)));
    EXPECT_EQ(answer.status, status) << answer.text();
    auto json = Json::Parse(answer.text());
    co_return json ? *json : Json();
  }
  static size_t Size(const Json& json, const char* list) { return json.Find(list) == nullptr ? 999 : json.Find(list)->as_array().size(); }
  static const Json& At(const Json& json, const char* list, size_t i) { return json.Find(list)->as_array().at(i); }

  Hash32 line_{}, root_{};
};

TEST_F(ExploreTest, RefusesWhatCannotBeAskedFor) {
  Run([](ExploreTest* t) -> Task<void> {
    for (const char* path : {"/v1/teetee/receipts?limit=x", "/v1/teetee/receipts?after=-1", "/v1/teetee/receipts?query=0x12",
                             "/v1/teetee/batches?line=zz", "/v1/teetee/batches/0x12", "/v1/teetee/search", "/v1/teetee/search?q=",
                             "/v1/teetee/nodes/0x12", "/v1/teetee/nodes?host=0x12"})
      (void)co_await t->Get(path, 400);
    const std::string key = ToHex0x(t->head_), stranger = ToHex0x(Address{0x55});
    (void)co_await t->Get("/v1/teetee/nodes/" + key + "/usage?range=year", 400);
    (void)co_await t->Get("/v1/teetee/nodes/" + key + "/history/12", 400);
    for (const std::string& path : {"/v1/teetee/nodes/" + stranger, "/v1/teetee/nodes/" + stranger + "/usage", "/v1/teetee/nodes/" + stranger + "/history",
                                    "/v1/teetee/nodes/" + key + "/none", "/v1/teetee/nodes/" + key + "/history/" + ToHex(Hash32{1}),
                                    "/v1/teetee/batches/" + ToHex0x(Hash32{1})})
      (void)co_await t->Get(path, 404);
  }(this));
}

TEST_F(ExploreTest, ReceiptsAreListedNewestFirstPageByPage) {
  SeedReceipts();
  Run([](ExploreTest* t) -> Task<void> {
    auto first = co_await t->Get("/v1/teetee/receipts?limit=2");
    EXPECT_EQ(Size(first, "receipts"), 2u);
    EXPECT_EQ(*At(first, "receipts", 0).GetString("query"), ToHex0x(MakeReceipt(t->line_, 3).query));
    EXPECT_EQ(*At(first, "receipts", 0).GetString("status"), "pending");
    EXPECT_EQ(*At(first, "receipts", 1).GetString("status"), "mined");
    EXPECT_EQ(*At(first, "receipts", 1).GetString("head"), ToHex0x(t->head_));
    EXPECT_EQ(*At(first, "receipts", 1).GetString("model"), ToHex0x(chain::ModelId(t->model_)));
    EXPECT_EQ(*At(first, "receipts", 1).GetString("cost"), "110");
    auto second = co_await t->Get("/v1/teetee/receipts?limit=2&after=" + std::to_string(*first.GetUint64("next")));
    EXPECT_EQ(Size(second, "receipts"), 1u);
    EXPECT_TRUE(second.Find("next")->is_null());
    auto by_query = co_await t->Get("/v1/teetee/receipts?query=" + ToHex0x(MakeReceipt(t->line_, 2).query));
    EXPECT_EQ(Size(by_query, "receipts"), 1u);
    auto by_batch = co_await t->Get("/v1/teetee/receipts?batch=" + ToHex0x(t->root_));
    EXPECT_EQ(Size(by_batch, "receipts"), 2u);
    auto by_line = co_await t->Get("/v1/teetee/receipts?line=" + ToHex0x(Hash32{1}));
    EXPECT_EQ(Size(by_line, "receipts"), 0u);
  }(this));
}

TEST_F(ExploreTest, BatchesCarryWhatTheyPaidAndTheirReceipts) {
  SeedReceipts();
  Run([](ExploreTest* t) -> Task<void> {
    auto list = co_await t->Get("/v1/teetee/batches");
    EXPECT_EQ(Size(list, "batches"), 1u);
    EXPECT_EQ(*At(list, "batches", 0).GetString("amount"), "7000");
    EXPECT_EQ(*At(list, "batches", 0).GetString("head"), ToHex0x(t->head_));
    EXPECT_TRUE(At(list, "batches", 0).Find("at")->is_integer());
    auto one = co_await t->Get("/v1/teetee/batches/" + ToHex0x(t->root_));
    EXPECT_EQ(Size(one, "receipts"), 2u);
  }(this));
}

TEST_F(ExploreTest, SearchFindsEachKindByThePrefixOfItsId) {
  SeedReceipts();
  Run([](ExploreTest* t) -> Task<void> {
    const chain::Receipt receipt = MakeReceipt(t->line_, 2);
    struct Case {
      std::string text, kind;
    };
    const Case cases[] = {{ToHex0x(chain::StructHash(receipt)), "receipt"}, {ToHex(receipt.query).substr(0, 8), "query"},
                          {ToHex0x(t->head_).substr(0, 11), "node"},        {ToHex0x(Address{0x48}), "address"},
                          {ToHex0x(chain::ModelId(t->model_)), "model"},    {ToHex0x(t->root_), "batch"},
                          {ToHex0x(Address{0x31, 0x32}), "address"}};
    for (const Case& c : cases) {
      auto found = co_await t->Get("/v1/teetee/search?q=" + c.text);
      EXPECT_GE(Size(found, "matches"), 1u) << c.text;
      bool named = false;
      for (const Json& match : found.Find("matches")->as_array()) named = named || *match.GetString("kind") == c.kind;
      EXPECT_TRUE(named) << c.kind << " " << c.text << " " << found.Dump();
    }
    for (const char* text : {"0x", "1", "zz", "deadbeef", "%25"}) {
      auto none = co_await t->Get(std::string("/v1/teetee/search?q=") + text);
      EXPECT_EQ(Size(none, "matches"), 0u) << text;
    }
  }(this));
}

TEST_F(ExploreTest, ModelsTellTheirSlotsAndPoolWhatASlotEarns) {
  SeedReceipts();
  node_->ServeManifest(kManifest);
  Run([](ExploreTest* t) -> Task<void> {
    co_await t->HeadIsLive();
    for (int i = 0; i < 200 && (t->gateway_->directory().ListedModels().empty() || !t->gateway_->directory().IsReachable(t->stage_key_)); ++i) co_await net::Sleep(net::Millis(10));
    auto models = co_await t->Get("/v1/models");
    const Json& teetee = *At(models, "data", 0).Find("teetee");
    EXPECT_EQ(*teetee.GetString("name"), "tiny");
    EXPECT_EQ(*teetee.GetString("class"), "simulated");
    EXPECT_EQ(*teetee.GetUint64("routes"), 1u) << "one of slot 0 is dead";
    EXPECT_TRUE(teetee.Find("speed")->is_null());
    const Json& slot = At(teetee, "slot_list", 0);
    EXPECT_EQ(*slot.GetUint64("joined"), 2u);
    EXPECT_EQ(*slot.GetUint64("live"), 1u);
    EXPECT_EQ(Size(slot, "hosts"), 1u);
    EXPECT_TRUE(slot.Find("bytes")->is_null()) << "this manifest says nothing of shards";
    auto pool = co_await t->Get("/v1/teetee/pool");
    EXPECT_TRUE(pool.Find("image")->is_null());
    EXPECT_EQ(*pool.GetBool("auditor"), false);
    EXPECT_EQ(Size(pool, "expected"), 2u);
    // 7000 wei in the day since the first batch, half of it the slot's, one live node.
    const uint64_t each = std::stoull(*At(pool, "expected", 0).GetString("wei_per_day"));
    EXPECT_NEAR(static_cast<double>(each), 3500, 10);
  }(this));
}

TEST_F(ExploreTest, ANodesPageTellsItsLifeItsUseAndItsEvidence) {
  Json health = Json::MakeObject({{"status", "ok"}, {"key", ToHex0x(head_)}, {"class", "simulated"}, {"sequences", 3}, {"started", 10}});
  health.Set("counters", Json::MakeObject({{"requests", 1}, {"tokens_in", 2}, {"tokens_out", 3}, {"busy_seconds", 0.5}}));
  node_->pages["/healthz"] = health.Dump();
  Run([](ExploreTest* t, Json answer) -> Task<void> {
    co_await t->HeadIsLive();
    const std::string path = "/v1/teetee/nodes/" + ToHex0x(t->head_);
    answer.Set("counters", Json::MakeObject({{"requests", 2}, {"tokens_in", 22}, {"tokens_out", 33}, {"busy_seconds", 1}}));
    t->node_->pages["/healthz"] = answer.Dump();
    co_await net::Sleep(net::Millis(200));
    auto node = co_await t->Get(path);
    EXPECT_EQ(*node.GetUint64("sequences"), 3u);
    EXPECT_EQ(*node.GetString("class"), "simulated");
    EXPECT_EQ(Size(node, "models"), 1u);
    EXPECT_TRUE(node.Find("last_seen")->is_integer());
    auto history = co_await t->Get(path + "/history");
    EXPECT_EQ(*At(history, "events", 0).GetString("what"), "joined");
    CO_ASSERT_TRUE(Size(history, "evidence") == 1);
    auto evidence = co_await t->Fetch(t->Request("GET", path + "/history/" + *At(history, "evidence", 0).GetString("sha256")));
    EXPECT_EQ(evidence.text(), t->node_->pages["/v1/teetee/evidence"]);
    auto newest = co_await t->Get("/v1/teetee/evidence?limit=1");
    EXPECT_EQ(Size(newest, "evidence"), 1u);
    auto of_host = co_await t->Get("/v1/teetee/nodes?host=" + ToHex0x(Address{0x48}));
    EXPECT_EQ(Size(of_host, "nodes"), 3u);
    auto of_nobody = co_await t->Get("/v1/teetee/nodes?host=" + ToHex0x(Address{0x49}));
    EXPECT_EQ(Size(of_nobody, "nodes"), 0u);
    auto usage = co_await t->Get(path + "/usage?range=hour");
    EXPECT_EQ(Size(usage, "points"), 60u);
  }(this, health));
}

TEST_F(ExploreTest, UsageIsTheDifferenceOfTheNodesOwnCounters) {
  settings_.nodes.flush_every = net::Millis(30);
  Run([](ExploreTest* t) -> Task<void> { co_await t->gateway_->Stop(); }(this));
  gateway_ = nullptr;
  OpenGateway();
  Run([](ExploreTest* t) -> Task<void> {
    Json health = Json::MakeObject({{"status", "ok"}, {"key", ToHex0x(t->head_)}, {"started", 10}});
    for (uint64_t tokens : {100u, 130u, 170u}) {
      health.Set("counters", Json::MakeObject({{"requests", 1}, {"tokens_in", tokens}, {"tokens_out", 0}, {"busy_seconds", 0}}));
      health.Set("sequences", tokens);  // tells that this answer was read
      t->node_->pages["/healthz"] = health.Dump();
      for (int i = 0; i < 200 && t->gateway_->directory().ProbeOf(t->head_).sequences != tokens; ++i) co_await net::Sleep(net::Millis(10));
      uint64_t seen = 0;
      for (int i = 0; i < 200 && (i == 0 || seen != tokens - 100); ++i) {
        co_await net::Sleep(net::Millis(10));
        auto usage = co_await t->Get("/v1/teetee/nodes/" + ToHex0x(t->head_) + "/usage?range=day");
        seen = 0;
        for (const Json& point : usage.Find("points")->as_array()) seen += *point.GetUint64("tokens_in");
      }
      EXPECT_EQ(seen, tokens - 100);
    }
  }(this));
}

TEST_F(ExploreTest, AnyPageMayReadAndAskWhatItMayDo) {
  Run([](ExploreTest* t) -> Task<void> {
    for (const char* path : {"/v1/models", "/healthz", "/v1/teetee/none"}) {
      auto answer = co_await t->Fetch(t->Request("GET", path));
      EXPECT_EQ(answer.headers.Find("Access-Control-Allow-Origin"), "*") << path;
    }
    auto options = co_await t->Fetch(t->Request("OPTIONS", "/v1/teetee/pool/check"));
    EXPECT_EQ(options.status, 204);
    auto preflight = t->Request("OPTIONS", "/v1/teetee/sealed");
    preflight.headers.Set("Origin", "http://127.0.0.1:8082");
    preflight.headers.Set("Access-Control-Request-Method", "POST");
    auto allowed = co_await t->Fetch(std::move(preflight));
    EXPECT_EQ(allowed.status, 204);
    EXPECT_NE(allowed.headers.Find("Access-Control-Allow-Methods").value_or("").find("POST"), std::string_view::npos);
  }(this));
}

TEST_F(ExploreTest, WithPagesTheStatusPageMovesAside) {
  const std::string web = folder_ + "/web";
  std::filesystem::create_directories(web);
  std::ofstream(web + "/index.html") << "<p>pages";
  settings_.web = web;
  settings_.public_rpc = "http://127.0.0.1:8545";
  settings_.node_image = "localhost/x@sha256:" + std::string(64, 'a');
  settings_.auditor = "http://127.0.0.1:1";
  Run([](ExploreTest* t) -> Task<void> { co_await t->gateway_->Stop(); }(this));
  gateway_ = nullptr;
  OpenGateway();
  Run([](ExploreTest* t) -> Task<void> {
    for (const char* path : {"/", "/chat/7"}) {
      auto page = co_await t->Fetch(t->Request("GET", path));
      EXPECT_EQ(page.text(), "<p>pages") << path;
    }
    auto status = co_await t->Fetch(t->Request("GET", "/status"));
    EXPECT_NE(status.text().find("TeeTee gateway"), std::string_view::npos);
    auto config = co_await t->Get("/config.json");
    EXPECT_TRUE(config.Find("trust")->is_null()) << "a gateway's word on trust is worth nothing";
    EXPECT_EQ(*config.GetString("served_by"), "gateway");
    EXPECT_EQ(*config.GetBool("demo_wallet"), false);
    EXPECT_EQ(*config.GetBool("auditor"), true);
    (void)co_await t->Get("/demo-wallet.json", 404);
    (void)co_await t->Get("/none.js", 404);
    auto pool = co_await t->Get("/v1/teetee/pool");
    EXPECT_EQ(*pool.GetString("image"), t->settings_.node_image);
  }(this));
}

}  // namespace
}  // namespace teetee::gateway
