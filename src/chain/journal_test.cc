#include "chain/journal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/file.h"

namespace teetee::chain {
namespace {

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "teetee-journal-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    ::unlink(Path().c_str());
    ::rmdir(folder_.c_str());
  }
  std::string Path() const { return folder_ + "/journal"; }
  Result<TxJournal> Open() const { return TxJournal::Open(Path(), 31337, key_.address()); }
  SignedTx Sign(uint64_t nonce) const {
    return SignTx({31337, nonce, Wei(1), Wei(2), 21000, Address{1}, Wei(3), {}}, key_);
  }
  std::string folder_;
  const crypto::SigningKey key_ = crypto::SigningKey::Generate();
  const TxIntent intent_{Address{1}, Wei(3), {4, 5}, "a label"};
};

TEST_F(JournalTest, RefusesAnotherChainOrAccount) {
  ASSERT_TRUE(Open());
  EXPECT_EQ(TxJournal::Open(Path(), 1, key_.address()).error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(TxJournal::Open(Path(), 31337, Address{1}).error().code(), Code::kFailedPrecondition);
}

TEST_F(JournalTest, RefusesDamage) {
  for (const char* dirt : {"x\n", "{}\n", "{\"op\":\"header\",\"v\":1}\n"}) {
    ASSERT_TRUE(WriteFileAtomic(Path(), AsBytes(dirt), 0600));
    EXPECT_EQ(Open().error().code(), Code::kDataLoss) << dirt;
  }
  ::unlink(Path().c_str());
  ASSERT_TRUE(Open());
  const Bytes header = *ReadFile(Path());
  for (const char* dirt :
       {"{\"op\":\"done\",\"id\":9}\n", "{\"op\":\"sing\",\"id\":1}\n", "garbage\n"}) {
    ASSERT_TRUE(WriteFileAtomic(Path(), AsBytes(std::string(AsText(header)) + dirt), 0600));
    EXPECT_EQ(Open().error().code(), Code::kDataLoss) << dirt;
  }
}

TEST_F(JournalTest, RemembersWhatIsOpenAndForgetsWhatIsDone) {
  {
    TxJournal journal = *Open();
    ASSERT_TRUE(journal.Submitted(1, intent_));
    ASSERT_TRUE(journal.Submitted(2, intent_));
    ASSERT_TRUE(journal.Signed(1, Sign(7)));
    ASSERT_TRUE(journal.Signed(2, Sign(8)));
    ASSERT_TRUE(journal.Signed(2, Sign(8)));
    ASSERT_TRUE(journal.Done(1));
  }
  for (int round = 0; round < 2; ++round) {  // a rewritten journal reads the same
    TxJournal journal = *Open();
    ASSERT_EQ(journal.open_intents().size(), 1u);
    const OpenIntent& open = journal.open_intents().at(2);
    EXPECT_EQ(open.intent.label, "a label");
    EXPECT_EQ(open.intent.data, intent_.data);
    ASSERT_EQ(open.attempts.size(), 2u);
    EXPECT_EQ(open.attempts[0].nonce, 8u);
    EXPECT_EQ(open.attempts[0].tx.hash, Sign(8).hash);
    EXPECT_EQ(journal.next_id(), 3u);
  }
  struct stat info;
  ASSERT_EQ(::stat(Path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST_F(JournalTest, ATornLastLineIsDropped) {
  {
    TxJournal journal = *Open();
    ASSERT_TRUE(journal.Submitted(1, intent_));
    ASSERT_TRUE(journal.Signed(1, Sign(7)));
  }
  const Bytes whole = *ReadFile(Path());
  const size_t signed_line = AsText(whole).rfind("{\"op\":\"sign\"");
  for (size_t size = signed_line; size < whole.size(); size += 17) {
    ASSERT_TRUE(WriteFileAtomic(Path(), ByteView(whole).first(size), 0600));
    TxJournal journal = *Open();
    ASSERT_EQ(journal.open_intents().size(), 1u);
    EXPECT_TRUE(journal.open_intents().at(1).attempts.empty());
  }
}

TEST_F(JournalTest, IdsAreNotUsedAgain) {
  {
    TxJournal journal = *Open();
    ASSERT_TRUE(journal.Submitted(1, intent_));
    ASSERT_TRUE(journal.Done(1));
  }
  { TxJournal journal = *Open(); }
  EXPECT_EQ(Open()->next_id(), 2u);
}

}  // namespace
}  // namespace teetee::chain
