// Frames of the attested channel and its control messages (docs/formats/channel.md). Parsing only:
// bytes to fields, no trust. Thread-compatible.
#pragma once

#include <string>

#include "base/bytes.h"
#include "transport/check.h"

namespace teetee::transport {

inline constexpr size_t kFrameHeader = 5;  // u32 payload length (little-endian), u8 type

// Types below 16 are the channel's own, the others the application's.
enum ControlType : uint8_t {
  kNonce = 1,    // asks for evidence
  kAttest = 2,   // evidence
  kVerdict = 3,  // what the evidence was found to be
  kPing = 4,
  kPong = 5,
};
inline constexpr uint8_t kFirstApplicationType = 16;

struct Frame {
  uint8_t type = 0;
  Bytes payload;
};

struct FrameHeader {
  uint32_t size = 0;  // bytes of payload
  uint8_t type = 0;
};

// kInvalidArgument (check channel.frame) for a size beyond max_payload or a type that does not
// exist.
Result<FrameHeader> DecodeFrameHeader(const ByteArray<kFrameHeader>& bytes, size_t max_payload);
ByteArray<kFrameHeader> EncodeFrameHeader(const FrameHeader& header);

inline constexpr uint8_t kMessageVersion = 1;
inline constexpr size_t kMaxCheckId = 64;  // bytes

using Nonce = ByteArray<32>;

struct AttestMessage {
  Bytes evidence;             // attest/format/evidence.h, report data of layout (b)
  Bytes collateral;           // JSON container
  ByteArray<65> signature{};  // of the signing key over the exporter (attestation.h)
  bool operator==(const AttestMessage&) const = default;
};

struct VerdictMessage {
  bool accepted = false;
  std::string check;  // the id of the check that failed; empty when accepted
};

// Accepted, or the check that the error names.
template <class T>
VerdictMessage VerdictOn(const Result<T>& outcome) {
  VerdictMessage out;
  out.accepted = outcome.has_value();
  if (!outcome) out.check = RefusedCheckId(outcome.error());
  return out;
}

// Largest payload before both verdicts: an ATTEST with evidence and collateral at their bounds.
size_t MaxControlPayload();

Bytes EncodeNonce(const Nonce& nonce);
Result<Nonce> DecodeNonce(ByteView payload);
Bytes EncodeAttest(const AttestMessage& message);
Result<AttestMessage> DecodeAttest(ByteView payload);
Bytes EncodeVerdict(const VerdictMessage& message);
Result<VerdictMessage> DecodeVerdict(ByteView payload);

}  // namespace teetee::transport
