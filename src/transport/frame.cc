#include "transport/frame.h"

#include <algorithm>

#include "attest/collateral/collateral.h"
#include "attest/format/evidence.h"
#include "transport/check.h"

namespace teetee::transport {
namespace {

Error Bad(std::string_view what) { return attest::Refuse(check::kFrame, what); }

bool IsCheckIdChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
}

// u32 length, bytes.
Result<Bytes> ReadPart(ByteReader& reader, size_t most, std::string_view name) {
  uint32_t size = TT_TRY(reader.U32Le());
  if (size > most) return Bad(std::string(name) + " is larger than its bound");
  return ToBytes(TT_TRY(reader.View(size)));
}

Result<AttestMessage> ReadAttest(ByteView payload) {
  ByteReader reader(payload);
  AttestMessage out;
  if (TT_TRY(reader.U8()) != kMessageVersion) return Bad("ATTEST of another version");
  out.evidence = TT_TRY(ReadPart(reader, attest::kMaxEvidence, "evidence"));
  out.collateral = TT_TRY(ReadPart(reader, attest::kMaxCollateral, "collateral"));
  out.signature = TT_TRY(reader.Array<65>());
  TT_RETURN_IF_ERROR(reader.ExpectDone("ATTEST"));
  return out;
}

}  // namespace

std::string RefusedCheckId(const Error& error) {
  std::string_view text = error.message();
  size_t at = text.find("check ");
  if (at == std::string_view::npos) return "internal";
  std::string_view id = text.substr(at + 6);
  id = id.substr(0, id.find(':'));
  bool valid =
      !id.empty() && id.size() <= kMaxCheckId && std::all_of(id.begin(), id.end(), IsCheckIdChar);
  return valid ? std::string(id) : "internal";
}

Result<FrameHeader> DecodeFrameHeader(const ByteArray<kFrameHeader>& bytes, size_t max_payload) {
  ByteReader reader(bytes);
  FrameHeader out;
  out.size = TT_TRY(reader.U32Le());
  out.type = TT_TRY(reader.U8());
  if (out.size > max_payload) {
    return Bad("a frame of " + std::to_string(out.size) + " bytes, more than " +
               std::to_string(max_payload));
  }
  bool control = out.type >= kNonce && out.type <= kPong;
  if (!control && out.type < kFirstApplicationType) return Bad("a frame of unknown type");
  return out;
}

ByteArray<kFrameHeader> EncodeFrameHeader(const FrameHeader& header) {
  ByteArray<kFrameHeader> out;
  for (int i = 0; i < 4; ++i) out[i] = static_cast<uint8_t>(header.size >> (8 * i));
  out[4] = header.type;
  return out;
}

size_t MaxControlPayload() { return attest::kMaxEvidence + attest::kMaxCollateral + 128; }

Bytes EncodeNonce(const Nonce& nonce) { return ByteWriter().U8(kMessageVersion).Raw(nonce).Take(); }

Result<Nonce> DecodeNonce(ByteView payload) {
  if (payload.size() != 33 || payload[0] != kMessageVersion) return Bad("malformed NONCE");
  Nonce out;
  std::memcpy(out.data(), payload.data() + 1, out.size());
  return out;
}

Bytes EncodeAttest(const AttestMessage& message) {
  ByteWriter out;
  out.U8(kMessageVersion);
  out.U32Le(static_cast<uint32_t>(message.evidence.size())).Raw(message.evidence);
  out.U32Le(static_cast<uint32_t>(message.collateral.size())).Raw(message.collateral);
  return out.Raw(message.signature).Take();
}

Result<AttestMessage> DecodeAttest(ByteView payload) {
  auto out = ReadAttest(payload);
  if (!out && RefusedCheckId(out.error()) != check::kFrame.id)
    return attest::Refuse(check::kFrame, out.error());
  return out;
}

Bytes EncodeVerdict(const VerdictMessage& message) {
  return ByteWriter()
      .U8(message.accepted ? 1 : 0)
      .U8(static_cast<uint8_t>(message.check.size()))
      .Raw(message.check)
      .Take();
}

Result<VerdictMessage> DecodeVerdict(ByteView payload) {
  bool sized =
      payload.size() >= 2 && payload.size() == size_t{2} + payload[1] && payload[1] <= kMaxCheckId;
  if (!sized || payload[0] > 1) return Bad("malformed VERDICT");
  VerdictMessage out;
  out.accepted = payload[0] == 1;
  out.check = AsText(payload.subspan(2));
  // It goes into logs and error texts.
  if (!std::all_of(out.check.begin(), out.check.end(), IsCheckIdChar))
    return Bad("malformed VERDICT");
  if (out.accepted != out.check.empty()) return Bad("malformed VERDICT");
  return out;
}

}  // namespace teetee::transport
