#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "attest/provider/measure.h"
#include "attest/provider/simulated.h"
#include "attest/testing/fake_pki.h"
#include "attest/verify/verified_quote.h"
#include "base/file.h"
#include "crypto/hash.h"
#include "crypto/random.h"

#ifdef TEETEE_SIMULATED

namespace teetee::attest {
namespace {

using testing::kFakeNow;

class DevPkiTest : public ::testing::Test {
 protected:
  DevPkiTest() : folder_(::testing::TempDir() + "dev-pki-" + ToHex(crypto::RandomArray<8>())) {}
  ~DevPkiTest() override { std::filesystem::remove_all(folder_); }
  unsigned Mode(const std::string& file) const {
    struct stat info {};
    EXPECT_EQ(::stat((folder_ + "/" + file).c_str(), &info), 0);
    return info.st_mode & 0777;
  }
  const std::string folder_;
};

TEST_F(DevPkiTest, RefusesToOverwriteAndToLoadNothing) {
  EXPECT_FALSE(DevPki::Load(folder_));
  Hash32 root = DevPki::Create(folder_, kFakeNow)->RootHash();
  auto second = DevPki::Create(folder_, kFakeNow);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(DevPki::Load(folder_)->RootHash(), root);
}

TEST_F(DevPkiTest, KeepsOneKeyAndKeepsItToItself) {
  ASSERT_TRUE(DevPki::Create(folder_, kFakeNow));
  EXPECT_EQ(Mode("pck.key"), 0600u);
  EXPECT_EQ(Mode("root.pem"), 0644u);
  EXPECT_EQ(Mode("collateral.json"), 0644u);
  size_t private_keys = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    Bytes content = *ReadFile(entry.path().string());
    if (AsText(content).find("PRIVATE KEY") != std::string_view::npos) ++private_keys;
  }
  EXPECT_EQ(private_keys, 1u);
}

TEST_F(DevPkiTest, EachMachineHasItsOwnRoot) {
  Hash32 first = DevPki::Create(folder_ + "/a", kFakeNow)->RootHash();
  Hash32 second = DevPki::Create(folder_ + "/b", kFakeNow)->RootHash();
  EXPECT_NE(first, second);
  EXPECT_NE(first, kIntelRootSpkiHash);
}

TEST_F(DevPkiTest, SimulatedQuotesVerifyAndMeasureTheExecutable) {
  ASSERT_TRUE(DevPki::Create(folder_, kFakeNow));
  auto provider = SimulatedProvider::Open(folder_);
  ASSERT_TRUE(provider) << provider.error().message();
  ReportData report_data = {1, 2, 3};
  Bytes quote = *(*provider)->Quote(report_data);
  Bytes collateral = *(*provider)->Collateral();
  std::vector<Hash32> roots = {DevPki::Load(folder_)->RootHash()};
  auto verified = VerifyQuote(quote, collateral, roots, kFakeNow);
  ASSERT_TRUE(verified) << verified.error().message();
  EXPECT_EQ(verified->quote().report_data(), report_data);
  EXPECT_EQ(verified->quote().version, 4);
  EXPECT_EQ(verified->quote().td->mrtd, *MeasureExecutable("/proc/self/exe"));
  EXPECT_EQ(verified->quote().td->rtmr[0], Hash48{});
  EXPECT_EQ(verified->status(), TcbStatus::kUpToDate);
  int64_t year = int64_t{365} * 24 * 3600;
  EXPECT_TRUE(VerifyQuote(quote, collateral, roots, kFakeNow + 9 * year));
  EXPECT_FALSE(VerifyQuote(quote, collateral, roots, kFakeNow + 11 * year));
  EXPECT_FALSE(VerifyQuote(quote, collateral, roots, kFakeNow - 2 * 3600));
}

TEST_F(DevPkiTest, QuotesShowTheComposeHashAndZerosWithoutOne) {
  ASSERT_TRUE(DevPki::Create(folder_, kFakeNow));
  const Hash48 id = ComposeConfigId(AsBytes("abc"));
  EXPECT_EQ(ToHex(id), "01ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
                       "000000000000000000000000000000");
  auto with = SimulatedProvider::Open(folder_, "/proc/self/exe", id);
  auto without = SimulatedProvider::Open(folder_);
  EXPECT_EQ(ParseQuote(*(*with)->Quote({}))->td->mr_config_id, id);
  EXPECT_EQ(ParseQuote(*(*without)->Quote({}))->td->mr_config_id, Hash48{});
}

TEST_F(DevPkiTest, MeasuresTheBytesOfTheFile) {
  ASSERT_TRUE(MakeDirectories(folder_));
  std::string path = folder_ + "/program";
  ASSERT_TRUE(WriteFileAtomic(path, AsBytes("abc")));
  EXPECT_EQ(*MeasureExecutable(path), crypto::Sha384(AsBytes("abc")));
  EXPECT_FALSE(MeasureExecutable(path + "-absent"));
}

}  // namespace
}  // namespace teetee::attest

#endif  // TEETEE_SIMULATED
