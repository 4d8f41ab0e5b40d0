#include <gtest/gtest.h>

#include "attest/check.h"
#include "attest/policy/appraise.h"
#include "attest/policy/trust_file.h"
#include "attest/testing/quote_builder.h"

#ifdef TEETEE_SIMULATED

namespace teetee::attest {
namespace {

using testing::FakeProvider;
using testing::FakeTrustJson;
using testing::kFakeNow;

const Hash32 kRoot = {1};
const Hash48 kMrtd = {2};

bool Parses(const Json& json) { return TrustFile::Parse(json.Dump()).has_value(); }

Json With(std::string_view key, Json value) {
  return FakeTrustJson(kRoot, kMrtd).Set(std::string(key), std::move(value));
}

TEST(TrustFile, RefusesWhatItDoesNotKnow) {
  ASSERT_TRUE(Parses(FakeTrustJson(kRoot, kMrtd)));
  for (const char* key :
       {"class", "chain_id", "registry", "ledger", "roots", "measurements", "models"}) {
    Json json = FakeTrustJson(kRoot, kMrtd);
    std::erase_if(json.as_object(), [&](const auto& m) { return m.first == key; });
    EXPECT_FALSE(Parses(json)) << key;
  }
  EXPECT_FALSE(Parses(With("extra", 1)));
  EXPECT_FALSE(Parses(With("class", "both")));
  EXPECT_FALSE(Parses(With("registry", "0x1234")));
  EXPECT_FALSE(Parses(With("roots", Json::MakeArray().Push("zz"))));
  EXPECT_FALSE(Parses(With("roots", Json::MakeArray().Push("-----BEGIN CERTIFICATE-----"))));
  EXPECT_FALSE(Parses(With("accepted_tcb", Json::MakeArray().Push("Fine"))));
  EXPECT_FALSE(Parses(With("accepted_tcb", Json::MakeArray().Push("Revoked"))));
  EXPECT_FALSE(Parses(With("models", Json::MakeObject({{"m", "0x12"}}))));
  Json measurement =
      Json::MakeObject({{"name", "n"}, {"mrtd", ToHex(kMrtd)}, {"rtmr4", ToHex(kMrtd)}});
  EXPECT_FALSE(Parses(With("measurements", Json::MakeArray().Push(measurement))));
  EXPECT_FALSE(TrustFile::Parse("[]"));
  EXPECT_FALSE(TrustFile::Parse(""));
}

TEST(TrustFile, KeepsTheClassesApart) {
  auto refused_class = [](const Json& json) {
    auto trust = TrustFile::Parse(json.Dump());
    return !trust && RefusedCheck(trust.error()) == "evidence.class";
  };
  EXPECT_TRUE(refused_class(With("chain_id", 1)));
  EXPECT_TRUE(refused_class(With("class", "production")));  // with a root that is no vendor's
  Json roots = Json::MakeArray().Push(ToHex(kRoot)).Push(ToHex(kIntelRootSpkiHash));
  EXPECT_TRUE(refused_class(With("roots", roots)));
  EXPECT_TRUE(refused_class(With("roots", roots).Set("class", "production")));
  Json intel = Json::MakeArray().Push(ToHex(kIntelRootSpkiHash));
  EXPECT_TRUE(Parses(With("roots", intel).Set("class", "production").Set("chain_id", 1)));
}

TEST(TrustFile, HashIgnoresOrderAndModelNamesOnly) {
  simulated::Platform platform = testing::FakePlatform();
  Hash32 root = platform.root.spki_hash();
  Hash32 base = TrustFile::Parse(FakeTrustJson(root, kMrtd).Dump())->PolicyHash();
  auto hash = [](const Json& json) { return TrustFile::Parse(json.Dump())->PolicyHash(); };
  Json same = FakeTrustJson(root, kMrtd);
  std::reverse(same.as_object().begin(), same.as_object().end());
  same.Set("roots", Json::MakeArray().Push(platform.root.ToPem()).Push(ToHex(root)));
  same.Set("accepted_tcb", Json::MakeArray().Push("UpToDate")).Set("min_tcb_evaluation", 0);
  same.Set("models", Json::MakeObject());
  EXPECT_EQ(hash(same), base);
  auto changed = [&](std::string_view key, Json value) {
    return hash(FakeTrustJson(root, kMrtd).Set(std::string(key), std::move(value))) != base;
  };
  EXPECT_TRUE(changed("registry", "0x" + std::string(40, '2')));
  EXPECT_TRUE(changed("ledger", "0x" + std::string(40, '2')));
  EXPECT_TRUE(changed("roots", Json::MakeArray()));
  EXPECT_TRUE(changed("measurements", Json::MakeArray()));
  EXPECT_TRUE(changed("min_tcb_evaluation", 1));
  EXPECT_TRUE(changed("accepted_tcb", Json::MakeArray().Push("UpToDate").Push("OutOfDate")));
}

TEST(TrustFile, KnowsModelsByName) {
  TrustFile trust = testing::FakeTrust(kRoot, kMrtd);
  EXPECT_EQ(ToHex(*trust.ModelId("tiny")), std::string(64, '1'));
  EXPECT_EQ(trust.ModelId("other").error().code(), Code::kNotFound);
}

class AppraiseTest : public ::testing::Test {
 protected:
  // The check that refuses, or the name of the release.
  std::string Judge(const Json& trust_json) {
    Bytes quote = *provider_.Quote({});
    std::vector<Hash32> roots = {provider_.platform().root.spki_hash()};
    VerifiedQuote verified = *VerifyQuote(quote, *provider_.Collateral(), roots, kFakeNow);
    auto release = Appraise(verified, *TrustFile::Parse(trust_json.Dump()));
    return release ? "release " + *release : std::string(RefusedCheck(release.error()));
  }
  Json Honest() {
    return FakeTrustJson(provider_.platform().root.spki_hash(), provider_.spec().td.mrtd);
  }
  FakeProvider provider_;
};

TEST_F(AppraiseTest, EmptyListsAcceptNothing) {
  EXPECT_EQ(Judge(Honest().Set("roots", Json::MakeArray())), "evidence.class");
  EXPECT_EQ(Judge(Honest().Set("measurements", Json::MakeArray())), "measurement");
  EXPECT_EQ(Judge(Honest().Set("accepted_tcb", Json::MakeArray())), "tcb.status");
  EXPECT_EQ(Judge(Honest().Set("min_tcb_evaluation", 2)), "tcb.evaluation");
  EXPECT_EQ(Judge(Honest()), "release test");
}

TEST_F(AppraiseTest, ComparesEveryNamedRegister) {
  for (int i = 0; i < 4; ++i) {
    Json measurement = Json::MakeObject({{"name", "r"}, {"mrtd", ToHex(provider_.spec().td.mrtd)}});
    measurement.Set("rtmr" + std::to_string(i), ToHex(Hash48{}));
    Json trust = Honest().Set("measurements", Json::MakeArray().Push(measurement));
    EXPECT_EQ(Judge(trust), "release r");
    provider_.spec().td.rtmr[i][3] = 1;
    EXPECT_EQ(Judge(trust), "measurement");
    provider_.spec().td.rtmr[i] = {};
  }
}

TEST_F(AppraiseTest, StaleStatusNeedsTheUsersWord) {
  provider_ = FakeProvider(testing::FakePlatform([](auto& s) {
    s.tcb_info.Find("tcbLevels")->as_array()[0].Set("tcbStatus", "SWHardeningNeeded");
  }));
  EXPECT_EQ(Judge(Honest()), "tcb.status");
  Json accepted = Json::MakeArray().Push("UpToDate").Push("SWHardeningNeeded");
  EXPECT_EQ(Judge(Honest().Set("accepted_tcb", accepted)), "release test");
}

}  // namespace
}  // namespace teetee::attest

#endif  // TEETEE_SIMULATED
