// Receipts and bundles: the good one passes, and every single change is refused. Evidence is made by a fake platform.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "attest/testing/quote_builder.h"
#include "base/file.h"
#include "chain/model_id.h"
#include "client/bundle.h"
#include "client/proxy_errors.h"
#include "client/receipt_check.h"
#include "crypto/hash.h"
#include "crypto/merkle.h"
#include "crypto/random.h"
#include "manifest/manifest.h"

namespace teetee::client {
namespace {

using attest::testing::kFakeNow;
using chain::Wei;

manifest::Manifest MakeManifest() {
  manifest::Manifest m;
  m.name = "tiny";
  m.config = {{"architecture", "llama"}, {"n_layers", "2"}};
  for (const char* name : {"blk.0.w", "blk.1.w"}) m.tensors.push_back({name, "F32", {2}, 8, crypto::Sha256(AsBytes(name))});
  m.tensors_root = manifest::WeightsRoot(m.tensors);
  for (uint64_t slot : {0u, 1u}) {
    manifest::Slot s;
    s.first_block = slot;
    s.block_count = s.share = 1;
    s.tensors = {m.tensors[slot].name};
    s.weights_root = manifest::WeightsRoot({m.tensors[slot]});
    s.file = "slot" + std::to_string(slot) + ".gguf";
    s.file_bytes = 100;
    m.slots.push_back(std::move(s));
  }
  return m;
}

// Two nodes, one model, one answered request; all of it signed by the keys that the evidence names.
class Receipts : public ::testing::Test {
 protected:
  void SetUp() override {
    manifest::Manifest manifest = MakeManifest();
    auto text = manifest.Serialise();
    ASSERT_TRUE(text) << text.error().message();
    good_.manifest = AsText(*text);
    good_.params.manifest = manifest::ManifestHash(*text);
    good_.params.verifier = crypto::Address{0x5a};
    good_.params.price_in = 10;
    good_.params.price_out = 30;
    good_.params.timeout = 600;
    good_.params.lease = 86400;
    for (const auto& slot : manifest.slots) good_.params.slots.push_back({slot.weights_root, static_cast<uint32_t>(slot.share)});
    good_.model = chain::ModelId(good_.params);
    Json trust = attest::testing::FakeTrustJson(provider_.platform().root.spki_hash(), provider_.Trust().measurements()[0].mrtd);
    trust.Set("models", Json::MakeObject({{"tiny", ToHex0x(good_.model)}}));
    good_.trust = trust.Dump();
    auto parsed = attest::TrustFile::Parse(good_.trust);
    ASSERT_TRUE(parsed) << parsed.error().message();
    trust_.emplace(*std::move(parsed));
    good_.checked_at = kFakeNow;
    good_.secret = crypto::RandomSecret<32>();
    good_.body = R"({"model":"tiny","messages":[]})";
    good_.outputs = {"one", "two"};
    MakeNodes();
    MakeReceipt();
  }

  void MakeNodes() {
    good_.plan.model = good_.model;
    good_.plan.policy = trust_->PolicyHash();
    Json collateral = *Json::Parse(AsText(*provider_.Collateral()));
    for (uint32_t slot : {0u, 1u}) {
      attest::Claims c = attest::testing::FakeClaims(crypto::RandomArray<32>(), *trust_);
      c.signing_address = keys_[slot].address();
      c.model = good_.model;
      c.slot = slot;
      c.weights_root = good_.params.slots[slot].weights;
      c.boot_id = crypto::RandomArray<16>();
      good_.plan.nodes.push_back({slot, c.signing_address, "h:1", c.boot_id});
      good_.evidence.push_back({slot, c.signing_address, attest::testing::CertificateEvidence(provider_, c), collateral});
      claims_.push_back(c);
    }
  }

  void MakeReceipt() {
    protocol::Transcript& t = good_.receipt.transcript;
    t.chain_id = trust_->chain_id();
    t.ledger = trust_->ledger();
    t.registry = trust_->registry();
    t.model = good_.model;
    t.manifest = good_.params.manifest;
    t.request = crypto::RandomArray<16>();
    t.plan = good_.plan.Hash();
    t.mode = "tab";
    t.block_number = 1000;
    t.block_time = kFakeNow - 60;
    t.finish = "stop";
    for (const attest::Claims& c : claims_) {
      t.stages.push_back({c.slot, c.signing_address, c.host, c.weights_root, c.boot_id, crypto::RandomArray<32>()});
    }
    chain::Receipt& r = good_.receipt.receipt;
    r.line = chain::LineOf(good_.model, keys_[0].address());
    r.query = chain::TabQueryId(r.line, t.request);
    r.input = protocol::CommitInput(good_.secret, good_.body);
    r.output = protocol::CommitOutput(good_.secret, good_.outputs);
    r.tokens_in = 5;
    r.tokens_out = 7;
    r.cost = Wei(5 * 10 + 7 * 30);
    chain::Work work{keys_[1].address(), 1, Wei(r.cost), {}};
    work.signature = chain::SignTyped(domain(), chain::WorkMessage{r.line, 1, work.key, work.total}, keys_[1]);
    good_.receipt.work.push_back(work);
    Sign(good_.receipt);
  }
  chain::Domain domain() const { return chain::Domain::Ledger(trust_->chain_id(), trust_->ledger()); }
  // As a head would that lies: everything fits together again.
  void Sign(protocol::ReceiptDocument& document) {
    document.receipt.transcript = document.transcript.Hash();
    document.signature = chain::SignTyped(domain(), document.receipt, keys_[0]);
  }
  chain::Part PartOf(const chain::Receipt& r, uint32_t in, uint32_t out) {
    chain::Part part{keys_[1].address(), 1, in, out, {}};
    part.signature = chain::SignTyped(domain(), chain::PartMessage{r.query, 1, part.key, in, out}, keys_[1]);
    return part;
  }
  ReceiptContext Context() {
    ReceiptContext c;
    c.trust = &*trust_;
    c.model = good_.model;
    c.params = &good_.params;
    c.plan = good_.plan;
    c.request = good_.receipt.transcript.request;
    c.secret = good_.secret;
    c.body = good_.body;
    c.outputs = good_.outputs;
    c.claims = claims_;
    c.mode = "tab";
    return c;
  }
  static std::string Failed(const CheckList& checks) {
    std::string out;
    for (const CheckResult& check : checks.all()) {
      if (!check.passed) out += (out.empty() ? "" : " ") + check.id;
    }
    return out;
  }
  std::string Check(const std::function<void(protocol::ReceiptDocument&)>& change, bool sign) {
    protocol::ReceiptDocument document = good_.receipt;
    change(document);
    if (sign) Sign(document);
    return Failed(CheckReceipt(document, Context()));
  }
  std::string Verify(const std::function<void(Bundle&)>& change) {
    Bundle bundle = *Bundle::FromJson(good_.ToJson());
    change(bundle);
    return Failed(VerifyBundle(bundle, &*trust_));
  }

  attest::testing::FakeProvider provider_;
  crypto::SigningKey keys_[2] = {crypto::SigningKey::Generate(), crypto::SigningKey::Generate()};
  std::optional<attest::TrustFile> trust_;
  std::vector<attest::Claims> claims_;
  Bundle good_;
};

// Changes a value so that it is still of its kind.
Json Bent(const Json& value) {
  if (value.is_null()) return Json("1");
  if (value.is_bool()) return Json(!value.as_bool());
  if (value.is_number()) return Json(*value.ToUint64() + 1);
  std::string text = value.as_string();
  if (text.empty()) return Json("1");
  text.back() = text.back() == '1' ? '2' : '1';
  return Json(text);
}

// Every leaf below `json`, changed one at a time.
void ForEachLeaf(Json& json, const std::string& path, const std::function<void(const std::string&)>& use) {
  if (json.is_object()) {
    for (auto& [key, member] : json.as_object()) ForEachLeaf(*json.Find(key), path + "." + key, use);
  } else if (json.is_array()) {
    for (size_t i = 0; i < json.as_array().size(); ++i) ForEachLeaf(json.as_array()[i], path + "." + std::to_string(i), use);
  } else {
    Json before = json;
    json = Bent(before);
    use(path);
    json = before;
  }
}

TEST_F(Receipts, TheGoodOneIsAccepted) { EXPECT_EQ(Check([](auto&) {}, false), ""); }

TEST_F(Receipts, EverySingleChangedFieldIsRefused) {
  Json json = good_.receipt.ToJson();
  size_t leaves = 0;
  ForEachLeaf(json, "", [&](const std::string& path) {
    ++leaves;
    auto changed = protocol::ReceiptDocument::FromJson(json);
    if (!changed) return;  // refused even earlier
    EXPECT_NE(Failed(CheckReceipt(*changed, Context())), "") << path;
  });
  EXPECT_GT(leaves, 30u);
}

TEST_F(Receipts, ALyingHeadIsFoundOutWhateverItSigns) {
  using D = protocol::ReceiptDocument;
  EXPECT_EQ(Check([](D&) {}, true), "");
  EXPECT_EQ(Check([](D& d) { d.receipt.line[0] ^= 1; }, true), "receipt.line receipt.query receipt.proofs");
  EXPECT_EQ(Check([](D& d) { d.receipt.query[0] ^= 1; }, true), "receipt.query");
  EXPECT_EQ(Check([](D& d) { d.receipt.input[0] ^= 1; }, true), "receipt.input");
  EXPECT_EQ(Check([](D& d) { d.receipt.output[0] ^= 1; }, true), "receipt.output");
  EXPECT_EQ(Check([](D& d) { d.receipt.tokens_in += 1; }, true), "receipt.cost");
  EXPECT_EQ(Check([](D& d) { d.receipt.cost = Wei(1); }, true), "receipt.cost");
  EXPECT_EQ(Check([](D& d) { d.transcript.chain_id = 1; }, true), "receipt.chain");
  EXPECT_EQ(Check([](D& d) { d.transcript.ledger[0] ^= 1; }, true), "receipt.chain");
  EXPECT_EQ(Check([](D& d) { d.transcript.registry[0] ^= 1; }, true), "receipt.chain");
  EXPECT_EQ(Check([](D& d) { d.transcript.model[0] ^= 1; }, true), "receipt.model");
  EXPECT_EQ(Check([](D& d) { d.transcript.manifest[0] ^= 1; }, true), "receipt.model");
  EXPECT_EQ(Check([](D& d) { d.transcript.request[0] ^= 1; }, true), "receipt.request");
  EXPECT_EQ(Check([](D& d) { d.transcript.plan[0] ^= 1; }, true), "receipt.plan");
  EXPECT_EQ(Check([](D& d) { d.transcript.mode = "free"; }, true), "receipt.mode");
  for (size_t slot : {0u, 1u}) {
    EXPECT_EQ(Check([&](D& d) { d.transcript.stages[slot].key[0] ^= 1; }, true), "receipt.stages");
    EXPECT_EQ(Check([&](D& d) { d.transcript.stages[slot].host[0] ^= 1; }, true), "receipt.stages");
    EXPECT_EQ(Check([&](D& d) { d.transcript.stages[slot].weights[0] ^= 1; }, true), "receipt.stages");
    EXPECT_EQ(Check([&](D& d) { d.transcript.stages[slot].boot[0] ^= 1; }, true), "receipt.stages");
    EXPECT_EQ(Check([&](D& d) { d.transcript.stages[slot].slot ^= 1; }, true), "receipt.stages");
  }
  EXPECT_EQ(Check([](D& d) { d.transcript.stages.pop_back(); }, true), "receipt.stages");
}

TEST_F(Receipts, ProofsMustBeOfThisWayOfPaymentAndForEnough) {
  using D = protocol::ReceiptDocument;
  EXPECT_EQ(Check([](D& d) { d.work.clear(); }, false), "receipt.proofs");
  EXPECT_EQ(Check([&](D& d) {
    d.work[0].total = Wei(good_.receipt.receipt.cost.value() - 1);
    d.work[0].signature = chain::SignTyped(domain(), chain::WorkMessage{d.receipt.line, 1, d.work[0].key, d.work[0].total}, keys_[1]);
  }, false), "receipt.proofs") << "less than this answer cost";
  EXPECT_EQ(Check([&](D& d) { d.work[0].signature = chain::SignTyped(domain(), chain::WorkMessage{d.receipt.line, 1, d.work[0].key, d.work[0].total}, keys_[0]); },
                  false), "receipt.proofs") << "signed by the head instead";
  EXPECT_EQ(Check([&](D& d) {
    d.work.clear();
    d.parts = {PartOf(d.receipt, 5, 7)};
  }, false), "receipt.proofs") << "a part is no proof in tab mode";
}

TEST_F(Receipts, StrictModeNeedsPartsOfThisQuery) {
  protocol::ReceiptDocument d = good_.receipt;
  ReceiptContext context = Context();
  context.mode = d.transcript.mode = "strict";
  context.strict_query = d.receipt.query = crypto::RandomArray<32>();
  auto work = std::exchange(d.work, {});
  Sign(d);
  d.parts = {PartOf(d.receipt, 5, 7)};
  EXPECT_EQ(Failed(CheckReceipt(d, context)), "");
  d.parts = {PartOf(d.receipt, 4, 7)};
  EXPECT_EQ(Failed(CheckReceipt(d, context)), "receipt.proofs");
  d.parts = {PartOf(d.receipt, 5, 6)};
  EXPECT_EQ(Failed(CheckReceipt(d, context)), "receipt.proofs");
  d.parts.clear();
  EXPECT_EQ(Failed(CheckReceipt(d, context)), "receipt.proofs");
  d.work = work;
  EXPECT_EQ(Failed(CheckReceipt(d, context)), "receipt.proofs") << "tab work, signed for other answers, is no proof of this query";
}

TEST_F(Receipts, AGoodBundleVerifiesOfflineUnderEitherTrust) {
  CheckList own = VerifyBundle(good_, &*trust_), inside = VerifyBundle(good_, nullptr);
  EXPECT_TRUE(own.passed()) << own.ToText();
  EXPECT_TRUE(inside.passed()) << inside.ToText();
  EXPECT_NE(own.ToText().find("SIMULATED"), std::string::npos);
}

TEST_F(Receipts, ABundleWithAnyPartExchangedIsRefused) {
  auto has = [&](std::string_view id, const std::function<void(Bundle&)>& change) {
    std::string failed = Verify(change);
    EXPECT_NE(failed.find(id), std::string::npos) << "wanted " << id << ", failed: " << failed;
  };
  EXPECT_EQ(Verify([](Bundle&) {}), "");
  has("receipt.input", [](Bundle& b) { b.body += " "; });
  has("receipt.output", [](Bundle& b) { b.outputs[1] = "Two"; });
  has("receipt.output", [](Bundle& b) { b.outputs = {"onetwo"}; });
  has("receipt.input", [](Bundle& b) { b.secret = crypto::RandomSecret<32>(); });
  has("model.id", [](Bundle& b) { b.params.price_out -= 1; });
  has("model.manifest", [](Bundle& b) { b.manifest += "\n"; });
  has("trust.model", [](Bundle& b) { b.model[0] ^= 1; });
  has("receipt.signature", [](Bundle& b) { b.receipt.signature.r[3] ^= 1; });
  has("plan.policy", [](Bundle& b) { b.plan.policy[0] ^= 1; });
  has("receipt.plan", [](Bundle& b) { b.plan.nodes[1].channel = "elsewhere:1"; });
  has("node.key", [](Bundle& b) { std::swap(b.evidence[0].evidence, b.evidence[1].evidence); });
  has("node.evidence", [](Bundle& b) { b.evidence.pop_back(); });
  has("node.evidence", [](Bundle& b) { b.evidence[0].evidence[200] ^= 1; });
  has("node.evidence", [](Bundle& b) { b.evidence[0].collateral = Json::MakeObject(); });
  has("claims.age", [](Bundle& b) { b.checked_at += 3 * 3600; });
  has("node.evidence", [](Bundle& b) { b.checked_at += 90 * 24 * 3600; });
  has("settlement.proof", [](Bundle& b) { b.settlement = SettledReceipt{true, 1, {}, {}, "0x"}; });
}

TEST_F(Receipts, EverySingleChangedMemberOfABundleIsRefused) {
  good_.settlement = SettledReceipt{true, 3, chain::StructHash(good_.receipt.receipt), {}, "0xabc1"};
  ASSERT_EQ(Verify([](Bundle&) {}), "");
  Json json = good_.ToJson();
  size_t leaves = 0;
  ForEachLeaf(json, "", [&](const std::string& path) {
    ++leaves;
    auto changed = Bundle::FromJson(json);
    if (!changed) return;  // refused even earlier
    EXPECT_NE(Failed(VerifyBundle(*changed, &*trust_)), "") << path;
  });
  EXPECT_GT(leaves, 60u);
}

TEST_F(Receipts, ASettlementMustContainTheReceipt) {
  std::vector<Hash32> leaves = {crypto::RandomArray<32>(), chain::StructHash(good_.receipt.receipt), crypto::RandomArray<32>()};
  crypto::MerkleTree tree(leaves);
  SettledReceipt settled{true, 3, tree.root(), tree.Proof(1), "0xabc"};
  EXPECT_EQ(Verify([&](Bundle& b) { b.settlement = settled; }), "");
  settled.proof[0][0] ^= 1;
  EXPECT_EQ(Verify([&](Bundle& b) { b.settlement = settled; }), "settlement.proof");
}

TEST_F(Receipts, SimulatedEvidenceFailsUnderAProductionTrustFile) {
  Json json = *Json::Parse(good_.trust);
  json.Set("class", "production").Set("roots", Json::MakeArray().Push(ToHex(attest::kIntelRootSpkiHash)));
  auto production = attest::TrustFile::Parse(json.Dump());
  ASSERT_TRUE(production) << production.error().message();
  std::string failed = Failed(VerifyBundle(good_, &*production));
  EXPECT_NE(failed.find("node.evidence"), std::string::npos) << failed;
}

TEST_F(Receipts, BundlesComeBackFromTheirFilesWithModeSixHundred) {
  good_.settlement = SettledReceipt{true, 3, crypto::RandomArray<32>(), {crypto::RandomArray<32>()}, "0xabc"};
  good_.query = chain::Query{crypto::RandomArray<20>(), good_.model, keys_[0].address(), {}, Wei(9), 99, 1};
  const std::string path = ::testing::TempDir() + "/bundle." + std::to_string(::getpid());
  ASSERT_TRUE(good_.Save(path));
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  auto loaded = Bundle::Load(path);
  ASSERT_TRUE(loaded) << loaded.error().message();
  EXPECT_EQ(loaded->ToJson(), good_.ToJson());
  ASSERT_TRUE(WriteFileAtomic(path, AsBytes("{\"kind\":")));
  EXPECT_FALSE(Bundle::Load(path));
  ::unlink(path.c_str());
  EXPECT_FALSE(Bundle::Load(path));
}

TEST_F(Receipts, BundlesWithMissingOrWrongMembersAreRefused) {
  const Json json = good_.ToJson();
  for (const auto& [key, member] : json.as_object()) {
    Json without = Json::MakeObject();
    for (const auto& [name, value] : json.as_object()) {
      if (name != key) without.Set(name, value);
    }
    EXPECT_FALSE(Bundle::FromJson(without)) << key;
    Json wrong = json;
    wrong.Set(key, true);
    EXPECT_FALSE(Bundle::FromJson(wrong)) << key;
  }
  EXPECT_FALSE(Bundle::FromJson(Json::MakeArray()));
}

TEST_F(Receipts, RequestsAreCheckedBeforeAnybodyIsAsked) {
  auto status = [&](std::string_view body) {
    auto refused = PrecheckRequest(body, *trust_);
    return refused ? refused->status : 0;
  };
  EXPECT_EQ(status("{\"model\":\"tiny\"}"), 0);
  EXPECT_EQ(status("{\"model\":\"" + ToHex0x(good_.model) + "\"}"), 0);
  EXPECT_EQ(status("{"), 400);
  EXPECT_EQ(status("[]"), 400);
  EXPECT_EQ(status("{}"), 400);
  EXPECT_EQ(status("{\"model\":7}"), 400);
  EXPECT_EQ(status("{\"model\":\"gpt\"}"), 404);
}

TEST(Pages, OnlyThoseOfThisMachineMayUseTheProxy) {
  auto status = [](net::HttpHeaders headers) {
    net::HttpRequest request;
    request.headers = std::move(headers);
    auto refused = RefuseForeignPage(request);
    return refused ? refused->status : 0;
  };
  for (const char* host : {"evil.example", "evil.example:8081", "10.0.0.1:8081", "127.evil.example:1x", "[fe80::1]:8081", "", "localhost.evil.example"}) {
    EXPECT_EQ(status({{"Host", host}}), 403) << host;
  }
  for (const char* host : {"localhost", "localhost:8081", "LOCALHOST:1", "127.0.0.1:8081", "127.0.0.1", "[::1]:8081", "[::1]"}) {
    EXPECT_EQ(status({{"Host", host}}), 0) << host;
  }
  for (const char* origin : {"null", "https://evil.example", "http://127.0.0.1.evil.example", "file://", "chrome-extension://abc"}) {
    EXPECT_EQ(status({{"Host", "127.0.0.1:8081"}, {"Origin", origin}}), 403) << origin;
  }
  EXPECT_EQ(status({{"Host", "127.0.0.1:8081"}, {"Origin", "http://localhost:3000"}}), 0);
  EXPECT_EQ(status({}), 0);  // HTTP/1.0
}

TEST(CheckLists, NothingCheckedIsNotPassed) {
  CheckList checks;
  EXPECT_FALSE(checks.passed());
  EXPECT_FALSE(checks.ToStatus());
  checks.Add("a", true, "fine");
  EXPECT_TRUE(checks.passed());
  checks.Add("b", Status(Error(Code::kDataLoss, "why")), "fine");
  checks.Add("c", false, "later");
  EXPECT_EQ(checks.ToStatus().error().message(), "check b: why");
}

}  // namespace
}  // namespace teetee::client
