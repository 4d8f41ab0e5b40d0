#include "chain/rlp.h"

#include <algorithm>

namespace teetee::chain {
namespace {

constexpr uint8_t kString = 0x80;
constexpr uint8_t kList = 0xc0;
constexpr size_t kShort = 55;  // longest payload whose length lies in the first byte

Error Malformed(const char* what) { return Error(Code::kInvalidArgument, what); }

void WriteHead(ByteWriter* out, uint8_t base, size_t size) {
  if (size <= kShort) {
    out->U8(static_cast<uint8_t>(base + size));
    return;
  }
  const Bytes length = TrimmedBigEndian(size);
  out->U8(static_cast<uint8_t>(base + kShort + length.size())).Raw(length);
}

}  // namespace

Bytes RlpString(ByteView bytes) {
  ByteWriter out;
  if (bytes.size() != 1 || bytes[0] >= kString) WriteHead(&out, kString, bytes.size());
  return out.Raw(bytes).Take();
}

Bytes RlpWordUint(const Word& value) {
  const auto first = std::find_if(value.begin(), value.end(), [](uint8_t b) { return b != 0; });
  return RlpString(Bytes(first, value.end()));
}

Bytes RlpList(const std::vector<Bytes>& encoded_items) {
  size_t size = 0;
  for (const Bytes& item : encoded_items) size += item.size();
  ByteWriter out;
  WriteHead(&out, kList, size);
  for (const Bytes& item : encoded_items) out.Raw(item);
  return out.Take();
}

Result<size_t> RlpReader::LongLength(size_t size_of_size) {
  const ByteView bytes = TT_TRY(in_.View(size_of_size));
  if (bytes[0] == 0) return Malformed("RLP: length with leading zeros");
  if (bytes.size() > 4) return Malformed("RLP: length over 4 GiB");
  size_t size = 0;
  for (uint8_t b : bytes) size = size << 8 | b;
  if (size <= kShort) return Malformed("RLP: long form of a short length");
  return size;
}

Result<RlpReader::Item> RlpReader::Next() {
  ByteReader start = in_;
  const uint8_t first = TT_TRY(in_.U8());
  if (first < kString) return Item{false, TT_TRY(start.View(1))};
  const bool is_list = first >= kList;
  size_t size = first - (is_list ? kList : kString);
  if (size > kShort) size = TT_TRY(LongLength(size - kShort));
  const ByteView payload = TT_TRY(in_.View(size));
  if (!is_list && size == 1 && payload[0] < kString) return Malformed("RLP: needless length");
  return Item{is_list, payload};
}

Result<ByteView> RlpReader::String() {
  const Item item = TT_TRY(Next());
  if (item.is_list) return Malformed("RLP: expected a string, found a list");
  return item.payload;
}

Result<RlpReader> RlpReader::List() {
  const Item item = TT_TRY(Next());
  if (!item.is_list) return Malformed("RLP: expected a list, found a string");
  return RlpReader(item.payload);
}

Result<Word> RlpReader::WordUint() {
  const ByteView bytes = TT_TRY(String());
  if (bytes.size() > 32) return Malformed("RLP: number over 256 bits");
  if (!bytes.empty() && bytes[0] == 0) return Malformed("RLP: number with leading zeros");
  Word out{};
  std::copy(bytes.begin(), bytes.end(), out.end() - static_cast<ptrdiff_t>(bytes.size()));
  return out;
}

Result<Uint128> RlpReader::Uint() { return Uint128Of(TT_TRY(WordUint())); }

Result<uint64_t> RlpReader::Uint64() {
  const Uint128 value = TT_TRY(Uint());
  if (value > ~uint64_t{0}) return Malformed("RLP: number over 64 bits");
  return static_cast<uint64_t>(value);
}

}  // namespace teetee::chain
