#include "head/journal.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace teetee::head {
namespace {

class Journals : public ::testing::Test {
 protected:
  void SetUp() override { ::unlink(path_.c_str()); }
  void TearDown() override { ::unlink(path_.c_str()); }
  void Write(std::string_view text) { ASSERT_TRUE(WriteFileAtomic(path_, AsBytes(text))); }
  std::string Text() { return std::string(AsText(*ReadFile(path_))); }
  const std::string path_ = ::testing::TempDir() + "/journal." + std::to_string(::getpid());
};

Json Record(int n) { return Json::MakeObject({{"n", n}}); }

TEST_F(Journals, KeepsRecordsInOrder) {
  {
    auto journal = Journal::Open(path_);
    ASSERT_TRUE(journal);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(journal->Append(Record(i)));
  }
  auto again = Journal::Open(path_);
  ASSERT_TRUE(again);
  ASSERT_EQ(again->records().size(), 3u);
  EXPECT_EQ(again->records()[2], Record(2));
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(Journals, DropsALastLineThatACrashCutShort) {
  for (std::string_view torn : {"{\"n\":2", "{\"n\":2}", "{\"n\":2\n", "\n", "\x00"}) {
    Write("{\"n\":0}\n{\"n\":1}\n" + std::string(torn));
    {
      auto journal = Journal::Open(path_);
      ASSERT_TRUE(journal) << journal.error().message();
      EXPECT_EQ(journal->records().size(), 2u);
      ASSERT_TRUE(journal->Append(Record(7)));
    }
    EXPECT_EQ(Text(), "{\"n\":0}\n{\"n\":1}\n{\"n\":7}\n");
  }
}

TEST_F(Journals, RefusesDamageInTheMiddle) {
  for (std::string_view bad : {"{\"n\":1", "", "garbage", "{\"n\":1}}"}) {
    Write("{\"n\":0}\n" + std::string(bad) + "\n{\"n\":2}\n");
    auto journal = Journal::Open(path_);
    ASSERT_FALSE(journal) << bad;
    EXPECT_EQ(journal.error().code(), Code::kDataLoss);
    EXPECT_NE(journal.error().message().find("line 2"), std::string::npos);
  }
}

TEST_F(Journals, RewriteReplacesAndGoesOn) {
  auto journal = Journal::Open(path_);
  ASSERT_TRUE(journal->Append(Record(1)));
  ASSERT_TRUE(journal->Rewrite({Record(5)}));
  ASSERT_TRUE(journal->Append(Record(6)));
  EXPECT_EQ(Text(), "{\"n\":5}\n{\"n\":6}\n");
}

TEST_F(Journals, FailsWhereItCannotWrite) {
  auto journal = Journal::Open("/proc/no/such/journal");
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code(), Code::kUnavailable);
}

// A disk that fills up and is freed again: what follows a record that failed must still be readable.
TEST_F(Journals, ARecordThatDidNotFitLeavesNothingBehind) {
  auto journal = Journal::Open(path_);
  ASSERT_TRUE(journal->Append(Record(1)));
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto old = ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 20;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  Status written = journal->Append(Json::MakeObject({{"long", std::string(100, 'x')}}));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, old);
  ASSERT_FALSE(written);
  ASSERT_TRUE(journal->Append(Record(2)));
  EXPECT_EQ(Text(), "{\"n\":1}\n{\"n\":2}\n");
}

}  // namespace
}  // namespace teetee::head
