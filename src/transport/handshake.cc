#include "transport/handshake.h"

#include "attest/format/evidence.h"
#include "crypto/random.h"
#include "transport/check.h"

namespace teetee::transport {
namespace {

using attest::ChannelRole;

// One handshake. The server quotes only for a client that it has verified: a quote costs more than
// a connection.
class Handshake {
 public:
  Handshake(ChannelRole role, ChannelContext context, ExpectedPeer expected)
      : context_(std::move(context)), expected_(expected) {
    facts_.role = role;
    facts_.own_spki_hash = context_.identity->tls_key().SpkiHash();
  }

  net::Task<Result<Established>> Run(std::unique_ptr<net::Stream> stream) {
    auto connected = co_await Connect(std::move(stream));
    TT_CO_CHECK(connected);
    our_nonce_ = crypto::RandomArray<32>();
    auto sent = co_await Write(kNonce, EncodeNonce(our_nonce_));
    TT_CO_CHECK(sent);
    auto nonce = co_await Expect(kNonce);
    TT_CO_CHECK(nonce);
    auto peer_nonce = DecodeNonce(*nonce);
    TT_CO_CHECK(peer_nonce);
    auto proved = co_await ProveBothWays(*peer_nonce);
    TT_CO_CHECK(proved);
    co_return Established{std::move(frames_), facts_, *std::move(peer_)};
  }

 private:
  net::Task<Status> Connect(std::unique_ptr<net::Stream> stream) {
    const NodeIdentity& identity = *context_.identity;
    auto check = [own = facts_.own_spki_hash, now = identity.now()](
                     const crypto::Certificate& peer) { return CheckCertificate(peer, own, now); };
    auto tls = TlsSession::Create(facts_.role, std::move(stream), identity.certificate(),
                                  identity.tls_key(), check);
    TT_CO_CHECK(tls);
    auto done = co_await (*tls)->Handshake(context_.options.handshake_timeout);
    TT_CO_CHECK(done);
    facts_.peer_spki_hash = (*tls)->peer_certificate().spki_hash();
    frames_ = std::make_unique<FrameStream>(*std::move(tls));
    co_return Ok{};
  }

  // g++ 12 destroys the outcome twice where both arms of a conditional expression co_await.
  net::Task<Status> ProveBothWays(Nonce peer_nonce) {
    if (facts_.role == ChannelRole::kClient) {
      auto accepted = co_await Prove(peer_nonce);
      TT_CO_CHECK(accepted);
      co_return co_await Judge();
    }
    auto judged = co_await Judge();
    TT_CO_CHECK(judged);
    co_return co_await Prove(peer_nonce);
  }

  net::Task<Status> Write(uint8_t type, Bytes payload) {
    co_return co_await frames_->Write(type, payload, context_.options.handshake_timeout);
  }

  net::Task<Result<Bytes>> Expect(uint8_t type) {
    auto frame = co_await frames_->Read(context_.options.handshake_timeout);
    TT_CO_CHECK(frame);
    if (frame->type >= kFirstApplicationType) {
      co_return attest::Refuse(check::kOrder, "an application frame before both verdicts");
    }
    if (frame->type != type) co_return attest::Refuse(check::kOrder, "a control frame out of turn");
    co_return std::move(frame->payload);
  }

  // Shows our evidence and waits for the peer's verdict.
  net::Task<Status> Prove(Nonce peer_nonce) {
    auto message = co_await MakeAttestOnPool(facts_.ForOurs(frames_->tls(), peer_nonce), context_);
    TT_CO_CHECK(message);
    auto sent = co_await Write(kAttest, EncodeAttest(*message));
    TT_CO_CHECK(sent);
    auto payload = co_await Expect(kVerdict);
    TT_CO_CHECK(payload);
    auto verdict = DecodeVerdict(*payload);
    TT_CO_CHECK(verdict);
    if (!verdict->accepted) {
      co_return Error(Code::kPermissionDenied,
                      "the peer refused our evidence (check " + verdict->check + ")");
    }
    co_return Ok{};
  }

  // Reads the peer's evidence and tells it the verdict.
  net::Task<Status> Judge() {
    auto payload = co_await Expect(kAttest);
    TT_CO_CHECK(payload);
    auto outcome = co_await Verify(*std::move(payload));
    auto told = co_await Write(kVerdict, EncodeVerdict(VerdictOn(outcome)));
    TT_CO_CHECK(outcome);
    co_return told;
  }

  net::Task<Status> Verify(Bytes payload) {
    auto message = DecodeAttest(payload);
    TT_CO_CHECK(message);
    Bytes collateral = message->collateral;
    auto peer = co_await VerifyAttestOnPool(*std::move(message),
                                            facts_.ForPeers(frames_->tls(), our_nonce_), context_);
    TT_CO_CHECK(peer);
    auto same = CheckCertificateEvidence(collateral, peer->claims());
    TT_CO_CHECK(same);
    auto wanted = CheckExpected(peer->claims(), expected_);
    TT_CO_CHECK(wanted);
    peer_ = *std::move(peer);
    co_return Ok{};
  }

  // With the collateral at hand the certificate's own evidence is held to the trust file too.
  Status CheckCertificateEvidence(ByteView collateral, const attest::Claims& claims) {
    const crypto::Certificate& certificate = frames_->tls().peer_certificate();
    Bytes extension = TT_TRY(certificate.Extension(attest::kEvidenceOid));
    auto expected = attest::ExpectedReportData::Certificate(certificate.spki_hash());
    auto shown = attest::VerifyEvidence(extension, collateral, expected, *context_.trust,
                                        context_.identity->now());
    if (!shown) return std::move(shown).error().Context("certificate");
    return CheckSameNode(shown->claims(), claims);
  }

  ChannelContext context_;
  ExpectedPeer expected_;
  ChannelFacts facts_{};
  Nonce our_nonce_{};
  std::unique_ptr<FrameStream> frames_;
  std::optional<attest::VerifiedPeer> peer_;
};

}  // namespace

attest::ChannelBinding ChannelFacts::ForOurs(TlsSession& tls, const Nonce& peer_nonce) const {
  return {role, own_spki_hash, peer_spki_hash, peer_nonce, tls.Exporter(role, peer_nonce)};
}

attest::ChannelBinding ChannelFacts::ForPeers(TlsSession& tls, const Nonce& our_nonce) const {
  return {peer_role(), peer_spki_hash, own_spki_hash, our_nonce,
          tls.Exporter(peer_role(), our_nonce)};
}

net::Task<Result<AttestMessage>> MakeAttestOnPool(attest::ChannelBinding binding,
                                                  ChannelContext context) {
  auto make = [binding, identity = context.identity, claims = context.identity->claims()] {
    return MakeAttest(binding, claims, identity->signing_key(), *identity->provider());
  };
  co_return co_await net::OnThread(*context.pool, std::move(make));
}

net::Task<Result<attest::VerifiedPeer>> VerifyAttestOnPool(AttestMessage message,
                                                           attest::ChannelBinding binding,
                                                           ChannelContext context) {
  auto verify = [message = std::move(message), binding, trust = context.trust,
                 now = context.identity->now()] {
    return VerifyAttest(message, binding, *trust, now);
  };
  co_return co_await net::OnThread(*context.pool, std::move(verify));
}

net::Task<Result<Established>> Establish(ChannelRole role, std::unique_ptr<net::Stream> stream,
                                         ChannelContext context, ExpectedPeer expected) {
  Handshake handshake(role, std::move(context), expected);
  co_return co_await handshake.Run(std::move(stream));
}

}  // namespace teetee::transport
