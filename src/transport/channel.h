// The attested channel: an encrypted, authenticated connection between two nodes that have both
// proved what they run, before the first application byte, and go on proving it.
// docs/formats/channel.md; what it protects against is said there. Threads: one io_context; quotes
// are made and judged on the thread pool. Errors: a refusal reads "check ID: ..." (attest/check.h,
// transport/check.h). kUnavailable when the peer cannot be reached or leaves; "the peer refused our
// evidence (check ID)" is kPermissionDenied.
#pragma once

#include <memory>
#include <string>

#include "attest/policy/trust_file.h"
#include "attest/verify/peer.h"
#include "base/bytes.h"
#include "net/async.h"
#include "net/socket.h"
#include "transport/attestation.h"
#include "transport/frame.h"
#include "transport/identity.h"

namespace teetee::transport {

struct ChannelOptions {
  net::Millis handshake_timeout{15'000};  // connection, TLS and both verdicts
  size_t max_frame = 64u << 20;           // bytes of payload, both ways
  size_t max_inbox = 128u << 20;          // bytes received and not yet taken; then the peer waits
  size_t max_waiting_sends = 1024;        // Send calls that wait for their turn; more are refused
  net::Millis write_timeout{30'000};      // for each 256 KiB to be taken by the peer
  net::Millis ping_every{15'000};
  net::Millis silent_after{60'000};  // without any frame: the peer is gone
  net::Millis reattest_every{600'000};
  net::Millis attest_within{60'000};   // from our nonce to the peer's evidence
  net::Millis close_after{1'200'000};  // since the last evidence that held
  net::Millis min_attest_interval{
      20'000};  // evidence asked for more often closes the channel: quotes are costly
};

// What both ends of every channel of a node share.
struct ChannelContext {
  std::shared_ptr<NodeIdentity> identity;
  std::shared_ptr<const attest::TrustFile> trust;
  net::ThreadPool* pool;  // outlives every channel
  ChannelOptions options;
};

class Channel {
 public:
  // Closes it.
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Sends one application frame. Calls of several tasks are put in the order of the calls; each
  // returns when the frame has been handed to the system. The payload must live until then.
  // REQUIRES: type >= kFirstApplicationType, payload within max_frame. kResourceExhausted when too
  // many calls wait. Cancelling a call that has begun to send closes the channel.
  net::Task<Status> Send(uint8_t type, ByteView payload);
  // The next application frame; control frames are answered inside. After the end: what ended the
  // channel. One caller at a time.
  net::Task<Result<Frame>> Receive();

  // Renewed in place by each re-attestation: the node stays the same, the block of its claims
  // moves.
  const attest::VerifiedPeer& peer() const;
  // False: take no new work over this channel (the peer's or our evidence was refused or is late).
  bool fresh() const;
  bool closed() const;
  net::Task<void> WaitClosed();
  void Close();
  const std::string& remote() const;  // numeric address

 private:
  struct Impl;
  friend class ChannelMaker;
  explicit Channel(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

// Connects to "host:port", proves itself, verifies the peer and what is expected of it.
net::Task<Result<std::unique_ptr<Channel>>> Dial(std::string address, ChannelContext context,
                                                 ExpectedPeer expected = {});

// The accepting side over a connection that is there already.
net::Task<Result<std::unique_ptr<Channel>>> Accept(std::unique_ptr<net::TcpStream> stream,
                                                   ChannelContext context);

}  // namespace teetee::transport
