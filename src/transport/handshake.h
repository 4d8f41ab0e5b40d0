// From a connection to two verdicts. docs/formats/channel.md section 4. Internal to transport.
// Threads: one io_context.
#pragma once

#include <memory>

#include "transport/channel.h"
#include "transport/frame_stream.h"

namespace teetee::transport {

// The facts that evidence on a channel is bound to; the same for its whole life.
struct ChannelFacts {
  attest::ChannelRole role;  // ours
  Hash32 own_spki_hash{};
  Hash32 peer_spki_hash{};

  attest::ChannelRole peer_role() const {
    return role == attest::ChannelRole::kClient ? attest::ChannelRole::kServer
                                                : attest::ChannelRole::kClient;
  }
  attest::ChannelBinding ForOurs(TlsSession& tls, const Nonce& peer_nonce) const;
  attest::ChannelBinding ForPeers(TlsSession& tls, const Nonce& our_nonce) const;
};

// On the thread pool.
net::Task<Result<AttestMessage>> MakeAttestOnPool(attest::ChannelBinding binding,
                                                  ChannelContext context);
net::Task<Result<attest::VerifiedPeer>> VerifyAttestOnPool(AttestMessage message,
                                                           attest::ChannelBinding binding,
                                                           ChannelContext context);

struct Established {
  std::unique_ptr<FrameStream> frames;
  ChannelFacts facts;
  attest::VerifiedPeer peer;
};

// No deadline of its own: the caller sets one around it.
net::Task<Result<Established>> Establish(attest::ChannelRole role,
                                         std::unique_ptr<net::Stream> stream,
                                         ChannelContext context, ExpectedPeer expected);

}  // namespace teetee::transport
