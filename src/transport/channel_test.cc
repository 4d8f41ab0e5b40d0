#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <atomic>
#include <thread>

#include "attest/format/evidence.h"
#include "attest/testing/quote_builder.h"
#include "crypto/random.h"
#include "net/testing/run.h"
#include "transport/channel_server.h"
#include "transport/check.h"
#include "transport/handshake.h"
#include "transport/probe.h"

namespace teetee::transport {
namespace {

using attest::ChannelRole;
using attest::testing::FakeProvider;
using attest::testing::kFakeNow;
using net::Millis;
using net::Task;
using net::testing::RunTask;

// Honest until told otherwise, as if other code ran there from then on. Thread-safe.
class TurncoatProvider : public attest::EvidenceProvider {
 public:
  explicit TurncoatProvider(const attest::simulated::Platform& platform)
      : honest_(platform), liar_(platform) {
    liar_.spec().td.mrtd[0] ^= 1;
  }
  Result<Bytes> Quote(const attest::ReportData& report_data) override {
    return turned_ ? liar_.Quote(report_data) : honest_.Quote(report_data);
  }
  Result<Bytes> Collateral() override { return honest_.Collateral(); }
  std::string_view kind() const override { return "simulated"; }
  void Turn() { turned_ = true; }

 private:
  FakeProvider honest_, liar_;
  std::atomic<bool> turned_{false};
};

struct Node {
  std::shared_ptr<attest::EvidenceProvider> provider;
  std::shared_ptr<NodeIdentity> identity;
  ChannelContext context;
};

class ChannelTest : public ::testing::Test {
 protected:
  ChannelTest() : trust_(std::make_shared<attest::TrustFile>(FakeProvider(platform_).Trust())) {}
  ~ChannelTest() override { pool_.join(); }

  Node MakeNode(
      uint32_t slot, const std::function<void(FakeProvider&)>& lie = [](FakeProvider&) {}) {
    return MakeNodeOn(platform_, slot, lie);
  }

  Node MakeNodeOn(
      const attest::simulated::Platform& platform, uint32_t slot,
      const std::function<void(FakeProvider&)>& lie = [](FakeProvider&) {}) {
    auto provider = std::make_shared<FakeProvider>(platform);
    lie(*provider);
    return MakeNodeWith(std::move(provider), slot);
  }

  Node MakeNodeWith(std::shared_ptr<attest::EvidenceProvider> provider, uint32_t slot) {
    Node node;
    node.provider = std::move(provider);
    attest::Claims claims = attest::testing::FakeClaims({}, *trust_);
    claims.slot = slot;
    claims.boot_id = crypto::RandomArray<16>();
    auto key = std::make_shared<crypto::SigningKey>(crypto::SigningKey::Generate());
    auto identity = NodeIdentity::Create(claims, key, node.provider, [] { return kFakeNow; });
    EXPECT_TRUE(identity) << identity.error().message();
    node.identity = *identity;
    node.context = {node.identity, trust_, &pool_, options_};
    return node;
  }

  // A server that echoes application frames and keeps the peer's address.
  void Serve(const Node& node) {
    auto handler = [this](std::unique_ptr<Channel> channel) -> Task<void> {
      last_peer_ = channel->peer().claims().signing_address;
      for (;;) {
        auto frame = co_await channel->Receive();
        if (!frame) {
          last_end_ = frame.error().message();
          co_return;
        }
        ++frames_;
        auto sent = co_await channel->Send(frame->type, frame->payload);
        if (!sent) co_return;
      }
    };
    auto server = ChannelServer::Listen(io_, "127.0.0.1:0", node.context, handler);
    ASSERT_TRUE(server) << server.error().message();
    server_ = *std::move(server);
  }

  std::string Address() const { return "127.0.0.1:" + std::to_string(server_->port()); }

  Task<void> WaitForRefusal() {
    for (int i = 0; i < 500 && server_->refused() == 0; ++i) co_await net::Sleep(Millis(10));
  }

  // The liar dials an honest server, then serves an honest client: both must name the check.
  void ExpectRefusedBothWays(const Node& liar, const std::string& check) {
    Node honest = MakeNode(0);
    Serve(honest);
    auto as_client = [&]() -> Task<void> {
      auto channel = co_await Dial(Address(), liar.context);
      CO_ASSERT_TRUE(!channel);
      co_await WaitForRefusal();
      EXPECT_NE(server_->last_refusal().find("check " + check + ":"), std::string::npos)
          << server_->last_refusal();
      EXPECT_NE(channel.error().message().find(check), std::string::npos)
          << channel.error().message();
      EXPECT_EQ(server_->channels(), 0u);
    };
    RunTask(io_, as_client());
    Serve(
        liar);  // the liar itself accepts whoever calls, so that its own refusal does not hide ours
    auto as_server = [&]() -> Task<void> {
      auto channel = co_await Dial(Address(), honest.context);
      CO_ASSERT_TRUE(!channel);
      EXPECT_NE(channel.error().message().find("check " + check + ":"), std::string::npos)
          << channel.error().message();
    };
    RunTask(io_, as_server());
  }

  // A TLS session with this node's key, for peers that then misbehave. Any server certificate will
  // do.
  Task<Result<std::unique_ptr<FrameStream>>> RawDial(
      Node node, const crypto::Certificate* certificate = nullptr) {
    auto stream = co_await net::TcpStream::Connect(Address(), Millis(5000));
    TT_CO_CHECK(stream);
    auto any = [](const crypto::Certificate&) -> Status { return Ok{}; };
    auto tls = TlsSession::Create(ChannelRole::kClient, *std::move(stream),
                                  certificate ? *certificate : node.identity->certificate(),
                                  node.identity->tls_key(), any);
    TT_CO_CHECK(tls);
    auto done = co_await (*tls)->Handshake(Millis(5000));
    TT_CO_CHECK(done);
    co_return std::make_unique<FrameStream>(*std::move(tls));
  }

  struct Raw {
    std::unique_ptr<FrameStream> frames;
    ChannelFacts facts;
    Nonce server_nonce{};
    AttestMessage honest;  // what an honest client would answer here
  };

  // Up to the point where the client owes its ATTEST.
  Task<Result<Raw>> RawUntilAttest(Node node) {
    auto frames = co_await RawDial(node);
    TT_CO_CHECK(frames);
    Raw raw;
    raw.frames = *std::move(frames);
    raw.facts.role = ChannelRole::kClient;
    raw.facts.own_spki_hash = node.identity->tls_key().SpkiHash();
    raw.facts.peer_spki_hash = raw.frames->tls().peer_certificate().spki_hash();
    Bytes nonce = EncodeNonce(crypto::RandomArray<32>());
    auto sent = co_await raw.frames->Write(kNonce, nonce, Millis(5000));
    TT_CO_CHECK(sent);
    auto frame = co_await raw.frames->Read(Millis(5000));
    TT_CO_CHECK(frame);
    auto server_nonce = DecodeNonce(frame->payload);
    TT_CO_CHECK(server_nonce);
    raw.server_nonce = *server_nonce;
    auto message = co_await MakeAttestOnPool(raw.facts.ForOurs(raw.frames->tls(), raw.server_nonce),
                                             node.context);
    TT_CO_CHECK(message);
    raw.honest = *std::move(message);
    co_return std::move(raw);
  }

  // Sends the message as ATTEST and returns the id of the check in the verdict ("" if accepted).
  Task<std::string> VerdictOn(Raw& raw, AttestMessage message) {
    Bytes payload = EncodeAttest(message);
    (void)co_await raw.frames->Write(kAttest, payload, Millis(5000));
    auto frame = co_await raw.frames->Read(Millis(5000));
    if (!frame) co_return "no verdict: " + frame.error().message();
    auto verdict = DecodeVerdict(frame->payload);
    co_return verdict ? verdict->check : "malformed";
  }

  net::IoContext io_{1};
  net::ThreadPool pool_{2};
  ChannelOptions options_;
  attest::simulated::Platform platform_ = attest::testing::FakePlatform();
  std::shared_ptr<const attest::TrustFile> trust_;
  std::unique_ptr<ChannelServer> server_;
  crypto::Address last_peer_{};
  std::string last_end_;
  int frames_ = 0;
};

// ---- evidence ----

TEST_F(ChannelTest, RefusesAWrongMeasurement) {
  ExpectRefusedBothWays(MakeNode(1, [](FakeProvider& p) { p.spec().td.mrtd[0] ^= 1; }),
                        "measurement");
}

TEST_F(ChannelTest, RefusesTheDebugBit) {
  ExpectRefusedBothWays(
      MakeNode(1, [](FakeProvider& p) { p.spec().td.td_attributes |= attest::kTdDebug; }),
      "tdx.debug");
}

TEST_F(ChannelTest, RefusesAnotherRoot) {
  ExpectRefusedBothWays(MakeNodeOn(attest::testing::FakePlatform(), 1), "pck.root");
}

TEST_F(ChannelTest, AProductionNodeDialsNoAddressInsideThatAPlanNames) {
  Node node = MakeNode(0);
  Json json = trust_->ToJson();
  json.Set("class", "production");
  json.Set("roots", Json::MakeArray().Push(ToHex(attest::kIntelRootSpkiHash)));
  auto production = attest::TrustFile::Parse(json.Dump());
  ASSERT_TRUE(production) << production.error().message();
  node.context.trust = std::make_shared<attest::TrustFile>(*production);
  auto body = [&]() -> Task<void> {
    for (std::string address : {"127.0.0.1:1", "169.254.169.254:80", "[::1]:1", "10.0.0.1:1"}) {
      auto channel = co_await Dial(address, node.context);
      EXPECT_FALSE(channel);
      if (!channel) {
        EXPECT_NE(channel.error().message().find("check egress"), std::string::npos) << channel.error().message();
      }
    }
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, RefusesSimulatedEvidenceUnderAProductionTrustFile) {
  Json json = trust_->ToJson();
  json.Set("class", "production");
  Json roots = Json::MakeArray();
  roots.Push(ToHex(attest::kIntelRootSpkiHash));
  json.Set("roots", std::move(roots));
  auto production = attest::TrustFile::Parse(json.Dump());
  ASSERT_TRUE(production) << production.error().message();
  Node server = MakeNode(0), client = MakeNode(1);
  server.context.trust = std::make_shared<attest::TrustFile>(*production);
  Serve(server);
  auto body = [&]() -> Task<void> {
    auto channel = co_await Dial(Address(), client.context);
    CO_ASSERT_TRUE(!channel);
    EXPECT_NE(channel.error().message().find("evidence.class"), std::string::npos)
        << channel.error().message();
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, RefusesEvidenceReplayedFromAnotherChannel) {
  Serve(MakeNode(0));
  Node client = MakeNode(1);
  auto body = [&]() -> Task<void> {
    auto first = co_await RawUntilAttest(client);
    CO_ASSERT_OK(first);
    AttestMessage captured = first->honest;
    std::string verdict = co_await VerdictOn(*first, captured);
    EXPECT_EQ(verdict, "");
    auto second = co_await RawUntilAttest(client);
    CO_ASSERT_OK(second);
    verdict = co_await VerdictOn(*second, captured);
    EXPECT_EQ(verdict, "report_data");
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, RefusesTheCertificatesEvidenceInPlaceOfTheChannels) {
  Serve(MakeNode(0));
  Node client = MakeNode(1);
  auto body = [&]() -> Task<void> {
    auto raw = co_await RawUntilAttest(client);
    CO_ASSERT_OK(raw);
    AttestMessage message = raw->honest;
    message.evidence = client.identity->evidence();
    std::string verdict = co_await VerdictOn(*raw, message);
    EXPECT_EQ(verdict, "report_data");
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, RefusesMyOwnKeyReflected) {
  Node node = MakeNode(0);
  Serve(node);
  auto body = [&]() -> Task<void> {
    auto channel = co_await Dial(Address(), node.context);
    CO_ASSERT_TRUE(!channel);
    EXPECT_NE(channel.error().message().find("check channel.reflection:"), std::string::npos)
        << channel.error().message();
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, RefusesEvidenceOfAnotherNodeRelayed) {
  Serve(MakeNode(0));
  Node client = MakeNode(1), victim = MakeNode(2);
  auto body = [&]() -> Task<void> {
    auto raw = co_await RawUntilAttest(client);
    CO_ASSERT_OK(raw);
    auto binding = raw->facts.ForOurs(raw->frames->tls(), raw->server_nonce);
    auto relayed = co_await MakeAttestOnPool(
        binding, victim.context);  // genuine, for this very channel, of another node
    CO_ASSERT_OK(relayed);
    std::string verdict = co_await VerdictOn(*raw, *relayed);
    EXPECT_EQ(verdict, "claims.tls_key");
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, RefusesASignatureOverTheExporterByAnotherKey) {
  Serve(MakeNode(0));
  Node client = MakeNode(1);
  auto body = [&]() -> Task<void> {
    auto raw = co_await RawUntilAttest(client);
    CO_ASSERT_OK(raw);
    auto binding = raw->facts.ForOurs(raw->frames->tls(), raw->server_nonce);
    Bytes claims = attest::EncodeClaims(client.identity->claims());
    Hash32 digest = ChannelKeyDigest(ChannelRole::kClient, binding.exporter, claims);
    AttestMessage message = raw->honest;
    message.signature = crypto::SigningKey::Generate().Sign(digest).bytes();
    std::string verdict = co_await VerdictOn(*raw, message);
    EXPECT_EQ(verdict, "channel.signature");
    auto again = co_await RawUntilAttest(client);
    CO_ASSERT_OK(again);
    message = again->honest;
    message.signature = raw->honest.signature;  // of the right key, over another exporter
    verdict = co_await VerdictOn(*again, message);
    EXPECT_EQ(verdict, "channel.signature");
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, RefusesAnotherKeySlotModelOrHostThanExpected) {
  Node server = MakeNode(3), client = MakeNode(1);
  Serve(server);
  auto body = [&]() -> Task<void> {
    std::vector<ExpectedPeer> wrong(4);
    wrong[0].key = client.identity->claims().signing_address;
    wrong[1].slot = 2;
    wrong[2].model = Hash32{9};
    wrong[3].host = crypto::Address{9};
    for (const ExpectedPeer& expected : wrong) {
      auto channel = co_await Dial(Address(), client.context, expected);
      CO_ASSERT_TRUE(!channel);
      EXPECT_EQ(channel.error().code(), Code::kPermissionDenied);
      EXPECT_NE(channel.error().message().find("check channel.expected:"), std::string::npos)
          << channel.error().message();
    }
    ExpectedPeer right;
    right.key = server.identity->claims().signing_address;
    right.slot = 3;
    right.model = server.identity->claims().model;
    auto channel = co_await Dial(Address(), client.context, right);
    CO_ASSERT_OK(channel);
  };
  RunTask(io_, body());
}

// ---- TLS ----

TEST_F(ChannelTest, RefusesACertificateWithoutOrWithForeignEvidence) {
  Serve(MakeNode(0));
  Node client = MakeNode(1), other = MakeNode(2);
  crypto::CertificateSpec spec;
  spec.common_name = "x";
  spec.validity = {kFakeNow - 10, kFakeNow + 10};
  auto bare = crypto::BuildSelfSigned(spec, client.identity->tls_key());
  spec.extensions.push_back({std::string(attest::kEvidenceOid), other.identity->evidence(), false});
  auto foreign = crypto::BuildSelfSigned(spec, client.identity->tls_key());
  spec.extensions[0].value = client.identity->evidence();
  spec.validity = {kFakeNow - 20, kFakeNow - 10};
  auto expired = crypto::BuildSelfSigned(spec, client.identity->tls_key());
  ASSERT_TRUE(bare && foreign && expired);
  auto body = [&]() -> Task<void> {
    const std::pair<crypto::Certificate, std::string> cases[] = {
        {*bare, "check channel.certificate:"},
        {*foreign, "check claims.tls_key:"},
        {*expired, "check channel.certificate:"}};
    size_t refused = 0;
    for (const auto& [certificate, check] : cases) {
      auto frames = co_await RawDial(client, &certificate);
      if (frames) {
        auto frame = co_await (*frames)->Read(Millis(5000));
        EXPECT_FALSE(frame);
      }
      ++refused;
      for (int i = 0; i < 500 && server_->refused() < refused; ++i) co_await net::Sleep(Millis(10));
      EXPECT_TRUE(server_->last_refusal().starts_with(check)) << server_->last_refusal();
    }
  };
  RunTask(io_, body());
}

// Connects with plain OpenSSL on a thread of its own and reads until the server is done with it.
void ForeignTlsPeer(uint16_t port, int max_version, bool alpn) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_max_proto_version(context, max_version);
  if (alpn)
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>("\x10teetee-channel/1"),
                            17);
  BIO* bio = BIO_new_ssl_connect(context);
  BIO_set_conn_hostname(bio, ("127.0.0.1:" + std::to_string(port)).c_str());
  char byte;
  if (BIO_do_connect(bio) > 0 && BIO_do_handshake(bio) > 0) {
    while (BIO_read(bio, &byte, 1) > 0) {
    }
  }
  BIO_free_all(bio);
  SSL_CTX_free(context);
}

TEST_F(ChannelTest, RefusesTls12NoCertificateAndOtherProtocols) {
  Serve(MakeNode(0));
  struct {
    int version;
    bool alpn;
    const char* words;
  } cases[] = {{TLS1_2_VERSION, true, "check channel.tls: unsupported protocol"},
               {TLS1_3_VERSION, true, "check channel.tls: peer did not return a certificate"},
               {TLS1_3_VERSION, false, "check channel.tls:"}};
  size_t refused = 0;
  for (const auto& peer : cases) {
    std::thread thread(ForeignTlsPeer, server_->port(), peer.version, peer.alpn);
    ++refused;
    auto body = [&]() -> Task<void> {
      for (int i = 0; i < 500 && server_->refused() < refused; ++i) co_await net::Sleep(Millis(10));
      EXPECT_EQ(server_->refused(), refused);
      EXPECT_TRUE(server_->last_refusal().starts_with(peer.words)) << server_->last_refusal();
    };
    RunTask(io_, body());
    thread.join();
  }
}

TEST_F(ChannelTest, RefusesAHandshakeThatStalls) {
  options_.handshake_timeout = Millis(200);
  Serve(MakeNode(0));
  Node client = MakeNode(1);
  auto body = [&]() -> Task<void> {
    auto silent = co_await net::TcpStream::Connect(Address(), Millis(5000));
    CO_ASSERT_OK(silent);
    co_await WaitForRefusal();
    EXPECT_TRUE(server_->last_refusal().starts_with("check channel.deadline:"))
        << server_->last_refusal();
    auto after_tls = co_await RawUntilAttest(client);  // and then says nothing
    CO_ASSERT_OK(after_tls);
    for (int i = 0; i < 500 && server_->refused() < 2; ++i) co_await net::Sleep(Millis(10));
    EXPECT_TRUE(server_->last_refusal().starts_with("check channel.deadline:"))
        << server_->last_refusal();
  };
  RunTask(io_, body());
}

// ---- frames ----

TEST_F(ChannelTest, RefusesApplicationFramesBeforeTheVerdicts) {
  Serve(MakeNode(0));
  Node client = MakeNode(1);
  auto body = [&]() -> Task<void> {
    auto raw = co_await RawUntilAttest(client);
    CO_ASSERT_OK(raw);
    Bytes payload = {1, 2, 3};
    (void)co_await raw->frames->Write(kFirstApplicationType, payload, Millis(5000));
    co_await WaitForRefusal();
    EXPECT_TRUE(server_->last_refusal().starts_with("check channel.order: an application frame"))
        << server_->last_refusal();
    EXPECT_EQ(frames_, 0);
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, RefusesOversizedFrames) {
  options_.max_frame = 8u << 20;
  Serve(MakeNode(0));
  Node client = MakeNode(1);
  auto body = [&]() -> Task<void> {
    auto raw = co_await RawUntilAttest(client);
    CO_ASSERT_OK(raw);
    auto head = EncodeFrameHeader({static_cast<uint32_t>(MaxControlPayload()) + 1, kAttest});
    (void)co_await raw->frames->tls().Write(head, {}, Millis(5000));
    co_await WaitForRefusal();
    EXPECT_TRUE(server_->last_refusal().starts_with("check channel.frame:"))
        << server_->last_refusal();
    Node generous = client;
    generous.context.options.max_frame = 16u << 20;
    auto channel = co_await Dial(Address(), generous.context);
    CO_ASSERT_OK(channel);
    Bytes large((8u << 20) + 1);
    (void)co_await (*channel)->Send(16, large);
    for (int i = 0; i < 500 && last_end_.empty(); ++i) co_await net::Sleep(Millis(10));
    EXPECT_TRUE(last_end_.starts_with("check channel.frame:")) << last_end_;
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, ClosesWhenEvidenceIsAskedForTooOften) {
  Serve(MakeNode(0));
  Node client = MakeNode(1);
  client.context.options.reattest_every = Millis(100);
  auto body = [&]() -> Task<void> {
    auto channel = co_await Dial(Address(), client.context);
    CO_ASSERT_OK(channel);
    co_await (*channel)->WaitClosed();
    for (int i = 0; i < 500 && last_end_.empty(); ++i) co_await net::Sleep(Millis(10));
    EXPECT_TRUE(last_end_.starts_with("check channel.rate:")) << last_end_;
  };
  RunTask(io_, body());
}

// ---- what works ----

TEST_F(ChannelTest, CarriesFramesBothWaysAndKnowsThePeer) {
  Node server = MakeNode(0), client = MakeNode(1);
  Serve(server);
  auto body = [&]() -> Task<void> {
    auto dialled = co_await Dial(Address(), client.context);
    CO_ASSERT_OK(dialled);
    Channel& channel = **dialled;
    EXPECT_EQ(channel.peer().claims(), server.identity->claims());
    EXPECT_TRUE(channel.fresh());
    for (size_t size :
         {size_t{0}, size_t{1}, size_t{16379}, size_t{16380}, size_t{300'000}, size_t{8} << 20}) {
      Bytes payload(size);
      if (size > 0) crypto::RandomBytes(payload.data(), payload.size());
      auto sent = co_await channel.Send(17, payload);
      CO_ASSERT_OK(sent);
      auto echo = co_await channel.Receive();
      CO_ASSERT_OK(echo);
      EXPECT_EQ(echo->type, 17);
      EXPECT_EQ(echo->payload, payload);
    }
    EXPECT_EQ(last_peer_, client.identity->claims().signing_address);
    dialled->reset();
    for (int i = 0; i < 500 && server_->channels() > 0; ++i) co_await net::Sleep(Millis(10));
    EXPECT_EQ(server_->channels(), 0u);
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, PutsConcurrentSendsInOrder) {
  Serve(MakeNode(0));
  Node client = MakeNode(1);
  auto body = [&]() -> Task<void> {
    auto dialled = co_await Dial(Address(), client.context);
    CO_ASSERT_OK(dialled);
    Channel* channel = dialled->get();
    net::TaskGroup group(co_await net::CurrentExecutor());
    auto send = [](Channel* to, uint8_t i) -> Task<void> {
      Bytes payload(20'000 + 100u * i, i);
      auto sent = co_await to->Send(16, payload);
      EXPECT_TRUE(sent);
    };
    for (uint8_t i = 0; i < 50; ++i) group.Spawn(send(channel, i));
    for (uint8_t i = 0; i < 50; ++i) {
      auto frame = co_await channel->Receive();
      CO_ASSERT_OK(frame);
      EXPECT_EQ(frame->payload, Bytes(20'000 + 100u * i, i));
    }
    co_await group.Join();
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, HoldsBackASenderWhoseFramesNobodyTakes) {
  options_.max_inbox = 1u << 20;
  options_.write_timeout = Millis(300);
  Node client = MakeNode(1), server = MakeNode(0);
  auto handler = [](std::unique_ptr<Channel> channel) -> Task<void> {
    co_await channel->WaitClosed();
  };
  auto listening = ChannelServer::Listen(io_, "127.0.0.1:0", server.context, handler);
  ASSERT_TRUE(listening);
  server_ = *std::move(listening);
  auto body = [&]() -> Task<void> {
    auto dialled = co_await Dial(Address(), client.context);
    CO_ASSERT_OK(dialled);
    Bytes payload(1u << 20);
    Status sent = Ok{};
    int count = 0;
    for (; sent && count < 200; ++count) sent = co_await (*dialled)->Send(16, payload);
    CO_ASSERT_TRUE(!sent);
    EXPECT_EQ(sent.error().code(), Code::kDeadlineExceeded);
    EXPECT_LT(count, 60);
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, MovesDataFast) {
  Serve(MakeNode(0));
  Node client = MakeNode(1);
  auto body = [&]() -> Task<void> {
    auto dialled = co_await Dial(Address(), client.context);
    CO_ASSERT_OK(dialled);
    Bytes payload(32u << 10);
    auto start = net::SteadyClock::now();
    constexpr int kRounds = 500;
    for (int i = 0; i < kRounds; ++i) {
      (void)co_await (*dialled)->Send(16, payload);
      auto echo = co_await (*dialled)->Receive();
      CO_ASSERT_OK(echo);
    }
    auto us = std::chrono::duration_cast<std::chrono::microseconds>(net::SteadyClock::now() - start)
                  .count() /
              kRounds;
    RecordProperty("round_trip_32k_us", static_cast<int>(us));
    std::printf("32 KiB round trip: %d us\n", static_cast<int>(us));
    EXPECT_LT(us, 20'000);
  };
  RunTask(io_, body());
}

// ---- time ----

TEST_F(ChannelTest, RenewsEvidenceWhileItIsOpen) {
  options_.reattest_every = Millis(60);
  options_.min_attest_interval = Millis(0);
  Node server = MakeNode(0), client = MakeNode(1);
  Serve(server);
  auto body = [&]() -> Task<void> {
    auto dialled = co_await Dial(Address(), client.context);
    CO_ASSERT_OK(dialled);
    attest::Claims claims = server.identity->claims();
    Hash32 before = (*dialled)->peer().evidence_hash();
    claims.block_number += 5;
    auto refreshed = co_await server.identity->Refresh(claims, pool_);
    CO_ASSERT_OK(refreshed);
    for (int i = 0; i < 500 && (*dialled)->peer().claims().block_number != claims.block_number;
         ++i) {
      co_await net::Sleep(Millis(10));
    }
    EXPECT_EQ((*dialled)->peer().claims().block_number, claims.block_number);
    EXPECT_NE((*dialled)->peer().evidence_hash(), before);
    EXPECT_TRUE((*dialled)->fresh());
    Bytes payload = {5};
    (void)co_await (*dialled)->Send(16, payload);
    auto echo = co_await (*dialled)->Receive();
    CO_ASSERT_OK(echo);
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, TakesNoNewWorkAfterAFailedRenewalAndClosesInTheEnd) {
  options_.reattest_every = Millis(100);
  options_.min_attest_interval = Millis(0);
  options_.close_after = Millis(800);
  auto provider = std::make_shared<TurncoatProvider>(platform_);
  Node server = MakeNodeWith(provider, 0), client = MakeNode(1);
  Serve(server);
  auto body = [&]() -> Task<void> {
    auto dialled = co_await Dial(Address(), client.context);
    CO_ASSERT_OK(dialled);
    provider->Turn();
    for (int i = 0; i < 100 && (*dialled)->fresh(); ++i) co_await net::Sleep(Millis(10));
    EXPECT_FALSE((*dialled)->fresh());
    EXPECT_FALSE((*dialled)->closed());
    auto end = co_await (*dialled)->Receive();
    CO_ASSERT_TRUE(!end);
    EXPECT_TRUE((*dialled)->closed());
    EXPECT_FALSE((*dialled)->fresh());
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, APeerMayNotBecomeAnotherNode) {
  options_.reattest_every = Millis(60);
  options_.min_attest_interval = Millis(0);
  options_.close_after = Millis(2000);
  Node server = MakeNode(0), client = MakeNode(1);
  Serve(server);
  auto body = [&]() -> Task<void> {
    auto dialled = co_await Dial(Address(), client.context);
    CO_ASSERT_OK(dialled);
    attest::Claims claims = server.identity->claims();
    claims.slot = 7;
    auto refreshed = co_await server.identity->Refresh(claims, pool_);
    CO_ASSERT_OK(refreshed);
    for (int i = 0; i < 100 && (*dialled)->fresh(); ++i) co_await net::Sleep(Millis(10));
    EXPECT_FALSE((*dialled)->fresh());
    EXPECT_EQ((*dialled)->peer().claims().slot, 0u);
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, AProbeSeesTheTlsKeyAndOpensNoChannel) {
  Node node = MakeNode(1);
  Serve(node);
  auto body = [&]() -> Task<void> {
    net::AddressRule nowhere = [](std::string_view) -> Status { return Error(Code::kPermissionDenied, "no"); };
    auto refused = co_await ProbeChannel(Address(), Millis(5000), nowhere);
    CO_ASSERT_TRUE(!refused);
    EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
    auto seen = co_await ProbeChannel(Address(), Millis(5000), nullptr);
    CO_ASSERT_OK(seen);
    EXPECT_EQ(*seen, node.identity->tls_key().SpkiHash());
    co_await WaitForRefusal();
    EXPECT_EQ(server_->channels(), 0u);
    auto listener = net::TcpListener::Listen(io_, "127.0.0.1:0");
    auto silent = co_await ProbeChannel("127.0.0.1:" + std::to_string((*listener)->port()), Millis(100), nullptr);
    CO_ASSERT_TRUE(!silent);
    EXPECT_EQ(silent.error().code(), Code::kDeadlineExceeded);
  };
  RunTask(io_, body());
}

TEST_F(ChannelTest, StopEndsHandlersAndChannels) {
  Serve(MakeNode(0));
  Node client = MakeNode(1);
  auto body = [&]() -> Task<void> {
    auto dialled = co_await Dial(Address(), client.context);
    CO_ASSERT_OK(dialled);
    co_await server_->Stop();
    auto end = co_await (*dialled)->Receive();
    EXPECT_FALSE(end);
    auto again = co_await Dial(Address(), client.context);
    CO_ASSERT_TRUE(!again);
    EXPECT_EQ(again.error().code(), Code::kUnavailable);
  };
  RunTask(io_, body());
}

}  // namespace
}  // namespace teetee::transport
