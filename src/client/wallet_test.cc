// What the wallet counts and signs, over a chain that is a table: vouchers cover what was used and what is in flight, and no more.
#include "client/wallet.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "attest/testing/quote_builder.h"
#include "base/file.h"
#include "chain/abi.h"
#include "chain/model_id.h"
#include "crypto/key_file.h"
#include "net/http_server.h"
#include "net/testing/run.h"

namespace teetee::client {
namespace {

using chain::Wei;
using net::Task;

class WalletTest : public ::testing::Test {
 public:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "teetee-wallet-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    Json json = attest::testing::FakeTrustJson(Hash32{1}, Hash48{2});
    auto trust = attest::TrustFile::Parse(json.Dump());
    ASSERT_TRUE(trust) << trust.error().message();
    trust_.emplace(*std::move(trust));
    line_ = chain::LineOf(model_, head_);
    auto session = crypto::LoadOrCreateSigningKey(folder_ + "/session-" + ToHex(line_).substr(0, 16) + ".key");
    ASSERT_TRUE(session);
    tab_ = {Wei(1000), Wei(), session->address(), 1, 0};
    auto server = net::HttpServer::Listen(io_, "127.0.0.1:0", [this](net::HttpRequest& request, net::HttpReply& reply) { return Answer(request, reply); });
    ASSERT_TRUE(server);
    server_ = *std::move(server);
    rpc_ = std::make_unique<chain::Rpc>(io_.get_executor(), chain::RpcOptions{"http://127.0.0.1:" + std::to_string(server_->port()), net::Millis(5000)});
    Reopen();
  }
  void TearDown() override {
    wallet_ = nullptr;
    if (server_) net::testing::RunTask(io_, server_->Stop(net::Millis(0)));
    std::filesystem::remove_all(folder_);
  }
  void Reopen() {
    wallet_ = nullptr;
    WalletSettings settings;
    settings.state = folder_;
    auto wallet = Wallet::Open(io_.get_executor(), *rpc_, *trust_, *crypto::SigningKey::FromSecret(Secret<32>(Hash32{42})), settings);
    ASSERT_TRUE(wallet) << wallet.error().message();
    wallet_ = *std::move(wallet);
  }

  // The chain: one tab; no ether, no credits.
  Task<void> Answer(net::HttpRequest& request, net::HttpReply& reply) {
    auto asked = Json::Parse(request.text());
    Json answer = Json::MakeObject({{"jsonrpc", "2.0"}, {"id", asked ? *asked->Find("id") : Json()}});
    std::string method = asked ? *asked->GetString("method") : std::string();
    std::string result = "0x0";
    if (method == "eth_call") {
      Bytes words = chain::AbiWriter().Amount(tab_.funded).Amount(tab_.spent).Addr(tab_.signer).Uint(tab_.epoch).Uint(tab_.close_at).Finish();
      std::string data = *asked->Find("params")->as_array()[0].GetString(asked->Find("params")->as_array()[0].Find("data") ? "data" : "input");
      const std::string wanted = ToHex(chain::ledger::TabOf(wallet_->address(), line_).data);
      result = data == "0x" + wanted ? "0x" + ToHex(words) : "0x" + std::string(64, '0');
    }
    answer.Set("result", result);
    (void)co_await reply.Send(net::HttpResponse::OfJson(200, answer));
  }

  Result<Voucher> Cover(uint64_t most) {
    Result<Voucher> out = Error(Code::kInternal, "not run");
    auto task = [&]() -> Task<void> { out = co_await wallet_->Cover(model_, head_, Wei(most)); };
    net::testing::RunTask(io_, task());
    return out;
  }
  TabStatus Status() {
    TabStatus out;
    auto task = [&]() -> Task<void> {
      auto status = co_await wallet_->Tab(model_, head_);
      CO_ASSERT_OK(status);
      out = *status;
    };
    net::testing::RunTask(io_, task());
    return out;
  }
  bool SignedByTheSession(const Voucher& v) {
    chain::Voucher message{wallet_->address(), line_, v.payment.epoch, v.payment.total};
    return chain::VerifyTyped(wallet_->domain(), message, tab_.signer, v.payment.signature).has_value();
  }

  net::IoContext io_;
  std::string folder_;
  const Hash32 model_{7};
  const crypto::Address head_{9};
  Hash32 line_{};
  chain::Tab tab_;
  std::optional<attest::TrustFile> trust_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<chain::Rpc> rpc_;
  std::unique_ptr<Wallet> wallet_;
};

TEST_F(WalletTest, VouchersCoverWhatIsUsedAndInFlightAndNoMore) {
  auto first = Cover(100);
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_EQ(first->payment.total, Wei(100));
  EXPECT_TRUE(SignedByTheSession(*first));
  auto second = Cover(50);
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(second->payment.total, Wei(150)) << "both may still be used";
  EXPECT_EQ(Status().in_flight, Wei(150));
  ASSERT_TRUE(wallet_->Settle(line_, *first, Wei(30)));
  ASSERT_TRUE(wallet_->Settle(line_, *second, Wei()));
  EXPECT_EQ(Status().used, Wei(30));
  EXPECT_EQ(Status().in_flight, Wei());
  auto third = Cover(10);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->payment.total, Wei(40));
}

TEST_F(WalletTest, ACostAboveTheVoucherIsRefusedAndNotCounted) {
  auto voucher = Cover(100);
  ASSERT_TRUE(voucher) << voucher.error().message();
  teetee::Status settled = wallet_->Settle(line_, *voucher, Wei(101));
  ASSERT_FALSE(settled);
  EXPECT_NE(settled.error().message().find("check receipt.cost"), std::string::npos);
  EXPECT_EQ(Status().used, Wei());
  EXPECT_EQ(Status().in_flight, Wei()) << "the request is over all the same";
  EXPECT_FALSE(wallet_->Settle(Hash32{1}, *voucher, Wei())) << "a line that it never had";
}

TEST_F(WalletTest, CountsSurviveARestartAndNeverFallBehindTheChain) {
  auto voucher = Cover(100);
  ASSERT_TRUE(voucher) << voucher.error().message();
  ASSERT_TRUE(wallet_->Settle(line_, *voucher, Wei(60)));
  Reopen();
  auto after = Cover(5);
  ASSERT_TRUE(after) << after.error().message();
  EXPECT_EQ(after->payment.total, Wei(65));
  ASSERT_TRUE(wallet_->Settle(line_, *after, Wei()));
  tab_.spent = Wei(80);  // charged with an answer whose receipt never came
  auto behind = Cover(5);
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->payment.total, Wei(85));
}

TEST_F(WalletTest, ANewEpochStartsFromNothing) {
  auto voucher = Cover(100);
  ASSERT_TRUE(voucher) << voucher.error().message();
  ASSERT_TRUE(wallet_->Settle(line_, *voucher, Wei(60)));
  auto late = Cover(40);
  ASSERT_TRUE(late);
  tab_.epoch = 2;
  auto fresh = Cover(7);
  ASSERT_TRUE(fresh) << fresh.error().message();
  EXPECT_EQ(fresh->payment.epoch, 2u);
  ASSERT_TRUE(wallet_->Settle(line_, *late, Wei(40)));
  EXPECT_EQ(Status().used, Wei()) << "what was used of the old epoch is not of the new one";
}

TEST_F(WalletTest, NothingIsSignedBeyondTheFundsOrForAForeignTab) {
  auto beyond = Cover(1001);  // the account has neither credits nor ether to top the tab up
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().code(), Code::kPaymentRequired);
  EXPECT_EQ(Status().in_flight, Wei());
  tab_.signer = crypto::Address{3};
  auto foreign = Cover(1);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code(), Code::kFailedPrecondition);
  EXPECT_NE(foreign.error().message().find("credits close"), std::string::npos) << "the next step";
}

TEST_F(WalletTest, ADamagedCountFileIsNotTakenForAnEmptyOne) {
  auto voucher = Cover(100);
  ASSERT_TRUE(voucher) << voucher.error().message();
  ASSERT_TRUE(wallet_->Settle(line_, *voucher, Wei(60)));
  ASSERT_TRUE(WriteFileAtomic(folder_ + "/tabs.json", AsBytes("{\"tabs\":")));
  WalletSettings settings;
  settings.state = folder_;
  wallet_ = nullptr;
  EXPECT_FALSE(Wallet::Open(io_.get_executor(), *rpc_, *trust_, *crypto::SigningKey::FromSecret(Secret<32>(Hash32{42})), settings));
}

}  // namespace
}  // namespace teetee::client
