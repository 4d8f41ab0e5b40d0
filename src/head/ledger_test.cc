#include "head/ledger.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "chain/model_id.h"
#include "crypto/merkle.h"
#include "crypto/random.h"

namespace teetee::head {
namespace {

using chain::Wei;

class Books : public ::testing::Test {
 protected:
  void SetUp() override {
    ::unlink(path_.c_str());
    facts_.chain_id = 31337;
    facts_.ledger = crypto::RandomArray<20>();
    facts_.model = crypto::RandomArray<32>();
    facts_.line = chain::LineOf(facts_.model, head_.address());
    tab_.funded = Wei(1000);
    tab_.signer = session_.address();
    tab_.epoch = 4;
    Reopen();
  }
  void TearDown() override { ::unlink(path_.c_str()); }

  void Reopen() {
    books_.reset();
    auto opened = HeadLedger::Open(head_, facts_, path_);
    ASSERT_TRUE(opened) << opened.error().message();
    books_ = *std::move(opened);
  }
  protocol::TabPayment Voucher(uint64_t total, uint32_t epoch = 4) {
    protocol::TabPayment payment{user_, epoch, Wei(total), {}};
    payment.signature = chain::SignTyped(books_->domain(), chain::Voucher{user_, facts_.line, epoch, Wei(total)}, session_);
    return payment;
  }
  Result<std::unique_ptr<Reservation>> Reserve(uint64_t total, uint64_t most) {
    return books_->Reserve(Voucher(total), tab_, Wei(most), &need_);
  }
  Served Make(uint64_t cost) {
    Served served;
    served.receipt.query = crypto::RandomArray<32>();
    served.receipt.line = facts_.line;
    served.receipt.cost = Wei(cost);
    served.receipt.tokens_in = 3;
    worked_ += cost;
    chain::Work work{stage_.address(), 1, Wei(worked_), {}};
    work.signature = chain::SignTyped(books_->domain(), chain::WorkMessage{facts_.line, 1, work.key, work.total}, stage_);
    served.work.push_back(work);
    return served;
  }
  void Serve(uint64_t total, uint64_t cost) {
    auto reservation = Reserve(total, cost);
    ASSERT_TRUE(reservation) << reservation.error().message();
    ASSERT_TRUE(books_->Book(Make(cost), reservation->get()));
  }
  const protocol::BatchEntry& Batch(uint64_t n) {
    for (const auto* entry : books_->Entries(n - 1, 1)) {
      if (entry->n == n) return std::get<protocol::BatchEntry>(entry->what);
    }
    throw std::runtime_error("no such entry");
  }
  std::string Outbox() {
    std::string out;
    for (const auto* entry : books_->Entries(0, 1000)) out += entry->ToJson().Canonical() + "\n";
    return out;
  }

  const std::string path_ = ::testing::TempDir() + "/books." + std::to_string(::getpid());
  crypto::SigningKey head_ = crypto::SigningKey::Generate(), session_ = crypto::SigningKey::Generate(),
                     stage_ = crypto::SigningKey::Generate();
  crypto::Address user_ = crypto::RandomArray<20>();
  LineFacts facts_;
  chain::Tab tab_;
  std::unique_ptr<HeadLedger> books_;
  Wei need_;
  uint64_t worked_ = 0;
};

TEST_F(Books, RefuseVouchersThatDoNotFitTheTab) {
  auto code = [&](const protocol::TabPayment& payment, const chain::Tab& tab) {
    auto reserved = books_->Reserve(payment, tab, Wei(10), &need_);
    return reserved ? Code{} : reserved.error().code();
  };
  EXPECT_EQ(code(Voucher(100), tab_), Code{});
  EXPECT_EQ(code(Voucher(100, 3), tab_), Code::kPaymentRequired);
  EXPECT_EQ(code(Voucher(100, 5), tab_), Code::kPaymentRequired);
  chain::Tab none;
  EXPECT_EQ(code(Voucher(100, 0), none), Code::kPaymentRequired);
  chain::Tab closing = tab_;
  closing.close_at = 1;
  EXPECT_EQ(code(Voucher(100), closing), Code::kFailedPrecondition);
  chain::Tab other = tab_;
  other.signer = crypto::RandomArray<20>();
  EXPECT_EQ(code(Voucher(100), other), Code::kUnauthenticated);
  auto raised = Voucher(100);
  raised.total = Wei(101);
  EXPECT_EQ(code(raised, tab_), Code::kUnauthenticated);
  auto of_another = Voucher(100);
  of_another.user[0] ^= 1;
  EXPECT_EQ(code(of_another, tab_), Code::kUnauthenticated);
  auto bent = Voucher(100);
  bent.signature.r[5] ^= 1;
  EXPECT_EQ(code(bent, tab_), Code::kUnauthenticated);
}

TEST_F(Books, SayWhichVoucherWouldDo) {
  tab_.spent = Wei(40);
  auto refused = Reserve(100, 61);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kPaymentRequired);
  EXPECT_EQ(need_, Wei(101));
  EXPECT_TRUE(Reserve(101, 61));
  EXPECT_FALSE(Reserve(5000, 961)) << "more than the tab is funded with";
  EXPECT_EQ(need_, Wei(1001));
  EXPECT_TRUE(Reserve(5000, 960));
}

TEST_F(Books, NeverPromiseMoreThanIsCovered) {
  std::vector<std::unique_ptr<Reservation>> held;
  for (int i = 0; i < 4; ++i) {
    auto one = Reserve(100, 25);
    ASSERT_TRUE(one);
    held.push_back(*std::move(one));
  }
  EXPECT_FALSE(Reserve(100, 1));
  EXPECT_EQ(need_, Wei(101));
  held.pop_back();
  EXPECT_TRUE(Reserve(100, 25));
  ASSERT_TRUE(books_->Book(Make(20), held.back().get()));
  held.pop_back();
  EXPECT_EQ(*books_->Used(user_, 4), Wei(20));
  EXPECT_FALSE(Reserve(100, 31)) << "20 used and 50 in flight";
  EXPECT_TRUE(Reserve(100, 30));
  EXPECT_TRUE(Reserve(99, 30)) << "an older voucher stands: the highest one counts";
}

TEST_F(Books, AFailedRequestCostsNothing) {
  { ASSERT_TRUE(Reserve(100, 100)); }
  EXPECT_EQ(*books_->Used(user_, 4), Wei(0));
  EXPECT_FALSE(books_->NeedsBatch());
  EXPECT_EQ(books_->pending_receipts(), 0u);
}

TEST_F(Books, BatchesHoldEverythingThatIsNotMined) {
  Serve(100, 10);
  Serve(100, 20);
  ASSERT_TRUE(books_->NeedsBatch());
  uint64_t first = *books_->MakeBatch(7);
  EXPECT_FALSE(books_->NeedsBatch());
  EXPECT_EQ(Batch(first).batch.seq, 8u);
  Serve(100, 30);
  uint64_t second = *books_->MakeBatch(7);
  EXPECT_GT(second, first);
  const protocol::BatchEntry& batch = Batch(second);
  EXPECT_EQ(batch.batch.seq, 9u) << "a seq is never signed twice";
  ASSERT_EQ(batch.leaves.size(), 3u);
  EXPECT_EQ(batch.batch.count, 3u);
  std::vector<Hash32> hashes;
  for (const auto& leaf : batch.leaves) hashes.push_back(chain::StructHash(leaf));
  EXPECT_EQ(batch.batch.root, crypto::MerkleTree(hashes).root());
  EXPECT_TRUE(chain::VerifyTyped(books_->domain(), chain::MessageOf(facts_.line, batch.batch), head_.address(), batch.signature));
  ASSERT_EQ(batch.batch.charges.size(), 1u);
  EXPECT_EQ(batch.batch.charges[0].used, Wei(60));
  EXPECT_EQ(batch.batch.charges[0].total, Wei(100));
  ASSERT_EQ(batch.batch.work.size(), 1u);
  EXPECT_EQ(batch.batch.work[0].total, Wei(60));
}

TEST_F(Books, ASupersededBatchesReceiptsComeAgainAndAMinedOnesDoNot) {
  Serve(100, 10);
  uint64_t first = *books_->MakeBatch(0);
  ASSERT_TRUE(books_->Finalize(first, false));
  EXPECT_TRUE(books_->NeedsBatch());
  Serve(100, 20);
  uint64_t second = *books_->MakeBatch(1);
  EXPECT_EQ(Batch(second).leaves.size(), 2u);
  Serve(100, 5);
  ASSERT_TRUE(books_->Finalize(second, true));
  EXPECT_TRUE(books_->OutstandingBatches().empty());
  EXPECT_EQ(books_->pending_receipts(), 1u);
  uint64_t third = *books_->MakeBatch(2);
  EXPECT_EQ(Batch(third).leaves.size(), 1u);
  EXPECT_EQ(Batch(third).leaves[0].cost, Wei(5));
}

TEST_F(Books, SettledTabsAreNotChargedAgain) {
  Serve(100, 10);
  EXPECT_EQ(books_->UnsettledTabs().size(), 1u);
  books_->NoteSpent(user_, 4, Wei(10));
  EXPECT_TRUE(books_->UnsettledTabs().empty());
  EXPECT_TRUE(Batch(*books_->MakeBatch(0)).batch.charges.empty());
}

TEST_F(Books, AreTheSameAfterARestart) {
  Serve(100, 10);
  uint64_t first = *books_->MakeBatch(0);
  Serve(120, 20);
  Served strict = Make(7);
  strict.work.clear();
  strict.query = chain::Query{user_, facts_.model, head_.address(), {}, Wei(9), 99, 1};
  strict.parts.push_back({stage_.address(), 1, 3, 0, {}});
  ASSERT_TRUE(books_->Book(strict, nullptr));
  for (int round = 0; round < 2; ++round) {  // from the log, and from the snapshot that the first start wrote
    const std::string outbox = Outbox();
    Reopen();
    EXPECT_EQ(Outbox(), outbox);
    EXPECT_EQ(*books_->Used(user_, 4), Wei(30));
    EXPECT_EQ(books_->pending_receipts(), 2u);
    ASSERT_EQ(books_->OutstandingQueries().size(), 1u);
    EXPECT_EQ(books_->OutstandingQueries()[0].second, strict.receipt.query);
    EXPECT_TRUE(books_->NeedsBatch());
    EXPECT_FALSE(Reserve(100, 91)) << "the higher voucher was 120: 30 + 91 is too much";
    EXPECT_EQ(need_, Wei(121));
    EXPECT_TRUE(Reserve(100, 90)) << "the higher voucher was forgotten";
  }
  uint64_t next = *books_->MakeBatch(0);
  EXPECT_GT(next, first + 1);
  EXPECT_EQ(Batch(next).batch.seq, 2u);
  EXPECT_EQ(Batch(next).batch.work[0].total, Wei(30));
  ASSERT_TRUE(books_->Finalize(next, true));
  Reopen();
  EXPECT_EQ(books_->pending_receipts(), 0u);
  EXPECT_EQ(books_->OutstandingBatches().size(), 1u) << "the first is not final yet";
  EXPECT_EQ(Batch(*books_->MakeBatch(0)).batch.seq, 3u);
}

TEST_F(Books, DoNotOpenOverAJournalThatTheyCannotRead) {
  Serve(100, 10);
  ASSERT_TRUE(WriteFileAtomic(path_, AsBytes("{\"t\":\"nonsense\"}\n")));
  auto refused = HeadLedger::Open(head_, facts_, path_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kDataLoss);
}

TEST_F(Books, ReleaseOnlyWhatIsSettledAndNotInUse) {
  {
    auto reservation = Reserve(100, 50);
    ASSERT_TRUE(reservation);
    EXPECT_EQ(books_->SignRelease(user_, tab_).error().code(), Code::kFailedPrecondition);
    ASSERT_TRUE(books_->Book(Make(40), reservation->get()));
  }
  EXPECT_FALSE(books_->SignRelease(user_, tab_)) << "40 are not settled";
  tab_.spent = Wei(40);
  auto release = books_->SignRelease(user_, tab_);
  ASSERT_TRUE(release) << release.error().message();
  EXPECT_EQ(release->used, Wei(40));
  chain::Release message{user_, facts_.line, 4, Wei(40)};
  EXPECT_TRUE(chain::VerifyTyped(books_->domain(), message, head_.address(), release->signature));
  for (int round = 0; round < 2; ++round) {
    auto refused = Reserve(500, 1);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kFailedPrecondition);
    EXPECT_EQ(books_->OutstandingReleases().size(), 1u);
    Reopen();
  }
  ASSERT_TRUE(books_->Finalize(books_->OutstandingReleases()[0].first, true));
  Reopen();
  EXPECT_FALSE(Reserve(500, 1)) << "released once is released for good";
  tab_ = {Wei(10), Wei(), session_.address(), 5, 0};
  EXPECT_TRUE(books_->Reserve(Voucher(10, 5), tab_, Wei(10), &need_)) << "the next epoch is new";
}

}  // namespace
}  // namespace teetee::head
