#include "base/bytes.h"

#include <bit>

namespace teetee {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <class T>
T LoadLe(ByteView v) {
  T out = 0;
  for (size_t i = 0; i < sizeof(T); ++i) out |= static_cast<T>(T{v[i]} << (8 * i));
  return out;
}

template <class T>
T LoadBe(ByteView v) {
  T out = 0;
  for (size_t i = 0; i < sizeof(T); ++i) out |= static_cast<T>(T{v[i]} << (8 * (sizeof(T) - 1 - i)));
  return out;
}

template <class T>
void StoreLe(Bytes& out, T v) {
  for (size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<uint8_t>(v >> (8 * i)));
}

template <class T>
void StoreBe(Bytes& out, T v) {
  for (size_t i = sizeof(T); i-- > 0;) out.push_back(static_cast<uint8_t>(v >> (8 * i)));
}

}  // namespace

ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes ToBytes(ByteView bytes) { return Bytes(bytes.begin(), bytes.end()); }

std::string ToHex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (uint8_t b : bytes) {
    out += kHexDigits[b >> 4];
    out += kHexDigits[b & 15];
  }
  return out;
}

std::string ToHex0x(ByteView bytes) { return "0x" + ToHex(bytes); }

Result<Bytes> FromHex(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  if (text.size() % 2 != 0) return Error(Code::kInvalidArgument, "hex text of odd length");
  Bytes out;
  out.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    int high = HexValue(text[i]), low = HexValue(text[i + 1]);
    if (high < 0 || low < 0) {
      return Error(Code::kInvalidArgument, "not a hex digit at offset " + std::to_string(i));
    }
    out.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  return out;
}

std::string ToBase64(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    size_t left = bytes.size() - i;
    uint32_t v = uint32_t{bytes[i]} << 16;
    if (left > 1) v |= uint32_t{bytes[i + 1]} << 8;
    if (left > 2) v |= bytes[i + 2];
    out += kBase64[v >> 18];
    out += kBase64[v >> 12 & 63];
    out += left > 1 ? kBase64[v >> 6 & 63] : '=';
    out += left > 2 ? kBase64[v & 63] : '=';
  }
  return out;
}

Result<Bytes> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return Error(Code::kInvalidArgument, "base64 length is not a multiple of 4");
  size_t pad = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  Bytes out;
  out.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t v = 0;
    for (size_t j = 0; j < 4; ++j) {
      size_t at = i + j;
      if (at >= text.size() - pad) {
        v <<= 6;
        continue;
      }
      size_t value = kBase64.find(text[at]);
      if (value == std::string_view::npos) {
        return Error(Code::kInvalidArgument, "not base64 at offset " + std::to_string(at));
      }
      v = v << 6 | static_cast<uint32_t>(value);
    }
    out.push_back(static_cast<uint8_t>(v >> 16));
    out.push_back(static_cast<uint8_t>(v >> 8));
    out.push_back(static_cast<uint8_t>(v));
  }
  out.resize(out.size() - pad);
  return out;
}

bool ConstantTimeEqual(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<uint8_t>(a[i] ^ b[i]);
  return difference == 0;
}

Result<ByteView> ByteReader::View(size_t size) {
  if (size > remaining()) {
    return Error(Code::kInvalidArgument, "needs " + std::to_string(size) + " bytes at offset " +
                                             std::to_string(position_) + ", " +
                                             std::to_string(remaining()) + " left");
  }
  ByteView view = bytes_.subspan(position_, size);
  position_ += size;
  return view;
}

Result<uint8_t> ByteReader::U8() { return TT_TRY(View(1))[0]; }
Result<uint16_t> ByteReader::U16Le() { return LoadLe<uint16_t>(TT_TRY(View(2))); }
Result<uint32_t> ByteReader::U32Le() { return LoadLe<uint32_t>(TT_TRY(View(4))); }
Result<uint64_t> ByteReader::U64Le() { return LoadLe<uint64_t>(TT_TRY(View(8))); }
Result<uint16_t> ByteReader::U16Be() { return LoadBe<uint16_t>(TT_TRY(View(2))); }
Result<uint32_t> ByteReader::U32Be() { return LoadBe<uint32_t>(TT_TRY(View(4))); }
Result<uint64_t> ByteReader::U64Be() { return LoadBe<uint64_t>(TT_TRY(View(8))); }
Result<float> ByteReader::F32Le() { return std::bit_cast<float>(TT_TRY(U32Le())); }

Status ByteReader::Skip(size_t size) {
  TT_RETURN_IF_ERROR(View(size));
  return Ok{};
}

Status ByteReader::ExpectDone(std::string_view what) const {
  if (done()) return Ok{};
  return Error(Code::kInvalidArgument,
               std::string(what) + ": " + std::to_string(remaining()) + " bytes too many");
}

ByteWriter& ByteWriter::U8(uint8_t v) {
  out_.push_back(v);
  return *this;
}
ByteWriter& ByteWriter::U16Le(uint16_t v) {
  StoreLe(out_, v);
  return *this;
}
ByteWriter& ByteWriter::U32Le(uint32_t v) {
  StoreLe(out_, v);
  return *this;
}
ByteWriter& ByteWriter::U64Le(uint64_t v) {
  StoreLe(out_, v);
  return *this;
}
ByteWriter& ByteWriter::U16Be(uint16_t v) {
  StoreBe(out_, v);
  return *this;
}
ByteWriter& ByteWriter::U32Be(uint32_t v) {
  StoreBe(out_, v);
  return *this;
}
ByteWriter& ByteWriter::U64Be(uint64_t v) {
  StoreBe(out_, v);
  return *this;
}
ByteWriter& ByteWriter::F32Le(float v) { return U32Le(std::bit_cast<uint32_t>(v)); }

ByteWriter& ByteWriter::Raw(ByteView bytes) {
  out_.insert(out_.end(), bytes.begin(), bytes.end());
  return *this;
}

ByteWriter& ByteWriter::Zeros(size_t count) {
  out_.resize(out_.size() + count);
  return *this;
}

}  // namespace teetee
