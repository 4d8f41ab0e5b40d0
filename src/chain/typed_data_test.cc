// The vectors of docs/formats/typed-data.md, which the contracts' own tests read too: both sides
// hash the same.
#include <gtest/gtest.h>

#include <string>

#include "base/file.h"
#include "base/json.h"
#include "chain/abi.h"
#include "chain/contracts.h"
#include "chain/eip712.h"
#include "chain/model_id.h"
#include "chain/revert.h"
#include "crypto/merkle.h"

namespace teetee::chain {
namespace {

constexpr char kPath[] = "contracts/test/vectors/typed-data.json";

std::string S(const Json& j, std::string_view key) { return *j.GetString(key); }
Hash32 H(const Json& j, std::string_view key) { return *FromHexFixed<32>(S(j, key)); }
Address A(const Json& j, std::string_view key) { return *crypto::ParseAddress(S(j, key)); }
Wei W(const Json& j, std::string_view key) { return *Wei::ParseDecimal(S(j, key)); }
uint64_t N(const Json& j, std::string_view key) { return static_cast<uint64_t>(W(j, key).value()); }
uint32_t N32(const Json& j, std::string_view key) { return static_cast<uint32_t>(N(j, key)); }
uint8_t N8(const Json& j, std::string_view key) { return static_cast<uint8_t>(N(j, key)); }

Receipt ToReceipt(const Json& m) {
  return {H(m, "query"),      H(m, "line"),        H(m, "input"), H(m, "output"),
          N32(m, "tokensIn"), N32(m, "tokensOut"), W(m, "cost"),  H(m, "transcript")};
}

Hash32 HashOf(const std::string& type, const Json& m) {
  if (type == "Query") {
    return StructHash(Query{A(m, "user"), H(m, "model"), A(m, "head"), H(m, "input"),
                            W(m, "maxCost"), N(m, "deadline"), N(m, "nonce")});
  }
  if (type == "Receipt") return StructHash(ToReceipt(m));
  if (type == "Part") {
    return StructHash(PartMessage{H(m, "query"), N8(m, "slot"), A(m, "key"), N32(m, "tokensIn"),
                                  N32(m, "tokensOut")});
  }
  if (type == "Work") {
    return StructHash(WorkMessage{H(m, "line"), N8(m, "slot"), A(m, "key"), W(m, "total")});
  }
  if (type == "Voucher") {
    return StructHash(Voucher{A(m, "user"), H(m, "line"), N32(m, "epoch"), W(m, "total")});
  }
  if (type == "Release") {
    return StructHash(Release{A(m, "user"), H(m, "line"), N32(m, "epoch"), W(m, "used")});
  }
  if (type == "Batch") {
    return StructHash(BatchMessage{H(m, "line"), N(m, "seq"), N32(m, "count"), H(m, "root"),
                                   H(m, "charges"), H(m, "work")});
  }
  if (type == "Access") {
    return StructHash(Access{A(m, "host"), H(m, "model"), H(m, "session"), N(m, "expires")});
  }
  return StructHash(Approval{H(m, "manifest"), H(m, "reportData"), N(m, "expires")});
}

class TypedDataVectors : public testing::Test {
 protected:
  void SetUp() override {
    auto content = ReadFile(kPath);
    ASSERT_TRUE(content) << kPath;
    auto json = Json::Parse(AsText(*content), {16u << 20, 32});
    ASSERT_TRUE(json) << json.error().message();
    vectors_ = *std::move(json);
  }
  const Json::Array& List(std::string_view key) const {
    return (*vectors_.GetArray(key))->as_array();
  }
  Json vectors_;
};

TEST_F(TypedDataVectors, HashesDigestsAndSignatures) {
  size_t checked = 0;
  for (const auto& [type, list] : vectors_.Find("typed")->as_object()) {
    for (const Json& v : list.as_array()) {
      const Json& d = *v.Find("domain");
      const bool allowlist = S(d, "name") == "TeeTee Allowlist";
      const Domain domain = allowlist
                                ? Domain::Allowlist(N(d, "chainId"), A(d, "verifyingContract"))
                                : Domain::Ledger(N(d, "chainId"), A(d, "verifyingContract"));
      EXPECT_EQ(allowlist, type == "Approval");
      const Hash32 hash = HashOf(type, *v.Find("message"));
      EXPECT_EQ(hash, H(v, "structHash")) << type;
      EXPECT_EQ(TypedDigest(domain, hash), H(v, "digest")) << type;
      const auto key = crypto::SigningKey::FromSecret(Secret<32>(H(v, "privateKey")));
      EXPECT_EQ(key->address(), A(v, "signer"));
      const CompactSignature signature = Compact(key->Sign(H(v, "digest")));
      EXPECT_EQ(signature, (CompactSignature{H(v, "r"), H(v, "vs")})) << type;
      ++checked;
    }
  }
  EXPECT_GE(checked, 45u);
}

TEST_F(TypedDataVectors, ModelsLinesAndJoins) {
  for (const Json& v : List("models")) {
    const Json& m = *v.Find("model");
    Model model{H(m, "manifest"),
                A(m, "verifier"),
                N(m, "priceIn"),
                N(m, "priceOut"),
                N32(m, "timeout"),
                N32(m, "lease"),
                {}};
    for (const Json& slot : m.Find("slots")->as_array()) {
      model.slots.push_back({H(slot, "weights"), N32(slot, "share")});
    }
    EXPECT_EQ(ModelId(model), H(v, "id"));
    EXPECT_EQ(ToHex0x(FamilyOf(model)), S(v, "family"));
  }
  for (const Json& v : List("lines")) {
    EXPECT_EQ(LineOf(H(v, "model"), A(v, "head")), H(v, "line"));
    EXPECT_EQ(TabQueryId(H(v, "line"), H(v, "requestId")), H(v, "tabQuery"));
  }
  for (const Json& v : List("joins")) {
    EXPECT_EQ(JoinReportData({N(v, "chainId"), A(v, "registry"), A(v, "host"), A(v, "key"),
                              H(v, "weights"), H(v, "blockHash")}),
              H(v, "reportData"));
  }
}

TEST_F(TypedDataVectors, ReceiptTrees) {
  for (const Json& v : List("merkle")) {
    std::vector<Hash32> leaves;
    for (const Json& r : v.Find("receipts")->as_array()) leaves.push_back(StructHash(ToReceipt(r)));
    const crypto::MerkleTree tree(leaves);
    EXPECT_EQ(tree.root(), H(v, "root"));
    const Json::Array& proofs = v.Find("proofs")->as_array();
    ASSERT_EQ(proofs.size(), leaves.size());
    for (size_t i = 0; i < proofs.size(); ++i) {
      crypto::MerkleProof proof;
      for (const Json& hash : proofs[i].as_array()) {
        proof.push_back(*FromHexFixed<32>(hash.as_string()));
      }
      EXPECT_EQ(tree.Proof(i), proof);
    }
  }
}

TEST_F(TypedDataVectors, EveryErrorHasWords) {
  for (const Json& v : List("errors")) {
    const Bytes selector = *FromHex(S(v, "selector"));
    EXPECT_EQ(ExplainRevert(selector).name, S(v, "error"));
  }
}

}  // namespace
}  // namespace teetee::chain
