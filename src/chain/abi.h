// The contract ABI of Solidity (specification of version 0.8): a tuple is a head of one word per
// static value or offset, then the tails. Writing cannot fail. Reading is strict: values in range,
// padding zero, offsets inside and aligned, counts bounded by the bytes that are there before
// anything is allocated. Pure, thread-safe.
#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "chain/wei.h"

namespace teetee::chain {

using Selector = ByteArray<4>;
Selector SelectorOf(
    std::string_view signature);  // "open(address)": first 4 bytes of its Keccak-256
Hash32 EventTopicOf(std::string_view signature);  // all 32

// Writes one tuple, value after value. A static struct is written as its members.
class AbiWriter {
 public:
  AbiWriter& Raw(const Word& word);  // bytes32, or any value already a word
  AbiWriter& Uint(Uint128 value) { return Raw(WordOf(value)); }
  AbiWriter& Amount(Wei value) { return Raw(WordOf(value)); }
  AbiWriter& Addr(const Address& address) { return Raw(WordOf(address)); }
  AbiWriter& Blob(ByteView bytes);  // bytes or string
  AbiWriter& Text(std::string_view text) { return Blob(AsBytes(text)); }
  // An array whose elements are static: `words` are the elements' words one after another.
  AbiWriter& StaticArray(size_t count, const std::vector<Word>& words);
  AbiWriter& Dynamic(Bytes tail);  // an encoded dynamic value: the head gets its offset

  Bytes Finish() const;                          // the tuple
  Bytes Call(std::string_view signature) const;  // selector and tuple

 private:
  static constexpr size_t kStatic = ~size_t{0};
  std::vector<Word> head_;
  std::vector<size_t> tail_of_;  // per word of the head: index into tails_, or kStatic
  std::vector<Bytes> tails_;
};

// Reads one tuple, value after value. Views point into the bytes given, which must outlive them.
class AbiReader {
 public:
  explicit AbiReader(ByteView tuple) : bytes_(tuple) {}

  Result<Word> Raw();
  Result<Uint128> Uint(unsigned bits);  // bits <= 128: kInvalidArgument if the value is larger
  Result<uint64_t> Uint64(unsigned bits = 64);
  Result<Wei> Amount() { return Wei(TT_TRY(Uint(128))); }
  Result<Address> Addr();
  Result<bool> Bool();
  Result<ByteArray<26>> Bytes26();  // left-aligned
  Result<ByteView> Blob(size_t max_size);
  Result<std::string> Text(size_t max_size);
  Result<AbiReader> Tuple();  // of a dynamic tuple
  struct Array {
    size_t count;
    std::vector<Word> words;  // count * words_each
  };
  Result<Array> StaticArray(size_t words_each, size_t max_count);

 private:
  Result<ByteView> Tail();  // follows an offset
  ByteView bytes_;
  size_t position_ = 0;
};

}  // namespace teetee::chain
