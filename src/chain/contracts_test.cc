#include "chain/contracts.h"

#include <gtest/gtest.h>

#include <string>

#include "chain/abi.h"
#include "chain/eip712.h"
#include "chain/events.h"
#include "chain/revert.h"

namespace teetee::chain {
namespace {

using crypto::SigningKey;

Hash32 H(uint8_t fill) {
  Hash32 out;
  out.fill(fill);
  return out;
}

Model GoodModel() { return {H(1), Address{2}, 3, 4, 60, 3600, {{H(5), 11}, {H(6), 12}}}; }

TEST(CheckModel, RefusesWhatTheRegistryRefuses) {
  EXPECT_TRUE(CheckModel(GoodModel()));
  const std::vector<std::pair<const char*, void (*)(Model*)>> cases = {
      {"no slots", [](Model* m) { m->slots.clear(); }},
      {"65 slots", [](Model* m) { m->slots.resize(65); }},
      {"no verifier", [](Model* m) { m->verifier = {}; }},
      {"timeout 0", [](Model* m) { m->timeout = 0; }},
      {"timeout over 12 h", [](Model* m) { m->timeout = 12 * 3600 + 1; }},
      {"lease under 1 h", [](Model* m) { m->lease = 3599; }},
      {"lease over 90 days", [](Model* m) { m->lease = 90 * 86400 + 1; }},
      {"share 0", [](Model* m) { m->slots[1].share = 0; }},
      {"equal weights", [](Model* m) { m->slots[1].weights = m->slots[0].weights; }},
      {"sum of shares", [](Model* m) { m->slots[0].share = ~0u; }}};
  for (const auto& [what, change] : cases) {
    Model model = GoodModel();
    change(&model);
    EXPECT_FALSE(CheckModel(model)) << what;
  }
}

TEST(ModelId, EveryFieldCounts) {
  const Hash32 id = ModelId(GoodModel());
  const Family family = FamilyOf(GoodModel());
  Model m = GoodModel();
  m.price_out = 5;
  EXPECT_NE(ModelId(m), id);
  EXPECT_EQ(FamilyOf(m), family);  // a new price keeps its nodes
  m = GoodModel();
  m.lease = 7200;
  EXPECT_NE(FamilyOf(m), family);  // a twin with another lease admits nobody here
  m = GoodModel();
  std::swap(m.slots[0], m.slots[1]);
  EXPECT_NE(ModelId(m), id);
  EXPECT_NE(FamilyOf(m), family);
}

TEST(TabQueryId, ShortRequestIdsAreRightAligned) {
  const ByteArray<16> request{1, 2, 3};
  Hash32 padded{};
  padded[16] = 1, padded[17] = 2, padded[18] = 3;
  EXPECT_EQ(TabQueryId(H(1), request), TabQueryId(H(1), padded));
}

TEST(TypedData, RefusesOtherMessageDomainSignerAndKind) {
  const SigningKey key = SigningKey::Generate();
  const Domain domain = Domain::Ledger(31337, Address{1});
  const Voucher voucher{Address{9}, H(2), 3, Wei(1000)};
  const CompactSignature signature = SignTyped(domain, voucher, key);
  EXPECT_TRUE(VerifyTyped(domain, voucher, key.address(), signature));
  for (const Voucher& other :
       {Voucher{Address{8}, H(2), 3, Wei(1000)}, Voucher{Address{9}, H(3), 3, Wei(1000)},
        Voucher{Address{9}, H(2), 4, Wei(1000)}, Voucher{Address{9}, H(2), 3, Wei(1001)}}) {
    EXPECT_FALSE(VerifyTyped(domain, other, key.address(), signature));
  }
  EXPECT_FALSE(VerifyTyped(Domain::Ledger(1, Address{1}), voucher, key.address(), signature));
  EXPECT_FALSE(VerifyTyped(Domain::Ledger(31337, Address{2}), voucher, key.address(), signature));
  EXPECT_FALSE(
      VerifyTyped(Domain::Allowlist(31337, Address{1}), voucher, key.address(), signature));
  EXPECT_FALSE(VerifyTyped(domain, voucher, SigningKey::Generate().address(), signature));
  EXPECT_FALSE(VerifyTyped(domain, voucher, Address{}, signature));
  // A release has the same words: only the type's name differs.
  EXPECT_FALSE(
      VerifyTyped(domain, Release{Address{9}, H(2), 3, Wei(1000)}, key.address(), signature));
}

TEST(TypedData, BatchBindsEveryWordOfItsEntries) {
  Batch batch{1,
              2,
              H(3),
              {{Address{4}, 5, Wei(6), Wei(7), {H(8), H(9)}}},
              {{Address{10}, 1, Wei(11), {H(12), H(13)}}}};
  const Hash32 before = StructHash(MessageOf(H(1), batch));
  batch.charges[0].used = Wei(5);
  EXPECT_NE(StructHash(MessageOf(H(1), batch)), before);
  batch.charges[0].used = Wei(6);
  batch.charges[0].signature.vs = H(10);
  EXPECT_NE(StructHash(MessageOf(H(1), batch)), before);
  batch.charges[0].signature.vs = H(9);
  batch.work[0].total = Wei(12);
  EXPECT_NE(StructHash(MessageOf(H(1), batch)), before);
  EXPECT_NE(StructHash(MessageOf(H(2), batch)), before);
}

TEST(Calls, DecodeRefusesShortAndWideAnswers) {
  EXPECT_FALSE(ledger::BalanceOf({}).decode({}));
  EXPECT_FALSE(ledger::BalanceOf({}).decode(H(0xff)));  // over 2^128
  EXPECT_FALSE(ledger::TabOf({}, {}).decode(Bytes(4 * 32)));
  EXPECT_TRUE(ledger::TabOf({}, {}).decode(Bytes(5 * 32)));
  EXPECT_FALSE(registry::TermsOf({}).decode(Bytes(3 * 32)));  // offset 0
  Terms terms =
      *registry::TermsOf({}).decode(AbiWriter()
                                        .Uint(1)
                                        .Uint(2)
                                        .StaticArray(2, {WordOf(Uint128{3}), WordOf(Uint128{4})})
                                        .Finish());
  EXPECT_EQ(terms.up_to, (std::vector<uint32_t>{3, 4}));
}

TEST(Calls, NodeInfoReadsBack) {
  ByteWriter family;
  family.Raw(ByteArray<26>{7}).Zeros(6);
  Hash32 family_word;
  std::copy(family.bytes().begin(), family.bytes().end(), family_word.begin());
  const Bytes answer = AbiWriter()
                           .Raw(family_word)
                           .Uint(99)
                           .Uint(1)
                           .Addr(Address{3})
                           .Raw(H(4))
                           .Text("http://n")
                           .Finish();
  auto node = registry::NodeOf({}).decode(answer);
  ASSERT_TRUE(node);
  EXPECT_EQ(node->until, 99u);
  EXPECT_EQ(node->host, Address{3});
  EXPECT_EQ(node->url, "http://n");
}

TEST(Events, ForeignAndMalformed) {
  LogEntry log;
  EXPECT_FALSE(DecodeEvent(log)->has_value());
  log.topics = {H(1)};
  EXPECT_FALSE(DecodeEvent(log)->has_value());
  log.topics = {EventTopicOf("Bought(address,address,uint256)")};
  EXPECT_FALSE(DecodeEvent(log));  // topics are missing
  log.topics.push_back(WordOf(Address{1}));
  log.topics.push_back(WordOf(Address{2}));
  EXPECT_FALSE(DecodeEvent(log));  // data is missing
  log.data = ToBytes(WordOf(Uint128{5}));
  auto event = DecodeEvent(log);
  ASSERT_TRUE(event && *event);
  EXPECT_EQ(std::get<Bought>(**event).amount, Wei(5));
}

TEST(Events, LogFromJsonRefusesRemovedPendingAndCrowded) {
  auto log = [](std::string_view extra) {
    return *Json::Parse(
        R"({"address":"0x0000000000000000000000000000000000000001","topics":[],"data":"0x",)" +
        std::string(extra) + "}");
  };
  const std::string hash = "\"0x" + std::string(64, '1') + "\"";
  const std::string mined = R"("blockNumber":"0x5","logIndex":"0x2","transactionHash":)" + hash +
                            R"(,"blockHash":)" + hash;
  auto good = LogFromJson(log(mined));
  ASSERT_TRUE(good);
  EXPECT_EQ(good->block_number, 5u);
  EXPECT_EQ(good->log_index, 2u);
  EXPECT_FALSE(LogFromJson(log(mined + R"(,"removed":true)")));
  EXPECT_FALSE(LogFromJson(
      log(R"("blockNumber":null,"logIndex":"0x2","transactionHash":null,"blockHash":null)")));
  EXPECT_FALSE(LogFromJson(Json(1)));
}

TEST(Revert, SaysWhatHappened) {
  EXPECT_EQ(ExplainRevert(SelectorOf("WrongSequence()")).name, "WrongSequence");
  const Revert signer = ExplainRevert(AbiWriter().Addr(Address{1}).Call("WrongSigner(address)"));
  EXPECT_EQ(signer.name, "WrongSigner");
  EXPECT_NE(signer.meaning.find("0x0100000000000000000000000000000000000000"), std::string::npos);
  EXPECT_EQ(ExplainRevert(AbiWriter().Text("no\nway").Call("Error(string)")).meaning, "no?way");
  EXPECT_NE(ExplainRevert(AbiWriter().Uint(0x11).Call("Panic(uint256)")).meaning.find("overflow"),
            std::string::npos);
}

TEST(Revert, NeverFailsOnForeignBytes) {
  for (const Bytes& data :
       {Bytes{}, Bytes{1}, Bytes{1, 2, 3, 4}, ToBytes(SelectorOf("Error(string)")),
        ToBytes(SelectorOf("Panic(uint256)")), ToBytes(SelectorOf("WrongSigner(address)"))}) {
    EXPECT_FALSE(ExplainRevert(data).meaning.empty());
  }
}

}  // namespace
}  // namespace teetee::chain
