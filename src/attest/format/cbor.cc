#include "attest/format/cbor.h"

namespace teetee::attest {

CborWriter& CborWriter::Head(CborMajor major, uint64_t value) {
  auto first = static_cast<uint8_t>(static_cast<uint8_t>(major) << 5);
  if (value < 24) {
    out_.U8(static_cast<uint8_t>(first | value));
  } else if (value <= 0xff) {
    out_.U8(first | 24).U8(static_cast<uint8_t>(value));
  } else if (value <= 0xffff) {
    out_.U8(first | 25).U16Be(static_cast<uint16_t>(value));
  } else if (value <= 0xffffffff) {
    out_.U8(first | 26).U32Be(static_cast<uint32_t>(value));
  } else {
    out_.U8(first | 27).U64Be(value);
  }
  return *this;
}

CborWriter& CborWriter::ByteString(ByteView bytes) {
  Head(CborMajor::kBytes, bytes.size());
  out_.Raw(bytes);
  return *this;
}

CborWriter& CborWriter::Text(std::string_view text) {
  Head(CborMajor::kText, text.size());
  out_.Raw(text);
  return *this;
}

Result<uint64_t> CborReader::Head(CborMajor major) {
  uint8_t first = TT_TRY(in_.U8());
  if (first >> 5 != static_cast<uint8_t>(major)) {
    return Error(Code::kInvalidArgument, "CBOR: item of another type");
  }
  uint8_t info = first & 31;
  if (info < 24) return uint64_t{info};
  uint64_t value = 0;
  uint64_t least = 0;  // smallest value that needs this width
  switch (info) {
    case 24:
      value = TT_TRY(in_.U8());
      least = 24;
      break;
    case 25:
      value = TT_TRY(in_.U16Be());
      least = 0x100;
      break;
    case 26:
      value = TT_TRY(in_.U32Be());
      least = 0x10000;
      break;
    case 27:
      value = TT_TRY(in_.U64Be());
      least = 0x100000000;
      break;
    default:
      return Error(Code::kInvalidArgument, "CBOR: indefinite or reserved length");
  }
  if (value < least) return Error(Code::kInvalidArgument, "CBOR: not the shortest encoding");
  return value;
}

Result<ByteView> CborReader::ByteString() {
  uint64_t size = TT_TRY(Head(CborMajor::kBytes));
  if (size > in_.remaining()) return Error(Code::kInvalidArgument, "CBOR: string too long");
  return in_.View(size);
}

Result<std::string_view> CborReader::Text() {
  uint64_t size = TT_TRY(Head(CborMajor::kText));
  if (size > in_.remaining()) return Error(Code::kInvalidArgument, "CBOR: string too long");
  return AsText(TT_TRY(in_.View(size)));
}

Status CborReader::Expect(CborMajor major, uint64_t value) {
  if (TT_TRY(Head(major)) != value)
    return Error(Code::kInvalidArgument, "CBOR: another count or tag");
  return Ok{};
}

}  // namespace teetee::attest
