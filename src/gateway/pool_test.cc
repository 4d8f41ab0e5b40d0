// The pool service: what a host's page asks of the gateway before its node joins.
#include "gateway/pool.h"

#include "gateway/testing/http_fixture.h"
#include "net/sse.h"

namespace teetee::gateway {
namespace {

using namespace testing;

constexpr char kKats[] = R"({"kats":[{"n_tokens":8,"output_sha256":"00","seed":1}],"rows_per_second":1,"nonce":"00","signature":"00"})";

class PoolTest : public HttpTest {
 public:
  void SetUp() override {
    HttpTest::SetUp();
    candidate_ = std::make_unique<FakeNode>(io_, key_);
    Say(1, chain::ModelId(model_), host_);
    candidate_->post = [](net::HttpRequest& request, net::HttpReply& reply) -> Task<void> {
      net::HttpResponse answer = net::HttpResponse::Text(404, "{}", "application/json");
      if (request.path == "/v1/teetee/known-answer") answer = net::HttpResponse::Text(200, kKats, "application/json");
      if (request.path == "/v1/teetee/challenge") answer = net::HttpResponse::Text(200, request.text(), "application/octet-stream");
      if (request.path == "/v1/teetee/join-evidence") answer = net::HttpResponse::Text(403, R"({"error":{"message":"no"}})", "text/html");
      (void)co_await reply.Send(std::move(answer));
    };
  }
  void TearDown() override {
    Run([](PoolTest* t) -> Task<void> { co_await t->candidate_->Stop(); }(this));
    HttpTest::TearDown();
  }
  // What the candidate says of itself.
  void Say(uint64_t slot, const Hash32& model, const Address& host) {
    Json health = Json::MakeObject({{"status", "ok"}, {"key", ToHex0x(key_)}, {"slot", slot}, {"model", ToHex0x(model)}, {"class", "simulated"}});
    Json evidence = Json::MakeObject({{"key", ToHex0x(key_)}, {"host", ToHex0x(host)}, {"channel", "127.0.0.1:9"}});
    candidate_->pages["/healthz"] = health.Dump();
    candidate_->pages["/v1/teetee/evidence"] = evidence.Dump();
  }
  void Reopen() {
    Run([](PoolTest* t) -> Task<void> { co_await t->gateway_->Stop(); }(this));
    gateway_ = nullptr;
    OpenGateway();
  }
  net::HttpRequestOptions Post(std::string what, const Json& body) const {
    return Request("POST", "/v1/teetee/pool/" + what, ToBytes(AsBytes(body.Dump())));
  }
  Json Wanted(std::string url) const {
    return Json::MakeObject({{"url", std::move(url)}, {"model", ToHex0x(chain::ModelId(model_))}, {"slot", 1}, {"host", ToHex0x(host_)}});
  }
  // The last word on each check, by its id.
  Task<std::map<std::string, Json>> Check(Json wanted) {
    auto request = Post("check", wanted);
    auto answer = co_await Fetch(std::move(request));
    EXPECT_EQ(answer.status, 200) << answer.text();
    std::map<std::string, Json> out;
    net::SseParser parser;
    auto events = parser.Feed(answer.body);
    for (const net::SseEvent& event : *events) {
      const Json json = *Json::Parse(event.data);
      done_ = json.Find("done") != nullptr;
      if (!done_) out[*json.GetString("check")] = json;
    }
    co_return out;
  }
  static std::string Status(const std::map<std::string, Json>& checks, const std::string& id) {
    auto found = checks.find(id);
    return found == checks.end() ? "absent" : *found->second.GetString("status");
  }
  Json RelayBody(std::string path, std::string body = "") const {
    return Json::MakeObject({{"url", candidate_->url()}, {"path", std::move(path)}, {"body", body.empty() ? Json() : Json(ToBase64(AsBytes(body)))}});
  }

  const Address key_{0xb1}, host_{0xc1};
  std::unique_ptr<FakeNode> candidate_;
  bool done_ = false;
};

TEST_F(PoolTest, BadRequestsAreRefusedBeforeAnythingIsDialled) {
  Run([](PoolTest* t) -> Task<void> {
    Json unknown = t->Wanted(t->candidate_->url());
    unknown.Set("model", "0x" + std::string(64, '1'));
    Json slot = t->Wanted(t->candidate_->url());
    slot.Set("slot", 2);
    Json host = t->Wanted(t->candidate_->url());
    host.Set("host", "me");
    for (const Json& body : {unknown, slot, host, Json::MakeObject(), Json::MakeArray()}) {
      auto request = t->Post("check", body);
      auto answer = co_await t->Fetch(std::move(request));
      EXPECT_TRUE(answer.status == 400 || answer.status == 404) << body.Dump();
    }
    auto text = co_await t->Fetch(t->Request("POST", "/v1/teetee/pool/check", Bytes(10, '{')));
    EXPECT_EQ(text.status, 400);
    auto other = co_await t->Fetch(t->Request("POST", "/v1/teetee/pool/none", Bytes(2, '{')));
    EXPECT_EQ(other.status, 405);
  }(this));
}

TEST_F(PoolTest, AnAddressThatMayNotBeDialledFailsFirstAndTheRestIsSkipped) {
  Run([](PoolTest* t) -> Task<void> {
    for (const char* url : {"http://10.0.0.1:9100", "http://169.254.169.254/", "http://0x7f.1:9100", "https://a.example", "nonsense", "http://[fd00::1]:80"}) {
      auto checks = co_await t->Check(t->Wanted(url));
      EXPECT_EQ(Status(checks, "node.address"), "failed") << url;
      EXPECT_TRUE(checks["node.address"].Find("cure")->is_string()) << url;
      for (const char* id : {"node.reachable", "node.identity", "node.tls", "node.speed"}) EXPECT_EQ(Status(checks, id), "skipped") << url << " " << id;
      EXPECT_TRUE(t->done_);
    }
  }(this));
}

TEST_F(PoolTest, ANodeThatDoesNotAnswerIsNotReachable) {
  Run([](PoolTest* t) -> Task<void> {
    auto checks = co_await t->Check(t->Wanted("http://127.0.0.1:1"));
    EXPECT_EQ(Status(checks, "node.address"), "passed");
    EXPECT_EQ(Status(checks, "node.reachable"), "failed");
    EXPECT_EQ(Status(checks, "node.identity"), "skipped");
    t->candidate_->pages["/healthz"] = "<html>";
    auto page = co_await t->Check(t->Wanted(t->candidate_->url()));
    EXPECT_EQ(Status(page, "node.reachable"), "failed");
  }(this));
}

TEST_F(PoolTest, AnotherSlotModelOrHostFailsTheIdentity) {
  Run([](PoolTest* t) -> Task<void> {
    const Hash32 model = chain::ModelId(t->model_);
    t->Say(0, model, t->host_);
    auto slot = co_await t->Check(t->Wanted(t->candidate_->url()));
    EXPECT_EQ(Status(slot, "node.identity"), "failed");
    t->Say(1, Hash32{1}, t->host_);
    auto other = co_await t->Check(t->Wanted(t->candidate_->url()));
    EXPECT_EQ(Status(other, "node.identity"), "failed");
    t->Say(1, model, Address{0x99});
    auto host = co_await t->Check(t->Wanted(t->candidate_->url()));
    EXPECT_EQ(Status(host, "node.identity"), "failed");
    EXPECT_NE(host["node.identity"].GetString("cure")->find(ToHex0x(t->host_)), std::string::npos);
    EXPECT_EQ(Status(host, "node.speed"), "skipped");
  }(this));
}

TEST_F(PoolTest, AGoodNodePassesWithTheKeyThatTheProbeSaw) {
  settings_.pool.tls_probe = [](std::string address, net::AddressRule may_dial) -> Task<Result<Hash32>> {
    EXPECT_EQ(address, "127.0.0.1:9");
    EXPECT_FALSE(may_dial("10.0.0.1"));
    co_return Hash32{0x77};
  };
  Reopen();
  Run([](PoolTest* t) -> Task<void> {
    auto checks = co_await t->Check(t->Wanted(t->candidate_->url()));
    for (const char* id : {"node.address", "node.reachable", "node.identity", "node.tls", "node.speed"}) EXPECT_EQ(Status(checks, id), "passed") << id;
    EXPECT_EQ(*checks["node.tls"].Find("data")->GetString("spki_sha256"), ToHex(Hash32{0x77}));
    EXPECT_EQ(*checks["node.speed"].Find("data")->GetUint64("rows"), 8u);
    EXPECT_EQ(*checks["node.identity"].Find("data")->GetString("key"), ToHex0x(t->key_));
    EXPECT_EQ(*checks["node.identity"].GetString("seen_by"), "gateway");
    EXPECT_TRUE(t->done_);
  }(this));
}

TEST_F(PoolTest, AChannelThatNobodyReachesFailsAndHeadsHaveNone) {
  settings_.pool.tls_probe = [](std::string, net::AddressRule) -> Task<Result<Hash32>> { co_return Error(Code::kUnavailable, "refused"); };
  Reopen();
  Run([](PoolTest* t) -> Task<void> {
    auto closed = co_await t->Check(t->Wanted(t->candidate_->url()));
    EXPECT_EQ(Status(closed, "node.tls"), "failed");
    EXPECT_EQ(Status(closed, "node.speed"), "passed");
    t->Say(0, chain::ModelId(t->model_), t->host_);
    Json head = t->Wanted(t->candidate_->url());
    head.Set("slot", 0);
    auto checks = co_await t->Check(head);
    EXPECT_EQ(Status(checks, "node.identity"), "passed");
    EXPECT_EQ(Status(checks, "node.tls"), "skipped");
  }(this));
}

TEST_F(PoolTest, RelaysTheListedPathsAndNoOther) {
  Run([](PoolTest* t) -> Task<void> {
    for (const char* path : {"/healthz", "/v1/teetee/sealed", "/v1/teetee/outbox", "/v1/teetee/evidence?x=1", "/v1/teetee/../healthz", ""}) {
      auto request = t->Post("relay", t->RelayBody(path));
      auto answer = co_await t->Fetch(std::move(request));
      EXPECT_EQ(answer.status, 403) << path;
      EXPECT_FALSE(answer.headers.Has("X-TeeTee-Relayed")) << path;
    }
    auto evidence_request = t->Post("relay", t->RelayBody("/v1/teetee/evidence"));
    auto evidence = co_await t->Fetch(std::move(evidence_request));
    EXPECT_EQ(evidence.status, 200);
    EXPECT_EQ(evidence.text(), t->candidate_->pages["/v1/teetee/evidence"]);
    auto challenge_request = t->Post("relay", t->RelayBody("/v1/teetee/challenge", std::string("a\0b", 3)));
    auto challenge = co_await t->Fetch(std::move(challenge_request));
    EXPECT_EQ(challenge.text(), std::string_view("a\0b", 3));
    EXPECT_EQ(challenge.headers.Find("Content-Type"), "application/octet-stream");
    auto refusal_request = t->Post("relay", t->RelayBody("/v1/teetee/join-evidence", "{}"));
    auto refusal = co_await t->Fetch(std::move(refusal_request));
    EXPECT_EQ(refusal.status, 403);
    EXPECT_EQ(refusal.headers.Find("X-TeeTee-Relayed"), "node");
    EXPECT_EQ(refusal.headers.Find("Content-Type"), "application/json") << "never a page";
  }(this));
}

TEST_F(PoolTest, RelayObeysTheEgressRuleAndItsBounds) {
  Run([](PoolTest* t) -> Task<void> {
    Json inside = t->RelayBody("/v1/teetee/evidence");
    inside.Set("url", "http://10.0.0.1");
    auto private_request = t->Post("relay", inside);
    auto refused = co_await t->Fetch(std::move(private_request));
    EXPECT_EQ(refused.status, 403);
    Json bad = t->RelayBody("/v1/teetee/challenge");
    bad.Set("body", "not base64!");
    auto bad_request = t->Post("relay", bad);
    auto malformed = co_await t->Fetch(std::move(bad_request));
    EXPECT_EQ(malformed.status, 400);
    t->candidate_->pages["/v1/teetee/evidence"] = std::string(2u << 20, 'x');
    auto large_request = t->Post("relay", t->RelayBody("/v1/teetee/evidence"));
    auto large = co_await t->Fetch(std::move(large_request));
    EXPECT_EQ(large.status, 429);
  }(this));
}

TEST_F(PoolTest, ManyRequestsOfOneAddressAreSlowedDown) {
  settings_.pool.relays = {.per_minute = 1, .burst = 2};
  Reopen();
  Run([](PoolTest* t) -> Task<void> {
    int refused = 0;
    for (int i = 0; i < 4; ++i) {
      auto request = t->Post("relay", t->RelayBody("/v1/teetee/evidence"));
      auto answer = co_await t->Fetch(std::move(request));
      if (answer.status != 429) continue;
      ++refused;
      EXPECT_TRUE(answer.headers.Has("Retry-After"));
    }
    EXPECT_EQ(refused, 2);
  }(this));
}

TEST_F(PoolTest, ApprovalsNeedAnAuditorAndPassItsWord) {
  Run([](PoolTest* t) -> Task<void> {
    auto request = t->Post("approve", Json::MakeObject());
    auto none = co_await t->Fetch(std::move(request));
    EXPECT_EQ(none.status, 409) << "no auditor is configured";
  }(this));
  FakeNode auditor(io_, Address{});
  std::string said;
  int status = 403;
  auditor.post = [&](net::HttpRequest& request, net::HttpReply& reply) -> Task<void> {
    EXPECT_EQ(request.path, "/v1/teetee/approve");
    EXPECT_EQ(request.text(), R"({"key":"0x01"})");
    auto response = net::HttpResponse::Text(status, said, "text/html");
    (void)co_await reply.Send(std::move(response));
  };
  settings_.auditor = auditor.url();
  Reopen();
  Run([](PoolTest* t, std::string* words, int* code) -> Task<void> {
    const Json body = Json::MakeObject({{"key", "0x01"}});
    *words = R"({"error":{"message":"check tdx.debug: no","param":"tdx.debug"}})";
    auto first = t->Post("approve", body);
    auto refused = co_await t->Fetch(std::move(first));
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(refused.text(), *words);
    *code = 200;
    *words = R"({"quote":"0x12"})";
    auto second = t->Post("approve", body);
    auto approved = co_await t->Fetch(std::move(second));
    EXPECT_EQ(approved.status, 200);
    EXPECT_EQ(approved.text(), *words);
    *words = "<script>";
    auto third = t->Post("approve", body);
    auto page = co_await t->Fetch(std::move(third));
    EXPECT_EQ(page.status, 502);
  }(this, &said, &status));
  Run([](FakeNode* node) -> Task<void> { co_await node->Stop(); }(&auditor));
}

}  // namespace
}  // namespace teetee::gateway
