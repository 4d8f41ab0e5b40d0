// The whole gateway against a real chain (anvil with the contracts) and a node on loopback. Skipped
// where anvil is not installed.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "gateway/gateway.h"
#include "gateway/testing/fixtures.h"
#include "gateway/testing/local_chain.h"
#include "net/http_client.h"
#include "net/testing/run.h"

namespace teetee::gateway {
namespace {

using namespace testing;
using net::Task;

constexpr char kManifest[] = R"({"name":"tiny","v":1})";

class ChainTest : public ::testing::Test {
 public:
  void SetUp() override {
    const std::string missing = LocalChain::Missing();
    if (!missing.empty()) GTEST_SKIP() << missing;
    std::string pattern = ::testing::TempDir() + "teetee-gateway-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    chain_ = std::make_unique<LocalChain>(io_, folder_);
    ASSERT_TRUE(chain_->Deploy());
    node_ = std::make_unique<FakeNode>(io_, head_.address());
    node_->ServeManifest(kManifest);
    model_ = MakeModel(kManifest, 1, chain_->verifier());
    line_ = chain::LineOf(chain::ModelId(model_), head_.address());
    domain_ = chain::Domain::Ledger(chain_->identity().chain_id, chain_->identity().ledger);
    Run([](ChainTest* t) -> Task<void> {
      Status funded =
          co_await t->chain_->Send(t->GasKey().address(), *chain::Wei::ParseEth("1"), Bytes());
      CO_ASSERT_OK(funded);
      Status added = co_await t->chain_->AddModel(t->model_);
      CO_ASSERT_OK(added);
      Status joined = co_await t->chain_->Join(t->model_, 0, t->head_.address(), t->node_->url());
      CO_ASSERT_OK(joined);
    }(this));
    OpenGateway();
  }
  void TearDown() override {
    if (gateway_) CloseGateway();
    if (node_) Run([](ChainTest* t) -> Task<void> { co_await t->node_->Stop(); }(this));
    chain_ = nullptr;
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  static crypto::SigningKey GasKey() {
    return *crypto::SigningKey::FromSecret(Secret<32>(Hash32{42}));
  }
  std::string State() const { return folder_ + "/state"; }
  void OpenGateway() {
    GatewaySettings s;
    s.listen = "127.0.0.1:0";
    s.rpc_url = chain_->url();
    s.identity = chain_->identity();
    s.from_block = chain_->first_block();
    s.state = State();
    s.chain_poll = net::Millis(40);
    s.nodes.interval = net::Millis(40);
    s.relay.interval = net::Millis(40);
    s.relay.full_every = net::Millis(300);
    s.relay.retry = net::Millis(200);
    s.relay.max_backoff = net::Millis(200);
    auto opened = Gateway::Open(io_, GasKey(), s);
    ASSERT_TRUE(opened) << opened.error().message();
    gateway_ = *std::move(opened);
    gateway_->Start();
  }
  void CloseGateway() {
    Run([](ChainTest* t) -> Task<void> { co_await t->gateway_->Stop(); }(this));
    gateway_ = nullptr;
  }
  void Run(Task<void> task) { net::testing::RunTask(io_, std::move(task)); }

  template <class Condition>
  Task<bool> Until(Condition condition) {
    for (int i = 0; i < 1500; ++i) {
      if (condition()) co_return true;
      co_await net::Sleep(net::Millis(10));
    }
    co_return false;
  }
  Task<Json> Get(std::string path) {
    net::HttpRequestOptions options;
    options.url = "http://127.0.0.1:" + std::to_string(gateway_->port()) + path;
    auto response = co_await http_.Fetch(std::move(options));
    if (!response) co_return Json();
    auto json = Json::Parse(response->text());
    co_return json ? *std::move(json) : Json();
  }
  static std::string Path(const chain::Receipt& receipt) {
    return "/v1/teetee/receipts/" + ToHex0x(chain::StructHash(receipt));
  }
  bool IsMined(const chain::Receipt& receipt) const {
    auto state = gateway_->store().FindReceipt(chain::StructHash(receipt));
    return state && *state && (*state)->tx;
  }
  // What the gateway says of the receipt is what the Ledger accepts.
  Task<void> ExpectProved(chain::Receipt receipt) {
    const Json answer = co_await Get(Path(receipt));
    EXPECT_EQ(*answer.GetString("status"), "mined");
    std::vector<Hash32> proof;
    for (const Json& item : answer.Find("proof")->as_array())
      proof.push_back(*FromHexFixed<32>(item.as_string()));
    auto call = chain::ledger::VerifyReceipt(receipt, *answer.GetUint64("seq"), proof);
    auto verified = co_await chain_->rpc().Read(chain_->identity().ledger, std::move(call));
    CO_ASSERT_OK(verified);
    EXPECT_TRUE(*verified);
  }
  std::vector<chain::Receipt> Receipts(uint8_t first, uint8_t count) const {
    std::vector<chain::Receipt> out;
    for (uint8_t i = 0; i < count; ++i)
      out.push_back(MakeReceipt(line_, static_cast<uint8_t>(first + i)));
    return out;
  }
  void Outbox(uint64_t n, uint64_t seq, std::vector<chain::Receipt> leaves) {
    node_->outbox.push_back(
        MakeBatch(n, seq, chain::ModelId(model_), head_, *domain_, std::move(leaves)));
  }

  net::IoContext io_{1};
  net::HttpClient http_{io_.get_executor(), 0};
  std::string folder_;
  std::unique_ptr<LocalChain> chain_;
  crypto::SigningKey head_ = crypto::SigningKey::Generate();
  std::unique_ptr<FakeNode> node_;
  chain::Model model_;
  Hash32 line_{};
  std::optional<chain::Domain> domain_;
  std::unique_ptr<Gateway> gateway_;
};

TEST_F(ChainTest, AHostileOutboxDoesNoHarm) {
  const auto stranger = crypto::SigningKey::Generate();
  const auto foreign = MakeBatch(1, 1, chain::ModelId(model_), stranger, *domain_, Receipts(1, 1));
  auto wrong_root = MakeBatch(1, 1, chain::ModelId(model_), head_, *domain_, Receipts(1, 2));
  std::get<protocol::BatchEntry>(wrong_root.what).batch.root[3] ^= 1;
  Run([](ChainTest* t, std::vector<std::string> bad) -> Task<void> {
    for (const std::string& text : bad) {
      t->node_->raw_outbox = text;
      const size_t polls = t->node_->outbox_polls;
      bool polled = co_await t->Until([&] { return t->node_->outbox_polls >= polls + 2; });
      EXPECT_TRUE(polled);
    }
    EXPECT_EQ(t->gateway_->relay().queue(), 0u);
    EXPECT_EQ(t->gateway_->relay().counters().sent, 0u);
    EXPECT_GT(t->gateway_->relay().counters().poll_failures, 3u);
    // A batch that would revert waits and costs no gas; a good one then gets through.
    t->node_->raw_outbox.clear();
    t->Outbox(1, 1, t->Receipts(1, 3));
    bool mined = co_await t->Until([&] { return t->IsMined(t->Receipts(1, 1)[0]); });
    EXPECT_TRUE(mined);
    EXPECT_EQ(t->gateway_->relay().counters().reverted, 0u);
  }(this, {"garbage", "{\"entries\":[{}]}", "{\"entries\":{}}",
           std::string(kMaxOutboxPage + 10, ' '), OutboxText({foreign}),
           OutboxText({wrong_root})}));
}

TEST_F(ChainTest, ModelsAndNodesAppearMoveAndLeave) {
  Run([](ChainTest* t) -> Task<void> {
    const std::string id = ToHex0x(chain::ModelId(t->model_));
    bool live = co_await t->Until([&] {
      const auto models = t->gateway_->directory().ListedModels();
      return models.size() == 1 && t->gateway_->directory().IsLive(*models[0]);
    });
    EXPECT_TRUE(live);
    const Json nodes = co_await t->Get("/v1/teetee/nodes?model=tiny");
    CO_ASSERT_TRUE(nodes.Find("nodes") != nullptr && nodes.Find("nodes")->as_array().size() == 1);
    const Json& node = nodes.Find("nodes")->as_array()[0];
    EXPECT_EQ(*node.GetString("key"), ToHex0x(t->head_.address()));
    EXPECT_EQ(*node.GetString("host"), ToHex0x(t->chain_->account()));
    EXPECT_GT(*node.GetUint64("until"), 1'600'000'000u);
    const Json health = co_await t->Get("/healthz");
    EXPECT_EQ(*health.GetString("status"), "ok");
    EXPECT_EQ(*health.GetString("chain"), "reachable");

    Status moved =
        co_await t->chain_->Send(t->chain_->identity().registry, chain::Wei(),
                                 chain::registry::SetUrl(t->head_.address(), "http://127.0.0.1:1"));
    CO_ASSERT_OK(moved);
    bool gone = co_await t->Until(
        [&] { return !t->gateway_->directory().IsReachable(t->head_.address()); });
    EXPECT_TRUE(gone);
    Status left = co_await t->chain_->Send(t->chain_->identity().registry, chain::Wei(),
                                           chain::registry::Leave(t->head_.address(), Address{}));
    CO_ASSERT_OK(left);
    bool unlisted = co_await t->Until(
        [&] { return t->gateway_->directory().NodesOf(chain::FamilyOf(t->model_)).empty(); });
    EXPECT_TRUE(unlisted);
  }(this));
}

TEST_F(ChainTest, AnOutboxEntryIsMinedAndItsProofsHoldAlsoAfterARestartAndWithoutTheDatabase) {
  Run([](ChainTest* t) -> Task<void> {
    t->Outbox(1, 1, t->Receipts(1, 3));
    bool mined = co_await t->Until([&] { return t->IsMined(t->Receipts(3, 1)[0]); });
    EXPECT_TRUE(mined);
    co_await t->ExpectProved(t->Receipts(3, 1)[0]);
    // A line's next batch; an older one that comes late is superseded and never sent.
    t->Outbox(2, 3, t->Receipts(4, 2));
    t->Outbox(3, 2, t->Receipts(9, 1));
    mined = co_await t->Until([&] { return t->IsMined(t->Receipts(4, 1)[0]); });
    EXPECT_TRUE(mined);
    co_await net::Sleep(net::Millis(400));
    EXPECT_EQ(t->gateway_->relay().counters().sent, 2u);
    const Json line = co_await t->Get("/v1/teetee/line/" + ToHex0x(t->line_));
    EXPECT_EQ(*line.GetUint64("last_seq"), 3u);
    CO_ASSERT_TRUE(line.Find("batches")->as_array().size() == 2);
    EXPECT_EQ(*line.Find("batches")->as_array()[0].GetUint64("seq"), 3u);
    const Json superseded = co_await t->Get(Path(t->Receipts(9, 1)[0]));
    EXPECT_EQ(*superseded.GetString("status"), "pending");
  }(this));

  CloseGateway();
  OpenGateway();
  EXPECT_TRUE(IsMined(Receipts(1, 1)[0])) << "before anything was read again";
  EXPECT_EQ(gateway_->directory().ListedModels().size(), 1u);

  CloseGateway();
  for (const char* name : {"/gateway.db", "/gateway.db-wal", "/gateway.db-shm"})
    std::filesystem::remove(State() + name);
  OpenGateway();
  Run([](ChainTest* t) -> Task<void> {
    bool again = co_await t->Until(
        [&] { return t->IsMined(t->Receipts(1, 1)[0]) && t->IsMined(t->Receipts(5, 1)[0]); });
    EXPECT_TRUE(again);
    co_await t->ExpectProved(t->Receipts(5, 1)[0]);
    bool live =
        co_await t->Until([&] { return t->gateway_->directory().ListedModels().size() == 1; });
    EXPECT_TRUE(live);
    EXPECT_EQ(t->gateway_->relay().counters().sent, 0u) << "the chain has everything";
  }(this));
}

TEST_F(ChainTest, AChainThatFallsBackIsServedAgain) {
  Run([](ChainTest* t) -> Task<void> {
    auto snapshot = co_await t->chain_->Dev("evm_snapshot", Json::MakeArray());
    CO_ASSERT_OK(snapshot);
    t->Outbox(1, 1, t->Receipts(1, 3));
    bool mined = co_await t->Until([&] { return t->IsMined(t->Receipts(1, 1)[0]); });
    EXPECT_TRUE(mined);
    Json params = Json::MakeArray();
    params.Push(*snapshot);
    auto reverted = co_await t->chain_->Dev("evm_revert", std::move(params));
    CO_ASSERT_OK(reverted);
    bool pending = co_await t->Until([&] { return !t->IsMined(t->Receipts(1, 1)[0]); });
    EXPECT_TRUE(pending);
    // A transaction that vanished is sent again after a few blocks.
    for (int i = 0; i < 100 && !t->IsMined(t->Receipts(1, 1)[0]); ++i) {
      auto block = co_await t->chain_->Dev("evm_mine", Json::MakeArray());
      CO_ASSERT_OK(block);
      co_await net::Sleep(net::Millis(100));
    }
    co_await t->ExpectProved(t->Receipts(1, 1)[0]);
    EXPECT_GE(t->gateway_->chain().undos(), 1u);
    EXPECT_EQ(t->gateway_->directory().nodes().size(), 1u);
  }(this));
}

TEST_F(ChainTest, SettlesStrictQueriesAndReleasesTabs) {
  Run([](ChainTest* t) -> Task<void> {
    const Address ledger = t->chain_->identity().ledger, user = t->chain_->account(),
                  head = t->head_.address();
    const Hash32 model = chain::ModelId(t->model_);
    Status bought = co_await t->chain_->Send(ledger, chain::Wei(10'000), chain::ledger::Buy(user));
    CO_ASSERT_OK(bought);
    const chain::BlockId at = chain::BlockId::Latest();
    auto block = co_await t->chain_->rpc().GetBlock(at);
    protocol::SettleEntry settle;
    settle.query.user = user;
    settle.query.model = model;
    settle.query.head = head;
    settle.query.input.fill(0x11);
    settle.query.max_cost = chain::Wei(500);
    settle.query.deadline = (*block)->timestamp + 3600;
    Status opened =
        co_await t->chain_->Send(ledger, chain::Wei(), chain::ledger::Open(settle.query));
    CO_ASSERT_OK(opened);
    settle.receipt = MakeReceipt(t->line_, 1);
    settle.receipt.query = chain::QueryId(*t->domain_, settle.query);
    settle.signature = chain::SignTyped(*t->domain_, settle.receipt, t->head_);
    Status funded = co_await t->chain_->Send(
        ledger, chain::Wei(), chain::ledger::Fund(model, head, chain::Wei(700), user));
    CO_ASSERT_OK(funded);
    protocol::ReleaseEntry release;
    release.user = user;
    release.model = model;
    release.head = head;
    const chain::Release message{user, t->line_, 0, chain::Wei()};
    release.signature = chain::SignTyped(*t->domain_, message, t->head_);
    t->node_->outbox.push_back({1, settle});
    t->node_->outbox.push_back({2, release});

    bool mined = co_await t->Until([&] { return t->IsMined(settle.receipt); });
    EXPECT_TRUE(mined);
    const Json answer = co_await t->Get(Path(settle.receipt));
    EXPECT_TRUE(answer.Find("seq")->is_null());
    EXPECT_EQ(*answer.GetString("status"), "mined");
    bool done = co_await t->Until([&] { return t->gateway_->relay().counters().mined == 2; });
    EXPECT_TRUE(done);
    auto tab = co_await t->chain_->rpc().Read(ledger, chain::ledger::TabOf(user, t->line_));
    CO_ASSERT_OK(tab);
    EXPECT_EQ(tab->epoch, 1u);
    co_await net::Sleep(net::Millis(500));
    EXPECT_EQ(t->gateway_->relay().counters().sent, 2u) << "what is done is not sent again";
    EXPECT_EQ(t->gateway_->relay().counters().reverted, 0u);
  }(this));
}

}  // namespace
}  // namespace teetee::gateway
