#include "attest/format/der.h"

namespace teetee::attest {
namespace {

Result<size_t> ReadLength(ByteReader& in) {
  uint8_t first = TT_TRY(in.U8());
  if (first < 0x80) return size_t{first};
  if (first == 0x81) {
    uint8_t length = TT_TRY(in.U8());
    if (length >= 0x80) return size_t{length};
  } else if (first == 0x82) {
    uint16_t length = TT_TRY(in.U16Be());
    if (length >= 0x100) return size_t{length};
  }
  return Error(Code::kInvalidArgument, "DER: bad length");
}

}  // namespace

Result<DerItem> ReadDer(ByteReader& in) {
  uint8_t tag = TT_TRY(in.U8());
  size_t length = TT_TRY(ReadLength(in));
  ByteView value = TT_TRY(in.View(length));
  return DerItem{static_cast<DerTag>(tag), value};
}

Result<ByteView> ReadDer(ByteReader& in, DerTag expected) {
  DerItem item = TT_TRY(ReadDer(in));
  if (item.tag != expected) return Error(Code::kInvalidArgument, "DER: item of another type");
  return item.value;
}

Bytes EncodeDer(DerTag tag, ByteView value) {
  ByteWriter out;
  out.U8(static_cast<uint8_t>(tag));
  if (value.size() < 0x80) {
    out.U8(static_cast<uint8_t>(value.size()));
  } else if (value.size() < 0x100) {
    out.U8(0x81).U8(static_cast<uint8_t>(value.size()));
  } else {
    out.U8(0x82).U16Be(static_cast<uint16_t>(value.size()));
  }
  return out.Raw(value).Take();
}

Bytes EncodeDerUint(uint64_t value) {
  Bytes digits;
  do {
    digits.insert(digits.begin(), static_cast<uint8_t>(value));
    value >>= 8;
  } while (value != 0);
  if (digits[0] >= 0x80) digits.insert(digits.begin(), 0);
  return EncodeDer(DerTag::kInteger, digits);
}

}  // namespace teetee::attest
