// Vectors that this code and the pages (web/src/shared/seal) are both held to:
// tests/vectors/protocol/. sealed.json is written by this test under TEETEE_WRITE_VECTORS=1,
// page.json by web/src/shared/seal/vectors.test.ts; each side opens what the other one sealed.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "crypto/random.h"
#include "protocol/payment.h"
#include "protocol/plan.h"
#include "protocol/receipt.h"
#include "protocol/sealed.h"

namespace teetee::protocol {
namespace {

const std::string kFolder = "tests/vectors/protocol/";

Json Load(const std::string& name) {
  Bytes bytes = *ReadFile(kFolder + name);
  return *Json::Parse(AsText(bytes));
}

Bytes Hex(const Json& json, std::string_view key) { return *FromHex(*json.GetString(key)); }
template <size_t N>
ByteArray<N> HexFixed(const Json& json, std::string_view key) {
  return *FromHexFixed<N>(*json.GetString(key));
}

Plan ExamplePlan() {
  Plan plan;
  plan.model = crypto::RandomArray<32>();
  plan.policy = crypto::RandomArray<32>();
  plan.nodes = {{0, crypto::RandomArray<20>(), "127.0.0.1:1", crypto::RandomArray<16>()},
                {1, crypto::RandomArray<20>(), "node.example:443", crypto::RandomArray<16>()}};
  return plan;
}

Json ControlVectors(const SealedExchange& exchange, const RequestId& request) {
  Json out = Json::MakeArray();
  for (const char* op : {"cancel", "resume"}) {
    Control control{request, op, 7, op[0] == 'r' ? 3u : 0u, {}};
    control.mac = control.Mac(exchange.control_key);
    out.Push(control.ToJson());
  }
  return out;
}

Json MakeVectors() {
  auto key = crypto::X25519Key::Generate();
  Plan plan = ExamplePlan();
  SealedHeader header;
  header.boot = plan.nodes[0].boot;
  header.expires = 1'800'000'000;
  header.head = plan.nodes[0].key;
  header.model = plan.model;
  header.path = "/v1/chat/completions";
  header.plan = plan.Hash();
  header.request = crypto::RandomArray<16>();
  Json content =
      Json::MakeObject({{"body", "{\"messages\":[]} \xc3\xa9\n"}, {"plan", plan.ToJson()}});
  SealedExchange exchange = *Seal(header, key.public_key(), content);
  OpenedRequest opened = *OpenSealed(exchange.wire, key);
  ResponseSealer sealer(opened.response_secret, opened.enc);
  Json events = Json::MakeArray();
  events.Push(Json::MakeObject(
      {{"t", "chunk"}, {"data", Json::MakeObject({{"text", std::string(600, 'x')}})}}));
  events.Push(
      Json::MakeObject({{"t", "chunk"}, {"data", Json::MakeObject({{"text", "\xe2\x82\xac"}})}}));
  events.Push(Json::MakeObject({{"t", "done"}}));
  Bytes answer = sealer.Preamble();
  for (size_t i = 0; i < 3; ++i) {
    Bytes chunk = sealer.Chunk(events.as_array()[i], i == 2);
    answer.insert(answer.end(), chunk.begin(), chunk.end());
  }
  Secret<32> secret = crypto::RandomSecret<32>();
  std::vector<std::string> outputs = {"one \"quoted\"", "\xf0\x9f\x98\x80\n"};
  Json texts = Json::MakeArray();
  for (const std::string& text : outputs) texts.Push(text);
  return Json::MakeObject(
      {{"about",
        "written by src/protocol/vectors_test.cc; docs/formats/sealed-request.md, receipt.md"},
       {"head_secret", ToHex(key.secret().view())},
       {"head_public", ToHex(key.public_key())},
       {"header", header.Canonical()},
       {"content", content.Dump()},
       {"wire", ToHex(exchange.wire)},
       {"response_secret", ToHex(opened.response_secret.view())},
       {"control_key", ToHex(exchange.control_key.view())},
       {"answer", ToHex(answer)},
       {"events", events},
       {"controls", ControlVectors(exchange, header.request)},
       {"plan", plan.ToJson()},
       {"plan_hash", ToHex(plan.Hash())},
       {"secret", ToHex(secret.view())},
       {"body", *content.GetString("body")},
       {"outputs", texts},
       {"input_commitment", ToHex0x(CommitInput(secret, *content.GetString("body")))},
       {"output_commitment", ToHex0x(CommitOutput(secret, outputs))},
       {"free_digest", ToHex0x(FreeRequestDigest(header.request))},
       {"session_hash", ToHex0x(SessionHash(header.head))}});
}

TEST(Vectors, SealedRequestsAnswersAndControls) {
  if (std::getenv("TEETEE_WRITE_VECTORS")) {
    ASSERT_TRUE(MakeDirectories(kFolder));
    ASSERT_TRUE(
        WriteFileAtomic(kFolder + "sealed.json", AsBytes(MakeVectors().DumpPretty()), 0644));
  }
  Json v = Load("sealed.json");
  crypto::X25519Key key{Secret<32>(HexFixed<32>(v, "head_secret"))};
  auto opened = OpenSealed(Hex(v, "wire"), key);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->content.Dump(), *v.GetString("content"));
  EXPECT_EQ(opened->header.Canonical(), *v.GetString("header"));
  EXPECT_EQ(ToHex(opened->control_key.view()), *v.GetString("control_key"));
  ResponseOpener opener(opened->response_secret, opened->enc);
  auto events = opener.Push(Hex(v, "answer"));
  ASSERT_TRUE(events) << events.error().message();
  EXPECT_TRUE(opener.finished());
  EXPECT_EQ(Json(*events).Dump(), (*v.GetArray("events"))->Dump());
  for (const Json& item : (*v.GetArray("controls"))->as_array()) {
    Control control = *Control::FromJson(item);
    EXPECT_EQ(control.Mac(opened->control_key), control.mac);
  }
}

TEST(Vectors, PlansAndCommitments) {
  Json v = Load("sealed.json");
  EXPECT_EQ(ToHex(Plan::FromJson(**v.GetObject("plan"))->Hash()), *v.GetString("plan_hash"));
  Secret<32> secret(HexFixed<32>(v, "secret"));
  std::vector<std::string> outputs;
  for (const Json& text : (*v.GetArray("outputs"))->as_array()) outputs.push_back(text.as_string());
  EXPECT_EQ(ToHex0x(CommitInput(secret, *v.GetString("body"))), *v.GetString("input_commitment"));
  EXPECT_EQ(ToHex0x(CommitOutput(secret, outputs)), *v.GetString("output_commitment"));
}

// What the page sealed.
TEST(Vectors, RequestsOfThePage) {
  Json v = Load("page.json");
  crypto::X25519Key key{Secret<32>(HexFixed<32>(v, "head_secret"))};
  auto opened = OpenSealed(Hex(v, "wire"), key);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(opened->header.path, "/v1/completions");
  EXPECT_EQ(*opened->content.GetString("body"), *v.GetString("body"));
  auto payment = PaymentFromJson(**opened->content.GetObject("payment"));
  ASSERT_TRUE(payment) << payment.error().message();
  EXPECT_EQ(PaymentJson(*payment).Canonical(),
            (*opened->content.GetObject("payment"))->Canonical());
  EXPECT_EQ(ToHex(Plan::FromJson(**opened->content.GetObject("plan"))->Hash()),
            ToHex(opened->header.plan));
  Control control = *Control::FromJson(**v.GetObject("control"));
  EXPECT_EQ(control.Mac(opened->control_key), control.mac);
}

}  // namespace
}  // namespace teetee::protocol
