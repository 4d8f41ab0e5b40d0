// The few kinds of DER (X.690) that the SGX extension is made of. Definite lengths, single-byte
// tags.
#pragma once

#include "base/bytes.h"

namespace teetee::attest {

enum class DerTag : uint8_t {
  kBoolean = 0x01,
  kInteger = 0x02,
  kOctetString = 0x04,
  kOid = 0x06,
  kEnumerated = 0x0a,
  kSequence = 0x30,
};

struct DerItem {
  DerTag tag;
  ByteView value;
};

// Reads one item from the front of `in`: kInvalidArgument for any length that is not the shortest
// form or does not fit.
Result<DerItem> ReadDer(ByteReader& in);
Result<ByteView> ReadDer(ByteReader& in, DerTag expected);

Bytes EncodeDer(DerTag tag, ByteView value);
Bytes EncodeDerUint(uint64_t value);  // an INTEGER

}  // namespace teetee::attest
