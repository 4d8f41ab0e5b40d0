// The HTTP interface over a stored directory and nodes on loopback; the chain's RPC is not there,
// which must not matter.
#include "gateway/testing/http_fixture.h"

namespace teetee::gateway {
namespace {

using namespace testing;

TEST_F(HttpTest, RefusesPlaintextUnknownPathsWrongMethodsAndLargeBodies) {
  Run([](HttpTest* t) -> Task<void> {
    auto chat = co_await t->Fetch(t->Request("POST", "/v1/chat/completions", Bytes(10, '{')));
    EXPECT_EQ(chat.status, 400);
    EXPECT_NE(Message(chat).find("teetee proxy"), std::string::npos);
    auto plain = co_await t->Fetch(
        t->Request("POST", "/v1/teetee/sealed", ToBytes(AsBytes("{\"messages\":[]}"))));
    EXPECT_EQ(plain.status, 400);
    EXPECT_NE(Message(plain).find("teetee proxy"), std::string::npos);
    auto large = co_await t->Fetch(t->Request("POST", "/v1/teetee/sealed", Bytes((1u << 20) + 1)));
    EXPECT_EQ(large.status, 413);
    auto unknown = co_await t->Fetch(t->Request("GET", "/v1/teetee/none"));
    EXPECT_EQ(unknown.status, 404);
    auto method = co_await t->Fetch(t->Request("POST", "/v1/models"));
    EXPECT_EQ(method.status, 405);
    auto line = co_await t->Fetch(t->Request("GET", "/v1/teetee/line/0x12"));
    EXPECT_EQ(line.status, 400);
    auto receipt =
        co_await t->Fetch(t->Request("GET", "/v1/teetee/receipts/" + ToHex0x(Hash32{1})));
    EXPECT_EQ(receipt.status, 404);
    auto health = co_await t->Fetch(t->Request("GET", "/healthz"));
    EXPECT_EQ(health.status, 503) << "the chain was never read";
  }(this));
}

TEST_F(HttpTest, RefusesHeadsThatAreUnknownOfAnotherModelOrSilent) {
  Run([](HttpTest* t) -> Task<void> {
    co_await t->HeadIsLive();
    const Hash32 model = chain::ModelId(t->model_);
    auto unknown = co_await t->Fetch(
        t->Request("POST", "/v1/teetee/sealed", SealedWire(Address{0x77}, model)));
    EXPECT_EQ(unknown.status, 404);
    auto stage = co_await t->Fetch(
        t->Request("POST", "/v1/teetee/sealed", SealedWire(t->stage_key_, model)));
    EXPECT_EQ(stage.status, 404);
    auto other =
        co_await t->Fetch(t->Request("POST", "/v1/teetee/sealed", SealedWire(t->head_, Hash32{1})));
    EXPECT_EQ(other.status, 404);
    auto dead =
        co_await t->Fetch(t->Request("POST", "/v1/teetee/sealed", SealedWire(t->dead_, model)));
    EXPECT_EQ(dead.status, 503);
    EXPECT_TRUE(dead.headers.Has("Retry-After"));
    auto no_head =
        co_await t->Fetch(t->Request("POST", "/v1/teetee/control", ToBytes(AsBytes("{}"))));
    EXPECT_EQ(no_head.status, 400);
    auto no_control = co_await t->Fetch(
        t->Request("POST", "/v1/teetee/control?head=" + ToHex0x(t->head_), ToBytes(AsBytes("{}"))));
    EXPECT_EQ(no_control.status, 400);
  }(this));
}

TEST_F(HttpTest, StreamsAnAnswerAsItComes) {
  net::Event go_on(io_.get_executor());
  node_->post = [&](net::HttpRequest& request, net::HttpReply& reply) -> Task<void> {
    EXPECT_EQ(request.path, "/v1/teetee/sealed");
    EXPECT_EQ(request.body, Wire());
    EXPECT_FALSE(request.headers.Has("X-Forwarded-For"));
    net::HttpHeaders headers;
    headers.Set("Content-Type", "text/html");
    (void)co_await reply.Begin(200, headers);
    const Bytes one(3, 'a'), two(2, 'b');
    (void)co_await reply.Write(one);
    co_await go_on.Wait();
    (void)co_await reply.Write(two);
    (void)co_await reply.End();
  };
  Run([](HttpTest* t, net::Event* event) -> Task<void> {
    co_await t->HeadIsLive();
    auto stream = co_await t->http_.Open(t->Request("POST", "/v1/teetee/sealed", t->Wire()));
    CO_ASSERT_OK(stream);
    EXPECT_EQ(stream->status(), 200);
    EXPECT_EQ(stream->headers().Find("Content-Type"), "application/octet-stream");
    auto first = co_await stream->Next();
    CO_ASSERT_OK(first);
    EXPECT_EQ(**first, Bytes(3, 'a'));
    event->Set();
    auto second = co_await stream->Next();
    CO_ASSERT_OK(second);
    EXPECT_EQ(**second, Bytes(2, 'b'));
    auto end = co_await stream->Next();
    CO_ASSERT_OK(end);
    EXPECT_FALSE(*end);
    EXPECT_EQ(t->gateway_->sealed().counters().completed, 1u);
  }(this, &go_on));
}

TEST_F(HttpTest, CutsTheStreamWhenTheHeadBreaksOff) {
  node_->post = [](net::HttpRequest&, net::HttpReply& reply) -> Task<void> {
    (void)co_await reply.Begin(200, net::HttpHeaders());
    const Bytes one(3, 'a');
    (void)co_await reply.Write(one);
  };
  Run([](HttpTest* t) -> Task<void> {
    co_await t->HeadIsLive();
    auto whole = co_await t->http_.Fetch(t->Request("POST", "/v1/teetee/sealed", t->Wire()));
    EXPECT_FALSE(whole) << "a cut answer must not look whole";
    EXPECT_EQ(t->gateway_->sealed().counters().cut, 1u);
  }(this));
}

TEST_F(HttpTest, StopsWhenTheClientLeaves) {
  bool head_saw_it = false;
  node_->post = [&](net::HttpRequest&, net::HttpReply& reply) -> Task<void> {
    (void)co_await reply.Begin(200, net::HttpHeaders());
    const Bytes one(3, 'a');
    (void)co_await reply.Write(one);
    co_await reply.WaitPeerGone();
    head_saw_it = true;
  };
  Run([](HttpTest* t, bool* seen) -> Task<void> {
    co_await t->HeadIsLive();
    {
      auto stream = co_await t->http_.Open(t->Request("POST", "/v1/teetee/sealed", t->Wire()));
      CO_ASSERT_OK(stream);
      auto first = co_await stream->Next();
      CO_ASSERT_OK(first);
      EXPECT_EQ(t->gateway_->sealed().streams(), 1u);
    }
    for (int i = 0; i < 200 && !*seen; ++i) co_await net::Sleep(net::Millis(10));
    EXPECT_TRUE(*seen);
    EXPECT_EQ(t->gateway_->sealed().counters().left, 1u);
    EXPECT_EQ(t->gateway_->sealed().streams(), 0u);
  }(this, &head_saw_it));
}

TEST_F(HttpTest, PassesAHeadsRefusalAndNothingThatIsNone) {
  std::string body = R"({"error":{"message":"expired","type":"t","param":null,"code":null}})";
  int status = 409;
  node_->post = [&](net::HttpRequest&, net::HttpReply& reply) -> Task<void> {
    auto response = net::HttpResponse::Text(status, body, "text/html");
    (void)co_await reply.Send(std::move(response));
  };
  Run([](HttpTest* t, std::string* text, int* code) -> Task<void> {
    co_await t->HeadIsLive();
    auto refusal = co_await t->Fetch(t->Request("POST", "/v1/teetee/sealed", t->Wire()));
    EXPECT_EQ(refusal.status, 409);
    EXPECT_EQ(refusal.headers.Find("Content-Type"), "application/json");
    EXPECT_EQ(Message(refusal), "expired");
    *text = "<script>alert(1)</script>";
    auto page = co_await t->Fetch(t->Request("POST", "/v1/teetee/sealed", t->Wire()));
    EXPECT_EQ(page.status, 502);
    EXPECT_EQ(page.text().find("script"), std::string_view::npos);
    *code = 302;
    auto redirect = co_await t->Fetch(t->Request("POST", "/v1/teetee/sealed", t->Wire()));
    EXPECT_EQ(redirect.status, 502);
  }(this, &body, &status));
}

TEST_F(HttpTest, ListsAModelOnlyWithTheManifestThatItsIdNames) {
  node_->ServeManifest(R"({"name":"evil","v":1})");
  Run([](HttpTest* t) -> Task<void> {
    co_await t->HeadIsLive();
    co_await net::Sleep(net::Millis(150));
    auto none = co_await t->Fetch(t->Request("GET", "/v1/models"));
    EXPECT_TRUE(Json::Parse(none.text())->Find("data")->as_array().empty());
    t->node_->ServeManifest(kManifest);
    for (int i = 0; i < 200 && t->gateway_->directory().ListedModels().empty(); ++i)
      co_await net::Sleep(net::Millis(10));
    auto list = co_await t->Fetch(t->Request("GET", "/v1/models"));
    const Json parsed = *Json::Parse(list.text());
    CO_ASSERT_TRUE(parsed.Find("data")->as_array().size() == 1);
    EXPECT_EQ(*parsed.Find("data")->as_array()[0].GetString("id"), "tiny");
    EXPECT_EQ(*parsed.Find("data")->as_array()[0].Find("teetee")->GetBool("live"), true);
    auto detail = co_await t->Fetch(t->Request("GET", "/v1/teetee/models/tiny"));
    EXPECT_EQ(*Json::Parse(detail.text())->GetString("manifest"), kManifest);
    EXPECT_EQ(*Json::Parse(detail.text())->GetString("id"), ToHex0x(chain::ModelId(t->model_)));
    auto nodes = co_await t->Fetch(t->Request("GET", "/v1/teetee/nodes?model=tiny"));
    const Json listed = *Json::Parse(nodes.text());
    CO_ASSERT_TRUE(listed.Find("nodes")->as_array().size() == 3);
    EXPECT_EQ(*listed.Find("nodes")->as_array()[0].GetString("url"), t->node_->url());
    EXPECT_EQ(*listed.Find("nodes")->as_array()[1].GetBool("live"), false);
    EXPECT_EQ(*listed.Find("nodes")->as_array()[2].GetUint64("slot"), 1u);
    auto stranger = co_await t->Fetch(t->Request("GET", "/v1/teetee/nodes?model=nobody"));
    EXPECT_EQ(stranger.status, 404);
  }(this));
}

TEST_F(HttpTest, RelaysEvidenceOfTheNodeItselfOnly) {
  Run([](HttpTest* t) -> Task<void> {
    const std::string path = "/v1/teetee/nodes/" + ToHex0x(t->head_) + "/evidence";
    co_await t->HeadIsLive();
    auto good = co_await t->Fetch(t->Request("GET", path));
    EXPECT_EQ(good.status, 200);
    EXPECT_EQ(good.text(), t->node_->pages["/v1/teetee/evidence"]);
    t->node_->pages["/v1/teetee/evidence"] = t->stage_->pages["/v1/teetee/evidence"];
    auto other = co_await t->Fetch(t->Request("GET", path));
    EXPECT_EQ(other.status, 502);
    auto unknown = co_await t->Fetch(
        t->Request("GET", "/v1/teetee/nodes/" + ToHex0x(Address{0x55}) + "/evidence"));
    EXPECT_EQ(unknown.status, 404);
  }(this));
}

TEST_F(HttpTest, ANodeThatNamesAnotherKeyIsNotReachable) {
  node_->pages["/healthz"] = stage_->pages["/healthz"];
  Run([](HttpTest* t) -> Task<void> {
    for (int i = 0; i < 200 && !t->gateway_->directory().IsReachable(t->stage_key_); ++i)
      co_await net::Sleep(net::Millis(10));
    EXPECT_TRUE(t->gateway_->directory().IsReachable(t->stage_key_));
    EXPECT_FALSE(t->gateway_->directory().IsReachable(t->head_));
  }(this));
}

TEST_F(HttpTest, ThePageHasAStrictPolicyAndMetricsNameNobody) {
  Run([](HttpTest* t) -> Task<void> {
    co_await t->HeadIsLive();
    auto page = co_await t->Fetch(t->Request("GET", "/"));
    EXPECT_EQ(page.status, 200);
    EXPECT_NE(page.headers.Find("Content-Security-Policy")->find("default-src 'self'"),
              std::string_view::npos);
    EXPECT_NE(page.text().find("Simulated evidence"), std::string_view::npos);
    auto style = co_await t->Fetch(t->Request("GET", "/status.css"));
    EXPECT_EQ(style.headers.Find("Content-Type"), "text/css; charset=utf-8");
    auto metrics = co_await t->Fetch(t->Request("GET", "/metrics"));
    EXPECT_NE(metrics.text().find("teetee_gateway_nodes 3\n"), std::string_view::npos);
    EXPECT_EQ(metrics.text().find('{'), std::string_view::npos) << "no labels";
    EXPECT_EQ(metrics.text().find("0x"), std::string_view::npos);
  }(this));
}

TEST_F(HttpTest, ASecondGatewayMayNotUseTheSameStateOrAddress) {
  // On the loop: what a failed Open has spawned must have begun before it is cancelled (Boost 1.81
  // throws otherwise).
  Run([](HttpTest* t) -> Task<void> {
    GatewaySettings s;
    s.listen = "127.0.0.1:0";
    s.rpc_url = "http://127.0.0.1:1";
    s.identity = kIdentity;
    s.state = t->folder_;
    EXPECT_EQ(Gateway::Open(t->io_, crypto::SigningKey::Generate(), s).error().code(),
              Code::kFailedPrecondition);
    s.listen = "127.0.0.1:" + std::to_string(t->gateway_->port());
    s.state = t->folder_ + "/other";
    EXPECT_EQ(Gateway::Open(t->io_, crypto::SigningKey::Generate(), s).error().code(),
              Code::kUnavailable);
    co_return;
  }(this));
}

}  // namespace
}  // namespace teetee::gateway
