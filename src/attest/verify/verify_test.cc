// A table of lies: one field each, told by a platform whose root is trusted, and the check that
// must catch it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "attest/check.h"
#include "attest/testing/quote_builder.h"
#include "attest/verify/peer.h"

#ifdef TEETEE_SIMULATED

namespace teetee::attest {
namespace {

using simulated::PlatformSpec;
using testing::FakePlatform;
using testing::FakeProvider;
using testing::kFakeNow;

constexpr int64_t kDay = 24 * 3600;
const Hash32 kTlsKey = {7};

struct Verdict {
  std::string_view check;  // empty if accepted
  std::string message;
};

// Into the file that $TEETEE_RECORD_VERDICTS names, one JSON object a line: the pages' verifier is held to the same
// verdicts (web/src/shared/verify/lies.test.ts).
void Record(const Bytes& evidence, const Bytes& collateral, const TrustFile& trust, int64_t now,
            const Result<VerifiedPeer>& peer) {
  const char* path = std::getenv("TEETEE_RECORD_VERDICTS");
  if (path == nullptr) return;
  Json line = Json::MakeObject({{"test", ::testing::UnitTest::GetInstance()->current_test_info()->name()},
                                {"trust", trust.ToJson().Dump()},
                                {"evidence", ToHex(evidence)},
                                {"collateral", std::string(AsText(collateral))},
                                {"now", now},
                                {"check", peer ? "" : RefusedCheck(peer.error())}});
  std::ofstream(path, std::ios::app) << line.Dump() << "\n";
}

Verdict Judge(FakeProvider& provider, int64_t now = kFakeNow) {
  TrustFile trust = provider.Trust();
  Bytes evidence = testing::CertificateEvidence(provider, testing::FakeClaims(kTlsKey, trust));
  auto peer = VerifyEvidence(evidence, *provider.Collateral(),
                             ExpectedReportData::Certificate(kTlsKey), trust, now);
  Record(evidence, *provider.Collateral(), trust, now, peer);
  if (peer) return {};
  return {RefusedCheck(peer.error()), peer.error().message()};
}

Json& At(Json& json, std::string_view key) { return *json.Find(key); }
Json& FirstLevel(Json& json) { return At(json, "tcbLevels").as_array()[0]; }

TEST(Verify, RefusesALyingPlatform) {
  struct Lie {
    const char* name;
    std::string_view check;
    std::function<void(PlatformSpec&)> tell;
  };
  const crypto::Validity past{kFakeNow - 9 * kDay, kFakeNow - kDay};
  const crypto::Validity future{kFakeNow + kDay, kFakeNow + 9 * kDay};
  const Lie lies[] = {
      {"PCK named otherwise", "pck.chain", [](auto& s) { s.pck_name = "Simulated SGX PCK"; }},
      {"CA named otherwise", "pck.chain", [](auto& s) { s.ca_name = "SGX PCK CA"; }},
      {"PCK expired", "pck.validity", [&](auto& s) { s.pck_dates = past; }},
      {"PCK not yet valid", "pck.validity", [&](auto& s) { s.pck_dates = future; }},
      {"CA expired", "pck.validity", [&](auto& s) { s.ca_dates = past; }},
      {"root expired", "pck.validity", [&](auto& s) { s.root_dates = past; }},
      {"root CRL expired", "crl.root", [&](auto& s) { s.root_crl_dates = past; }},
      {"root CRL from the future", "crl.root", [&](auto& s) { s.root_crl_dates = future; }},
      {"PCK CRL expired", "crl.pck", [&](auto& s) { s.pck_crl_dates = past; }},
      {"PCK revoked", "pck.revoked", [](auto& s) { s.revoke_pck = true; }},
      {"CA revoked", "pck.revoked", [](auto& s) { s.revoke_ca = true; }},
      {"signer revoked", "tcb.signer", [](auto& s) { s.revoke_signer = true; }},
      {"signer expired", "tcb.signer", [&](auto& s) { s.signer_dates = past; }},
      {"signer named otherwise", "tcb.signer", [](auto& s) { s.signer_name = "SGX Signing"; }},
      {"documents signed by the PCK", "tcb.signer",
       [](auto& s) { s.sign_documents_with_pck = true; }},
      {"TCB info expired", "tcb.dates",
       [](auto& s) { s.tcb_info.Set("nextUpdate", "2026-01-01T00:00:00Z"); }},
      {"TCB info from the future", "tcb.dates",
       [](auto& s) { s.tcb_info.Set("issueDate", "2027-01-01T00:00:00Z"); }},
      {"TCB info of another version", "tcb.info", [](auto& s) { s.tcb_info.Set("version", 2); }},
      {"TCB info of another platform", "tcb.fmspc",
       [](auto& s) { s.tcb_info.Set("fmspc", "000000000000"); }},
      {"TCB info of another PCE", "tcb.pceid", [](auto& s) { s.tcb_info.Set("pceId", "0001"); }},
      {"TCB info for SGX", "tee.binding", [](auto& s) { s.tcb_info.Set("id", "SGX"); }},
      {"15 components", "tcb.info",
       [](auto& s) {
         At(At(FirstLevel(s.tcb_info), "tcb"), "sgxtcbcomponents").as_array().pop_back();
       }},
      {"unknown status", "tcb.info",
       [](auto& s) { FirstLevel(s.tcb_info).Set("tcbStatus", "Fine"); }},
      {"no levels", "tcb.level", [](auto& s) { s.tcb_info.Set("tcbLevels", Json::MakeArray()); }},
      {"component too low", "tcb.level", [](auto& s) { s.pck.component_svns[15] = 0; }},
      {"PCE too old", "tcb.level", [](auto& s) { s.pck.pce_svn = 0; }},
      {"platform out of date", "tcb.status",
       [](auto& s) { FirstLevel(s.tcb_info).Set("tcbStatus", "OutOfDate"); }},
      {"platform revoked", "tcb.status",
       [](auto& s) { FirstLevel(s.tcb_info).Set("tcbStatus", "Revoked"); }},
      {"module unknown", "module.identity",
       [](auto& s) { At(s.tcb_info, "tdxModuleIdentities").as_array()[0].Set("id", "TDX_02"); }},
      {"QE identity expired", "qe.dates",
       [](auto& s) { s.qe_identity.Set("nextUpdate", "2026-01-01T00:00:00Z"); }},
      {"QE identity for SGX", "tee.binding", [](auto& s) { s.qe_identity.Set("id", "QE"); }},
      {"QE identity of another version", "qe.identity",
       [](auto& s) { s.qe_identity.Set("version", 4); }},
      {"QE identity of another product", "qe.policy",
       [](auto& s) { s.qe_identity.Set("isvprodid", 1); }},
      {"QE revoked", "tcb.status",
       [](auto& s) { FirstLevel(s.qe_identity).Set("tcbStatus", "Revoked"); }},
      {"QE with a foreign status", "qe.level",
       [](auto& s) { FirstLevel(s.qe_identity).Set("tcbStatus", "ConfigurationNeeded"); }},
  };
  for (const Lie& lie : lies) {
    FakeProvider provider(FakePlatform(lie.tell));
    Verdict verdict = Judge(provider);
    EXPECT_EQ(verdict.check, lie.check) << lie.name << ": " << verdict.message;
  }
}

TEST(Verify, RefusesALyingQuote) {
  struct Lie {
    const char* name;
    std::string_view check;
    std::function<void(simulated::QuoteSpec&)> tell;
  };
  const Lie lies[] = {
      {"debug", "tdx.debug", [](auto& q) { q.td.td_attributes |= kTdDebug; }},
      {"SEPT_VE_DISABLE clear", "tdx.attributes", [](auto& q) { q.td.td_attributes = 0; }},
      {"migratable", "tdx.attributes", [](auto& q) { q.td.td_attributes |= kTdMigratable; }},
      {"reserved attribute", "tdx.attributes", [](auto& q) { q.td.td_attributes |= 1ull << 40; }},
      {"attribute beside debug", "tdx.attributes", [](auto& q) { q.td.td_attributes |= 2; }},
      {"unknown feature", "tdx.xfam", [](auto& q) { q.td.xfam |= 1ull << 60; }},
      {"no SSE", "tdx.xfam", [](auto& q) { q.td.xfam = 1; }},
      {"other MRTD", "measurement", [](auto& q) { q.td.mrtd[47] ^= 1; }},
      {"other module signer", "module.identity", [](auto& q) { q.td.mr_signer_seam[0] = 1; }},
      {"module attributes", "module.identity", [](auto& q) { q.td.seam_attributes[7] = 1; }},
      {"old module", "module.level", [](auto& q) { q.td.tee_tcb_svn[0] = 0; }},
      {"unknown module", "module.identity", [](auto& q) { q.td.tee_tcb_svn[1] = 9; }},
      {"old SEAM loader", "tcb.level", [](auto& q) { q.td.tee_tcb_svn[2] = 0; }},
      {"other QE signer", "qe.policy", [](auto& q) { q.qe.mr_signer[0] ^= 1; }},
      {"debug QE", "qe.policy", [](auto& q) { q.qe.attributes[0] |= 2; }},
      {"QE MISCSELECT", "qe.policy", [](auto& q) { q.qe.misc_select[0] = 1; }},
      {"old QE", "qe.level", [](auto& q) { q.qe.isv_svn = 0; }},
      {"key not bound", "qe.report_data", [](auto& q) { q.qe_report_data = ReportData{}; }},
      {"service TD", "tdx.service_td",
       [](auto& q) {
         q.version = 5;
         q.td.is_15 = true;
         q.td.mr_service_td[0] = 1;
       }},
  };
  simulated::Platform platform = FakePlatform();
  for (const Lie& lie : lies) {
    FakeProvider provider(platform);
    lie.tell(provider.spec());
    Verdict verdict = Judge(provider);
    EXPECT_EQ(verdict.check, lie.check) << lie.name << ": " << verdict.message;
  }
}

TEST(Verify, RefusesEveryFlippedBitOfTheSignedParts) {
  FakeProvider provider;
  Bytes quote = *provider.Quote({});
  std::vector<Hash32> roots = {provider.platform().root.spki_hash()};
  Bytes collateral = *provider.Collateral();
  ASSERT_TRUE(VerifyQuote(quote, collateral, roots, kFakeNow));
  for (size_t i = 0; i < quote.size(); i += 1 + i / 64) {  // every byte at first, then ever fewer
    Bytes changed = quote;
    changed[i] ^= 0x10;
    EXPECT_FALSE(VerifyQuote(changed, collateral, roots, kFakeNow)) << "byte " << i;
  }
  for (size_t size = 0; size < quote.size(); size += 97) {
    EXPECT_FALSE(VerifyQuote(ByteView(quote).first(size), collateral, roots, kFakeNow));
  }
}

TEST(Verify, RefusesMissingAndForeignCollateral) {
  FakeProvider provider;
  FakeProvider other(FakePlatform([](auto& s) {  // so that its documents differ
    s.tcb_info.Set("tcbEvaluationDataNumber", 2);
    s.qe_identity.Set("tcbEvaluationDataNumber", 2);
  }));
  Bytes quote = *provider.Quote({});
  std::vector<Hash32> roots = {provider.platform().root.spki_hash(),
                               other.platform().root.spki_hash()};
  Json good = *Json::Parse(AsText(*provider.Collateral()));
  Json foreign = *Json::Parse(AsText(*other.Collateral()));
  for (const char* member :
       {"root_ca_crl", "pck_crl", "tcb_info", "tcb_info_signature", "qe_identity",
        "tcb_info_issuer_chain", "qe_identity_signature", "qe_identity_issuer_chain"}) {
    Json swapped = good;
    swapped.Set(member, *foreign.GetString(member));
    EXPECT_FALSE(VerifyQuote(quote, AsBytes(swapped.Dump()), roots, kFakeNow)) << member;
    Json missing = good;
    std::erase_if(missing.as_object(), [&](const auto& m) { return m.first == member; });
    EXPECT_FALSE(VerifyQuote(quote, AsBytes(missing.Dump()), roots, kFakeNow)) << member;
    Json empty = good;
    empty.Set(member, "");
    EXPECT_FALSE(VerifyQuote(quote, AsBytes(empty.Dump()), roots, kFakeNow)) << member;
  }
  EXPECT_FALSE(VerifyQuote(quote, {}, roots, kFakeNow));
}

TEST(Verify, RefusesUntrustedRoots) {
  FakeProvider provider;
  Bytes quote = *provider.Quote({});
  Bytes collateral = *provider.Collateral();
  for (std::vector<Hash32> roots :
       {std::vector<Hash32>{}, {kIntelRootSpkiHash}, {FakePlatform().root.spki_hash()}}) {
    auto verified = VerifyQuote(quote, collateral, roots, kFakeNow);
    ASSERT_FALSE(verified);
    EXPECT_EQ(RefusedCheck(verified.error()), "pck.root");
  }
}

TEST(Peer, AcceptsAnHonestOneAndTellsWhatItIs) {
  FakeProvider provider;
  TrustFile trust = provider.Trust();
  Claims claims = testing::FakeClaims(kTlsKey, trust);
  Bytes evidence = testing::CertificateEvidence(provider, claims);
  Bytes collateral = *provider.Collateral();
  auto peer = VerifyEvidence(evidence, collateral, ExpectedReportData::Certificate(kTlsKey), trust,
                             kFakeNow);
  ASSERT_TRUE(peer) << peer.error().message();
  EXPECT_EQ(peer->claims(), claims);
  EXPECT_EQ(peer->evidence_class(), EvidenceClass::kSimulated);
  EXPECT_EQ(peer->release(), "test");
  EXPECT_EQ(peer->quote().status(), TcbStatus::kUpToDate);
  EXPECT_EQ(peer->quote().fmspc(), simulated::kFmspc);
  EXPECT_TRUE(
      VerifyEvidence(evidence, collateral, ExpectedReportData::ThroughGateway(), trust, kFakeNow));
  FakeProvider v5;
  v5.spec().version = 5;
  v5.spec().td.is_15 = true;
  v5.spec().td.tee_tcb_svn2 = v5.spec().td.tee_tcb_svn;
  EXPECT_EQ(Judge(v5).message, "");
}

TEST(Peer, RefusesWhenTheClockLeavesTheWindow) {
  FakeProvider provider;
  EXPECT_NE(Judge(provider, kFakeNow - 2 * kDay).check, "");
  EXPECT_EQ(Judge(provider, kFakeNow + 29 * kDay).check, "");
  EXPECT_NE(Judge(provider, kFakeNow + 31 * kDay).check, "");
}

// The table of claims that a verifier compares with what it knows itself.
TEST(Peer, RefusesForeignClaims) {
  FakeProvider provider;
  TrustFile trust = provider.Trust();
  struct Lie {
    std::string_view check;
    std::function<void(Claims&)> tell;
  };
  const Lie lies[] = {{"claims.tls_key", [](auto& c) { c.tls_key_hash[0] ^= 1; }},
                      {"claims.chain", [](auto& c) { c.chain_id = 1; }},
                      {"claims.chain", [](auto& c) { c.registry[19] ^= 1; }},
                      {"claims.policy", [](auto& c) { c.policy_hash[0] ^= 1; }}};
  for (const Lie& lie : lies) {
    Claims claims = testing::FakeClaims(kTlsKey, trust);
    lie.tell(claims);
    Bytes evidence = testing::CertificateEvidence(provider, claims);
    auto peer = VerifyEvidence(evidence, *provider.Collateral(),
                               ExpectedReportData::Certificate(kTlsKey), trust, kFakeNow);
    ASSERT_FALSE(peer);
    EXPECT_EQ(RefusedCheck(peer.error()), lie.check);
    if (lie.check != "claims.tls_key") Record(evidence, *provider.Collateral(), trust, kFakeNow, peer);
  }
}

TEST(Peer, RefusesClaimsThatTheQuoteDoesNotBind) {
  FakeProvider provider;
  TrustFile trust = provider.Trust();
  Claims claims = testing::FakeClaims(kTlsKey, trust);
  Evidence evidence = *DecodeEvidence(testing::CertificateEvidence(provider, claims));
  claims.hpke_key[0] ^= 1;
  evidence.claims = EncodeClaims(claims);
  Bytes changed = *EncodeEvidence(evidence);
  auto peer = VerifyEvidence(changed, *provider.Collateral(),
                             ExpectedReportData::Certificate(kTlsKey), trust, kFakeNow);
  ASSERT_FALSE(peer);
  EXPECT_EQ(RefusedCheck(peer.error()), "report_data");
  Record(changed, *provider.Collateral(), trust, kFakeNow, peer);
}

class Channel : public ::testing::Test {
 protected:
  std::string Judge(const Bytes& evidence, const ChannelBinding& binding) {
    auto peer = VerifyChannelEvidence(evidence, *provider_.Collateral(), binding, trust_, kFakeNow);
    return peer ? "" : std::string(RefusedCheck(peer.error()));
  }

  FakeProvider provider_;
  TrustFile trust_ = provider_.Trust();
  Claims claims_ = testing::FakeClaims(kTlsKey, trust_);
  ChannelBinding binding_{ChannelRole::kServer, kTlsKey, {8}, {9}, {10}};
  Bytes evidence_ = testing::ChannelEvidence(provider_, claims_, binding_);
};

TEST_F(Channel, RefusesEvidenceOfAnotherChannel) {
  EXPECT_EQ(Judge(evidence_, binding_), "");
  auto changed = [&](auto change) {
    ChannelBinding b = binding_;
    change(b);
    return Judge(evidence_, b);
  };
  EXPECT_EQ(changed([](auto& b) { b.exporter[0] ^= 1; }), "report_data");
  EXPECT_EQ(changed([](auto& b) { b.peer_nonce[0] ^= 1; }), "report_data");
  EXPECT_EQ(changed([](auto& b) { b.peer_spki_hash[0] ^= 1; }), "report_data");
  EXPECT_EQ(changed([](auto& b) { b.own_spki_hash[0] ^= 1; }), "report_data");
  EXPECT_EQ(changed([](auto& b) { b.role = ChannelRole::kClient; }), "report_data");
  EXPECT_EQ(Judge(testing::CertificateEvidence(provider_, claims_), binding_), "report_data");
}

TEST_F(Channel, RefusesMyOwnReflection) {
  ChannelBinding mirrored = binding_;
  mirrored.peer_spki_hash = mirrored.own_spki_hash;
  EXPECT_EQ(Judge(testing::ChannelEvidence(provider_, claims_, mirrored), mirrored),
            "channel.reflection");
  EXPECT_FALSE(CheckNotReflected(kTlsKey, kTlsKey));
  EXPECT_TRUE(CheckNotReflected(kTlsKey, {}));
}

TEST_F(Channel, RefusesAnotherKeyInTheClaims) {
  Claims foreign = claims_;
  foreign.tls_key_hash[5] ^= 1;
  EXPECT_EQ(Judge(testing::ChannelEvidence(provider_, foreign, binding_), binding_),
            "claims.tls_key");
}

TEST(Join, TakesTheAuditorsDigestOnly) {
  FakeProvider provider;
  TrustFile trust = provider.Trust();
  Hash32 digest = {1, 2, 3};
  Bytes quote = *provider.Quote(JoinReportData(digest));
  EXPECT_TRUE(VerifyJoinQuote(quote, *provider.Collateral(), digest, trust, kFakeNow));
  auto refused = VerifyJoinQuote(quote, *provider.Collateral(), Hash32{}, trust, kFakeNow);
  ASSERT_FALSE(refused);
  EXPECT_EQ(RefusedCheck(refused.error()), "report_data");
}

TEST(Class, SimulatedIsNeverProduction) {
  FakeProvider provider;
  TrustFile honest = provider.Trust();
  Json json = testing::FakeTrustJson(kIntelRootSpkiHash, provider.spec().td.mrtd);
  json.Set("class", "production");
  TrustFile production = *TrustFile::Parse(json.Dump());
  Bytes evidence = testing::CertificateEvidence(provider, testing::FakeClaims(kTlsKey, production));
  auto peer = VerifyEvidence(evidence, *provider.Collateral(),
                             ExpectedReportData::Certificate(kTlsKey), production, kFakeNow);
  ASSERT_FALSE(peer);
  Record(evidence, *provider.Collateral(), production, kFakeNow, peer);
  EXPECT_EQ(RefusedCheck(peer.error()), "evidence.class");
  EXPECT_NE(peer.error().message().find("simulated evidence"), std::string::npos);
}

TEST(ClaimsAge, RefusesOldAndFutureBlocks) {
  Claims claims;
  claims.block_time = kFakeNow;
  EXPECT_TRUE(CheckClaimsAge(claims, kFakeNow + kMaxBlockAge));
  EXPECT_FALSE(CheckClaimsAge(claims, kFakeNow + kMaxBlockAge + 1));
  EXPECT_TRUE(CheckClaimsAge(claims, kFakeNow - kMaxBlockAhead));
  EXPECT_FALSE(CheckClaimsAge(claims, kFakeNow - kMaxBlockAhead - 1));
  claims.block_time = UINT64_MAX;
  EXPECT_FALSE(CheckClaimsAge(claims, kFakeNow));
}

}  // namespace
}  // namespace teetee::attest

#endif  // TEETEE_SIMULATED
