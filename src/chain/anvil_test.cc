// The chain client against a real node: anvil on a port of its own, stopped by its process id.
// Skipped where it is not installed (contracts/node_modules, by ./dev setup).
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "chain/abi.h"
#include "chain/follower.h"
#include "chain/rpc.h"
#include "chain/sender.h"
#include "net/testing/run.h"

namespace teetee::chain {
namespace {

using net::Task;

constexpr char kAnvil[] = "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
// The first account of every development chain; worthless anywhere else.
constexpr char kRichKey[] = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
constexpr uint64_t kChainId = 31337;

uint16_t FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

class AnvilTest : public testing::Test {
 public:
  void SetUp() override {
    if (!FileExists(kAnvil)) GTEST_SKIP() << "anvil is not installed (npm ci in contracts/)";
    std::string pattern = testing::TempDir() + "teetee-anvil-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    port_ = FreePort();
    url_ = "http://127.0.0.1:" + std::to_string(port_);
    rpc_ = std::make_unique<Rpc>(io_.get_executor(), RpcOptions{url_, net::Millis(5000)});
  }
  void TearDown() override {
    Kill(SIGKILL);
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  void Start(std::vector<std::string> more = {}) {
    std::vector<std::string> words = {
        kAnvil, "--host", "127.0.0.1", "--port", std::to_string(port_), "--silent"};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    Run([](AnvilTest* t) -> Task<void> {
      for (int i = 0; i < 500; ++i) {
        auto id = co_await t->rpc_->ChainId();
        if (id) {
          EXPECT_EQ(*id, kChainId);
          co_return;
        }
        EXPECT_EQ(id.error().code(), Code::kUnavailable) << id.error().message();
        co_await net::Sleep(net::Millis(20));
      }
      ADD_FAILURE() << "anvil does not answer";
    }(this));
  }
  void Kill(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  void Run(Task<void> task) { net::testing::RunTask(io_, std::move(task)); }

  // A method that only development chains have.
  Task<Json> Dev(std::string method, Json params) {
    net::HttpClient http(io_.get_executor());
    net::HttpRequestOptions request;
    request.method = "POST";
    request.url = url_;
    request.headers.Add("Content-Type", "application/json");
    const std::string text = RpcRequestText(1, method, std::move(params));
    request.body = ToBytes(AsBytes(text));
    auto response = co_await http.Fetch(std::move(request));
    if (!response) {
      ADD_FAILURE() << response.error().message();
      co_return Json();
    }
    auto reply = ParseRpcReply(response->text(), 1);
    EXPECT_TRUE(reply && !reply->failure) << method;
    co_return reply ? std::move(reply->result) : Json();
  }
  Task<void> Mine(int blocks) {
    for (int i = 0; i < blocks; ++i) {
      Json none = Json::MakeArray();
      (void)co_await Dev("evm_mine", std::move(none));
    }
  }
  Task<void> SetCode(Address at, std::string code) {
    Json params = Json::MakeArray();
    params.Push(ToHex0x(at)).Push(code);
    (void)co_await Dev("anvil_setCode", std::move(params));
  }

  static crypto::SigningKey RichKey() {
    return *crypto::SigningKey::FromSecret(Secret<32>(*FromHexFixed<32>(kRichKey)));
  }
  std::unique_ptr<Sender> OpenSender() {
    SenderOptions options;
    options.chain_id = kChainId;
    options.journal_path = folder_ + "/journal";
    options.poll = net::Millis(20);
    auto sender = Sender::Open(rpc_.get(), RichKey(), options);
    EXPECT_TRUE(sender) << sender.error().message();
    return sender ? *std::move(sender) : nullptr;
  }
  Follower OpenFollower(uint64_t max_range) {
    FollowerOptions options;
    options.addresses = {kEmitter};
    options.max_range = max_range;
    options.cursor_path = folder_ + "/cursor";
    return *Follower::Open(rpc_.get(), options);
  }
  // Calls the emitter, which logs the first word of its calldata as topic 0.
  Task<void> Emit(Sender* sender, uint8_t mark) {
    TxIntent intent{kEmitter, Wei(), ToBytes(WordOf(Uint128{mark})), "emit"};
    auto id = sender->Submit(std::move(intent));
    CO_ASSERT_OK(id);
    for (int i = 0; i < 250 && sender->pending() > 0; ++i) {
      Status ticked = co_await sender->Tick();
      CO_ASSERT_OK(ticked);
      if (sender->pending() > 0) co_await net::Sleep(net::Millis(20));
    }
    EXPECT_EQ(sender->pending(), 0u);
  }
  static std::vector<int> Marks(const FollowBatch& batch) {
    std::vector<int> out;
    for (const LogEntry& log : batch.logs) out.push_back(log.topics.at(0)[31]);
    return out;
  }

  static constexpr Address kEmitter{0xee};
  static constexpr Address kReverter{0xdd};
  static constexpr Address kFriend{0xab, 0xcd};
  net::IoContext io_;
  std::unique_ptr<Rpc> rpc_;
  std::string folder_, url_;
  uint16_t port_ = 0;
  pid_t pid_ = 0;
};

TEST_F(AnvilTest, RefusesWhatWouldRevertAndSendsNothing) {
  Start();
  Run([](AnvilTest* t) -> Task<void> {
    auto sender = t->OpenSender();
    const std::string selector = ToHex(SelectorOf("WrongSequence()"));
    co_await t->SetCode(kReverter, "0x63" + selector + "6000526004601cfd");
    auto id = sender->Submit({kReverter, Wei(), {}, "doomed"});
    CO_ASSERT_OK(id);
    Status ticked = co_await sender->Tick();
    CO_ASSERT_OK(ticked);
    auto outcome = co_await sender->Wait(*id, net::Millis(1));
    CO_ASSERT_OK(outcome);
    EXPECT_EQ(outcome->state, TxState::kRefused);
    EXPECT_NE(outcome->why.find("WrongSequence"), std::string::npos) << outcome->why;
    auto nonce = co_await t->rpc_->GetNonce(sender->address(), BlockId::Pending());
    EXPECT_EQ(*nonce, 0u);
    auto unknown = co_await sender->Wait(99, net::Millis(1));
    EXPECT_EQ(unknown.error().code(), Code::kNotFound);
  }(this));
}

TEST_F(AnvilTest, SendsATransferAndReadsItBack) {
  Start();
  Run([](AnvilTest* t) -> Task<void> {
    auto sender = t->OpenSender();
    net::TaskGroup group(t->io_.get_executor());
    group.Spawn(sender->Run(), "sender");
    TxIntent intent{kFriend, *Wei::ParseEth("1.5"), {}, "a gift"};
    auto outcome = co_await sender->SubmitAndWait(std::move(intent), net::Millis(10'000));
    CO_ASSERT_OK(outcome);
    EXPECT_EQ(outcome->state, TxState::kMined);
    auto balance = co_await t->rpc_->GetBalance(kFriend, BlockId::Latest());
    EXPECT_EQ(balance->Eth(), "1.5 ETH");
    auto block = co_await t->rpc_->GetBlock(BlockId::Number(outcome->receipt->block_number));
    CO_ASSERT_OK(block);
    EXPECT_EQ((*block)->hash, outcome->receipt->block_hash);
    EXPECT_GT((*block)->timestamp, 1'600'000'000u);
    auto missing = co_await t->rpc_->GetBlock(BlockId::Number(1'000'000));
    CO_ASSERT_OK(missing);
    EXPECT_FALSE(*missing);
    group.Cancel();
    co_await group.Join();
  }(this));
}

TEST_F(AnvilTest, ANonceUsedByAnotherIsReplaced) {
  Start({"--no-mining"});
  Run([](AnvilTest* t) -> Task<void> {
    auto sender = t->OpenSender();
    auto id = sender->Submit({kFriend, Wei(7), {}, "overtaken"});
    Status ticked = co_await sender->Tick();
    CO_ASSERT_OK(ticked);
    // Another program with the same key takes nonce 0 at a higher price.
    const Tx rival{
        kChainId, 0, Wei(Uint128{50'000'000'000}), Wei(Uint128{90'000'000'000}), 21000, Address{9},
        Wei(1),   {}};
    const Bytes raw = SignTx(rival, RichKey()).raw;
    auto sent = co_await t->rpc_->SendRawTransaction(raw);
    CO_ASSERT_OK(sent);
    EXPECT_EQ(*sent, SendResult::kAccepted);
    co_await t->Mine(1);
    auto again = co_await t->rpc_->SendRawTransaction(SignTx(rival, RichKey()).raw);
    EXPECT_EQ(*again, SendResult::kNonceTooLow);
    for (int i = 0; i < 250 && sender->pending() > 0; ++i) {
      ticked = co_await sender->Tick();
      CO_ASSERT_OK(ticked);
      co_await t->Mine(1);
      if (sender->pending() > 0) co_await net::Sleep(net::Millis(20));
    }
    auto outcome = co_await sender->Wait(*id, net::Millis(1));
    CO_ASSERT_OK(outcome);
    EXPECT_EQ(outcome->state, TxState::kMined);
    auto balance = co_await t->rpc_->GetBalance(kFriend, BlockId::Latest());
    EXPECT_EQ(*balance, Wei(7));  // once
  }(this));
}

TEST_F(AnvilTest, AStuckTransactionGetsDearer) {
  Start({"--no-mining"});
  Run([](AnvilTest* t) -> Task<void> {
    auto sender = t->OpenSender();
    auto id = sender->Submit({kFriend, Wei(7), {}, "stuck"});
    Status ticked = co_await sender->Tick();
    CO_ASSERT_OK(ticked);
    for (int i = 0; i < 4; ++i) {  // blocks too dear for what was sent
      Json params = Json::MakeArray();
      params.Push("0x174876e800");
      (void)co_await t->Dev("anvil_setNextBlockBaseFeePerGas", std::move(params));
      co_await t->Mine(1);
    }
    EXPECT_EQ(sender->pending(), 1u);
    for (int i = 0; i < 250 && sender->pending() > 0; ++i) {
      ticked = co_await sender->Tick();
      CO_ASSERT_OK(ticked);
      co_await t->Mine(1);
      if (sender->pending() > 0) co_await net::Sleep(net::Millis(20));
    }
    auto outcome = co_await sender->Wait(*id, net::Millis(1));
    CO_ASSERT_OK(outcome);
    EXPECT_EQ(outcome->state, TxState::kMined);
    EXPECT_GT(outcome->receipt->gas_price, Wei(Uint128{10'000'000'000}));
    auto balance = co_await t->rpc_->GetBalance(kFriend, BlockId::Latest());
    EXPECT_EQ(*balance, Wei(7));
  }(this));
}

TEST_F(AnvilTest, ARestartedSenderGoesOnAndSendsNothingTwice) {
  Start({"--no-mining"});
  Run([](AnvilTest* t) -> Task<void> {
    uint64_t sent_id = 0, queued_id = 0;
    {
      auto sender = t->OpenSender();
      sent_id = *sender->Submit({kFriend, Wei(7), {}, "sent"});
      Status ticked = co_await sender->Tick();
      CO_ASSERT_OK(ticked);
      queued_id = *sender->Submit({kFriend, Wei(100), {}, "queued"});
    }
    co_await t->Mine(1);
    auto sender = t->OpenSender();
    EXPECT_EQ(sender->pending(), 2u);
    for (int i = 0; i < 250 && sender->pending() > 0; ++i) {
      Status ticked = co_await sender->Tick();
      CO_ASSERT_OK(ticked);
      co_await t->Mine(1);
      if (sender->pending() > 0) co_await net::Sleep(net::Millis(20));
    }
    for (uint64_t id : {sent_id, queued_id}) {
      auto outcome = co_await sender->Wait(id, net::Millis(1));
      CO_ASSERT_OK(outcome);
      EXPECT_EQ(outcome->state, TxState::kMined);
    }
    auto balance = co_await t->rpc_->GetBalance(kFriend, BlockId::Latest());
    EXPECT_EQ(*balance, Wei(107));
  }(this));
}

TEST_F(AnvilTest, ADeadNodeIsUnavailableAndHeals) {
  const std::string state = folder_ + "/state";
  Start({"--state", state});
  auto sender = OpenSender();
  uint64_t id = 0;
  Run([](AnvilTest* t, Sender* s) -> Task<void> {
    auto first = s->Submit({kFriend, Wei(7), {}, "before"});
    for (int i = 0; i < 250 && s->pending() > 0; ++i) {
      Status ticked = co_await s->Tick();
      CO_ASSERT_OK(ticked);
      if (s->pending() > 0) co_await net::Sleep(net::Millis(20));
    }
    auto outcome = co_await s->Wait(*first, net::Millis(1));
    CO_ASSERT_OK(outcome);
    EXPECT_EQ(outcome->state, TxState::kMined);
    t->Kill(SIGINT);  // it writes its state
  }(this, sender.get()));
  Run([](AnvilTest* t, Sender* s, uint64_t* out) -> Task<void> {
    auto number = co_await t->rpc_->BlockNumber();
    EXPECT_EQ(number.error().code(), Code::kUnavailable);
    *out = *s->Submit({kFriend, Wei(100), {}, "meanwhile"});
    Status ticked = co_await s->Tick();
    EXPECT_EQ(ticked.error().code(), Code::kUnavailable);
    auto outcome = co_await s->Wait(*out, net::Millis(1));
    EXPECT_EQ(outcome.error().code(), Code::kDeadlineExceeded);  // pending, not failed
  }(this, sender.get(), &id));
  Start({"--state", state});
  Run([](AnvilTest* t, Sender* s, uint64_t waited) -> Task<void> {
    for (int i = 0; i < 250 && s->pending() > 0; ++i) {
      Status ticked = co_await s->Tick();
      CO_ASSERT_OK(ticked);
      if (s->pending() > 0) co_await net::Sleep(net::Millis(20));
    }
    auto outcome = co_await s->Wait(waited, net::Millis(1));
    CO_ASSERT_OK(outcome);
    EXPECT_EQ(outcome->state, TxState::kMined);
    auto balance = co_await t->rpc_->GetBalance(kFriend, BlockId::Latest());
    EXPECT_EQ(*balance, Wei(107));
  }(this, sender.get(), id));
}

TEST_F(AnvilTest, AMissingNonceIsFilled) {
  Start({"--no-mining"});
  Run([](AnvilTest* t) -> Task<void> {
    uint64_t id = 0;
    {
      auto sender = t->OpenSender();
      id = *sender->Submit({kFriend, Wei(7), {}, "behind a gap"});
    }
    {
      // As after a chain lost its newest blocks: the open attempt has nonce 1, and nobody has nonce
      // 0.
      TxJournal journal = *TxJournal::Open(t->folder_ + "/journal", kChainId, RichKey().address());
      const Tx tx{
          kChainId, 1, Wei(Uint128{1'000'000'000}), Wei(Uint128{9'000'000'000}), 30000, kFriend,
          Wei(7),   {}};
      Status written = journal.Signed(id, SignTx(tx, RichKey()));
      CO_ASSERT_OK(written);
    }
    auto sender = t->OpenSender();
    for (int i = 0; i < 250 && sender->pending() > 0; ++i) {
      Status ticked = co_await sender->Tick();
      CO_ASSERT_OK(ticked);
      co_await t->Mine(1);
      if (sender->pending() > 0) co_await net::Sleep(net::Millis(20));
    }
    auto outcome = co_await sender->Wait(id, net::Millis(1));
    CO_ASSERT_OK(outcome);
    EXPECT_EQ(outcome->state, TxState::kMined);
    auto balance = co_await t->rpc_->GetBalance(kFriend, BlockId::Latest());
    EXPECT_EQ(*balance, Wei(7));
  }(this));
}

TEST_F(AnvilTest, FollowsLogsThroughRangesRestartsAndReplacedBlocks) {
  Start();
  Run([](AnvilTest* t) -> Task<void> {
    co_await t->SetCode(kEmitter, "0x60003560006000a100");
    auto sender = t->OpenSender();
    for (uint8_t mark : {1, 2, 3}) co_await t->Emit(sender.get(), mark);
    std::vector<int> marks;
    {
      Follower follower = t->OpenFollower(2);
      for (bool done = false; !done;) {
        auto batch = co_await follower.Poll();
        CO_ASSERT_OK(batch);
        for (int mark : Marks(*batch)) marks.push_back(mark);
        done = batch->caught_up;
        EXPECT_FALSE(batch->undo_above);
      }
      CO_ASSERT_OK(follower.Commit());
    }
    EXPECT_EQ(marks, (std::vector<int>{1, 2, 3}));
    Json none = Json::MakeArray();
    Json snapshot = co_await t->Dev("evm_snapshot", std::move(none));
    co_await t->Emit(sender.get(), 4);
    Follower follower = t->OpenFollower(100);  // goes on from the cursor
    auto batch = co_await follower.Poll();
    CO_ASSERT_OK(batch);
    EXPECT_EQ(Marks(*batch), std::vector<int>{4});
    const uint64_t replaced = batch->through_block;
    CO_ASSERT_OK(follower.Commit());
    Json params = Json::MakeArray();
    params.Push(snapshot);
    (void)co_await t->Dev("evm_revert", std::move(params));
    co_await t->Emit(sender.get(), 5);
    co_await t->Mine(1);
    Follower restarted = t->OpenFollower(100);
    batch = co_await restarted.Poll();
    CO_ASSERT_OK(batch);
    CO_ASSERT_TRUE(batch->undo_above.has_value());
    EXPECT_EQ(*batch->undo_above, replaced - 1);
    EXPECT_EQ(Marks(*batch), std::vector<int>{5});
    batch = co_await restarted.Poll();
    CO_ASSERT_OK(batch);
    EXPECT_TRUE(batch->logs.empty() && batch->caught_up && !batch->undo_above);
  }(this));
}

}  // namespace
}  // namespace teetee::chain
