#include "pipeline/frames.h"

#include <bit>

namespace teetee::pipeline {
namespace {

constexpr size_t kMaxErrorText = 1024;  // bytes

Error Malformed(const char* what) { return Error(Code::kInvalidArgument, what); }

bool IsFinite(float value) {
  return (std::bit_cast<uint32_t>(value) & 0x7fffffffu) < 0x7f800000u;
}

Status ExpectZeros(ByteReader& reader, size_t count) {
  ByteView view = TT_TRY(reader.View(count));
  for (uint8_t byte : view) {
    if (byte != 0) return Malformed("reserved bytes are not zero");
  }
  return Ok{};
}

}  // namespace

Result<FrameHead> ReadHead(ByteReader& reader) {
  FrameHead head;
  head.sequence = TT_TRY(reader.Array<16>());
  head.generation = TT_TRY(reader.U32Le());
  return head;
}

void WriteHead(ByteWriter& writer, const FrameHead& head) {
  writer.Raw(head.sequence).U32Le(head.generation);
}

Result<ActFrame> ParseAct(ByteView payload, uint32_t dim, uint32_t max_rows) {
  ByteReader reader(payload);
  ActFrame frame;
  frame.head = TT_TRY(ReadHead(reader));
  frame.position = TT_TRY(reader.U64Le());
  frame.rows = TT_TRY(reader.U32Le());
  frame.dim = TT_TRY(reader.U32Le());
  uint8_t sample = TT_TRY(reader.U8());
  frame.group = TT_TRY(reader.U8());
  TT_RETURN_IF_ERROR(ExpectZeros(reader, 2));
  if (frame.dim != dim) return Malformed("ACT: another dimension than this model's");
  if (frame.rows == 0 || frame.rows > max_rows) return Malformed("ACT: number of rows out of range");
  if (sample > 2) return Malformed("ACT: unknown sampling");
  frame.sample = static_cast<Sampling>(sample);
  if (frame.sample == Sampling::kEach && frame.rows > kMaxDraftRows) return Malformed("ACT: a draft too long");
  size_t count = size_t{frame.rows} * dim;
  if (reader.remaining() != count * sizeof(float)) return Malformed("ACT: wrong length");
  frame.x.resize(count);
  ByteView data = TT_TRY(reader.View(count * sizeof(float)));
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(frame.x.data(), data.data(), data.size());
  for (float value : frame.x) {
    if (!IsFinite(value)) return Malformed("ACT: a value is not finite");
  }
  return frame;
}

Bytes Serialize(const ActFrame& frame) {
  ByteWriter writer;
  WriteHead(writer, frame.head);
  writer.U64Le(frame.position).U32Le(frame.rows).U32Le(frame.dim).U8(static_cast<uint8_t>(frame.sample)).U8(frame.group).Zeros(2);
  writer.Raw(ByteView(reinterpret_cast<const uint8_t*>(frame.x.data()),
                      frame.x.size() * sizeof(float)));
  return writer.Take();
}

Result<TokenFrame> ParseToken(ByteView payload) {
  ByteReader reader(payload);
  TokenFrame frame;
  frame.head = TT_TRY(ReadHead(reader));
  frame.position = TT_TRY(reader.U64Le());
  frame.id = TT_TRY(reader.U32Le());
  frame.logprob = TT_TRY(reader.F32Le());
  uint8_t count = TT_TRY(reader.U8());
  TT_RETURN_IF_ERROR(ExpectZeros(reader, 3));
  if (count > kMaxAlternatives) return Malformed("TOKEN: too many alternatives");
  for (uint8_t i = 0; i < count; ++i) {
    Alternative alternative;
    alternative.id = TT_TRY(reader.U32Le());
    alternative.logprob = TT_TRY(reader.F32Le());
    frame.top.push_back(alternative);
  }
  TT_RETURN_IF_ERROR(reader.ExpectDone("TOKEN"));
  return frame;
}

Bytes Serialize(const TokenFrame& frame) {
  ByteWriter writer;
  WriteHead(writer, frame.head);
  writer.U64Le(frame.position).U32Le(frame.id).F32Le(frame.logprob);
  writer.U8(static_cast<uint8_t>(frame.top.size())).Zeros(3);
  for (const Alternative& a : frame.top) writer.U32Le(a.id).F32Le(a.logprob);
  return writer.Take();
}

Result<WorkFrame> ParseWork(ByteView payload, bool closed) {
  ByteReader reader(payload);
  WorkFrame frame;
  frame.head = TT_TRY(ReadHead(reader));
  frame.position = TT_TRY(reader.U64Le());
  frame.tokens_in = TT_TRY(reader.U64Le());
  frame.tokens_out = TT_TRY(reader.U64Le());
  uint8_t kind = TT_TRY(reader.U8());
  TT_RETURN_IF_ERROR(ExpectZeros(reader, 7));
  if (kind > 2) return Malformed("WORK: unknown kind");
  frame.kind = static_cast<ProofKind>(kind);
  uint64_t low = TT_TRY(reader.U64Le()), high = TT_TRY(reader.U64Le());
  frame.total = static_cast<chain::Uint128>(high) << 64 | low;
  frame.signature = TT_TRY(reader.Array<64>());
  if (closed) frame.commitment = TT_TRY(reader.Array<32>());
  TT_RETURN_IF_ERROR(reader.ExpectDone("WORK"));
  return frame;
}

Bytes Serialize(const WorkFrame& frame, bool closed) {
  ByteWriter writer;
  WriteHead(writer, frame.head);
  writer.U64Le(frame.position).U64Le(frame.tokens_in).U64Le(frame.tokens_out);
  writer.U8(static_cast<uint8_t>(frame.kind)).Zeros(7);
  writer.U64Le(static_cast<uint64_t>(frame.total)).U64Le(static_cast<uint64_t>(frame.total >> 64));
  writer.Raw(frame.signature);
  if (closed) writer.Raw(frame.commitment);
  return writer.Take();
}

Result<OpenOkFrame> ParseOpenOk(ByteView payload) {
  ByteReader reader(payload);
  OpenOkFrame frame;
  frame.head = TT_TRY(ReadHead(reader));
  frame.cached = TT_TRY(reader.U64Le());
  TT_RETURN_IF_ERROR(reader.ExpectDone("OPEN_OK"));
  return frame;
}

Bytes Serialize(const OpenOkFrame& frame) {
  ByteWriter writer;
  WriteHead(writer, frame.head);
  writer.U64Le(frame.cached);
  return writer.Take();
}

Result<CloseFrame> ParseClose(ByteView payload) {
  ByteReader reader(payload);
  CloseFrame frame;
  frame.head = TT_TRY(ReadHead(reader));
  uint8_t reason = TT_TRY(reader.U8());
  if (reason > 2) return Malformed("CLOSE: unknown reason");
  frame.reason = static_cast<CloseReason>(reason);
  frame.positions = TT_TRY(reader.U64Le());
  uint32_t keys = TT_TRY(reader.U32Le());
  if (keys > kMaxPrefixKeys) return Malformed("CLOSE: too many keys");
  for (uint32_t i = 0; i < keys; ++i) frame.keep.push_back(TT_TRY(reader.Array<16>()));
  TT_RETURN_IF_ERROR(reader.ExpectDone("CLOSE"));
  return frame;
}

Bytes Serialize(const CloseFrame& frame) {
  ByteWriter writer;
  WriteHead(writer, frame.head);
  writer.U8(static_cast<uint8_t>(frame.reason)).U64Le(frame.positions).U32Le(static_cast<uint32_t>(frame.keep.size()));
  for (const PrefixKey& key : frame.keep) writer.Raw(key);
  return writer.Take();
}

Result<ErrorFrame> ParseError(ByteView payload) {
  ByteReader reader(payload);
  ErrorFrame frame;
  frame.head = TT_TRY(ReadHead(reader));
  uint8_t code = TT_TRY(reader.U8());
  if (code < 1 || code > static_cast<uint8_t>(Code::kInternal)) return Malformed("ERROR: unknown code");
  frame.code = static_cast<Code>(code);
  uint16_t size = TT_TRY(reader.U16Le());
  if (size > kMaxErrorText) return Malformed("ERROR: text too long");
  frame.text = AsText(TT_TRY(reader.View(size)));
  TT_RETURN_IF_ERROR(reader.ExpectDone("ERROR"));
  return frame;
}

Bytes Serialize(const ErrorFrame& frame) {
  ByteWriter writer;
  WriteHead(writer, frame.head);
  std::string_view text = std::string_view(frame.text).substr(0, kMaxErrorText);
  writer.U8(static_cast<uint8_t>(frame.code)).U16Le(static_cast<uint16_t>(text.size())).Raw(text);
  return writer.Take();
}

Result<std::vector<BatchEntry>> ParseBatch(ByteView payload) {
  ByteReader reader(payload);
  uint32_t count = TT_TRY(reader.U32Le());
  if (count == 0 || count > kMaxBatchFrames) return Malformed("BATCH: number of frames out of range");
  std::vector<BatchEntry> entries;
  for (uint32_t i = 0; i < count; ++i) {
    BatchEntry entry;
    entry.type = TT_TRY(reader.U8());
    if (entry.type == kBatch) return Malformed("BATCH: inside another");
    uint32_t size = TT_TRY(reader.U32Le());
    ByteView view = TT_TRY(reader.View(size));
    entry.payload = Bytes(view.begin(), view.end());
    entries.push_back(std::move(entry));
  }
  TT_RETURN_IF_ERROR(reader.ExpectDone("BATCH"));
  return entries;
}

Bytes SerializeBatch(const std::vector<BatchEntry>& entries) {
  ByteWriter writer;
  writer.U32Le(static_cast<uint32_t>(entries.size()));
  for (const BatchEntry& entry : entries) {
    writer.U8(entry.type).U32Le(static_cast<uint32_t>(entry.payload.size())).Raw(entry.payload);
  }
  return writer.Take();
}

}  // namespace teetee::pipeline
