// Byte strings, hexadecimal and base64 text, and the bounds-checked reader and writer through which all foreign bytes pass.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace teetee {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;
template <size_t N>
using ByteArray = std::array<uint8_t, N>;
using Hash32 = ByteArray<32>;
using Hash48 = ByteArray<48>;

ByteView AsBytes(std::string_view text);         // a view of the same memory
std::string_view AsText(ByteView bytes);         // likewise
Bytes ToBytes(ByteView bytes);                   // a copy
std::string ToHex(ByteView bytes);               // lower case, no prefix
std::string ToHex0x(ByteView bytes);             // with 0x
std::string ToBase64(ByteView bytes);            // RFC 4648 section 4, padded
bool ConstantTimeEqual(ByteView a, ByteView b);  // false if sizes differ

// Accepts upper and lower case and an optional 0x.
Result<Bytes> FromHex(std::string_view text);
Result<Bytes> FromBase64(std::string_view text);

// Exactly N bytes of hexadecimal.
template <size_t N>
Result<ByteArray<N>> FromHexFixed(std::string_view text) {
  Bytes bytes = TT_TRY(FromHex(text));
  if (bytes.size() != N) {
    return Error(Code::kInvalidArgument, "expected " + std::to_string(N) + " bytes of hex, found " +
                                             std::to_string(bytes.size()));
  }
  ByteArray<N> out;
  std::memcpy(out.data(), bytes.data(), N);
  return out;
}

// Reads integers and views from foreign bytes. Every read checks what is left; a failed read leaves the position unchanged.
// The reader does not own the bytes: they must outlive it and every view taken from it.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : bytes_(bytes) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }
  bool done() const { return remaining() == 0; }

  Result<uint8_t> U8();
  Result<uint16_t> U16Le();
  Result<uint32_t> U32Le();
  Result<uint64_t> U64Le();
  Result<uint16_t> U16Be();
  Result<uint32_t> U32Be();
  Result<uint64_t> U64Be();
  Result<float> F32Le();
  Result<ByteView> View(size_t size);
  template <size_t N>
  Result<ByteArray<N>> Array() {
    ByteView view = TT_TRY(View(N));
    ByteArray<N> out;
    std::memcpy(out.data(), view.data(), N);
    return out;
  }
  Status Skip(size_t size);
  // Error unless every byte was read.
  Status ExpectDone(std::string_view what) const;

 private:
  ByteView bytes_;
  size_t position_ = 0;
};

// Appends integers and bytes to a growing buffer.
class ByteWriter {
 public:
  ByteWriter& U8(uint8_t v);
  ByteWriter& U16Le(uint16_t v);
  ByteWriter& U32Le(uint32_t v);
  ByteWriter& U64Le(uint64_t v);
  ByteWriter& U16Be(uint16_t v);
  ByteWriter& U32Be(uint32_t v);
  ByteWriter& U64Be(uint64_t v);
  ByteWriter& F32Le(float v);
  ByteWriter& Raw(ByteView bytes);
  ByteWriter& Raw(std::string_view text) { return Raw(AsBytes(text)); }
  ByteWriter& Zeros(size_t count);

  const Bytes& bytes() const { return out_; }
  Bytes Take() { return std::move(out_); }
  size_t size() const { return out_.size(); }

 private:
  Bytes out_;
};

}  // namespace teetee
