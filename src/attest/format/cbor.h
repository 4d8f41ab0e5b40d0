// The part of CBOR (RFC 8949) that evidence uses, in deterministic encoding (section 4.2.1):
// shortest heads, definite lengths.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace teetee::attest {

enum class CborMajor : uint8_t { kUint = 0, kBytes = 2, kText = 3, kArray = 4, kMap = 5, kTag = 6 };

class CborWriter {
 public:
  CborWriter& Uint(uint64_t v) { return Head(CborMajor::kUint, v); }
  CborWriter& ByteString(ByteView bytes);
  CborWriter& Text(std::string_view text);
  CborWriter& Array(uint64_t count) { return Head(CborMajor::kArray, count); }
  CborWriter& Map(uint64_t count) { return Head(CborMajor::kMap, count); }
  CborWriter& Tag(uint64_t tag) { return Head(CborMajor::kTag, tag); }
  Bytes Take() { return out_.Take(); }

 private:
  CborWriter& Head(CborMajor major, uint64_t value);
  ByteWriter out_;
};

// Each call expects one kind of item and refuses any other, and every encoding that is not the
// shortest. Views are into the given bytes. Errors are plain kInvalidArgument; the caller names the
// check.
class CborReader {
 public:
  explicit CborReader(ByteView bytes) : in_(bytes) {}
  Result<uint64_t> Uint() { return Head(CborMajor::kUint); }
  Result<ByteView> ByteString();
  Result<std::string_view> Text();  // not checked to be UTF-8: compare it only
  Status Expect(CborMajor major,
                uint64_t value);  // the head of an array, map or tag with this very count or number
  Status ExpectDone() const { return in_.ExpectDone("CBOR"); }

 private:
  Result<uint64_t> Head(CborMajor major);
  ByteReader in_;
};

}  // namespace teetee::attest
