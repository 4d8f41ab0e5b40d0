#include "pipeline/proofs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/random.h"
#include "protocol/fields.h"

namespace teetee::pipeline {
namespace {

using chain::Wei;

TEST(CountTokens, AnswerTokensStartWithTheLastOfThePrompt) {
  struct Case {
    uint64_t positions, prompt, in, out;
  };
  for (const Case& c : {Case{0, 5, 0, 0}, Case{4, 5, 4, 0}, Case{5, 5, 5, 1}, Case{6, 5, 5, 2}, Case{1, 1, 1, 1}}) {
    TokenCount count = CountTokens(c.positions, c.prompt);
    EXPECT_EQ(count.in, c.in) << c.positions;
    EXPECT_EQ(count.out, c.out) << c.positions;
  }
}

class Proofs : public ::testing::Test {
 protected:
  void SetUp() override {
    settings_.chain_id = 31337;
    settings_.ledger = crypto::RandomArray<20>();
    settings_.slot = 1;
    settings_.price_in = 10;
    settings_.price_out = 100;
    settings_.file = ::testing::TempDir() + "/proofs." + std::to_string(::getpid()) + ".json";
    ::unlink(settings_.file.c_str());
    open_.line = crypto::RandomArray<32>();
    open_.query = crypto::RandomArray<32>();
    open_.prompt_tokens = 4;
    open_.mode = PayMode::kTab;
  }
  void TearDown() override { ::unlink(settings_.file.c_str()); }

  ProofBook Loaded() {
    ProofBook book(key_, settings_);
    Status loaded = book.Load();
    EXPECT_TRUE(loaded) << loaded.error().message();
    return book;
  }
  bool Signed(const WorkFrame& frame, uint64_t total) {
    chain::WorkMessage message{open_.line, settings_.slot, key_.address(), Wei(total)};
    auto domain = chain::Domain::Ledger(settings_.chain_id, settings_.ledger);
    return frame.total == total && chain::VerifyTyped(domain, message, key_.address(), protocol::SignatureFrom(frame.signature)).has_value();
  }

  crypto::SigningKey key_ = crypto::SigningKey::Generate();
  ProofSettings settings_;
  OpenFrame open_;
};

TEST_F(Proofs, TotalsRiseOverSequencesAndRestarts) {
  ProofBook book = Loaded();
  auto first = book.Prove(open_, 4, {});
  ASSERT_TRUE(first);
  EXPECT_TRUE(Signed(*first, 4 * 10 + 100));
  auto more = book.Prove(open_, 6, {4, 1});  // the same sequence goes on
  EXPECT_TRUE(Signed(*more, 4 * 10 + 3 * 100));
  auto nothing_new = book.Prove(open_, 6, {4, 3});
  EXPECT_TRUE(Signed(*nothing_new, 4 * 10 + 3 * 100));
  ProofBook again = Loaded();
  auto next = again.Prove(open_, 4, {});
  EXPECT_TRUE(Signed(*next, 2 * 40 + 4 * 100));
}

TEST_F(Proofs, APartOfThePromptCountsAsRead) {
  ProofBook book = Loaded();
  EXPECT_TRUE(Signed(*book.Prove(open_, 3, {}), 30));
}

TEST_F(Proofs, RefusesATamperedFile) {
  {
    ProofBook book = Loaded();
    ASSERT_TRUE(book.Prove(open_, 4, {}));
  }
  std::string good(AsText(*ReadFile(settings_.file)));
  auto refused = [&](std::string from, std::string to) {
    std::string changed = good;
    size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos);
    changed.replace(at, from.size(), to);
    EXPECT_TRUE(WriteFileAtomic(settings_.file, AsBytes(changed)));
    return ProofBook(key_, settings_).Load();
  };
  Status lower = refused("\"140\"", "\"139\"");
  ASSERT_FALSE(lower);
  EXPECT_EQ(lower.error().code(), Code::kDataLoss);
  EXPECT_EQ(refused(ToHex0x(open_.line), ToHex0x(crypto::RandomArray<32>())).error().code(), Code::kDataLoss);
  EXPECT_FALSE(refused("{", "["));
  EXPECT_TRUE(refused("{", "{"));
  auto other = crypto::SigningKey::Generate();
  EXPECT_EQ(ProofBook(other, settings_).Load().error().code(), Code::kDataLoss);
}

TEST_F(Proofs, FailsWhenTheTotalCannotBeWritten) {
  settings_.file = "/proc/no/such/folder/file";
  ProofBook book(key_, settings_);
  EXPECT_FALSE(book.Prove(open_, 4, {}));
}

TEST_F(Proofs, StartsWhereTheChainIsWhenTheFileIsLost) {
  ProofBook book = Loaded();
  book.NoteChain(open_.line, {Wei(5000), Wei(4000), Wei()});
  EXPECT_TRUE(Signed(*book.Prove(open_, 4, {}), 5140));
  book.NoteChain(open_.line, {Wei(10), Wei(10), Wei()});  // an older block changes nothing
  EXPECT_TRUE(Signed(*book.Prove(open_, 4, {}), 5280));
}

TEST_F(Proofs, CreditEndsAtTheLimitAndComesBackWithSettlement) {
  settings_.credit_limit = Wei(200);
  ProofBook book = Loaded();
  EXPECT_TRUE(book.CheckCredit(open_.line));
  ASSERT_TRUE(book.Prove(open_, 4, {}));  // 140
  EXPECT_TRUE(book.CheckCredit(open_.line));
  ASSERT_TRUE(book.Prove(open_, 4, {}));  // 280
  Status refused = book.CheckCredit(open_.line);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_TRUE(book.CheckCredit(crypto::RandomArray<32>())) << "another line";
  book.NoteChain(open_.line, {Wei(140), Wei(79), Wei()});
  EXPECT_FALSE(book.CheckCredit(open_.line));
  book.NoteChain(open_.line, {Wei(140), Wei(80), Wei()});
  EXPECT_TRUE(book.CheckCredit(open_.line));
}

TEST_F(Proofs, WhatIsWrittenOffNeverFillsTheCreditAndOutlivesARestart) {
  settings_.credit_limit = Wei(200);
  {
    ProofBook book = Loaded();
    ASSERT_TRUE(book.Prove(open_, 6, {}));  // 340
    EXPECT_FALSE(book.CheckCredit(open_.line));
    book.WriteOff(open_.line, {4, 3});
    EXPECT_TRUE(book.CheckCredit(open_.line));
  }
  EXPECT_TRUE(Loaded().CheckCredit(open_.line)) << "the write-off was not kept";
}

TEST_F(Proofs, PartsOfAStrictQueryAddUpOverItsSequences) {
  open_.mode = PayMode::kStrict;
  ProofBook book = Loaded();
  auto domain = chain::Domain::Ledger(settings_.chain_id, settings_.ledger);
  auto is = [&](const WorkFrame& frame, uint32_t in, uint32_t out) {
    chain::PartMessage message{open_.query, settings_.slot, key_.address(), in, out};
    return frame.kind == ProofKind::kPart &&
           chain::VerifyTyped(domain, message, key_.address(), protocol::SignatureFrom(frame.signature)).has_value();
  };
  EXPECT_TRUE(is(*book.Prove(open_, 4, {}), 4, 1));
  EXPECT_TRUE(is(*book.Prove(open_, 5, {4, 1}), 4, 2));
  EXPECT_TRUE(is(*book.Prove(open_, 4, {}), 8, 3));
  EXPECT_FALSE(FileExists(settings_.file)) << "parts are no tab work";
  open_.query = crypto::RandomArray<32>();
  EXPECT_TRUE(is(*book.Prove(open_, 4, {}), 4, 1));
}

TEST_F(Proofs, FreeModeSignsNothing) {
  open_.mode = PayMode::kFree;
  ProofBook book = Loaded();
  auto frame = book.Prove(open_, 4, {});
  EXPECT_EQ(frame->kind, ProofKind::kNone);
  EXPECT_EQ(frame->signature, ByteArray<64>{});
  EXPECT_TRUE(book.lines().empty());
}

}  // namespace
}  // namespace teetee::pipeline
