// Recursive Length Prefix (Ethereum Yellow Paper, appendix B). Writing cannot fail. Reading is
// strict: exactly one encoding of each value is accepted. Pure, thread-safe.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "chain/wei.h"

namespace teetee::chain {

Bytes RlpString(ByteView bytes);
inline Bytes RlpUint(Uint128 value) { return RlpString(TrimmedBigEndian(value)); }
Bytes RlpWordUint(const Word& value);  // a 256-bit number without its leading zeros
Bytes RlpList(const std::vector<Bytes>& encoded_items);

// Reads the items of one list (or of a sequence) in order. Views point into the bytes given, which
// must outlive them.
class RlpReader {
 public:
  explicit RlpReader(ByteView items) : in_(items) {}

  Result<ByteView> String();
  Result<RlpReader> List();
  Result<Uint128> Uint();  // kInvalidArgument: leading zeros, or more than 128 bits
  Result<uint64_t> Uint64();
  Result<Word> WordUint();  // at most 256 bits
  bool done() const { return in_.done(); }
  Status ExpectDone() const { return in_.ExpectDone("RLP"); }

 private:
  struct Item {
    bool is_list;
    ByteView payload;
  };
  Result<Item> Next();
  Result<size_t> LongLength(size_t size_of_size);
  ByteReader in_;
};

}  // namespace teetee::chain
