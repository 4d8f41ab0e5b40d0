#include "chain/abi.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/keccak.h"

namespace teetee::chain {
namespace {

constexpr size_t kWord = 32;

Error Malformed(const char* what) { return Error(Code::kInvalidArgument, what); }
size_t PaddedSize(size_t size) { return (size + kWord - 1) / kWord * kWord; }
bool AllZero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
}

// A count or offset at the start of `bytes`, at most `most`.
Result<size_t> SizeWord(ByteView bytes, size_t most) {
  const Word word = TT_TRY(ByteReader(bytes).Array<kWord>());
  const Uint128 value = TT_TRY(Uint128Of(word));
  if (value > most) return Malformed("ABI: length or offset beyond the data or its limit");
  return static_cast<size_t>(value);
}

}  // namespace

Selector SelectorOf(std::string_view signature) {
  const Hash32 hash = crypto::Keccak256(signature);
  return {hash[0], hash[1], hash[2], hash[3]};
}

Hash32 EventTopicOf(std::string_view signature) { return crypto::Keccak256(signature); }

AbiWriter& AbiWriter::Raw(const Word& word) {
  head_.push_back(word);
  tail_of_.push_back(kStatic);
  return *this;
}

AbiWriter& AbiWriter::Dynamic(Bytes tail) {
  TT_CHECK(tail.size() % kWord == 0);
  head_.push_back({});
  tail_of_.push_back(tails_.size());
  tails_.push_back(std::move(tail));
  return *this;
}

AbiWriter& AbiWriter::Blob(ByteView bytes) {
  ByteWriter tail;
  tail.Raw(WordOf(Uint128{bytes.size()})).Raw(bytes).Zeros(PaddedSize(bytes.size()) - bytes.size());
  return Dynamic(tail.Take());
}

AbiWriter& AbiWriter::StaticArray(size_t count, const std::vector<Word>& words) {
  ByteWriter tail;
  tail.Raw(WordOf(Uint128{count}));
  for (const Word& word : words) tail.Raw(word);
  return Dynamic(tail.Take());
}

Bytes AbiWriter::Finish() const {
  ByteWriter out;
  size_t offset = head_.size() * kWord;
  for (size_t i = 0; i < head_.size(); ++i) {
    if (tail_of_[i] == kStatic) {
      out.Raw(head_[i]);
      continue;
    }
    out.Raw(WordOf(Uint128{offset}));
    offset += tails_[tail_of_[i]].size();
  }
  for (const Bytes& tail : tails_) out.Raw(tail);
  return out.Take();
}

Bytes AbiWriter::Call(std::string_view signature) const {
  ByteWriter out;
  out.Raw(SelectorOf(signature)).Raw(Finish());
  return out.Take();
}

Result<Word> AbiReader::Raw() {
  ByteReader in(bytes_.subspan(position_));
  const Word word = TT_TRY(in.Array<kWord>());
  position_ += kWord;
  return word;
}

Result<Uint128> AbiReader::Uint(unsigned bits) {
  TT_CHECK(bits <= 128);
  const Word word = TT_TRY(Raw());
  const Uint128 value = TT_TRY(Uint128Of(word));
  if (bits < 128 && value >> bits != 0) return Malformed("ABI: number out of its type's range");
  return value;
}

Result<uint64_t> AbiReader::Uint64(unsigned bits) {
  TT_CHECK(bits <= 64);
  return static_cast<uint64_t>(TT_TRY(Uint(bits)));
}

Result<Address> AbiReader::Addr() { return AddressOf(TT_TRY(Raw())); }

Result<bool> AbiReader::Bool() {
  const uint64_t value = TT_TRY(Uint64(1));
  return value == 1;
}

Result<ByteArray<26>> AbiReader::Bytes26() {
  const Word word = TT_TRY(Raw());
  if (!AllZero(ByteView(word).subspan(26))) return Malformed("ABI: bytes26 with a dirty end");
  ByteArray<26> out;
  std::memcpy(out.data(), word.data(), out.size());
  return out;
}

Result<ByteView> AbiReader::Tail() {
  if (bytes_.size() - position_ < kWord) return Malformed("ABI: the head is too short");
  const size_t offset = TT_TRY(SizeWord(bytes_.subspan(position_), bytes_.size()));
  if (offset % kWord != 0) return Malformed("ABI: offset is not a multiple of 32");
  position_ += kWord;
  if (offset < position_) return Malformed("ABI: offset points back into the head");
  return bytes_.subspan(offset);
}

Result<ByteView> AbiReader::Blob(size_t max_size) {
  const ByteView tail = TT_TRY(Tail());
  const size_t size = TT_TRY(SizeWord(tail, max_size));
  const ByteView rest = tail.subspan(kWord);
  if (size > rest.size() || PaddedSize(size) > rest.size())
    return Malformed("ABI: data is cut off");
  if (!AllZero(rest.subspan(size, PaddedSize(size) - size))) return Malformed("ABI: dirty padding");
  return rest.first(size);
}

Result<std::string> AbiReader::Text(size_t max_size) {
  return std::string(AsText(TT_TRY(Blob(max_size))));
}

Result<AbiReader> AbiReader::Tuple() { return AbiReader(TT_TRY(Tail())); }

Result<AbiReader::Array> AbiReader::StaticArray(size_t words_each, size_t max_count) {
  TT_CHECK(words_each > 0);
  const ByteView tail = TT_TRY(Tail());
  const size_t count = TT_TRY(SizeWord(tail, max_count));
  if (count > (tail.size() - kWord) / (kWord * words_each))
    return Malformed("ABI: array is cut off");
  Array out{count, {}};
  ByteReader in(tail.subspan(kWord));
  out.words.reserve(count * words_each);
  for (size_t i = 0; i < count * words_each; ++i) out.words.push_back(TT_TRY(in.Array<kWord>()));
  return out;
}

}  // namespace teetee::chain
